"""`countersign demo`: the demo world, and `demo fill`, a large history for trials of size."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer

from app.cli.options import Json
from app.cli.output import print_json, progress, say
from app.cli.root import needs_terminal
from storage.models import Role

cli = typer.Typer(rich_markup_mode=None, add_completion=False)


@cli.callback(invoke_without_command=True)
def demo(
    ctx: typer.Context,
    fresh: Annotated[bool, typer.Option("--fresh", help="Begin the world anew.")] = False,
    role: Annotated[Role, typer.Option("--as", help="Whom to be.")] = Role.ENGINEER,
) -> None:
    """The console on a lively demo world that needs no set-up; a second one in another terminal shares it."""
    if ctx.invoked_subcommand is None:
        needs_terminal()
        from app.demo.run import run_demo

        run_demo(ctx.obj.launch, role, fresh=fresh)


@cli.command()
def fill(
    ctx: typer.Context,
    entries: Annotated[int, typer.Option(min=1, help="Entries of the operator log.")],
    tenants: Annotated[int, typer.Option(min=1, help="Tenants.")],
    running: Annotated[int, typer.Option(min=0, help="Sessions that run now.")] = 0,
    as_json: Json = False,
) -> None:
    """A large, valid history in a new shared database. The same numbers give the same bytes; with --running it ends
    now, else at a fixed moment."""
    from app.bootstrap import prepare
    from app.demo.fill import fill as write

    ctx.obj.as_json = as_json
    launch = ctx.obj.launch
    prepare(launch)
    end = datetime.now(UTC) if running else None
    done = write(launch.database_path, entries, tenants, running=running, at=end, progress=progress)
    if as_json:
        print_json({"entries": done.entries, "tenants": done.tenants, "running": done.running, "epoch": done.epoch})
    else:
        say(f"{done.entries:,} entries over {done.tenants:,} tenants in {launch.database_path}")
