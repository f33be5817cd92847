"""P12: deactivated staff can do nothing.

Nor can whoever is past the end date of a temporary account. An auditor reads everything and changes nothing but their
own second factor; that a rule refused them something may be recorded, and a review they may sign. What only supers do,
and what only the mail system says, is held here too.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from storage.log.actions import Action
from storage.models import (
    ActorKind,
    Contact,
    ContactRole,
    Incident,
    Layer,
    Request,
    Review,
    ReviewKind,
    Role,
    Session,
    Shift,
    Staff,
)
from storage.shared.guards.case import Case, refuse, same_person

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
    for was, request in case.written(Request):
        if request.layer is Layer.EMERGENCY and (was is None or was.layer is not Layer.EMERGENCY):
            _registered_and_reviewed(case, request)
    for before_review, review in case.written(Review):
        _review(case, before_review, review)
    for before_shift, shift in case.written(Shift):
        if before_shift is None and not timedelta() < shift.ends_at - shift.starts_at <= SHIFT_MOST:
            refuse("P12", f"shift {shift.id} ends after it starts, at most {SHIFT_MOST.days} days later")
    for before, session in case.written(Session):
        engineer = case.after(Staff, session.engineer_id)
        if before is None and (engineer is None or not engineer.is_active(case.now)):
            refuse("P12", f"the engineer of session {session.id} is not active")


def _registered_and_reviewed(case: Case, request: Request) -> None:
    """REQ-109: no emergency without its entry in the register, and a review that nobody who was part of it signs."""
    declared = request.emergency
    signers = {request.engineer_id, declared.declared_by, declared.countersigned_by} if declared else set()
    entered = any(one.id == declared.incident_id for _, one in case.written(Incident)) if declared else False
    reviewed = any(set(one.barred) >= signers and one.request_id == request.id for _, one in case.written(Review))
    if not (entered and reviewed):
        refuse("P12", f"the emergency of request {request.id} is registered and reviewed")


def _review(case: Case, before: Review | None, review: Review) -> None:
    """REQ-502, REQ-504: opened unsigned, signed once with a finding, by a super or auditor who was no part of it."""
    if before is None:
        if review.signed_at is not None or review.finding is not None or review.opened_by != case.actor.id:
            refuse("P12", f"review {review.id} is opened by who acts, unsigned")
        admin = case.before(Contact, case.actor.id)
        own = admin is not None and admin.tenant_id == review.tenant_id and admin.has(ContactRole.TENANT_ADMIN)
        if review.kind is ReviewKind.DISPUTE and not own:
            refuse("P12", f"an entry of {review.tenant_id} is disputed by its administrators")
        return
    opened = replace(review, finding=None, signed_by=None, signed_at=None)
    if before != opened or not review.finding or review.signed_by != case.actor.id:
        refuse("P12", f"review {review.id} is signed once, with a finding, by who acts")
    signer = case.before(Staff, case.actor.id)
    part = [one for key in review.barred if (one := case.before(Staff, key)) is not None]
    if signer is None or signer.role is Role.ENGINEER:
        refuse("P12", f"review {review.id} is signed by a super or an auditor")
    if signer.id in review.barred or any(same_person(signer.email, one.email) for one in part):
        refuse("P12", f"{signer.name} was part of what review {review.id} is about")
