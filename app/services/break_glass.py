"""Break-glass by its engineer and a super (REQ-108). The tenant's veto stands in `consent`, the beginning of the
cooling in `mail`, its end in `expiry`."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from app.policy import break_glass as policy
from app.policy.limits import DEFAULTS, Limits
from app.policy.verdict import require
from app.services import reading, urgent_letters
from app.services.command import Proof, change, step_up_act
from app.services.requests import SHUT, about, is_note, keep_refusal, second_decision, with_note
from storage.log.actions import Action
from storage.models import Actor, BreakGlass, DecisionKind, Layer, RequestState
from storage.shared.change import Change, Write
from storage.view import View


@step_up_act("break_glass.declare")
def declare(
    view: View, actor: Actor, request_id: str, reason: str, *, now: datetime, limits: Limits = DEFAULTS
) -> Change:
    """The engineer says why it cannot wait for the tenant any longer; a super must agree."""
    staff = reading.staff_member(view, actor)
    request = reading.request(view, request_id)
    place = reading.place(view, request.tenant_id)
    decision = reading.decision_on(view, request_id)
    proof = Proof(view, actor, "break_glass.declare", now, limits)

    verdict = policy.may_declare(request, decision, staff, place, now)
    keep_refusal(view, actor, request.tenant_id, request.target_id, request.ticket, verdict, SHUT, now)
    earlier = reading.earlier_second_reasons(view, staff.id, request_id)
    require(verdict & policy.is_second_reason(reason, request, earlier) & proof.verdict)

    declared = replace(
        request,
        state=RequestState.DECLARED,
        break_glass=BreakGlass(
            reason=reason,
            declared_at=now,
            countersigned_by=None,
            countersigned_at=None,
            cooling_since=None,
            cooling_until=None,
        ),
    )
    entry = about(Action.BREAK_GLASS_DECLARED, declared, reason)
    mails = urgent_letters.break_glass_declared(view, place, staff, declared, reading.supers(view), now)
    return change(
        view, actor, now, [entry], [Write(declared), proof.used()], mails, id=request.id, state=declared.state.value
    )


@step_up_act("break_glass.countersign")
def countersign(
    view: View, actor: Actor, request_id: str, note: str = "", *, now: datetime, limits: Limits = DEFAULTS
) -> Change:
    """A super agrees: every admin and security contact is mailed, and cooling begins when a mail server accepts the
    first of those letters."""
    staff = reading.staff_member(view, actor)
    request = reading.request(view, request_id)
    engineer = reading.engineer_of(view, request)
    place = reading.place(view, request.tenant_id)
    decision = reading.decision_on(view, request_id)
    proof = Proof(view, actor, "break_glass.countersign", now, limits)

    verdict = policy.may_countersign(request, decision, staff, engineer, place, reading.duty(view), now)
    require(verdict & is_note(note) & proof.verdict)
    assert request.break_glass is not None

    signed = replace(
        request,
        state=RequestState.COOLING,
        layer=Layer.BREAK_GLASS,
        granted_minutes=request.minutes,
        break_glass=replace(request.break_glass, countersigned_by=staff.id, countersigned_at=now),
    )
    agreed = second_decision(view, request, DecisionKind.BREAK_GLASS, staff, note, now)
    mails = urgent_letters.cooling(view, place, engineer, staff, signed, now)
    entry = about(
        Action.BREAK_GLASS_COUNTERSIGNED,
        signed,
        data={"mailed": [mail.to_id for mail in mails], "content_digest": request.content_digest, **with_note(note)},
    )
    return change(
        view,
        actor,
        now,
        [entry],
        [Write(signed), Write(agreed), proof.used()],
        mails,
        id=request.id,
        state=signed.state.value,
    )
