"""Small Changes by hand, for tests of `apply` itself: no policy, no services."""

from __future__ import annotations

from datetime import datetime

from storage.log.actions import Action
from storage.log.entry import Draft
from storage.models import Actor, ActorKind, Credential, Role, Settings, Staff, Standing, Tenant, TenantStatus
from storage.shared import totp
from storage.shared.change import Change, Read, Write, new_change_id
from storage.shared.sqlite import SqliteShared
from storage.shared.vault import Vault

SYSTEM = Actor(ActorKind.SYSTEM, "platform", "platform", "")
ADA = Actor(ActorKind.STAFF, "U-ADA", "Ada", "ada@operator.example")
SECRET = totp.new_secret()
RECOVERY = totp.new_recovery_codes()


def staff(actor: Actor, role: Role, now: datetime, until: datetime | None = None) -> Staff:
    return Staff(actor.id, actor.email, actor.name, role, until, now, None)


def founding(vault: Vault, now: datetime) -> Change:
    """Ada, the first super, with a second factor."""
    hashes = tuple(totp.recovery_hash(code) for code in RECOVERY)
    rows = (
        staff(ADA, Role.SUPER, now),
        Standing(ADA.id, None, None, ()),
        Credential(ADA.id, vault.seal(SECRET), hashes, 0, 0, None),
    )
    reads = tuple(Read(row.TABLE, row.id, 0) for row in rows)
    return Change(
        new_change_id(), now, SYSTEM, (Draft(Action.DATABASE_CREATED),), reads, tuple(Write(row) for row in rows)
    )


def importing(tenant_id: str, now: datetime, *, rev: int = 0, name: str = "Northwind", change_id: str = "") -> Change:
    """A tenant as it is imported; `rev` above 0 imports it again."""
    rows: tuple[Tenant | Settings, ...] = (Tenant(tenant_id, name, "pro", TenantStatus.ACTIVE, ()),)
    if rev == 0:
        rows = (*rows, Settings(tenant_id))
    return Change(
        change_id or new_change_id(),
        now,
        SYSTEM,
        (Draft(Action.TENANT_IMPORTED, tenant=tenant_id, data={"name": name}),),
        tuple(Read(row.TABLE, row.id, rev) for row in rows),
        tuple(Write(row) for row in rows),
        answer={"tenant": tenant_id},
    )


async def founded(shared: SqliteShared, vault: Vault) -> None:
    await shared.apply(founding(vault, await shared.now()))
