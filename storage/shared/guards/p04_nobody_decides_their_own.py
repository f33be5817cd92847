"""P4: nobody decides on their own request, or countersigns for themselves.

The same person counts, not the same account (REQ-107): a contact of the tenant who is also the engineer, by e-mail
address, neither asks, nor enters, nor decides.
"""

from __future__ import annotations

from dataclasses import replace

from storage.models import Decision, DecisionKind, ElevationState, Request, RequestState, Role, Session, Settings, Staff
from storage.shared.guards.case import Case, refuse, same_person

DECIDED = frozenset({RequestState.APPROVED, RequestState.DENIED, RequestState.VETOED})


def check(case: Case) -> None:
    for _, decision in case.written(Decision):
        _decided_by_another(case, decision)
    for request_before, request in case.written(Request):
        if request_before is None or request_before.session_id != request.session_id:
            _engineer_is_no_contact(case, request.engineer_id, request.tenant_id)
        decided = request.decided_by if request.state in DECIDED else None
        if any(_is(case, request.engineer_id, by) for by in (request.countersigned_by, decided)):
            refuse("P4", f"{request.engineer_id} decides on their own request {request.id}")
        _other_ways_by_others(case, request_before, request)
    for session_before, session in case.written(Session):
        if session_before is None:
            _engineer_is_no_contact(case, session.engineer_id, session.tenant_id)
        _elevated_by_another(case, session_before, session)


def _decided_by_another(case: Case, decision: Decision) -> None:
    request = case.after(Request, decision.request_id)
    if request is None:
        refuse("P4", f"decision {decision.id} is on no request")
    if decision.kind is DecisionKind.STANDING_CONSENT:
        return  # the tenant decided beforehand: P5 looks at its settings
    if decision.by != case.actor.id:
        refuse("P4", f"decision {decision.id} names {decision.by}, but {case.actor.id} acts")
    if decision.kind is DecisionKind.VETO and any(row.id == request.tenant_id for _, row in case.written(Settings)):
        return  # whoever is an administrator there may shut the tenant, which vetoes what is under way (REQ-110)
    engineer = case.after(Staff, request.engineer_id)
    if decision.by == request.engineer_id or (engineer and same_person(engineer.email, case.actor.email)):
        refuse("P4", f"{case.actor.name} decides on their own request {request.id}")


def _other_ways_by_others(case: Case, before: Request | None, request: Request) -> None:
    """REQ-108, REQ-109: break-glass is declared by its engineer and countersigned by another; an emergency by two, of
    whom neither is the engineer. Each signs in person."""
    glass, old_glass = request.break_glass, before.break_glass if before else None
    if glass is not None and glass.countersigned_by != (old_glass.countersigned_by if old_glass else None):
        _in_person(case, request, glass.countersigned_by, request.engineer_id)
    elif glass is not None and old_glass is None and case.actor.id != request.engineer_id:
        refuse("P4", f"break-glass of request {request.id} is declared by its engineer")
    emergency, old = request.emergency, before.emergency if before else None
    if emergency is None or emergency == old:
        return
    if old is not None and emergency == replace(old, lapsed_at=emergency.lapsed_at):
        return  # nobody signs for the time that has passed: P3 looks at the moment
    if emergency.lapsed_at is not None:
        refuse("P4", f"an emergency on request {request.id} begins as declared")
    if emergency.countersigned_by is None:
        _in_person(case, request, emergency.declared_by, request.engineer_id)
    else:
        _in_person(case, request, emergency.countersigned_by, request.engineer_id, emergency.declared_by)


def _in_person(case: Case, request: Request, signer: str | None, *others: str) -> None:
    if signer != case.actor.id:
        refuse("P4", f"{signer} is named on request {request.id}, but {case.actor.id} acts")
    if any(_is(case, other, signer) for other in others):
        refuse("P4", f"{case.actor.name} signs for themselves on request {request.id}")
    if any(same_person(case.actor.email, contact.email) for contact in case.contacts_of(request.tenant_id)):
        refuse("P4", f"{case.actor.name} is a contact of tenant {request.tenant_id}")
    _engineer_is_no_contact(case, request.engineer_id, request.tenant_id)
    engineer = case.after(Staff, request.engineer_id)
    if engineer is None or not engineer.is_active(case.now) or engineer.role is Role.AUDITOR:
        refuse("P12", f"{request.engineer_id} enters nowhere: nobody could use request {request.id}")


def _engineer_is_no_contact(case: Case, engineer_id: str, tenant_id: str) -> None:
    engineer = case.after(Staff, engineer_id)
    if engineer and any(same_person(engineer.email, contact.email) for contact in case.contacts_of(tenant_id)):
        refuse("P4", f"{engineer.name} is a contact of tenant {tenant_id}")


def _elevated_by_another(case: Case, before: Session | None, session: Session) -> None:
    old, new = before.elevation if before else None, session.elevation
    if new is None or new == old or new.state is ElevationState.ASKED:
        return
    if new.decided_by != case.actor.id:
        refuse("P4", f"the elevation of {session.id} names {new.decided_by}, but {case.actor.id} acts")
    if _is(case, session.engineer_id, new.decided_by):
        refuse("P4", f"{case.actor.name} decides on the elevation of their own session {session.id}")


def _is(case: Case, engineer_id: str, other_id: str | None) -> bool:
    """Whether the other is the engineer, by account or by address."""
    if other_id is None or other_id == engineer_id:
        return other_id == engineer_id
    engineer, other = case.after(Staff, engineer_id), case.after(Staff, other_id)
    return bool(engineer and other and same_person(engineer.email, other.email))
