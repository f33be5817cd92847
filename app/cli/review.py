"""`countersign review`: what somebody uninvolved must look at and sign, and a tenant's disputes (REQ-502, REQ-504)."""

from __future__ import annotations

from typing import Annotated

import typer

from app.bootstrap import Workplace
from app.cli import lookup
from app.cli.options import Json, Limit
from app.cli.output import print_json, print_pairs, print_table
from app.cli.run import act, run
from storage.errors import Misconfigured
from storage.models import Actor, ActorKind, Contact, Review, Tenant

cli = typer.Typer(rich_markup_mode=None, add_completion=False, no_args_is_help=True)

Id = Annotated[str, typer.Argument(metavar="REVIEW", help="The review's id, such as V-7K2F9Q.")]
COLUMNS = ("ID", "STATE", "KIND", "TENANT", "ABOUT", "OPENED BY", "DUE")


@cli.callback()
def review() -> None:
    """Reviews: by somebody uninvolved, within 72 hours."""


@cli.command("list")
def list_(
    ctx: typer.Context,
    signed: Annotated[bool, typer.Option("--signed", help="Those that were signed, newest first.")] = False,
    limit: Limit = 100,
    as_json: Json = False,
) -> None:
    """What waits for a signature, what is due first on top."""
    from storage.replica.queries.reviews import reviews

    async def work(place: Workplace) -> None:
        lines = reviews(place.replica.reader, signed=signed, limit=limit)
        documents = [_document(place, one.review.id) for one in lines]
        if as_json:
            print_json(documents)
            return
        keys = ("id", "state", "kind", "tenant", "about", "opened_by_name", "due_at")
        rows = [tuple(one[key] for key in keys) for one in documents]
        print_table(COLUMNS, rows, "nothing was signed" if signed else "nothing waits for a signature")

    run(ctx, work, as_json=as_json)


@cli.command()
def show(ctx: typer.Context, review_id: Id, as_json: Json = False) -> None:
    """One review: what is to be judged, by whom it may not be, what was found."""

    async def work(place: Workplace) -> None:
        _show(place, lookup.find(place.replica.reader, Review, review_id).id, as_json)

    run(ctx, work, as_json=as_json)


@cli.command()
def sign(
    ctx: typer.Context,
    review_id: Id,
    finding: Annotated[str, typer.Option(help="What was looked at, and what was found.")],
    as_json: Json = False,
) -> None:
    """Sign a review one was no part of; the tenant gets the finding by letter."""
    from app.services import reviews as services

    async def work(place: Workplace) -> None:
        key = lookup.find(place.replica.reader, Review, review_id).id
        await act(place, services.sign, key, finding)
        _show(place, key, as_json)

    run(ctx, work, as_json=as_json)


@cli.command()
def dispute(
    ctx: typer.Context,
    tenant: Annotated[str, typer.Option(help="The tenant's id.")],
    contact: Annotated[str, typer.Option(help="The admin who disputes: contact id or e-mail.")],
    entry: Annotated[int, typer.Option(help="The number of the entry in the tenant's own log.")],
    text: Annotated[str, typer.Option(help="What is not right.")],
    as_json: Json = False,
) -> None:
    """What a tenant's admin does on the portal: dispute an entry of their log. It becomes a review."""
    from app.services import reviews as services
    from storage.replica.queries.reviews import tenant_entry

    async def work(place: Workplace) -> None:
        if place.login is not None and place.login.kind != "portal":
            raise Misconfigured(
                f"a tenant disputes over the portal's log-in, not over {place.login.role}",
                "give the portal's address with --database: postgresql://countersign_portal@host/name",
            )
        reader = place.replica.reader
        row = lookup.find(reader, Tenant, tenant)
        body = tenant_entry(reader, row.id, entry)
        if body is None:
            raise Misconfigured(f"the log of {row.name} has no number {entry}", f"`audit list --log tenant:{row.id}`")
        admin = lookup.target(reader, row, contact)
        disputed = services.disputed(row.id, entry, body)
        done = await place.desk.run(services.dispute, _actor(admin), disputed, text)
        _show(place, done.answer["id"], as_json)

    run(ctx, work, as_json=as_json)


def _actor(admin: Contact) -> Actor:
    return Actor(ActorKind.TENANT_ADMIN, admin.id, admin.name, admin.email)


def _show(place: Workplace, review_id: str, as_json: bool) -> None:
    found = _document(place, review_id)
    if as_json:
        print_json(found)
        return
    shown = ("id", "state", "kind", "tenant", "about", "claim", "opened_by_name", "opened_at", "due_at", "not_by",
             "finding", "signed_by_name", "signed_at")  # fmt: skip
    print_pairs([(name.replace("_", " "), found[name]) for name in shown if found[name] not in (None, "")])


def _document(place: Workplace, review_id: str) -> dict[str, object]:
    from app.policy.reviews import is_overdue
    from storage.models.row import encode
    from storage.replica.queries.requests import names
    from storage.replica.queries.reviews import review_line

    line = review_line(place.replica.reader, review_id)
    assert line is not None
    one, now = line.review, place.clock.now()
    stored = encode(one)
    assert isinstance(stored, dict)
    known = names(place.replica.reader, one.barred)
    return {
        **stored,
        "state": "signed" if one.signed_at else "overdue" if is_overdue(one, now) else "waits",
        "tenant": line.tenant_name,
        "about": f"entry {one.entry_seq} of its log" if one.entry_seq is not None else one.request_id,
        "incident": line.incident.id if line.incident else None,
        "not_by": [known[key] for key in one.barred],
        "signed_by_name": line.signed_by_name,
        "seconds_left": int((one.due_at - now).total_seconds()) if one.signed_at is None else None,
    }
