"""Who counts as the same person, who may act at all, and what a tenant's people are (REQ-107, REQ-701).

The same person counts, not the same account: addresses are compared case-folded and without a `+tag`, so that
`Ann.Lee+test@Ops.example` is nobody new.
"""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime

from app.policy.verdict import Verdict, rule
from app.policy.words import listed, moment
from storage.models import Contact, ContactRole, Role, Settings, Staff, Tenant


@dataclass(frozen=True, slots=True)
class Place:
    """A tenant as the rules see it: itself, its settings and everyone it names, removed contacts included."""

    tenant: Tenant
    settings: Settings
    contacts: tuple[Contact, ...]

    def having(self, role: ContactRole) -> tuple[Contact, ...]:
        """Its present contacts of one role."""
        return tuple(contact for contact in self.contacts if contact.has(role))

    @property
    def admins(self) -> tuple[Contact, ...]:
        return self.having(ContactRole.TENANT_ADMIN)

    def contact(self, key: str) -> Contact | None:
        return next((contact for contact in self.contacts if contact.id == key), None)

    def whoever_decides(self) -> str:
        """The tenant admins in words: "Maria Santos or Juan Ortiz of Northwind Travel"."""
        return f"{listed(admin.name for admin in self.admins)} of {self.tenant.name}"


def person(email: str) -> str:
    """What is compared when two addresses are asked to be the same person."""
    local, at, domain = unicodedata.normalize("NFKC", email).strip().casefold().rpartition("@")
    return local.split("+", 1)[0] + at + domain


def same_person(one: str, other: str) -> bool:
    return person(one) == person(other)


def may_act(staff: Staff, now: datetime) -> Verdict:
    """REQ-701: deactivated staff, and temporary staff past their end date, can do nothing; auditors only read."""
    if staff.deactivated_at is not None:
        gone = f"{staff.name}'s account was deactivated at {moment(staff.deactivated_at, now)}"
    elif staff.until is not None:
        gone = f"{staff.name}'s temporary account ended at {moment(staff.until, now)}"
    else:
        gone = ""
    return rule(
        "REQ-701",
        staff.is_active(now),
        f"{staff.name} is active staff ({staff.role.value})",
        gone,
        "another active staff member",
    ) & rule(
        "REQ-701",
        staff.role is not Role.AUDITOR,
        "the role may act",
        "an auditor reads everything and changes nothing",
        "an engineer or a super",
    )


def is_no_contact(staff: Staff, place: Place) -> Verdict:
    """REQ-107: a staff member who is also a contact of the tenant can neither enter it nor decide."""
    own = next((c for c in place.contacts if not c.removed and same_person(c.email, staff.email)), None)
    return rule(
        "REQ-107",
        own is None,
        f"{staff.name} is no contact of {place.tenant.name}",
        f"{staff.name} is {own.name}, a contact of {place.tenant.name}, and so can neither enter nor decide"
        if own
        else "",
        "a staff member who does not belong to the tenant",
    )


def is_second_person(staff: Staff, engineer: Staff, who_could: str = "") -> Verdict:
    """REQ-107, REQ-202: a countersign is another person's, whatever account it is given from. `who_could` names who is
    there for it now."""
    second = staff.id != engineer.id and not same_person(staff.email, engineer.email)
    return rule(
        "REQ-107",
        second,
        f"{staff.name} is not {engineer.name}, who asks",
        "needs a second person: nobody decides their own request",
        who_could or f"an engineer or super other than {engineer.name}",
    )


def may_add(staff: Staff, email: str, others: tuple[Staff, ...], now: datetime) -> Verdict:
    """REQ-701: only a super adds accounts; named ones, one for a person."""
    twin = next((o for o in others if o.is_active(now) and same_person(o.email, email)), None)
    return is_super(staff, now, "adds staff") & rule(
        "REQ-701",
        twin is None,
        "nobody has an account under this address yet",
        f"{email} is {twin.name}'s address already ({twin.id}): one account for a person" if twin else "",
    )


def may_deactivate(staff: Staff, leaver: Staff, others: tuple[Staff, ...], now: datetime) -> Verdict:
    """REQ-701: a super deactivates; the last super stays, or nobody could ever add one again."""
    supers = [o for o in others if o.role is Role.SUPER and o.is_active(now) and o.until is None]
    return (
        is_super(staff, now, "deactivates staff")
        & rule(
            "REQ-701",
            leaver.deactivated_at is None,
            f"{leaver.name} is active",
            f"{leaver.name} is deactivated already",
        )
        & rule(
            "REQ-701",
            [o.id for o in supers] != [leaver.id],
            "another super remains",
            f"{leaver.name} is the last super: add another first",
        )
    )


def is_super(staff: Staff, now: datetime, act: str) -> Verdict:
    return may_act(staff, now) & rule(
        "REQ-701", staff.role is Role.SUPER, f"{staff.name} is a super", f"only a super {act}", "a super"
    )
