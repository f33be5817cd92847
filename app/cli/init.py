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
    email: Annotated[str, typer.Option(help="The first super's e-mail address.")],
    name: Annotated[str, typer.Option(help="The first super's name.")],
    as_json: Json = False,
) -> None:
    """Make the shared database and the first super; shows the second factor's enrolment once."""
    ctx.obj.as_json = as_json
    asyncio.run(_init(ctx.obj.launch, email, name, as_json))


async def _init(launch: Launch, email: str, name: str, as_json: bool) -> None:
    from app.bootstrap import create_workplace

    staff, enrolment = await create_workplace(launch, email, name)
    enrolled.show(staff.id, email, enrolment, as_json=as_json)
    say(f"Made {launch.database_path}. From now on you are {email} here.")
