"""What commands and explanations read, with clear words when it is not there."""

from __future__ import annotations

from typing import TypeVar

from app.policy.duty import Duty
from app.policy.people import Place
from app.policy.verdict import Refused, rule
from storage.models import (
    OFFICE,
    Actor,
    ActorKind,
    Contact,
    Decision,
    DecisionKind,
    Incident,
    OfficeHours,
    Request,
    Role,
    Row,
    Session,
    Settings,
    Shift,
    Staff,
    Standing,
    Tenant,
)
from storage.view import View

R = TypeVar("R", bound=Row)

HOLDING = (
    DecisionKind.VETO,
    DecisionKind.EMERGENCY,
    DecisionKind.BREAK_GLASS,
    DecisionKind.APPROVE,
    DecisionKind.DENY,
    DecisionKind.STANDING_CONSENT,
)
"""Decisions on whether somebody gets in; of several on one request the first here holds."""
SHIFTS_READ = 500
REASONS_COMPARED = 200
"""How many of a person's newest requests a new reason is compared with (REQ-102)."""


def the(view: View, kind: type[R], key: str, what: str) -> R:
    """The row of that key. Raises `Refused` in words when there is none."""
    row = view.get(kind, key)
    if row is None:
        raise Refused(rule("REQ-101", False, "", f"there is no {what} {key!r}"))
    return row


def staff_member(view: View, actor: Actor) -> Staff:
    """The staff member who acts. Raises `Refused` for anyone else (REQ-701: named accounts only)."""
    if actor.kind is not ActorKind.STAFF:
        raise Refused(rule("REQ-701", False, "", f"{actor.name} is no staff member", "a staff member"))
    return the(view, Staff, actor.id, "staff member")


def all_staff(view: View) -> tuple[Staff, ...]:
    return tuple(view.find(Staff))


def supers(view: View) -> tuple[Staff, ...]:
    return tuple(view.find(Staff, role=Role.SUPER.value))


def place(view: View, tenant_id: str) -> Place:
    """A tenant with its settings and contacts, each of them read for the decision."""
    tenant = the(view, Tenant, tenant_id, "tenant")
    settings = view.get(Settings, tenant_id) or Settings(tenant_id)
    contacts = (view.get(Contact, key) for key in tenant.contacts)
    return Place(tenant, settings, tuple(contact for contact in contacts if contact is not None))


def request(view: View, request_id: str) -> Request:
    return the(view, Request, request_id, "request")


def session(view: View, session_id: str) -> Session:
    return the(view, Session, session_id, "session")


def engineer_of(view: View, row: Request | Session) -> Staff:
    return the(view, Staff, row.engineer_id, "staff member")


def decision_on(view: View, request_id: str) -> Decision | None:
    """The decision that holds: the tenant's, standing consent's, a veto, or what opened another way in. A countersign
    of full mode is a decision of another kind."""
    found = [d for d in view.find(Decision, request_id=request_id) if d.kind in HOLDING]
    return min(found, key=lambda d: HOLDING.index(d.kind), default=None)


def standing(view: View, staff_id: str) -> Standing:
    """What a person is committed to; reading it is what keeps two consoles from starting at once."""
    return view.get(Standing, staff_id) or Standing(staff_id, None, None, ())


def current_session(view: View, standing: Standing) -> Session | None:
    """The session a person is in, or owes the outcome of."""
    key = standing.active_session or standing.owes_outcome
    return view.get(Session, key) if key is not None else None


def earlier_reasons(view: View, staff_id: str, again_of: str | None) -> tuple[str, ...]:
    """The reasons this person gave before, except that of the request now asked again (REQ-102, REQ-114)."""
    earlier = view.latest(Request, REASONS_COMPARED, engineer_id=staff_id)
    again = view.get(Request, again_of) if again_of is not None else None
    return tuple(one.reason for one in earlier if again is None or one.reason != again.reason)


def earlier_second_reasons(view: View, staff_id: str, request_id: str) -> tuple[str, ...]:
    """Why it could not wait before, in this person's words, on other requests (REQ-102, REQ-108)."""
    earlier = view.latest(Request, REASONS_COMPARED, engineer_id=staff_id)
    return tuple(one.break_glass.reason for one in earlier if one.break_glass is not None and one.id != request_id)


def earlier_emergencies(view: View) -> tuple[str, ...]:
    """The reasons of the newest emergencies (REQ-102, REQ-109)."""
    return tuple(one.reason for one in view.latest(Incident, REASONS_COMPARED))


def duty(view: View) -> Duty:
    """Office hours, and who is on call (REQ-111). The shifts are looked at, not rested on: the guards look again."""
    hours = view.get(OfficeHours, OFFICE)
    shifts = tuple(view.latest(Shift, SHIFTS_READ))
    return Duty(hours, shifts, all_staff(view) if shifts else ())
