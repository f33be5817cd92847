"""`countersign tenant`: bring tenants in, look at them. Staff change nothing of a tenant's settings (REQ-601)."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from app.bootstrap import Workplace
from app.cli import lookup
from app.cli.options import Json, Limit
from app.cli.output import print_json, print_pairs, print_table, put, say
from app.cli.run import act, run
from storage.models import Tenant
from storage.models.row import encode

cli = typer.Typer(rich_markup_mode=None, add_completion=False, no_args_is_help=True)


@cli.callback()
def tenant() -> None:
    """Tenants, their settings and their people."""


@cli.command("import")
def import_(
    ctx: typer.Context,
    file: Annotated[Path, typer.Argument(metavar="FILE.jsonl", help="One tenant a line.")],
    as_json: Json = False,
) -> None:
    """Bring tenants and contacts in: all of the file or nothing; again changes nothing. Never changes the settings of
    a tenant that exists."""
    from app import tenant_file
    from app.services import tenants as services

    async def work(place: Workplace) -> None:
        records = tenant_file.read(file)
        done = await act(place, services.import_records, records)
        counts = {name: int(done.answer[name]) for name in ("tenants", "changed")}
        if as_json:
            print_json(counts)
        else:
            say(f"{counts['tenants']:,} tenants in the file, {counts['changed']:,} new or changed")

    run(ctx, work, as_json=as_json)


@cli.command("list")
def list_(
    ctx: typer.Context,
    words: Annotated[str, typer.Option("--filter", help="Only those that hold all these words.")] = "",
    limit: Limit = 500,
    as_json: Json = False,
) -> None:
    """Tenants, by name."""
    from storage.replica.queries.tenants import TenantCard, tenant_card, tenant_ids

    async def work(place: Workplace) -> None:
        reader, now = place.replica.reader, place.clock.now()
        keys = tenant_ids(reader, words)
        cards = [card for key in keys[:limit] if (card := tenant_card(reader, key, now))]
        if as_json:
            print_json([_document(card) for card in cards])
            return

        def row(card: TenantCard) -> tuple[object, ...]:
            one, settings = card.tenant, card.settings
            switch = "OFF for all" if settings.kill_switch else "open"
            mode = settings.mode.value
            return (one.id, one.name, one.plan, one.status.value, mode, switch, settings.max_minutes, card.admins,
                    sum(card.days))  # fmt: skip

        columns = ("ID", "NAME", "PLAN", "STATUS", "MODE", "SWITCH", "MAX MIN", "ADMINS", "SESSIONS 30 D")
        print_table(columns, [row(card) for card in cards], "no tenant matches")
        if len(keys) > limit:
            say(f"{limit} of {len(keys):,}: --limit")

    run(ctx, work, as_json=as_json)


@cli.command()
def show(
    ctx: typer.Context,
    tenant_id: Annotated[str, typer.Argument(metavar="TENANT", help="The tenant's id.")],
    as_json: Json = False,
) -> None:
    """One tenant: settings, people, its log's head, who changed what."""
    from storage.replica.queries.tenants import contacts_of, setting_changes, tenant_card

    async def work(place: Workplace) -> None:
        reader = place.replica.reader
        key = lookup.find(reader, Tenant, tenant_id).id
        card = tenant_card(reader, key, place.clock.now())
        assert card is not None
        people, changes = contacts_of(reader, key), setting_changes(reader, key)
        if as_json:
            history = [
                {"at": one.at, "action": one.action, "by": one.by, "before": one.before, "after": one.after}
                for one in changes
            ]
            print_json({**_document(card), "contacts": [encode(one) for one in people], "history": history})
            return
        one, settings = card.tenant, card.settings
        print_pairs(
            [
                ("tenant", f"{one.name} ({one.id})"),
                ("plan", one.plan),
                ("status", one.status.value),
                ("mode", settings.mode.value),
                ("kill switch", "on: nobody gets in" if settings.kill_switch else "off"),
                ("maximum", f"{settings.max_minutes} minutes"),
                ("standing consent", settings.standing_consent),
                ("sessions in 30 days", sum(card.days)),
                ("log's head", f"{card.head.seq} {card.head.hash}"),
            ]
        )
        put("")
        rows = [(one.id, one.name, one.email, [role.value for role in one.roles], one.removed) for one in people]
        print_table(("CONTACT", "NAME", "E-MAIL", "ROLES", "REMOVED"), rows, "nobody is named")

    run(ctx, work, as_json=as_json)


def _document(card: object) -> dict[str, object]:
    from storage.replica.queries.tenants import TenantCard

    assert isinstance(card, TenantCard)
    stored = encode(card.tenant)
    assert isinstance(stored, dict)
    return {
        **stored,
        "settings": encode(card.settings),
        "max_seconds": card.settings.max_minutes * 60,
        "admins": card.admins,
        "sessions_by_day": list(card.days),
        "head": {"log": f"tenant:{card.tenant.id}", "seq": card.head.seq, "hash": card.head.hash},
    }
