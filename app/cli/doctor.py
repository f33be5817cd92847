"""`countersign doctor`."""

from __future__ import annotations

import typer

from app.cli.failure import FAULT
from app.cli.options import Json
from app.cli.output import print_json, put

cli = typer.Typer(rich_markup_mode=None, add_completion=False)


@cli.command()
def doctor(ctx: typer.Context, as_json: Json = False) -> None:
    """Check this installation: paths, modes, the database and its guards, clock, mail. Exit status 1 on a fault."""
    from app.doctor import examine

    ctx.obj.as_json = as_json
    checks = examine(ctx.obj.launch)
    well = all(one.well for one in checks)
    if as_json:
        parts = [{"name": one.name, "well": one.well, "what": one.what, "advice": one.advice} for one in checks]
        print_json({"well": well, "checks": parts})
    else:
        width = max(len(one.name) for one in checks)
        for one in checks:
            put(f"{'✓' if one.well else '✗'} {one.name.ljust(width)}  {one.what}")
            if one.advice and not one.well:
                put(f"  {' ' * width}  {one.advice}")
    if not well:
        raise typer.Exit(FAULT)
