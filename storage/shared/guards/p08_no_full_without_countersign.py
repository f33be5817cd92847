"""P8: no `full` without a countersign by another active staff member.

Who may countersign now is held here too: outside office hours whoever is on call, and nobody else (REQ-111).
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

from storage.models import OFFICE, ElevationState, Mode, OfficeHours, Request, Role, Session, Shift, Staff
from storage.shared.guards.case import COUNTERSIGNING, Case, refuse


def check(case: Case) -> None:
    if case.is_staff() and case.actions & COUNTERSIGNING:
        _is_on_duty(case)
    for request_before, request in case.written(Request):
        signed = request.countersigned_by
        if signed is not None and signed != (request_before.countersigned_by if request_before else None):
            _other_active_staff(case, signed, request.engineer_id)
    for session_before, session in case.written(Session):
        if session.mode is Mode.FULL and (session_before is None or session_before.mode is not Mode.FULL):
            _countersigned(case, session_before, session)


def _is_on_duty(case: Case) -> None:
    hours = case.before(OfficeHours, OFFICE)
    if hours is None:
        return
    there = case.now.astimezone(ZoneInfo(hours.zone))
    clock = there.strftime("%H:%M")
    if any(span.weekday == there.isoweekday() and span.opens <= clock < span.closes for span in hours.spans):
        return
    if not any(shift.staff_id == case.actor.id and shift.covers(case.now) for shift in case.stored(Shift)):
        refuse("P8", f"outside office hours only the on-call approver countersigns, and {case.actor.name} is not")


def _countersigned(case: Case, before: Session | None, session: Session) -> None:
    request = case.after(Request, session.request_id)
    if before is None and request is not None and request.mode is Mode.FULL and request.countersigned_by is not None:
        return
    elevation = session.elevation
    if before is None or elevation is None or elevation.state is not ElevationState.GRANTED:
        refuse("P8", f"session {session.id} is full without a countersign")
    _other_active_staff(case, elevation.decided_by, session.engineer_id)


def _other_active_staff(case: Case, signed_by: str | None, engineer_id: str) -> None:
    signer = case.after(Staff, signed_by)
    if signer is None or signer.id == engineer_id or signer.id != case.actor.id:
        refuse("P8", "full mode is countersigned by another staff member, in person")
    if not signer.is_active(case.now) or signer.role is Role.AUDITOR:
        refuse("P8", f"{signer.name} cannot countersign: not an active engineer or super")
