"""`countersign rota`: office hours and who is on call when (REQ-111). Times without a zone are the office's own."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from app.bootstrap import Workplace
from app.cli import lookup
from app.cli.options import Json
from app.cli.output import print_json, print_table, put, say
from app.cli.run import act, run
from storage.errors import Misconfigured
from storage.models import OfficeHours, OfficeSpan, Shift
from storage.models.row import encode

cli = typer.Typer(rich_markup_mode=None, add_completion=False, no_args_is_help=True)

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@cli.callback()
def rota() -> None:
    """Office hours, and who is on call outside them."""


@cli.command()
def show(ctx: typer.Context, as_json: Json = False) -> None:
    """Who may countersign now, the office hours, and the shifts to come."""

    async def work(place: Workplace) -> None:
        _show(place, as_json)

    run(ctx, work, as_json=as_json)


@cli.command()
def hours(
    ctx: typer.Context,
    zone: Annotated[str, typer.Option(help="The office's time zone, such as Europe/Berlin.")],
    open_: Annotated[
        list[str], typer.Option("--open", metavar="DAYS TIMES", help='Such as "mon-fri 09:00-17:30"; may be repeated.')
    ],
    as_json: Json = False,
) -> None:
    """Set the weekly office hours; in them any second person may countersign."""
    from app.services import rota as services

    async def work(place: Workplace) -> None:
        await act(place, services.set_hours, zone, tuple(span for text in open_ for span in spans(text)))
        _show(place, as_json)

    run(ctx, work, as_json=as_json)


@cli.command("set")
def set_(
    ctx: typer.Context,
    email: Annotated[str, typer.Argument(metavar="EMAIL", help="Who is on call.")],
    from_: Annotated[str, typer.Option("--from", help="2026-03-02T18:00, the office's time; or with a zone.")],
    to: Annotated[str, typer.Option("--to", help="Until when.")],
    as_json: Json = False,
) -> None:
    """Put somebody on call for a time."""
    from app.services import rota as services

    async def work(place: Workplace) -> None:
        await act(place, services.set_shift, place.staff(email).id, _time(place, from_), _time(place, to))
        _show(place, as_json)

    run(ctx, work, as_json=as_json)


@cli.command("import")
def import_(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE.jsonl", help='{"email", "from", "to"} a line.')],
    as_json: Json = False,
) -> None:
    """Put people on call from a file; a shift that stands already is left as it is."""
    from app.services import rota as services
    from storage.replica.queries.rota import shifts

    async def work(place: Workplace) -> None:
        lines = [_line(place, number, text) for number, text in enumerate(_lines(file), 1)]
        known = {(one.staff_id, one.starts_at, one.ends_at) for one in shifts(place.replica.reader, place.clock.now())}
        fresh = [one for one in dict.fromkeys(lines) if one not in known]
        for staff_id, starts_at, ends_at in fresh:
            await act(place, services.set_shift, staff_id, starts_at, ends_at)
        say(f"{len(lines)} shifts in the file, {len(fresh)} new")
        _show(place, as_json)

    run(ctx, work, as_json=as_json)


@cli.command()
def cancel(
    ctx: typer.Context,
    shift_id: Annotated[str, typer.Argument(metavar="SHIFT", help="The shift's id, such as C-7K2F9Q.")],
    as_json: Json = False,
) -> None:
    """Take somebody off call again."""
    from app.services import rota as services

    async def work(place: Workplace) -> None:
        await act(place, services.cancel_shift, lookup.find(place.replica.reader, Shift, shift_id).id)
        _show(place, as_json)

    run(ctx, work, as_json=as_json)


def spans(text: str) -> list[OfficeSpan]:
    """`mon-fri 09:00-17:30` as a span for each day. Raises Misconfigured for another form."""
    days, _, times = text.strip().lower().partition(" ")
    first, _, last = days.partition("-")
    opens, dash, closes = times.strip().partition("-")
    if first not in DAYS or (last or first) not in DAYS or not dash:
        raise Misconfigured(f"{text!r} are no office hours", 'say them like "mon-fri 09:00-17:30"')
    begin, end = DAYS.index(first), DAYS.index(last or first)
    if end < begin:
        raise Misconfigured(f"{text!r}: the week begins on Monday", 'say "sat-sun …" and "mon …" apart')
    return [OfficeSpan(day + 1, opens.strip(), closes.strip()) for day in range(begin, end + 1)]


def _lines(file: Path) -> list[str]:
    try:
        return [line for line in file.read_text("utf-8").splitlines() if line.strip()]
    except (OSError, UnicodeDecodeError) as error:
        raise Misconfigured(f"cannot read {file}: {error}") from error


def _line(place: Workplace, number: int, text: str) -> tuple[str, datetime, datetime]:
    try:
        found: Any = json.loads(text)
        email, starts, ends = (str(found[name]) for name in ("email", "from", "to"))
    except (ValueError, KeyError, TypeError) as error:
        raise Misconfigured(f"line {number} is no shift: {text[:80]}", '{"email": …, "from": …, "to": …}') from error
    return place.staff(email).id, _time(place, starts), _time(place, ends)


def _time(place: Workplace, text: str) -> datetime:
    """A time as typed; without a zone it is the office's, without an office this machine's."""
    from storage.replica.queries.rota import office_hours

    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise Misconfigured(f"{text!r} is no time", "say it like 2026-03-02T18:00") from error
    if moment.tzinfo is not None:
        return moment
    office: OfficeHours | None = office_hours(place.replica.reader)
    return moment.replace(tzinfo=ZoneInfo(office.zone)) if office else moment.astimezone()


def _show(place: Workplace, as_json: bool) -> None:
    from app.policy.duty import in_office
    from app.services import reading
    from storage.replica.queries.requests import names
    from storage.replica.queries.rota import office_hours, shifts

    reader, now = place.replica.reader, place.clock.now()
    office, coming = office_hours(reader), shifts(reader, now)
    on_call = [one.email for one in reading.duty(place.desk.view()).on_call(now)]
    people = names(reader, [one.staff_id for one in coming])
    if as_json:
        print_json(
            {
                "office_open": in_office(office, now),
                "on_call": on_call,
                "hours": encode(office) if office else None,
                "shifts": [{**_plain(one), "name": people[one.staff_id]} for one in coming],
            }
        )
        return
    door = "open" if in_office(office, now) else "closed"
    put(f"now: the office is {door}; on call: {', '.join(on_call) or 'nobody'}")
    if office is None:
        put("no office hours are set: any second person may countersign at any time")
    for span in office.spans if office else ():
        put(f"open {DAYS[span.weekday - 1]} {span.opens}-{span.closes} {office.zone if office else ''}")
    rows = [(one.id, people[one.staff_id], one.starts_at, one.ends_at) for one in coming]
    print_table(("SHIFT", "ON CALL", "FROM", "TO"), rows, "no shift is set")


def _plain(shift: Shift) -> dict[str, object]:
    found = encode(shift)
    assert isinstance(found, dict)
    return dict(found)
