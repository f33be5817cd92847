"""`countersign staff`: named accounts (REQ-701)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from app.bootstrap import Workplace
from app.cli import enrolled
from app.cli.options import Json, Limit
from app.cli.output import print_json, print_pairs, print_table, say
from app.cli.run import act, run
from storage.errors import Misconfigured
from storage.models import Role, Staff

LoginRole = Annotated[
    str | None, typer.Option("--login", metavar="ROLE", help="PostgreSQL: a log-in the person has already.")
]

cli = typer.Typer(rich_markup_mode=None, add_completion=False, no_args_is_help=True)


@cli.callback()
def staff() -> None:
    """Named accounts: one person, one account."""


@cli.command()
def add(
    ctx: typer.Context,
    email: Annotated[str, typer.Option(help="The person's e-mail address.")],
    name: Annotated[str, typer.Option(help="The person's name.")],
    role: Annotated[Role, typer.Option(help="What the person may do.")],
    until: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Temporary staff: the day after their last, UTC.")
    ] = None,
    login: LoginRole = None,
    as_json: Json = False,
) -> None:
    """Add an account; shows its second factor's enrolment once."""
    from app.enrolment import new_enrolment
    from app.services import staff as services

    async def work(place: Workplace) -> None:
        fresh = new_enrolment(email, place.vault)
        last = until.replace(tzinfo=UTC) if until else None
        done = await act(place, services.add, email, name, role, last, fresh.sealed_secret, fresh.recovery_hashes)
        database = await _own_address(place, done.answer["id"], login)
        enrolled.show(done.answer["id"], email, fresh, database, as_json=as_json)

    run(ctx, work, as_json=as_json)


@cli.command("login")
def login_(
    ctx: typer.Context,
    email: Annotated[str, typer.Argument(help="Whose account.")],
    login: LoginRole = None,
    as_json: Json = False,
) -> None:
    """PostgreSQL: make the log-in of somebody you added, should `add` have been interrupted before it was made."""

    async def work(place: Workplace) -> None:
        place.actor()
        person = place.staff(email)
        if not place.launch.on_postgres:
            raise Misconfigured("an SQLite file has no log-ins", "give the server's address with --database")
        database = await _own_address(place, person.id, login)
        if as_json:
            print_json({"id": person.id, "email": person.email, "database": database})
            return
        print_pairs([("id", person.id), ("email", person.email), ("database", database)])
        say("This is shown once.")

    run(ctx, work, as_json=as_json)


async def _own_address(place: Workplace, staff_id: str, role: str | None) -> str | None:
    """The person's own address of a server; None where the team shares a file."""
    if not place.launch.on_postgres:
        return None
    from app.server import give_login

    return await give_login(place, staff_id, role)


@cli.command("list")
def list_(ctx: typer.Context, limit: Limit = 500, as_json: Json = False) -> None:
    """All accounts, those that left included."""
    from storage.replica.queries.staff import all_staff

    async def work(place: Workplace) -> None:
        found, now = all_staff(place.replica.reader)[:limit], place.clock.now()
        if as_json:
            print_json([_document(one, now) for one in found])
            return
        rows = [(one.id, one.email, one.name, one.role.value, _standing(one, now)) for one in found]
        print_table(("ID", "EMAIL", "NAME", "ROLE", "STANDING"), rows, "nobody has an account yet")

    run(ctx, work, as_json=as_json)


@cli.command()
def deactivate(
    ctx: typer.Context,
    email: Annotated[str, typer.Argument(help="Whose account.")],
    as_json: Json = False,
) -> None:
    """Deactivate an account at once; its sessions end."""
    from app.services import staff as services

    async def work(place: Workplace) -> None:
        leaver = place.staff(email)
        done = await act(place, services.deactivate, leaver.id)
        if as_json:
            print_json({"id": leaver.id, "email": leaver.email, "deactivated_at": done.at})
        say(f"{leaver.email} can do nothing any more.")
        if place.launch.on_postgres:
            from app.server import take_login

            role, ended = await take_login(place, leaver.id)
            say(
                f"log-in {role} is taken away, {ended} connections ended"
                if role
                else "there was no log-in to take away"
            )

    run(ctx, work, as_json=as_json)


def _document(one: Staff, now: datetime) -> dict[str, object]:
    return {
        "id": one.id,
        "email": one.email,
        "name": one.name,
        "role": one.role,
        "active": one.is_active(now),
        "until": one.until,
        "created_at": one.created_at,
        "deactivated_at": one.deactivated_at,
    }


def _standing(one: Staff, now: datetime) -> str:
    if one.deactivated_at is not None:
        return f"left {one.deactivated_at:%Y-%m-%d}"
    if one.until is not None:
        return ("until " if now < one.until else "ended ") + f"{one.until:%Y-%m-%d}"
    return "active"
