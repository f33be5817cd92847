"""P12, of what comes after: an emergency has its incident and its review; an entry is disputed by an administrator of
its tenant, and whoever was part of it does not sign; a review is signed once, by a super or an auditor who was no part
of it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

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
    Staff,
)
from storage.shared.guards.case import Case, refuse, same_person

DUE = timedelta(hours=72)
SLACK = timedelta(seconds=2)
"""How far a console's clock may be off (ClockSkew beyond it)."""


def check(case: Case) -> None:
    for was, request in case.written(Request):
        if request.layer is Layer.EMERGENCY and (was is None or was.layer is not Layer.EMERGENCY):
            _registered_and_reviewed(case, request)
    for before, review in case.written(Review):
        if before is None:
            _opened(case, review)
        else:
            _signed(case, before, review)


def _registered_and_reviewed(case: Case, request: Request) -> None:
    """REQ-109: no emergency without its entry in the register, and a review that nobody who was part of it signs."""
    declared = request.emergency
    signers = {request.engineer_id, declared.declared_by, declared.countersigned_by} if declared else set()
    entered = any(one.id == declared.incident_id for _, one in case.written(Incident)) if declared else False
    reviewed = any(set(one.barred) >= signers and one.request_id == request.id for _, one in case.written(Review))
    if not (entered and reviewed):
        refuse("P12", f"the emergency of request {request.id} is registered and reviewed")


def _opened(case: Case, review: Review) -> None:
    """REQ-502: unsigned, now, due in 72 hours, for a reason that is there."""
    unsigned = (review.signed_at, review.signed_by, review.finding) == (None, None, None)
    by = (review.opened_by, review.opened_by_name) == (case.actor.id, case.actor.name)
    if not (unsigned and by and _is_now(case, review.opened_at) and review.due_at == review.opened_at + DUE):
        refuse("P12", f"review {review.id} is opened by who acts, unsigned, for 72 hours")
    if review.kind is ReviewKind.EMERGENCY and Action.EMERGENCY_COUNTERSIGNED not in case.actions:
        refuse("P12", "a review of an emergency is opened by one")
    if review.kind is ReviewKind.DISPUTE:
        _disputed(case, review)


def _disputed(case: Case, review: Review) -> None:
    """REQ-504: an entry that is there, by an administrator of its tenant; about what it is about; whoever was part of
    it is barred from signing."""
    admin = case.before(Contact, case.actor.id) if case.actor.kind is ActorKind.TENANT_ADMIN else None
    own = admin is not None and admin.tenant_id == review.tenant_id and admin.has(ContactRole.TENANT_ADMIN)
    entry = case.entry(review.tenant_id, review.entry_seq)
    if not own or entry is None:
        refuse("P12", f"an entry of {review.tenant_id} is disputed by its administrators")
    actor = entry["actor"]
    part = {actor["id"]} if actor["kind"] == ActorKind.STAFF.value else set()
    asked = case.before(Request, entry.get("request"))
    part |= {asked.engineer_id} if asked is not None else set()
    named = (entry.get("request"), entry.get("session")) == (review.request_id, review.session_id)
    if not (named and part <= set(review.barred)):
        refuse("P12", f"whoever was part of entry {review.entry_seq} of {review.tenant_id} does not sign its review")


def _signed(case: Case, before: Review, review: Review) -> None:
    """REQ-502: once, now, with a finding, by a super or auditor who was no part of it."""
    opened = replace(review, finding=None, signed_by=None, signed_at=None)
    said = bool(review.finding) and review.signed_by == case.actor.id and _is_now(case, review.signed_at)
    if before != opened or not said:
        refuse("P12", f"review {review.id} is signed once, now, with a finding, by who acts")
    signer = case.before(Staff, case.actor.id)
    part = [one for key in review.barred if (one := case.before(Staff, key)) is not None]
    if signer is None or signer.role is Role.ENGINEER:
        refuse("P12", f"review {review.id} is signed by a super or an auditor")
    if signer.id in review.barred or any(same_person(signer.email, one.email) for one in part):
        refuse("P12", f"{signer.name} was part of what review {review.id} is about")


def _is_now(case: Case, told: datetime | None) -> bool:
    return told is not None and abs(told - case.now) <= SLACK
