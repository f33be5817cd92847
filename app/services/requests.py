"""Commands of the request's engineer and of the second person (REQ-101 … 107, 110, 112 … 115, 202)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from app.policy import requests as policy
from app.policy import text
from app.policy.limits import DEFAULTS, PENDING, USABLE, Limits
from app.policy.people import Place
from app.policy.requests import RequestForm, content_digest
from app.policy.verdict import Verdict, require
from app.services import letters, reading
from app.services.command import Proof, RefusedOnRecord, change, queueable, step_up_act
from storage.log.actions import Action
from storage.log.entry import Draft
from storage.models import Actor, Decision, DecisionKind, Exchange, Mode, Request, RequestState, Staff
from storage.models.row import Json
from storage.shared.change import Change, Write
from storage.view import View

ON_RECORD = ("REQ-107", "REQ-110")
"""Refusals to even ask that the tenant's log keeps: who tried to enter a shut tenant, or their own."""
SHUT = ("REQ-110",)
"""Of the other ways in: who tried to get past a tenant that shut them."""


@step_up_act("request.create")
def create(view: View, actor: Actor, form: RequestForm, *, now: datetime, limits: Limits = DEFAULTS) -> Change:
    """Ask for access. Answers with the request's id and its state: `pending`, or `approved` by standing consent."""
    staff = reading.staff_member(view, actor)
    place = reading.place(view, form.tenant_id)
    earlier = view.get(Request, form.again_of) if form.again_of is not None else None
    reasons = reading.earlier_reasons(view, staff.id, form.again_of)
    proof = Proof(view, actor, "request.create", now, limits)

    verdict = policy.may_create(form, staff, place, now, reasons, earlier)
    keep_refusal(view, actor, form.tenant_id, form.target_id, form.ticket, verdict, ON_RECORD, now)
    require(verdict & proof.verdict)

    request = new_request(view.fresh_id("R"), form, staff, now)
    if form.mode is Mode.READ_ONLY and place.settings.standing_consent:
        return _approved_at_once(view, actor, place, staff, request, proof, now)
    mails = letters.request_created(view, place, staff, request, now)
    return change(
        view,
        actor,
        now,
        [created(request, tuple(mail.to_id for mail in mails))],
        [Write(request), proof.used()],
        mails,
        id=request.id,
        state=request.state.value,
    )


def keep_refusal(
    view: View,
    actor: Actor,
    tenant_id: str,
    target_id: str,
    ticket: str,
    verdict: Verdict,
    rules: tuple[str, ...],
    now: datetime,
) -> None:
    """Raise `RefusedOnRecord` when one of the tenant-side `rules` refuses, so that the tenant sees who tried."""
    against = [finding for finding in verdict.refusals if finding.rule in rules]
    if not against:
        return
    entry = Draft(
        Action.REQUEST_REFUSED,
        tenant=tenant_id,
        target=target_id[: text.NAME_MAX],
        ticket=ticket[: text.TICKET_MAX],
        data={"rules": list({f.rule: None for f in against}), "why": [f.why for f in against]},
    )
    clean = not text.odd_characters(target_id + ticket, several_lines=False)
    raise RefusedOnRecord(
        verdict, change(view, actor, now, [entry if clean else replace(entry, target=None, ticket=None)], [])
    )


def new_request(key: str, form: RequestForm, staff: Staff, now: datetime) -> Request:
    """What the form says, as a request of this engineer's that waits for the tenant."""
    return Request(
        id=key,
        tenant_id=form.tenant_id,
        target_id=form.target_id,
        ticket=form.ticket,
        reason=form.reason,
        scope=form.scope,
        records=form.records,
        mode=form.mode,
        minutes=form.minutes,
        urgent=form.urgent,
        tried=tuple(dict.fromkeys(form.tried)),
        why_not=form.why_not,
        engineer_id=staff.id,
        created_at=now,
        expires_at=now + PENDING,
        content_digest=content_digest(form),
        again_of=form.again_of,
    )


def created(request: Request, mailed: tuple[str, ...]) -> Draft:
    """The entry of a new request, with all that was asked."""
    data: dict[str, Json] = {
        "scope": request.scope,
        "records": request.records,
        "mode": request.mode.value,
        "minutes": request.minutes,
        "urgent": request.urgent,
        "tried": [way.value for way in request.tried],
        "why_not": request.why_not,
        "content_digest": request.content_digest,
        "mailed": list(mailed),
    }
    return about(Action.REQUEST_CREATED, request, reason=request.reason, data=data | _again(request))


def _again(request: Request) -> dict[str, Json]:
    return {"again_of": request.again_of} if request.again_of else {}


def about(action: Action, request: Request, reason: str | None = None, data: dict[str, Json] | None = None) -> Draft:
    """An entry about a request, for the operator's log and the tenant's."""
    return Draft(
        action,
        tenant=request.tenant_id,
        target=request.target_id,
        request=request.id,
        session=request.session_id,
        ticket=request.ticket,
        reason=reason,
        data=data or {},
    )


def _approved_at_once(
    view: View, actor: Actor, place: Place, staff: Staff, request: Request, proof: Proof, now: datetime
) -> Change:
    """REQ-106: standing consent approves a read-only request at once, says so, and the admins are told."""
    decision = Decision(
        id=view.fresh_id("D"),
        request_id=request.id,
        tenant_id=request.tenant_id,
        kind=DecisionKind.STANDING_CONSENT,
        by=place.tenant.id,
        by_name=f"standing consent of {place.tenant.name}",
        at=now,
        minutes=request.minutes,
        note=None,
        content_digest=request.content_digest,
    )
    approved = replace(
        request,
        state=RequestState.APPROVED,
        granted_minutes=request.minutes,
        decided_at=now,
        decided_by=decision.by,
        usable_until=now + USABLE,
    )
    mails = letters.standing_consent(view, place, staff, approved, now)
    data: dict[str, Json] = {"standing_consent": True, "minutes": request.minutes, "mode": request.mode.value}
    return change(
        view,
        actor,
        now,
        [
            created(request, tuple(mail.to_id for mail in mails)),
            about(Action.REQUEST_APPROVED, approved, data=data | {"content_digest": request.content_digest}),
        ],
        [Write(proof.used().row), Write(approved, 1), Write(decision, 1)],
        mails,
        id=request.id,
        state=approved.state.value,
    )


@queueable("request.withdraw", "withdrawal")
def withdraw(view: View, actor: Actor, request_id: str, note: str = "", *, now: datetime) -> Change:
    """The requester takes the request back, pending or approved (REQ-107). The decision on it stays on record."""
    staff = reading.staff_member(view, actor)
    request = reading.request(view, request_id)

    require(policy.may_withdraw(request, staff, now) & is_note(note))

    withdrawn = replace(request, state=RequestState.WITHDRAWN)
    entry = about(Action.REQUEST_WITHDRAWN, withdrawn, data=with_note(note))
    return change(view, actor, now, [entry], [Write(withdrawn)], id=request.id, state=withdrawn.state.value)


def answer(view: View, actor: Actor, request_id: str, words: str, *, now: datetime) -> Change:
    """The engineer answers a tenant admin's question; all admins get it with fresh links (REQ-115)."""
    staff = reading.staff_member(view, actor)
    request = reading.request(view, request_id)
    place = reading.place(view, request.tenant_id)

    require(policy.may_answer(request, staff, now) & text.is_clean("REQ-115", "answer", words, text.NOTE_MAX))

    exchange = Exchange("answer", staff.id, staff.name, now, words)
    answered = replace(request, exchanges=(*request.exchanges, exchange))
    entry = about(Action.QUESTION_ANSWERED, answered, data={"answer": words})
    mails = letters.question_answered(view, place, staff, answered, now)
    return change(view, actor, now, [entry], [Write(answered)], mails, id=request.id)


@step_up_act("request.countersign")
def countersign(
    view: View, actor: Actor, request_id: str, note: str = "", *, now: datetime, limits: Limits = DEFAULTS
) -> Change:
    """A second staff member agrees to `full` (REQ-202)."""
    staff = reading.staff_member(view, actor)
    request = reading.request(view, request_id)
    place = reading.place(view, request.tenant_id)
    proof = Proof(view, actor, "request.countersign", now, limits)

    verdict = policy.may_countersign(request, staff, reading.engineer_of(view, request), place, reading.duty(view), now)
    require(verdict & is_note(note) & proof.verdict)

    signed = replace(request, countersigned_by=staff.id, countersigned_at=now)
    decision = second_decision(view, request, DecisionKind.COUNTERSIGN, staff, note, now)
    entry = about(Action.REQUEST_COUNTERSIGNED, signed, data={"mode": request.mode.value, **with_note(note)})
    return change(
        view,
        actor,
        now,
        [entry],
        [Write(signed), Write(decision), proof.used()],
        id=request.id,
        mode=request.mode.value,
    )


@queueable("request.decline", "refusal of full mode")
def decline(view: View, actor: Actor, request_id: str, note: str = "", *, now: datetime) -> Change:
    """A second staff member refuses `full`; what the tenant approves can then be started read-only."""
    staff = reading.staff_member(view, actor)
    request = reading.request(view, request_id)
    place = reading.place(view, request.tenant_id)

    verdict = policy.may_decline(request, staff, reading.engineer_of(view, request), place, now)
    require(verdict & is_note(note))

    declined = replace(request, declined_by=staff.id)
    decision = second_decision(view, request, DecisionKind.DECLINE, staff, note, now)
    entry = about(Action.REQUEST_DECLINED, declined, data={"mode": request.mode.value, **with_note(note)})
    return change(view, actor, now, [entry], [Write(declined), Write(decision)], id=request.id)


def again(view: View, request_id: str) -> RequestForm:
    """REQ-114: the form of a request that is over, filled in with what it asked, linked to it."""
    request = reading.request(view, request_id)
    return RequestForm(
        tenant_id=request.tenant_id,
        target_id=request.target_id,
        ticket=request.ticket,
        reason=request.reason,
        scope=request.scope,
        records=request.records,
        mode=request.mode,
        minutes=request.minutes,
        urgent=request.urgent,
        tried=request.tried,
        why_not=request.why_not,
        again_of=request.id,
    )


def second_decision(
    view: View, request: Request, kind: DecisionKind, staff: Staff, note: str, now: datetime
) -> Decision:
    return Decision(
        id=view.fresh_id("D"),
        request_id=request.id,
        tenant_id=request.tenant_id,
        kind=kind,
        by=staff.id,
        by_name=staff.name,
        at=now,
        minutes=None,
        note=note or None,
        content_digest=request.content_digest,
    )


def is_note(note: str) -> Verdict:
    return text.is_clean("REQ-107", "note", note, text.NOTE_MAX, needed=False)


def with_note(note: str) -> dict[str, Json]:
    return {"note": note} if note else {}
