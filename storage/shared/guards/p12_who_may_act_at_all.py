"""P12: deactivated staff can do nothing.

Nor can whoever is past the end date of a temporary account. An auditor reads everything and changes nothing but their
own second factor; that a rule refused them something may be recorded.
"""

from __future__ import annotations

from storage.log.actions import Action
from storage.models import Role, Session, Staff
from storage.shared.guards.case import Case, refuse

AUDITORS_MAY = frozenset(
    {
        Action.CREDENTIAL_ENROLLED,
        Action.LOG_EXPORTED,
        Action.REQUEST_REFUSED,
        Action.RATE_LIMIT_MET,
        Action.ALERT_RAISED,
    }
)


def check(case: Case) -> None:
    if case.is_staff():
        staff = case.before(Staff, case.actor.id) or case.after(Staff, case.actor.id)
        if staff is None or not staff.is_active(case.now):
            refuse("P12", f"{case.actor.name} is no active staff member")
        if staff.role is Role.AUDITOR and not case.actions <= AUDITORS_MAY:
            refuse("P12", f"{staff.name} is an auditor: reads everything, changes nothing")
    for before, session in case.written(Session):
        engineer = case.after(Staff, session.engineer_id)
        if before is None and (engineer is None or not engineer.is_active(case.now)):
            refuse("P12", f"the engineer of session {session.id} is not active")
