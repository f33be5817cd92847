"""How a tenant admin stops break-glass before it is usable (REQ-108): by the link in the urgent letter, by the deny
link of the letter before, by the kill switch, or by a mode that leaves no such way in. Each is a veto, and final."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from app.policy.break_glass import STOPPABLE
from app.policy.request_state import state_at
from app.services import reading, urgent_letters
from app.services.requests import about, with_note
from storage.log.actions import Action
from storage.log.entry import Draft
from storage.models import Actor, Decision, DecisionKind, Mail, Request, RequestState
from storage.shared.change import Write
from storage.view import View


@dataclass(frozen=True, slots=True)
class Stopped:
    """What a veto puts into a Change; the writes stand under the one entry."""

    entry: Draft
    rows: tuple[Request | Decision, ...]
    mails: tuple[Mail, ...]


def stopped(view: View, actor: Actor, request: Request, note: str, now: datetime) -> Stopped:
    """The veto of this admin, who may veto, on this request, which can be vetoed."""
    place = reading.place(view, request.tenant_id)
    engineer = reading.engineer_of(view, request)
    vetoed = replace(
        request, state=RequestState.VETOED, decided_at=now, decided_by=actor.id, decision_note=note or None
    )
    decision = Decision(
        id=view.fresh_id("D"),
        request_id=request.id,
        tenant_id=request.tenant_id,
        kind=DecisionKind.VETO,
        by=actor.id,
        by_name=actor.name,
        at=now,
        minutes=None,
        note=note or None,
        content_digest=request.content_digest,
    )
    entry = about(
        Action.BREAK_GLASS_VETOED,
        vetoed,
        data={"was": request.state.value, "content_digest": request.content_digest, **with_note(note)},
    )
    mails = urgent_letters.vetoed(view, place, engineer, vetoed, decision, reading.supers(view), now)
    return Stopped(entry, (vetoed, decision), mails)


def stop_all(view: View, actor: Actor, tenant_id: str, why: str, now: datetime) -> list[Stopped]:
    """REQ-110: whoever shuts the tenant, or this way in, stops every break-glass there that is not usable yet."""
    return [
        stopped(view, actor, one, why, now) for one in _stoppable(view, tenant_id) if state_at(one, now) in STOPPABLE
    ]


def _stoppable(view: View, tenant_id: str) -> Iterable[Request]:
    for state in sorted(STOPPABLE):
        yield from view.find(Request, tenant_id=tenant_id, state=state.value)


def added(
    entries: list[Draft], writes: list[Write], mails: list[Mail], stops: Iterable[Stopped]
) -> tuple[list[Draft], list[Write], list[Mail]]:
    """A Change's parts with those of the vetoes behind them."""
    for one in stops:
        writes = [*writes, *(Write(row, len(entries)) for row in one.rows)]
        entries, mails = [*entries, one.entry], [*mails, *one.mails]
    return entries, writes, mails
