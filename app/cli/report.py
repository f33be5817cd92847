"""`countersign report`: what is told about support access as a whole (REQ-408)."""

from __future__ import annotations

import sys
from datetime import datetime, timedelta
from typing import Annotated

import typer

from app.bootstrap import Workplace
from app.cli.audit import Format, moment
from app.cli.options import Json
from app.cli.output import print_json, put
from app.cli.run import run
from storage.errors import Misconfigured

cli = typer.Typer(rich_markup_mode=None, add_completion=False, no_args_is_help=True)

_USUAL = timedelta(days=30)


@cli.callback()
def report() -> None:
    """Reports over a period."""


@cli.command()
def transparency(
    ctx: typer.Context,
    since: Annotated[str, typer.Option("--from", help="A date, or 30d, 12h, today; the start of the period.")] = "",
    until: Annotated[str, typer.Option("--to", help="The end of the period; a date means the end of that day.")] = "",
    form: Annotated[Format, typer.Option("--format", help="How.")] = Format.MD,
    as_json: Json = False,
) -> None:
    """How often support access was asked for and what came of it: counts and medians, nobody named (REQ-408)."""
    from app.reports import transparency as reports
    from app.reports import transparency_page as page

    async def work(place: Workplace) -> None:
        now = place.clock.now()
        begin, end = _period(since, until, now)
        position = place.replica.position()
        if position is None:
            raise Misconfigured(
                "nothing has been read from the shared database yet", "see `countersign replica status`"
            )
        found = reports.collect(place.replica.reader, begin, end, now, position.head)
        if as_json or form is Format.JSON:
            print_json(found)
        elif form is Format.MD:
            put(page.as_markdown(found))
        else:
            sys.stdout.write(page.as_html(found))

    run(ctx, work, as_json=as_json or form is Format.JSON)


def _period(since: str, until: str, now: datetime) -> tuple[datetime, datetime]:
    """The period asked for; the last thirty days where nothing was said. Raises Misconfigured."""
    end = moment(until, now, "--to", end=True) or now
    begin = moment(since, now, "--from") or end - _USUAL
    if begin >= end:
        raise Misconfigured(f"--from {since or begin.date()} is not before --to {until or 'now'}", "swap them")
    return begin, end
