"""`countersign init`: the shared database and its first super."""

from __future__ import annotations

import asyncio
from typing import Annotated

import typer

from app.cli import enrolled
from app.cli.options import Json
from app.cli.output import say
from app.launch import Launch

cli = typer.Typer(rich_markup_mode=None, add_completion=False)


@cli.command()
def init(
    ctx: typer.Context,
    email: Annotated[str, typer.Option(help="The first super's e-mail address.")] = "",
    name: Annotated[str, typer.Option(help="The first super's name.")] = "",
    login: Annotated[
        str | None, typer.Option(metavar="ROLE", help="PostgreSQL: the first super's log-in, if they have one already.")
    ] = None,
    upgrade: Annotated[
        bool, typer.Option("--upgrade", help="PostgreSQL: bring schema, guards and rights up to date, nothing else.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make the shared database and the first super; shows the second factor's enrolment once."""
    ctx.obj.as_json = as_json
    launch: Launch = ctx.obj.launch
    if not launch.on_postgres and (upgrade or login):
        raise typer.BadParameter("--upgrade and --login are for PostgreSQL: give its address with --database")
    if not upgrade and not (email and name):
        raise typer.BadParameter("say who the first super is: --email and --name")
    asyncio.run(_upgrade(launch) if upgrade else _init(launch, email, name, login, as_json))


async def _init(launch: Launch, email: str, name: str, login: str | None, as_json: bool) -> None:
    if launch.on_postgres:
        from app.server import create_on_server

        made = await create_on_server(launch, email, name, login)
        enrolled.show(made.staff.id, email, made.enrolment, made.database, as_json=as_json)
    else:
        from app.bootstrap import create_workplace

        staff, enrolment = await create_workplace(launch, email, name)
        enrolled.show(staff.id, email, enrolment, as_json=as_json)
    say(f"Made {launch.database_shown}. From now on you are {email} here.")


async def _upgrade(launch: Launch) -> None:
    from app.server import install_on_server

    await install_on_server(launch)
    say(f"{launch.database_shown} is up to date.")
