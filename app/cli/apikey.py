"""`countersign apikey`: keys for programs. Only a super makes them; one that changes a tenant's settings does nothing
until an admin of that tenant has accepted it in the portal (P5)."""

from __future__ import annotations

from typing import Annotated

import typer

from app.bootstrap import Workplace
from app.cli import lookup
from app.cli.options import Json
from app.cli.output import print_json, print_table, put, say
from app.cli.run import act, run
from storage.errors import Misconfigured
from storage.models import ApiKey, KeyRight, Tenant

cli = typer.Typer(rich_markup_mode=None, add_completion=False, no_args_is_help=True)


@cli.callback()
def apikey() -> None:
    """Keys for programs: a tenant's own, or the operator's platform."""


@cli.command()
def create(
    ctx: typer.Context,
    name: Annotated[str, typer.Option(help="What the program is called.")],
    scope: Annotated[str, typer.Option(metavar="SCOPE", help="tenant:ID, or platform.")],
    right: Annotated[KeyRight | None, typer.Option(help="Of a tenant's key: read, or settings too.")] = None,
    as_json: Json = False,
) -> None:
    """Make a key, and show it: once, it is kept nowhere."""
    from hashlib import sha256
    from secrets import token_urlsafe

    from app.services import api_keys

    async def work(place: Workplace) -> None:
        tenant, wanted = _scope(place, scope, right)
        secret = token_urlsafe(32)
        hashed = sha256(secret.encode()).hexdigest()
        done = await act(place, api_keys.create, name, wanted, tenant, hashed)
        key = f"csk_{done.answer['id']}_{secret}"
        if as_json:
            print_json({"id": done.answer["id"], "name": name, "scope": scope, "right": wanted, "key": key})
        else:
            put(key)
            say("keep it now: it is shown once")
        if wanted is KeyRight.SETTINGS:
            say("it does nothing until an admin of the tenant has accepted it in the portal")

    run(ctx, work, as_json=as_json)


@cli.command("list")
def list_(ctx: typer.Context, as_json: Json = False) -> None:
    """Every key, newest first; never the secret."""
    from storage.replica.queries.portal import keys_of

    async def work(place: Workplace) -> None:
        keys = keys_of(place.replica.reader)
        if as_json:
            print_json([_document(key) for key in keys])
            return
        rows = [(key.id, key.name, _scope_of(key), key.right.value, _state(key), key.created_at) for key in keys]
        print_table(("ID", "NAME", "SCOPE", "RIGHT", "STATE", "CREATED"), rows, "there is no API key")

    run(ctx, work, as_json=as_json)


@cli.command()
def revoke(
    ctx: typer.Context,
    key: Annotated[str, typer.Argument(metavar="KEY", help="The key's id, K-….")],
    as_json: Json = False,
) -> None:
    """Take a key back, at once and for good."""
    from app.services import api_keys

    async def work(place: Workplace) -> None:
        found = lookup.find(place.replica.reader, ApiKey, key)
        await act(place, api_keys.revoke, found.id)
        if as_json:
            print_json({"id": found.id, "revoked": True})
        else:
            say(f"{found.id} ({found.name}) opens nothing any more")

    run(ctx, work, as_json=as_json)


def _scope(place: Workplace, scope: str, right: KeyRight | None) -> tuple[str | None, KeyRight]:
    """Tenant and right that a scope means. Raises Misconfigured."""
    if scope == "platform":
        if right not in (None, KeyRight.PLATFORM):
            raise Misconfigured("a platform key has the platform's right", "leave --right out")
        return None, KeyRight.PLATFORM
    if not scope.startswith("tenant:"):
        raise Misconfigured(f"there is no scope {scope!r}", "say tenant:ID, or platform")
    if right is KeyRight.PLATFORM:
        raise Misconfigured("a tenant's key reads, or changes settings", "say --right read, or --right settings")
    tenant = lookup.find(place.replica.reader, Tenant, scope.removeprefix("tenant:"))
    return tenant.id, right or KeyRight.READ


def _scope_of(key: ApiKey) -> str:
    return f"tenant:{key.tenant_id}" if key.tenant_id is not None else "platform"


def _state(key: ApiKey) -> str:
    return "revoked" if key.revoked_at else "in force" if key.works else "waits for the tenant"


def _document(key: ApiKey) -> dict[str, object]:
    return {
        "id": key.id,
        "name": key.name,
        "scope": _scope_of(key),
        "right": key.right,
        "state": _state(key),
        "created_at": key.created_at,
        "created_by": key.created_by,
        "accepted_at": key.accepted_at,
        "accepted_by": key.accepted_by,
        "revoked_at": key.revoked_at,
        "revoked_by": key.revoked_by,
    }
