"""What the commands over requests share: finding what was named, doing it, showing what came of it."""

from __future__ import annotations

from typing import Annotated

import typer

from app.bootstrap import Workplace
from app.cli import documents, lookup
from app.cli.output import print_json
from app.cli.queued import told_as_queued
from app.cli.run import Command, act, run
from storage.errors import Misconfigured
from storage.models import Alternative, Request, Tenant

Id = Annotated[str, typer.Argument(metavar="REQUEST", help="The request's id, such as R-7K2F9Q.")]


def alternatives(text: str) -> tuple[Alternative, ...]:
    """`logs,metrics` as values. Raises Misconfigured for a way that is none."""
    known = ", ".join(one.value for one in Alternative)
    ways: list[Alternative] = []
    for word in filter(None, (part.strip().replace("-", "_") for part in text.split(","))):
        try:
            ways.append(Alternative(word))
        except ValueError:
            raise Misconfigured(f"--tried: there is no way {word!r}", f"the ways are {known}") from None
    return tuple(dict.fromkeys(ways))


def place_of(place: Workplace, tenant: str, target: str) -> tuple[str, str]:
    """Tenant id and contact key of what was typed."""
    row = lookup.find(place.replica.reader, Tenant, tenant)
    return row.id, lookup.target(place.replica.reader, row, target).id


def do(
    ctx: typer.Context, command: Command, request_id: str, words: tuple[str | None, ...], otp: str | None, as_json: bool
) -> None:
    """Run a command over a request, and show the request as it then is."""

    async def work(place: Workplace) -> None:
        key = lookup.find(place.replica.reader, Request, request_id).id
        done = await act(place, command, key, *words, otp=otp)
        if not told_as_queued(done, as_json=as_json):
            show(place, key, as_json)

    run(ctx, work, as_json=as_json)


def show(place: Workplace, request_id: str, as_json: bool) -> None:
    """One request, with the ways that lead in now."""
    from app.cli import explaining
    from app.services import explain
    from storage.replica.queries.requests import request_line

    line = request_line(place.replica.reader, request_id)
    if line is None:
        raise Misconfigured(f"there is no request {request_id}")
    now = place.clock.now()
    found = explain.of_request(place.desk.view(), request_id, now, place.desk.limits)
    if as_json:
        print_json({**documents.of_request(line, now), "ways": explaining.ways(found)})
    else:
        documents.print_request(line, now, found.ways)
