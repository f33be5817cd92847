"""Commands of a tenant admin, by a mailed link (REQ-105, REQ-115). The link is named by the SHA-256 of its token."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from app.policy import break_glass as glass
from app.policy import requests as policy
from app.policy import text
from app.policy.break_glass import STOPPABLE
from app.policy.limits import USABLE
from app.policy.people import Place
from app.policy.requests import state_at
from app.policy.verdict import Refused, Verdict, require, rule
from app.services import letters, reading
from app.services.command import change, queueable
from app.services.requests import about, is_note, with_note
from app.services.stopping import stopped
from storage.log.actions import Action
from storage.models import (
    Actor,
    ActorKind,
    ConsentLink,
    Contact,
    Decision,
    DecisionKind,
    Exchange,
    LinkKind,
    Request,
    RequestState,
    Staff,
)
from storage.models.row import Json
from storage.shared.change import Change, Write
from storage.view import View


@dataclass(frozen=True, slots=True)
class Asked:
    """What a link is about, all of it read for the decision."""

    link: ConsentLink
    request: Request
    admin: Contact
    engineer: Staff
    place: Place
    decision: Decision | None
    staff: tuple[Staff, ...]


def asked(view: View, token_hash: str) -> Asked:
    """The request behind a link, for showing it (a mere look decides nothing) and for deciding."""
    link = reading.the(view, ConsentLink, token_hash, "link")
    request = reading.request(view, link.request_id)
    return Asked(
        link,
        request,
        reading.the(view, Contact, link.contact_id, "contact"),
        reading.engineer_of(view, request),
        reading.place(view, request.tenant_id),
        reading.decision_on(view, request.id),
        reading.all_staff(view),
    )


def actor_of(view: View, token_hash: str, ip: str = "local") -> Actor:
    """Whom a link makes its bearer: the one admin it was mailed to."""
    admin = asked(view, token_hash).admin
    return Actor(ActorKind.TENANT_ADMIN, admin.id, admin.name, admin.email, ip)


def approve(
    view: View, actor: Actor, token_hash: str, minutes: int | None = None, note: str = "", *, now: datetime
) -> Change:
    """Approve, for the minutes asked or for fewer."""
    on = _as_bearer(view, actor, token_hash)

    require(
        policy.is_usable(on.link, LinkKind.APPROVE.value, on.request, on.decision, now)
        & policy.may_approve(on.request, on.admin, on.engineer, on.place, on.decision, minutes, now, on.staff)
        & is_note(note)
    )

    granted = on.request.minutes if minutes is None else minutes
    approved = replace(
        on.request,
        state=RequestState.APPROVED,
        granted_minutes=granted,
        decided_at=now,
        decided_by=on.admin.id,
        decision_note=note or None,
        usable_until=now + USABLE,
    )
    decision = _decision(view, on, DecisionKind.APPROVE, granted, note, now)
    data: dict[str, Json] = {"minutes": granted, "mode": on.request.mode.value, **with_note(note)}
    return _decided(view, actor, on, approved, decision, Action.REQUEST_APPROVED, data, now)


@queueable("consent.deny", "denial")
def deny(view: View, actor: Actor, token_hash: str, note: str = "", *, now: datetime) -> Change:
    """Deny. Also possible while the tenant is shut: a no needs no open door. Too late for the request, but in time to
    stop the break-glass that followed, it is a veto (REQ-108)."""
    on = _as_bearer(view, actor, token_hash)
    if state_at(on.request, now) in STOPPABLE:
        return veto(view, actor, token_hash, note, now=now)

    require(
        policy.is_usable(on.link, LinkKind.DENY.value, on.request, on.decision, now)
        & policy.may_decide(on.request, on.admin, on.engineer, on.place, on.decision, now, on.staff)
        & is_note(note)
    )

    denied = replace(
        on.request,
        state=RequestState.DENIED,
        decided_at=now,
        decided_by=on.admin.id,
        decision_note=note or None,
    )
    decision = _decision(view, on, DecisionKind.DENY, None, note, now)
    return _decided(view, actor, on, denied, decision, Action.REQUEST_DENIED, with_note(note), now)


@queueable("consent.veto", "veto")
def veto(view: View, actor: Actor, token_hash: str, note: str = "", *, now: datetime) -> Change:
    """Stop break-glass, for good, before it is usable (REQ-108)."""
    on = _as_bearer(view, actor, token_hash)

    require(
        glass.stops(on.link, on.request, on.decision, now)
        & glass.may_veto(on.request, on.admin, on.engineer, on.place, on.decision, now, on.staff)
        & is_note(note)
    )

    stop = stopped(view, actor, on.request, note, now)
    writes = [*(Write(row) for row in stop.rows), Write(replace(on.link, used_at=now))]
    state = RequestState.VETOED.value
    return change(view, actor, now, [stop.entry], writes, stop.mails, id=on.request.id, state=state)


def ask(view: View, actor: Actor, token_hash: str, words: str, *, now: datetime) -> Change:
    """Ask the engineer something before deciding (REQ-115). Either link serves, and stays unused."""
    on = _as_bearer(view, actor, token_hash)

    require(
        policy.is_usable(on.link, on.link.kind.value, on.request, on.decision, now)
        & policy.may_decide(on.request, on.admin, on.engineer, on.place, on.decision, now, on.staff)
        & text.is_clean("REQ-115", "question", words, text.NOTE_MAX)
    )

    exchange = Exchange("question", on.admin.id, on.admin.name, now, words)
    questioned = replace(on.request, exchanges=(*on.request.exchanges, exchange))
    entry = about(Action.QUESTION_ASKED, questioned, data={"question": words})
    mails = letters.question_asked(view, on.place, on.engineer, questioned, exchange, now)
    return change(view, actor, now, [entry], [Write(questioned)], mails, id=on.request.id)


def _as_bearer(view: View, actor: Actor, token_hash: str) -> Asked:
    """What the link is about, if the actor is the admin it was mailed to."""
    on = asked(view, token_hash)
    bearer: Verdict = rule(
        "REQ-105",
        actor.kind is ActorKind.TENANT_ADMIN and actor.id == on.link.contact_id,
        f"the link was mailed to {on.admin.name}",
        f"the link was mailed to {on.admin.name} and decides for nobody else",
        on.admin.name,
    )
    if not bearer.allowed:
        raise Refused(bearer)
    return on


def _decision(view: View, on: Asked, kind: DecisionKind, minutes: int | None, note: str, now: datetime) -> Decision:
    return Decision(
        id=view.fresh_id("D"),
        request_id=on.request.id,
        tenant_id=on.request.tenant_id,
        kind=kind,
        by=on.admin.id,
        by_name=on.admin.name,
        at=now,
        minutes=minutes,
        note=note or None,
        content_digest=on.request.content_digest,
    )


def _decided(
    view: View,
    actor: Actor,
    on: Asked,
    request: Request,
    decision: Decision,
    action: Action,
    data: dict[str, Json],
    now: datetime,
) -> Change:
    entry = about(action, request, data={**data, "content_digest": request.content_digest})
    mails = (
        *letters.handled(view, on.place, on.engineer, request, decision, now),
        *letters.decided(view, on.place, on.engineer, request, decision, now),
    )
    writes = [Write(request), Write(decision), Write(replace(on.link, used_at=now))]
    return change(view, actor, now, [entry], writes, mails, id=request.id, state=request.state.value)
