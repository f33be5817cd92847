"""`countersign audit`: read the logs, verify them, take them out; a session's dossier (REQ-401 … 407)."""

from __future__ import annotations

import sys
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from app.bootstrap import Workplace
from app.cli import lookup
from app.cli.failure import FAULT
from app.cli.options import Json, Limit
from app.cli.output import print_json, print_table, put, say
from app.cli.run import act, run
from storage.errors import Misconfigured
from storage.models import Session, Tenant

cli = typer.Typer(rich_markup_mode=None, add_completion=False, no_args_is_help=True)

_COLUMNS = ("SEQ", "AT", "ACTION", "ACTOR", "TENANT", "TICKET", "SESSION", "REASON")


class Format(StrEnum):
    MD = "md"
    JSON = "json"
    HTML = "html"


@cli.callback()
def audit() -> None:
    """The append-only logs."""


@cli.command("list")
def list_(
    ctx: typer.Context,
    log: Annotated[str, typer.Option(help="operator, or tenant:ID.")] = "operator",
    words: Annotated[str, typer.Option("--filter", help="As in the viewer: tenant:… action:session.* since:7d …")] = "",
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """Entries, newest first."""
    from storage.replica.queries.log import entries_by_number, entry_hash, search
    from storage.replica.queries.log_filter import parse_filter

    async def work(place: Workplace) -> None:
        reader = place.replica.reader
        wanted = parse_filter(words, place.clock.now(), None)
        if wanted.problems:
            raise Misconfigured("--filter: " + "; ".join(wanted.problems))
        name = log_name(place, log)
        numbers = [number for step in search(reader, name, wanted, limit=limit) for number in step]
        found = entries_by_number(reader, name, numbers)
        if as_json:
            print_json([{**entry.data, "hash": entry_hash(reader, name, entry.seq)} for entry in found])
            return
        rows = []
        for entry in found:
            body, actor = entry.data, entry.data.get("actor", {})
            cells = [body.get(key, "") for key in ("tenant", "ticket", "session", "reason")]
            rows.append((entry.seq, body.get("at"), body.get("action"), actor.get("name"), *cells))
        print_table(_COLUMNS, rows, "no entry matches")

    run(ctx, work, as_json=as_json)


@cli.command()
def verify(
    ctx: typer.Context,
    log: Annotated[str, typer.Option(help="One log's chain: operator, or tenant:ID.")] = "",
    everything: Annotated[bool, typer.Option("--all", help="Every log, twin and row.")] = False,
    pack: Annotated[Path | None, typer.Option("--pack", help="A pack, offline.")] = None,
    as_json: Json = False,
) -> None:
    """Check that nothing was changed, removed or added behind the logs' back. Exit status 1 if something was. Without
    --log: everything."""
    from app.cli import verifying

    ctx.obj.as_json = as_json
    if pack is not None:
        raise typer.Exit(verifying.pack(pack, as_json=as_json))
    if log and everything:
        raise Misconfigured("--log and --all exclude each other")

    async def work(place: Workplace) -> int:
        return await verifying.shared(place, log, as_json=as_json)

    run(ctx, work, as_json=as_json, tidy=False, pull=False)


@cli.command()
def export(
    ctx: typer.Context,
    out: Annotated[Path, typer.Option("-o", "--out", help="The file: .csv, .jsonl, anything else is a pack.")],
    tenant: Annotated[str, typer.Option(help="This tenant's log.")] = "",
    log: Annotated[str, typer.Option(help="operator, or tenant:ID.")] = "",
    since: Annotated[str, typer.Option("--from", help="First day or moment.")] = "",
    until: Annotated[str, typer.Option("--to", help="Last day, or the moment before which.")] = "",
    as_json: Json = False,
) -> None:
    """Take a log out. A pack verifies offline, without this software. It goes on record."""
    from app.reports import export as reports
    from app.services.audit import exported
    from storage.models import time_text

    async def work(place: Workplace) -> int | None:
        if bool(tenant) == bool(log):
            raise Misconfigured("say which log: --tenant ID or --log operator")
        if not out.absolute().parent.is_dir():
            raise Misconfigured(f"there is no directory {out.absolute().parent}")
        name = log_name(place, f"tenant:{tenant}" if tenant else log)
        now, actor = place.clock.now(), place.actor()
        limits = moment(since, now, "--from"), moment(until, now, "--to", end=True)
        stretch, form = await reports.read_stretch(place.shared, name, *limits), reports.form_of(out)
        await act(place, exported, name, stretch.first, stretch.last, form.value)
        reports.write(out, form, stretch, {"exported_at": time_text(now), "exported_by": actor.email})
        for fault in stretch.faults:
            say(str(fault))
        if as_json:
            summary = {"log": name, "first": stretch.first, "last": stretch.last, "entries": len(stretch.entries)}
            print_json({**summary, "file": str(out), "form": form, "faults": [str(one) for one in stretch.faults]})
        say(f"{len(stretch.entries):,} entries of {name} in {out}")
        return FAULT if stretch.faults else None

    run(ctx, work, as_json=as_json)


@cli.command()
def dossier(
    ctx: typer.Context,
    session_id: Annotated[str, typer.Argument(metavar="SESSION", help="The session's id.")],
    form: Annotated[Format, typer.Option("--format", help="How.")] = Format.MD,
    as_json: Json = False,
) -> None:
    """The five questions on one page: who, who approved, which case, what was viewed, how long (REQ-406)."""
    from app.reports import dossier as reports
    from app.reports import dossier_page as page

    async def work(place: Workplace) -> None:
        key = lookup.find(place.replica.reader, Session, session_id).id
        found = reports.collect(place.replica.reader, key, place.clock.now())
        if as_json or form is Format.JSON:
            print_json(found)
        elif form is Format.MD:
            put(page.as_markdown(found))
        else:
            sys.stdout.write(page.as_html(found))

    run(ctx, work, as_json=as_json or form is Format.JSON)


def log_name(place: Workplace, name: str) -> str:
    """A log as people name it. Raises Misconfigured for one that is not there."""
    if name == "operator":
        return name
    if not name.startswith("tenant:"):
        raise Misconfigured(f"there is no log {name}", "say operator, or tenant:ID")
    return "tenant:" + lookup.find(place.replica.reader, Tenant, name.removeprefix("tenant:")).id


def moment(text: str, now: datetime, option: str, *, end: bool = False) -> datetime | None:
    """A moment as people say it in an option; None where they said nothing. Raises Misconfigured."""
    from storage.replica.queries.log_filter import NAMES, parse_moment

    if not text:
        return None
    found = parse_moment(text, now, None, end=end)
    if found is None:
        raise Misconfigured(f"{option}: takes {NAMES['since']}; not {text!r}")
    return found
