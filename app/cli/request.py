"""`countersign request`: ask for access, decide, explain (REQ-101 … 107, 113 … 115, 202)."""

from __future__ import annotations

from typing import Annotated

import typer

from app.bootstrap import Workplace
from app.cli import documents, lookup, request_urgent
from app.cli.options import Json, Limit, Note, Otp
from app.cli.output import print_json, print_table, say
from app.cli.request_work import Id, alternatives, do, place_of
from app.cli.request_work import show as show_request
from app.cli.run import act, run
from app.policy.requests import RequestForm
from storage.errors import Misconfigured
from storage.models import Mode, Request, RequestState, Tenant

cli = typer.Typer(rich_markup_mode=None, add_completion=False, no_args_is_help=True)

cli.command("break-glass")(request_urgent.break_glass)
cli.command()(request_urgent.emergency)
cli.command()(request_urgent.countersign)


@cli.callback()
def request() -> None:
    """Requests for access to a tenant."""


@cli.command()
def create(
    ctx: typer.Context,
    tenant: Annotated[str, typer.Option(help="The tenant's id.")],
    target: Annotated[str, typer.Option(help="The user whose view is assumed: contact id or e-mail.")],
    ticket: Annotated[str, typer.Option(help="The ticket or incident.")],
    reason: Annotated[str, typer.Option(help="Symptom, object, and why live data.")],
    scope: Annotated[str, typer.Option(help="Records, screens or systems it will touch.")],
    records: Annotated[int, typer.Option(help="About how many records.")],
    why_not: Annotated[str, typer.Option("--why-not", help="Why the other ways did not do.")],
    tried: Annotated[str, typer.Option(help="Less invasive ways tried, by comma: logs,metrics,…")] = "",
    mode: Annotated[Mode, typer.Option(help="full needs a countersign.")] = Mode.READ_ONLY,
    minutes: Annotated[int, typer.Option(help="Minutes wanted.")] = 30,
    urgent: Annotated[bool, typer.Option("--urgent", help="Cannot wait.")] = False,
    again_of: Annotated[str | None, typer.Option("--again-of", help="The earlier request this asks again.")] = None,
    otp: Otp = None,
    as_json: Json = False,
) -> None:
    """Ask for access; every tenant admin is mailed."""
    from app.services import requests as services

    async def work(place: Workplace) -> None:
        chosen = place_of(place, tenant, target)
        ways = alternatives(tried)
        form = RequestForm(*chosen, ticket, reason, scope, records, mode, minutes, urgent, ways, why_not, again_of)
        done = await act(place, services.create, form, otp=otp)
        show_request(place, done.answer["id"], as_json)

    run(ctx, work, as_json=as_json)


@cli.command()
def explain(
    ctx: typer.Context,
    tenant: Annotated[str, typer.Option(help="The tenant's id; alone: can I get in, and how?")] = "",
    request_id: Annotated[str, typer.Option("--request", metavar="ID", help="An existing request instead.")] = "",
    target: Annotated[str, typer.Option(help="Contact id or e-mail.")] = "",
    ticket: Annotated[str, typer.Option(help="The ticket or incident.")] = "",
    reason: Annotated[str, typer.Option(help="The reason.")] = "",
    scope: Annotated[str, typer.Option(help="What it will touch.")] = "",
    records: Annotated[int, typer.Option(help="About how many records.")] = 1,
    why_not: Annotated[str, typer.Option("--why-not", help="Why the other ways did not do.")] = "",
    tried: Annotated[str, typer.Option(help="Less invasive ways tried, by comma.")] = "",
    mode: Annotated[Mode, typer.Option(help="read_only or full.")] = Mode.READ_ONLY,
    minutes: Annotated[int, typer.Option(help="Minutes wanted.")] = 30,
    urgent: Annotated[bool, typer.Option("--urgent", help="Cannot wait.")] = False,
    again_of: Annotated[str | None, typer.Option("--again-of", help="The earlier request this asks again.")] = None,
    as_json: Json = False,
) -> None:
    """What would happen: which rules pass, which refuse and why, who is mailed, when it expires."""
    from app.cli import explaining

    async def work(place: Workplace) -> None:
        reader = place.replica.reader
        if bool(tenant) == bool(request_id):
            raise Misconfigured("say either --tenant (and what else the request would say) or --request")
        if request_id:
            explaining.request(place, lookup.find(reader, Request, request_id).id, as_json=as_json)
            return
        where = lookup.find(reader, Tenant, tenant)
        if not any((target, ticket, reason, scope, why_not, tried)):
            explaining.tenant(place, where.id, as_json=as_json)
            return
        user = lookup.target(reader, where, target).id if target else ""
        ways = alternatives(tried)
        form = RequestForm(
            where.id, user, ticket, reason, scope, records, mode, minutes, urgent, ways, why_not, again_of
        )
        explaining.form(place, form, as_json=as_json)

    run(ctx, work, as_json=as_json)


@cli.command("list")
def list_(
    ctx: typer.Context,
    state: Annotated[RequestState | None, typer.Option(help="Only those in this state now.")] = None,
    tenant: Annotated[str, typer.Option(help="Only this tenant's.")] = "",
    staff: Annotated[str, typer.Option(help="Only this engineer's: e-mail or id.")] = "",
    ticket: Annotated[str, typer.Option(help="Only for this ticket.")] = "",
    words: Annotated[str, typer.Option("--filter", help="Only those that hold all these words.")] = "",
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """Requests, newest first."""
    from app.policy.requests import state_at
    from storage.replica.queries.requests import RequestFilter, past_requests

    async def work(place: Workplace) -> None:
        now = place.clock.now()
        wanted = RequestFilter(tuple(words.split()), state.value if state else "", tenant, staff, ticket)
        found = past_requests(place.replica.reader, wanted, limit)
        lines = [one for one in found.lines if state is None or state_at(one.request, now) is state]
        if as_json:
            print_json([documents.of_request(one, now) for one in lines])
            return
        rows = [documents.request_row(one, now) for one in lines]
        print_table(documents.REQUEST_COLUMNS, rows, "no request matches")
        if found.truncated:
            say(f"the newest {limit}; there are more: --limit")

    run(ctx, work, as_json=as_json)


@cli.command()
def show(ctx: typer.Context, request_id: Id, as_json: Json = False) -> None:
    """One request, what became of it, and what is next."""

    async def work(place: Workplace) -> None:
        show_request(place, lookup.find(place.replica.reader, Request, request_id).id, as_json)

    run(ctx, work, as_json=as_json)


@cli.command()
def withdraw(ctx: typer.Context, request_id: Id, note: Note = "", as_json: Json = False) -> None:
    """Take one's own request back."""
    from app.services import requests as services

    do(ctx, services.withdraw, request_id, (note,), None, as_json)


@cli.command()
def decline(ctx: typer.Context, request_id: Id, note: Note = "", as_json: Json = False) -> None:
    """Decline to countersign."""
    from app.services import requests as services

    do(ctx, services.decline, request_id, (note,), None, as_json)


@cli.command()
def answer(
    ctx: typer.Context,
    request_id: Id,
    text: Annotated[str, typer.Option(help="The answer.")],
    as_json: Json = False,
) -> None:
    """Answer a tenant admin's question."""
    from app.services import requests as services

    do(ctx, services.answer, request_id, (text,), None, as_json)
