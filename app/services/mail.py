"""Recording that a letter was handed to the mail system, and the links that went with it (REQ-104, REQ-105).

Tokens are made by whoever delivers; only their hashes come here, so no Change and no console ever holds one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from app.policy.limits import COOLING
from app.policy.portal import SIGN_IN_LINK
from app.policy.request_state import state_at
from app.policy.verdict import require, rule
from app.services import reading
from app.services.command import change
from app.services.requests import about
from app.services.urgent_letters import COOLING_EVENT
from storage.log.actions import Action
from storage.log.entry import Draft
from storage.models import (
    Actor,
    ActorKind,
    ConsentLink,
    LinkKind,
    Mail,
    MailState,
    Request,
    RequestState,
    SignInLink,
    time_text,
)
from storage.shared.change import Change, Write
from storage.view import View


def delivered(
    view: View, actor: Actor, mail_id: str, links: Sequence[tuple[LinkKind, str]] = (), *, now: datetime
) -> Change:
    """`links` holds, for each kind the letter asks for, the SHA-256 in hex of the token that was put in."""
    mail = reading.the(view, Mail, mail_id, "letter")

    require(
        rule("REQ-104", actor.kind is ActorKind.SYSTEM, "the mail system says so", "only the mail system says so")
        & rule("REQ-104", mail.state is MailState.QUEUED, "it was waiting", f"letter {mail_id} is delivered already")
        & rule(
            "REQ-105",
            sorted(kind for kind, _ in links) == sorted(mail.links),
            "every link the letter asks for",
            f"letter {mail_id} asks for other links",
        )
    )

    writes: list[Write] = [Write(replace(mail, state=MailState.DELIVERED, delivered_at=now))]
    entries: list[Draft] = []
    for kind, token_hash in links:
        if kind is LinkKind.SIGN_IN and mail.tenant_id is not None:
            writes.append(Write(SignInLink(token_hash, mail.to_id, mail.tenant_id, now + SIGN_IN_LINK)))
    if mail.request_id is not None and (links or mail.event == COOLING_EVENT):
        request = reading.request(view, mail.request_id)
        cooled = _cooling(request, now) if mail.event == COOLING_EVENT else None
        if cooled is not None:
            request = cooled
            writes.append(Write(cooled, 1))
            entries.append(_began(cooled))
        writes += [
            Write(
                ConsentLink(token_hash, kind, request.id, mail.to_id, request.content_digest, link_ends(request, kind))
            )
            for kind, token_hash in links
        ]
    entry = Draft(
        Action.MAIL_DELIVERED,
        tenant=mail.tenant_id,
        request=mail.request_id,
        session=mail.session_id,
        data={"mail": mail.id, "event": mail.event, "to": mail.to_id, "links": [kind.value for kind, _ in links]},
    )
    return change(view, actor, now, [entry, *entries], writes, id=mail.id)


def _cooling(request: Request, now: datetime) -> Request | None:
    """REQ-108: the first accepted letter starts the two hours; None where they have begun, or will not any more."""
    glass = request.break_glass
    if glass is None or glass.cooling_since is not None or state_at(request, now) is not RequestState.COOLING:
        return None
    return replace(request, break_glass=replace(glass, cooling_since=now, cooling_until=now + COOLING))


def _began(request: Request) -> Draft:
    glass = request.break_glass
    until = glass.cooling_until if glass else None
    return about(Action.BREAK_GLASS_COOLING, request, data={"until": time_text(until)} if until else {})


def link_ends(request: Request, kind: LinkKind) -> datetime:
    """A link to decide ends with the request's waiting; a link to veto, with the cooling."""
    if kind is LinkKind.VETO and request.break_glass is not None and request.break_glass.cooling_until is not None:
        return request.break_glass.cooling_until
    return request.expires_at
