"""Emergencies by two supers (REQ-109): declared on a request that is open or expired, or on one asked anew in the same
act; countersigned, reported, registered, and put before a third person."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from app.policy import emergency as policy
from app.policy.limits import DEFAULTS, USABLE, Limits
from app.policy.request_state import emergency_void_at, is_emergency_lapse_due
from app.policy.requests import RequestForm
from app.policy.verdict import require
from app.services import letters, reading, urgent_letters
from app.services.command import Proof, change, step_up_act
from app.services.requests import (
    SHUT,
    about,
    created,
    is_note,
    keep_refusal,
    new_request,
    second_decision,
    with_note,
)
from app.services.reviews import opened
from storage.log.actions import Action
from storage.log.entry import Draft
from storage.models import (
    Actor,
    DecisionKind,
    Emergency,
    EmergencyCategory,
    Incident,
    Layer,
    Request,
    RequestState,
    ReviewKind,
    Staff,
    time_text,
)
from storage.models.row import Json
from storage.shared.change import Change, Write
from storage.view import View


@step_up_act("emergency.declare")
def declare(
    view: View,
    actor: Actor,
    request_id: str,
    category: EmergencyCategory,
    reason: str,
    legal_email: str,
    *,
    now: datetime,
    limits: Limits = DEFAULTS,
) -> Change:
    """A super says what harm two hours would make irreparable. The tenant may still decide meanwhile."""
    staff = reading.staff_member(view, actor)
    request = reading.request(view, request_id)
    engineer = reading.engineer_of(view, request)
    place = reading.place(view, request.tenant_id)
    decision = reading.decision_on(view, request_id)
    proof = Proof(view, actor, "emergency.declare", now, limits)

    verdict = policy.is_declarable(request, decision, now) & policy.may_declare(staff, engineer, place, now)
    keep_refusal(view, actor, request.tenant_id, request.target_id, request.ticket, verdict, SHUT, now)
    words = policy.is_emergency_reason(reason, request.ticket, reading.earlier_emergencies(view))
    require(verdict & words & policy.can_be_told(legal_email) & proof.verdict)

    declared = replace(request, emergency=_declared(staff, category, reason, now))
    entries = [_entry(Action.EMERGENCY_DECLARED, declared, reason)]
    writes = [Write(declared), proof.used()]
    if is_emergency_lapse_due(request, now):  # void, and nobody was up to say so: it goes on record before the new one
        entries, writes = [lapse(request), *entries], [replace(one, entry=1) for one in writes]
    mails = urgent_letters.emergency_declared(view, place, engineer, staff, declared, reading.supers(view), now)
    return change(view, actor, now, entries, writes, mails, id=request.id)


@step_up_act("emergency.declare")
def declare_anew(
    view: View,
    actor: Actor,
    engineer_id: str,
    form: RequestForm,
    category: EmergencyCategory,
    reason: str,
    legal_email: str,
    *,
    now: datetime,
    limits: Limits = DEFAULTS,
) -> Change:
    """Ask for an engineer and declare in one act. The admins are asked as for any request: their yes may be faster."""
    staff = reading.staff_member(view, actor)
    engineer = reading.the(view, Staff, engineer_id, "staff member")
    place = reading.place(view, form.tenant_id)
    earlier = view.get(Request, form.again_of) if form.again_of is not None else None
    reasons = reading.earlier_reasons(view, engineer.id, form.again_of)
    proof = Proof(view, actor, "emergency.declare", now, limits)

    verdict = policy.may_declare_anew(form, staff, engineer, place, now, reasons, earlier)
    keep_refusal(view, actor, form.tenant_id, form.target_id, form.ticket, verdict, SHUT, now)
    words = policy.is_emergency_reason(reason, form.ticket, (form.reason, *reading.earlier_emergencies(view)))
    require(verdict & words & policy.can_be_told(legal_email) & proof.verdict)

    asked = new_request(view.fresh_id("R"), form, engineer, now)
    declared = replace(asked, emergency=_declared(staff, category, reason, now))
    asked_mails = letters.request_created(view, place, engineer, declared, now)
    mails = urgent_letters.emergency_declared(view, place, engineer, staff, declared, reading.supers(view), now)
    asked_for: dict[str, Json] = {"engineer": {"id": engineer.id, "name": engineer.name, "email": engineer.email}}
    entry = created(declared, tuple(mail.to_id for mail in asked_mails))
    entries = [
        replace(entry, data={**entry.data, **asked_for}),  # REQ-402: whoever declares is not whoever enters
        _entry(Action.EMERGENCY_DECLARED, declared, reason),
    ]
    return change(
        view,
        actor,
        now,
        entries,
        [Write(declared, 1), Write(proof.used().row, 1)],
        (*asked_mails, *mails),
        id=declared.id,
        state=declared.state.value,
    )


@step_up_act("emergency.countersign")
def countersign(
    view: View,
    actor: Actor,
    request_id: str,
    legal_email: str,
    note: str = "",
    *,
    now: datetime,
    limits: Limits = DEFAULTS,
) -> Change:
    """A second super agrees: it can be used from now on, and everybody is told."""
    staff = reading.staff_member(view, actor)
    request = reading.request(view, request_id)
    engineer = reading.engineer_of(view, request)
    place = reading.place(view, request.tenant_id)
    decision = reading.decision_on(view, request_id)
    first = view.get(Staff, request.emergency.declared_by) if request.emergency else None
    proof = Proof(view, actor, "emergency.countersign", now, limits)

    verdict = policy.may_countersign(request, decision, staff, first, engineer, place, now)
    require(verdict & is_note(note) & policy.can_be_told(legal_email) & proof.verdict)
    told = request.emergency
    assert told is not None and first is not None

    incident_id = view.fresh_id("I")
    signed = _signed(request, told, staff, incident_id, now)
    agreed = second_decision(view, request, DecisionKind.EMERGENCY, staff, note, now)
    review = opened(
        view,
        actor,
        ReviewKind.EMERGENCY,
        place.tenant.id,
        f"Emergency {incident_id}, {policy.CATEGORIES[told.category]}: {told.reason}",
        (engineer.id, first.id, staff.id),
        now,
        request=signed,
    )
    incident = _incident(signed, told, staff, incident_id, review.row.id, now)
    mails = urgent_letters.emergency(view, place, engineer, (first, staff), signed, legal_email, now)
    data: dict[str, Json] = {
        "category": told.category.value,
        "declared_by": first.id,
        "mailed": [mail.to_id for mail in mails],
        "content_digest": request.content_digest,
        **with_note(note),
    }
    entry = about(Action.EMERGENCY_COUNTERSIGNED, signed, told.reason, data)
    registered = about(Action.INCIDENT_REGISTERED, signed, told.reason, {"incident": incident_id})
    return change(
        view,
        actor,
        now,
        [entry, registered, review.entry],
        [Write(signed), Write(agreed), proof.used(), Write(incident, 1), Write(review.row, 2)],
        (*mails, *review.mails),
        id=request.id,
        state=signed.state.value,
        incident=incident_id,
        review=review.row.id,
    )


def lapse(request: Request) -> Draft:
    """The entry that nobody countersigned the emergency on this request in time, dated at its deadline."""
    declared, void = request.emergency, emergency_void_at(request)
    assert declared is not None and void is not None
    data: dict[str, Json] = {
        "category": declared.category.value,
        "declared_by": declared.declared_by,
        "effective_at": time_text(void),
    }
    return about(Action.EMERGENCY_LAPSED, request, declared.reason, data)


def _signed(request: Request, told: Emergency, staff: Staff, incident_id: str, now: datetime) -> Request:
    """The request as the second super leaves it: usable at once."""
    return replace(
        request,
        state=RequestState.APPROVED,
        layer=Layer.EMERGENCY,
        granted_minutes=request.minutes,
        usable_until=now + USABLE,
        emergency=replace(told, countersigned_by=staff.id, countersigned_at=now, incident_id=incident_id),
    )


def _incident(
    request: Request, told: Emergency, staff: Staff, incident_id: str, review_id: str, now: datetime
) -> Incident:
    """Its line in the register of incidents (REQ-109)."""
    return Incident(
        id=incident_id,
        request_id=request.id,
        tenant_id=request.tenant_id,
        engineer_id=request.engineer_id,
        ticket=request.ticket,
        category=told.category,
        reason=told.reason,
        declared_by=told.declared_by,
        countersigned_by=staff.id,
        at=now,
        review_id=review_id,
    )


def _declared(staff: Staff, category: EmergencyCategory, reason: str, now: datetime) -> Emergency:
    return Emergency(
        category=category,
        reason=reason,
        declared_by=staff.id,
        declared_at=now,
        countersigned_by=None,
        countersigned_at=None,
        incident_id=None,
    )


def _entry(action: Action, request: Request, reason: str) -> Draft:
    assert request.emergency is not None
    return about(action, request, reason, {"category": request.emergency.category.value})
