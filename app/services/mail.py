"""What became of a letter, on record (REQ-104, REQ-105, REQ-503): accepted by a mail server, put off, failed.

Tokens are made by whoever delivers; only their hashes come here, so no Change and no console ever holds one. Not every
attempt is an entry: the first that fails is, then one in six hours at most, and the end. What lies between is the
postman's own memory (`app.mail.postman`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from app.policy import people
from app.policy.limits import COOLING
from app.policy.portal import SIGN_IN_LINK
from app.policy.request_state import state_at
from app.policy.verdict import Verdict, require, rule
from app.services import reading
from app.services.command import adds_no_privilege, change
from app.services.letters import letter
from app.services.letters_facts import Facts
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
    Tenant,
    time_text,
)
from storage.models.row import Json
from storage.shared.change import Change, Write
from storage.view import View

FAILED = "mail.failed"
"""The event of the letter that tells supers; should it fail itself, it is told in the console alone."""


POSTMAN = Actor(ActorKind.SYSTEM, "mail", "mail", "")
"""Who records what became of a letter."""
TELLERS = (POSTMAN.id, "worker")
"""Programs that carry letters; the clock, the portal or an API key know nothing of them."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A letter that will not be handed on. `why` is harmless text: the server's last answer, or what went wrong."""

    mail_id: str
    why: str
    attempts: int


def delivered(
    view: View,
    actor: Actor,
    mail_id: str,
    links: Sequence[tuple[LinkKind, str]] = (),
    answer: str = "",
    attempts: int = 1,
    text_digest: str = "",
    *,
    now: datetime,
) -> Change:
    """A mail server accepted the letter: from now on its links work. `links` holds, for each kind the letter asks for,
    the SHA-256 in hex of the token that was put in; `text_digest` that of the text that went out."""
    mail = reading.the(view, Mail, mail_id, "letter")

    require(
        _may_tell(actor, mail)
        & rule(
            "REQ-105",
            sorted(kind for kind, _ in links) == sorted(mail.links),
            "every link the letter asks for",
            f"letter {mail_id} asks for other links",
        )
    )

    sent = replace(
        mail, state=MailState.DELIVERED, delivered_at=now, tried_at=now, attempts=attempts, answer=answer or None
    )
    writes: list[Write] = [Write(sent)]
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
    data: dict[str, Json] = {"links": [kind.value for kind, _ in links]}
    data |= {"text": text_digest} if text_digest else {}
    return change(view, actor, now, [_about(Action.MAIL_DELIVERED, mail, data), *entries], writes, id=mail.id)


@adds_no_privilege
def deferred(view: View, actor: Actor, mail_id: str, why: str, attempts: int, *, now: datetime) -> Change:
    """It could not be handed on yet, and is tried again."""
    mail = reading.the(view, Mail, mail_id, "letter")

    require(_may_tell(actor, mail))

    later = replace(mail, tried_at=now, attempts=max(attempts, mail.attempts + 1), last_error=why)
    entry = _about(Action.MAIL_DEFERRED, mail, {"attempts": later.attempts}, why)
    return change(view, actor, now, [entry], [Write(later)], id=mail.id)


@adds_no_privilege
def failed(view: View, actor: Actor, failures: Sequence[Failure], *, now: datetime) -> Change:
    """Refused for good, or given up after a day. Supers are told, by a letter that names them all (REQ-503)."""
    mails = [reading.the(view, Mail, one.mail_id, "letter") for one in failures]

    for mail in mails:
        require(_may_tell(actor, mail))

    writes, entries = [], []
    for number, (mail, one) in enumerate(zip(mails, failures, strict=True)):
        gone = replace(
            mail, state=MailState.FAILED, failed_at=now, tried_at=now, attempts=one.attempts, last_error=one.why
        )
        writes.append(Write(gone, number))
        entries.append(_about(Action.MAIL_FAILED, mail, {"attempts": one.attempts}, one.why))
    told = _told(view, [(mail, one) for mail, one in zip(mails, failures, strict=True) if mail.event != FAILED], now)
    return change(view, actor, now, entries, writes, told)


def requeue(view: View, actor: Actor, mail_id: str, *, now: datetime) -> Change:
    """A super has a failed letter tried again: the address was mended at the server, or the server itself."""
    staff = reading.staff_member(view, actor)
    mail = reading.the(view, Mail, mail_id, "letter")

    require(
        people.is_super(staff, now, "has letters tried again")
        & rule("REQ-503", mail.state is MailState.FAILED, "it failed", f"letter {mail_id} is {mail.state.value}")
    )

    again = replace(mail, state=MailState.QUEUED, attempts=0, tried_at=None, failed_at=None, last_error=None)
    return change(view, actor, now, [_about(Action.MAIL_REQUEUED, mail, {})], [Write(again)], id=mail.id)


def _may_tell(actor: Actor, mail: Mail) -> Verdict:
    words = f"letter {mail.id} is {mail.state.value} already"
    tells = actor.kind is ActorKind.SYSTEM and actor.id in TELLERS
    return rule("REQ-104", tells, "the mail system says so", "only the mail system says so") & rule(
        "REQ-104", mail.state is MailState.QUEUED, "it was waiting", words
    )


def _about(action: Action, mail: Mail, data: dict[str, Json], reason: str | None = None) -> Draft:
    return Draft(
        action,
        tenant=mail.tenant_id,
        request=mail.request_id,
        session=mail.session_id,
        reason=reason,
        data={"mail": mail.id, "event": mail.event, "to": mail.to_id, **data},
    )


def _told(view: View, gone: Sequence[tuple[Mail, Failure]], now: datetime) -> tuple[Mail, ...]:
    """A letter to every active super; to those whose own letter failed only where nobody else is left."""
    if not gone:
        return ()
    supers = [one for one in reading.supers(view) if one.is_active(now)]
    unreachable = {mail.to_id for mail, _ in gone}
    letters: list[Json] = [_failed_facts(view, mail, one) for mail, one in gone]
    facts: Facts = {"letters": letters, "at": time_text(now)}
    urgent = any(mail.urgent for mail, _ in gone)
    what = f"a letter to {gone[0][0].to_name}" if len(gone) == 1 else f"{len(gone)} letters"
    return tuple(
        letter(view, one, FAILED, f"Not delivered: {what}", facts, now, urgent=urgent)
        for one in [super_ for super_ in supers if super_.id not in unreachable] or supers
    )


def _failed_facts(view: View, mail: Mail, one: Failure) -> Facts:
    tenant = view.get(Tenant, mail.tenant_id) if mail.tenant_id is not None else None
    return {
        "id": mail.id,
        "event": mail.event,
        "to": {"name": mail.to_name, "email": mail.to_email},
        "subject": mail.subject,
        "tenant": tenant.name if tenant else None,
        "why": one.why,
        "attempts": one.attempts,
        "urgent": mail.urgent,
    }


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
