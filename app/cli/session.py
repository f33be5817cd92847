"""`countersign session`: start, log what is viewed, elevate, end (REQ-201 … 206, 208)."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from app.bootstrap import Workplace
from app.cli import documents, lookup
from app.cli.options import Json, Limit, Note, Otp
from app.cli.output import print_json, print_table, say
from app.cli.queued import told_as_queued
from app.cli.run import Command, act, run
from storage.models import Request, Session, ViewKind
from storage.models.row import encode

cli = typer.Typer(rich_markup_mode=None, add_completion=False, no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="SESSION", help="The session's id, such as S-7K2F9Q.")]
_BEGINNING = timedelta(days=36500)


@cli.callback()
def session() -> None:
    """Sessions: the time-boxed access that an approved request gives."""


@cli.command()
def start(
    ctx: typer.Context,
    request_id: Annotated[str, typer.Argument(metavar="REQUEST", help="The approved request.")],
    otp: Otp = None,
    as_json: Json = False,
) -> None:
    """Activate an approved request; the clock starts now."""
    from app.services import sessions as services

    async def work(place: Workplace) -> None:
        key = lookup.find(place.replica.reader, Request, request_id).id
        done = await act(place, services.start, key, otp=otp)
        _show(place, done.answer["id"], as_json)

    run(ctx, work, as_json=as_json)


@cli.command("list")
def list_(
    ctx: typer.Context,
    active: Annotated[bool, typer.Option("--active", help="Only those that run now.")] = False,
    words: Annotated[str, typer.Option("--filter", help="Only those that hold all these words.")] = "",
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """Sessions: running first, then those that owe their outcome, then the rest, newest first."""
    from storage.replica.queries.sessions import Group, board, session_card

    async def work(place: Workplace) -> None:
        now, reader = place.clock.now(), place.replica.reader
        lines = board(reader, now, now - _BEGINNING, words)
        wanted = [line for line in lines if line.group is Group.RUNNING or not active]
        cards = [card for line in wanted[:limit] if (card := session_card(reader, line.session_id))]
        if as_json:
            print_json([documents.of_session(card, now) for card in cards])
            return
        rows = [documents.session_row(card, now) for card in cards]
        print_table(documents.SESSION_COLUMNS, rows, "no session runs" if active else "no session matches")
        if len(wanted) > limit:
            say(f"{limit} of {len(wanted):,}: --limit")

    run(ctx, work, as_json=as_json)


@cli.command()
def show(ctx: typer.Context, session_id: Id, as_json: Json = False) -> None:
    """One session, with everything viewed in it."""

    async def work(place: Workplace) -> None:
        _show(place, lookup.find(place.replica.reader, Session, session_id).id, as_json)

    run(ctx, work, as_json=as_json)


@cli.command()
def log(
    ctx: typer.Context,
    session_id: Id,
    kind: Annotated[ViewKind, typer.Option(help="What sort of thing.")],
    name: Annotated[str, typer.Option(help="Which: a record's id, a query's name; never a value.")],
    fields: Annotated[str, typer.Option(help="Fields viewed, by comma.")] = "",
    count: Annotated[int, typer.Option(help="How many records.")] = 1,
    beyond_scope: Annotated[bool, typer.Option("--beyond-scope", help="It lies outside the declared scope.")] = False,
    as_json: Json = False,
) -> None:
    """Record what was viewed."""
    from app.services import sessions as services

    names = tuple(part.strip() for part in fields.split(",") if part.strip())
    _do(ctx, services.log_view, session_id, (kind, name, names, count, not beyond_scope), None, as_json)


@cli.command()
def elevate(
    ctx: typer.Context,
    session_id: Id,
    reason: Annotated[str, typer.Option(help="Why full mode.")],
    otp: Otp = None,
    as_json: Json = False,
) -> None:
    """Ask for full mode during the session; a second person countersigns."""
    from app.services import sessions as services

    _do(ctx, services.ask_elevation, session_id, (reason,), otp, as_json)


@cli.command()
def countersign(ctx: typer.Context, session_id: Id, note: Note = "", otp: Otp = None, as_json: Json = False) -> None:
    """Countersign the elevation of another's session."""
    from app.services import sessions as services

    _do(ctx, services.countersign_elevation, session_id, (note,), otp, as_json)


@cli.command()
def decline(ctx: typer.Context, session_id: Id, note: Note = "", as_json: Json = False) -> None:
    """Decline the elevation of another's session."""
    from app.services import sessions as services

    _do(ctx, services.decline_elevation, session_id, (note,), None, as_json)


@cli.command()
def end(
    ctx: typer.Context,
    session_id: Id,
    cause: Annotated[str, typer.Option(help="The cause found.")],
    changed: Annotated[str, typer.Option(help='What was changed, or "nothing".')],
    beyond_scope: Annotated[str, typer.Option("--beyond-scope", help='What was seen beyond the scope, or "no".')],
    follow_up: Annotated[str, typer.Option("--follow-up", help="What remains to be done.")] = "",
    ticket_open: Annotated[bool, typer.Option("--ticket-open", help="The ticket stays open.")] = False,
    as_json: Json = False,
) -> None:
    """End one's own session with its outcome; or give the outcome of one that is over."""
    from app.services import endings

    async def work(place: Workplace) -> None:
        found = lookup.find(place.replica.reader, Session, session_id)
        command = endings.end if found.is_active(place.clock.now()) else endings.give_outcome
        done = await act(place, command, found.id, cause, changed, beyond_scope, follow_up, not ticket_open)
        if not told_as_queued(done, as_json=as_json):
            _show(place, found.id, as_json)

    run(ctx, work, as_json=as_json)


@cli.command("force-end")
def force_end(
    ctx: typer.Context,
    session_id: Id,
    reason: Annotated[str, typer.Option(help="Why; it goes to the log and to the tenant's admins.")],
    otp: Otp = None,
    as_json: Json = False,
) -> None:
    """End anybody's session (supers)."""
    from app.services import endings

    _do(ctx, endings.force_end, session_id, (reason,), otp, as_json)


def _do(
    ctx: typer.Context, command: Command, session_id: str, words: tuple[object, ...], otp: str | None, as_json: bool
) -> None:
    async def work(place: Workplace) -> None:
        key = lookup.find(place.replica.reader, Session, session_id).id
        done = await act(place, command, key, *words, otp=otp)
        if not told_as_queued(done, as_json=as_json):
            _show(place, key, as_json)

    run(ctx, work, as_json=as_json)


def _show(place: Workplace, session_id: str, as_json: bool) -> None:
    from storage.errors import Misconfigured
    from storage.replica.queries.sessions import session_card, views_of

    card = session_card(place.replica.reader, session_id)
    if card is None:
        raise Misconfigured(f"there is no session {session_id}")
    now, views = place.clock.now(), views_of(place.replica.reader, session_id)
    if as_json:
        print_json({**documents.of_session(card, now), "viewed": [encode(view) for view in views]})
        return
    documents.print_session(card, now)
    if views:
        rows = [
            (view.at, view.kind.value, view.name, view.fields, view.count, "" if view.within_scope else "beyond scope")
            for view in views
        ]
        print_table(("AT", "KIND", "NAME", "FIELDS", "COUNT", ""), rows, "")
