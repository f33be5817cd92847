"""Reviews: what is to be signed by somebody uninvolved, when it is overdue, and what a tenant may dispute (REQ-109,
REQ-502, REQ-504)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from app.policy import text
from app.policy.people import Place, is_no_contact, same_person
from app.policy.verdict import Verdict, rule
from app.policy.words import moment
from storage.models import Contact, Review, Role, Staff

RULE = "REQ-502"
FINDING_LEAST = 10


def is_overdue(review: Review, now: datetime) -> bool:
    return review.signed_at is None and now >= review.due_at


def may_sign(review: Review, staff: Staff, involved: Iterable[Staff], place: Place, now: datetime) -> Verdict:
    """A super or an auditor who was no part of it, once. The same person counts, not the same account (REQ-107)."""
    part = next((one for one in involved if one.id == staff.id or same_person(one.email, staff.email)), None)
    return (
        rule(
            "REQ-701", staff.is_active(now), f"{staff.name} is active staff", f"{staff.name} is no active staff member"
        )
        & rule(
            RULE,
            staff.role in (Role.SUPER, Role.AUDITOR),
            f"{staff.name} is a {staff.role.value}",
            "a review is signed by a super or an auditor",
            "a super or an auditor",
        )
        & rule(
            RULE,
            part is None and staff.id not in review.barred,
            f"{staff.name} was no part of it",
            f"{staff.name} was part of it: it is signed by somebody uninvolved",
            "a super or an auditor who was no part of it",
        )
        & is_no_contact(staff, place)
        & rule(
            RULE,
            review.signed_at is None,
            f"{review.id} is open",
            f"{review.id} was signed at {moment(review.signed_at, now)}" if review.signed_at else "",
        )
    )


def is_finding(words: str) -> Verdict:
    """What was found, in words that say something."""
    return text.is_clean(RULE, "finding", words, text.OUTCOME_MAX) & rule(
        RULE, len(words.split()) > 1 and len(words.strip()) >= FINDING_LEAST, "it says what was found",
        "say in words what you looked at and what you found",
    )  # fmt: skip


def may_dispute(admin: Contact | None, place: Place, concerns: str | None, newest: bool) -> Verdict:
    """REQ-504: a tenant admin, about an entry of their own tenant's log. `concerns` is the tenant the entry is about;
    `newest`: no open review is about it already."""
    return (
        rule(
            "REQ-504",
            admin is not None and admin in place.admins,
            f"{admin.name if admin else ''} is an admin of {place.tenant.name}",
            f"only an admin of {place.tenant.name} disputes an entry of its log",
            place.whoever_decides(),
        )
        & rule(
            "REQ-504",
            concerns == place.tenant.id,
            f"the entry is {place.tenant.name}'s",
            f"there is no such entry in the log of {place.tenant.name}",
        )
        & rule("REQ-504", newest, "nobody disputes it yet", "this entry is disputed already; the review is open")
    )


def is_claim(words: str) -> Verdict:
    return text.is_clean("REQ-504", "dispute", words, text.REASON_MAX)
