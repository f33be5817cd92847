"""P12: deactivated staff can do nothing.

Nor can whoever is past the end date of a temporary account. An auditor reads everything and changes nothing but their
own second factor; that a rule refused them something may be recorded, and a review they may sign. What only supers do,
and what only the mail system says, is held here too.
"""

from __future__ import annotations

import re
from datetime import timedelta

from storage.log.actions import Action
from storage.models import ActorKind, OfficeHours, OfficeSpan, Role, Session, Shift, Staff
from storage.shared.guards.case import Case, refuse

AUDITORS_MAY = frozenset(
    {
        Action.CREDENTIAL_ENROLLED,
        Action.LOG_EXPORTED,
        Action.REQUEST_REFUSED,
        Action.RATE_LIMIT_MET,
        Action.ALERT_RAISED,
        Action.REVIEW_SIGNED,
    }
)
SUPERS_ONLY = frozenset(
    {
        Action.BREAK_GLASS_COUNTERSIGNED,
        Action.EMERGENCY_DECLARED,
        Action.EMERGENCY_COUNTERSIGNED,
        Action.ROTA_HOURS_SET,
        Action.ROTA_SHIFT_SET,
        Action.ROTA_SHIFT_CANCELLED,
    }
)
HOUR = re.compile("([01][0-9]|2[0-3]):[0-5][0-9]|24:00")
SHIFT_MOST = timedelta(days=31)
NO_TENANTS = frozenset({Action.EMERGENCY_DECLARED, Action.EMERGENCY_COUNTERSIGNED, Action.EMERGENCY_LAPSED})
"""What is said by the operator's people and by the clock."""
MAIL_ONLY = frozenset({Action.MAIL_DELIVERED, Action.BREAK_GLASS_COOLING})


def check(case: Case) -> None:
    if case.is_staff():
        staff = case.before(Staff, case.actor.id) or case.after(Staff, case.actor.id)
        if staff is None or not staff.is_active(case.now):
            refuse("P12", f"{case.actor.name} is no active staff member")
        if staff.role is Role.AUDITOR and not case.actions <= AUDITORS_MAY:
            refuse("P12", f"{staff.name} is an auditor: reads everything, changes nothing")
        if staff.role is not Role.SUPER and case.actions & SUPERS_ONLY:
            refuse("P12", f"{staff.name} is no super")
    if case.actions & MAIL_ONLY and case.actor.kind is not ActorKind.SYSTEM:
        refuse("P12", f"{case.actor.name} delivers no mail")
    if case.actions & NO_TENANTS and case.actor.kind is ActorKind.TENANT_ADMIN:
        refuse("P12", f"{case.actor.name} is of the tenant: an emergency is the operator's")
    for before_shift, shift in case.written(Shift):
        if before_shift is None and not timedelta() < shift.ends_at - shift.starts_at <= SHIFT_MOST:
            refuse("P12", f"shift {shift.id} ends after it starts, at most {SHIFT_MOST.days} days later")
        if before_shift is not None and (before_shift.cancelled or before_shift.ends_at <= case.now):
            refuse("P12", f"shift {shift.id} is over, or cancelled already: it stays on record as it was")
    for _, hours in case.written(OfficeHours):
        if not all(_is_stretch(span) for span in hours.spans):
            refuse("P12", "office hours are stretches of weekdays, like 1 from 09:00 to 17:30")
    for before, session in case.written(Session):
        engineer = case.after(Staff, session.engineer_id)
        if before is None and (engineer is None or not engineer.is_active(case.now)):
            refuse("P12", f"the engineer of session {session.id} is not active")


def _is_stretch(span: OfficeSpan) -> bool:
    times = all(HOUR.fullmatch(one) for one in (span.opens, span.closes))
    return times and 1 <= span.weekday <= 7 and span.opens < span.closes
