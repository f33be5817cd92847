"""`countersign consent`: what the link in a mail does (REQ-105, REQ-115). Showing decides nothing."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

import typer

from app.bootstrap import Workplace
from app.cli import documents
from app.cli.options import Json, Note
from app.cli.output import print_json, put, say
from app.cli.queued import told_as_queued
from app.cli.run import Command, run
from storage.errors import Misconfigured
from storage.models import Actor, ActorKind, ConsentLink, Contact, Decision, LinkKind, Request

cli = typer.Typer(rich_markup_mode=None, add_completion=False, no_args_is_help=True)

Token = Annotated[str, typer.Argument(metavar="TOKEN", help="The end of the link in the mail, or the whole link.")]


@cli.callback()
def consent() -> None:
    """The tenant admin's decision, by the link in a mail."""


@cli.command()
def show(ctx: typer.Context, token: Token, as_json: Json = False) -> None:
    """The request behind a link, and what was decided. Decides nothing."""

    async def work(place: Workplace) -> None:
        _show(place, _follow(place, token), as_json)

    run(ctx, work, as_json=as_json)


@cli.command()
def approve(
    ctx: typer.Context,
    token: Token,
    minutes: Annotated[int | None, typer.Option(help="Fewer minutes than asked.")] = None,
    note: Note = "",
    as_json: Json = False,
) -> None:
    """Let the engineer in."""
    from app.services import consent as services

    _decide(ctx, services.approve, token, (minutes, note), as_json)


@cli.command()
def deny(ctx: typer.Context, token: Token, note: Note = "", as_json: Json = False) -> None:
    """Do not let the engineer in."""
    from app.services import consent as services

    _decide(ctx, services.deny, token, (note,), as_json)


@cli.command()
def veto(ctx: typer.Context, token: Token, note: Note = "", as_json: Json = False) -> None:
    """Stop break-glass before it can be used; final."""
    from app.services import consent as services

    _decide(ctx, services.veto, token, (note,), as_json)


@cli.command()
def ask(
    ctx: typer.Context,
    token: Token,
    text: Annotated[str, typer.Option(help="The question.")],
    as_json: Json = False,
) -> None:
    """Ask the engineer something before deciding."""
    from app.services import consent as services

    _decide(ctx, services.ask, token, (text,), as_json)


@dataclass(frozen=True, slots=True)
class Followed:
    """A link that was followed: its row and whose it is."""

    link: ConsentLink
    contact: Contact


def _follow(place: Workplace, token: str) -> Followed:
    """The link behind a token. Raises Misconfigured when there is none: it says nothing about why."""
    from app.mail.links import token_hash

    view = place.desk.view()
    link = view.get(ConsentLink, token_hash(token.strip().rstrip("/").rpartition("/")[2]))
    contact = view.get(Contact, link.contact_id) if link else None
    if link is None or contact is None:
        raise Misconfigured("this link is not known here", "copy the whole link from the mail")
    return Followed(link, contact)


def _decide(ctx: typer.Context, command: Command, token: str, words: tuple[object, ...], as_json: bool) -> None:
    async def work(place: Workplace) -> None:
        if place.login is not None and place.login.kind != "portal":
            raise Misconfigured(
                f"a tenant decides over the portal's log-in, not over {place.login.role}",
                "give the portal's address with --database: postgresql://countersign_portal@host/name",
            )
        followed = _follow(place, token)
        admin = followed.contact
        actor = Actor(ActorKind.TENANT_ADMIN, admin.id, admin.name, admin.email)
        done = await place.desk.run(command, actor, followed.link.id, *words)
        if not told_as_queued(done, as_json=as_json):
            _show(place, _follow(place, token), as_json)

    run(ctx, work, as_json=as_json)


def _show(place: Workplace, followed: Followed, as_json: bool) -> None:
    from app.policy.requests import state_words
    from storage.replica.queries.requests import request_line
    from storage.replica.queries.sessions import decisions_on

    link, now = followed.link, place.clock.now()
    line = request_line(place.replica.reader, link.request_id)
    if line is None:
        raise Misconfigured("this link is not known here", "copy the whole link from the mail")
    decided = [one for one in decisions_on(place.replica.reader, link.request_id) if _is_the_tenants(one)]
    words = state_words(line.request, decided[-1] if decided else None, now)
    usable = link.used_at is None and (now < link.expires_at or _still_vetoes(link, line.request, now))
    if as_json:
        print_json(
            {
                "link": {
                    "for": link.kind,
                    "contact": followed.contact.name,
                    "email": followed.contact.email,
                    "expires_at": link.expires_at,
                    "used_at": link.used_at,
                    "usable": usable,
                },
                "request": documents.of_request(line, now),
                "decisions": decided,
                "words": words,
            }
        )
        return
    documents.print_request(line, now)
    put("")
    put(words + ".")
    say(f"This link can {link.kind.value}." if usable else "This link has been used or is too late: nothing changes.")


def _still_vetoes(link: ConsentLink, request: Request, now: datetime) -> bool:
    """REQ-108: a no that comes too late for the request still stops the break-glass on it."""
    from app.policy.break_glass import STOPPABLE
    from app.policy.requests import state_at

    return link.kind is not LinkKind.APPROVE and state_at(request, now) in STOPPABLE


def _is_the_tenants(decision: Decision) -> bool:
    return decision.kind.value in ("approve", "deny", "standing_consent", "veto")
