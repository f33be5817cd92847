"""API keys, and what programs do with them: the tenant's own, and the operator's platform (REQ-602, REQ-603)."""

from __future__ import annotations

import json
from hashlib import sha256

import pytest

from app.policy import portal as rules
from app.policy.verdict import Refused, Verdict
from app.services import api_keys, platform
from app.services.tenants import ContactRecord, TenantRecord
from storage.errors import GuardRefused
from storage.models import Actor, ApiKey, KeyRight, Session, Settings, Tenant, TenantStatus
from storage.replica.queries.log import entries_between, newest
from tests.services.world import ADMIN, USER, World

SECRET = sha256(b"secret").hexdigest()
ACME = TenantRecord("acme", "Acme", "basic", contacts=(ContactRecord("a", "A", "a@acme.example", (*ADMIN, *USER)),))


async def key(world: World, right: KeyRight, tenant_id: str | None = None) -> ApiKey:
    done = await world.run(api_keys.create, world.dana, "billing sync", right, tenant_id, SECRET)
    return world.row(ApiKey, done.answer["id"])


def program(one: ApiKey) -> Actor:
    return api_keys.actor_of(one, "198.51.100.7")


def told(world: World, tenant_id: str) -> dict[str, object]:
    """The newest entry of a tenant's own log."""
    log = f"tenant:{tenant_id}"
    last = newest(world.replica.reader, log)
    (entry,) = entries_between(world.replica.reader, log, last, last)
    return entry.data


async def test_only_a_super_makes_keys(world: World) -> None:
    for who in (world.ann, world.noor):
        with pytest.raises(Refused):
            await world.run(api_keys.create, who, "x", KeyRight.PLATFORM, None, SECRET)
    with pytest.raises(Refused, match="a key is one tenant's"):
        await world.run(api_keys.create, world.dana, "x", KeyRight.PLATFORM, "northwind", SECRET)


async def test_a_key_changes_a_tenants_settings_only_once_the_tenant_accepted_it(world: World) -> None:
    """P5, REQ-110: a super who makes a key has not got into the tenant's settings by it."""
    one = await key(world, KeyRight.SETTINGS, "northwind")
    with pytest.raises(Refused, match="no administrator of the tenant has accepted"):
        await world.desk.run(api_keys.change_settings, program(one), "northwind", max_minutes=30)
    with pytest.raises(Refused, match="tenant admin"):
        await world.run(api_keys.accept, world.dana, one.id)
    with pytest.raises(Refused, match="not an admin"):
        await world.run(api_keys.accept, world.admin("contoso/ines"), one.id)

    await world.run(api_keys.accept, world.admin("northwind/maria"), one.id)
    await world.desk.run(api_keys.change_settings, program(one), "northwind", max_minutes=30)
    settings = world.row(Settings, "northwind")
    assert (settings.max_minutes, settings.changed_by) == (30, one.id)
    entry = told(world, "northwind")
    assert (entry["before"], entry["after"]) == ({"max_minutes": 60}, {"max_minutes": 30})

    with pytest.raises(Refused, match="another tenant's"):
        await world.desk.run(api_keys.change_settings, program(one), "contoso", max_minutes=30)
    await world.run(api_keys.revoke, world.admin("northwind/juan"), one.id)
    with pytest.raises(Refused, match="revoked"):
        await world.desk.run(api_keys.change_settings, program(one), "northwind", max_minutes=45)


async def test_a_programs_kill_switch_ends_what_runs(world: World) -> None:
    """REQ-110, by the tenant's own program."""
    one = await key(world, KeyRight.SETTINGS, "northwind")
    await world.run(api_keys.accept, world.admin("northwind/maria"), one.id)
    session = await world.inside()
    await world.desk.run(api_keys.change_settings, program(one), "northwind", kill_switch=True)
    assert world.row(Session, session.id).ended_at is not None


async def test_the_database_itself_holds_keys_to_their_right(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """P5 with the rules taken away: not accepted, another tenant's, of another right, revoked."""
    waiting = await key(world, KeyRight.SETTINGS, "northwind")
    reading = await key(world, KeyRight.READ, "northwind")
    foreign = await key(world, KeyRight.SETTINGS, "contoso")
    gone = await key(world, KeyRight.PLATFORM)
    await world.run(api_keys.accept, world.admin("contoso/ines"), foreign.id)
    await world.run(api_keys.revoke, world.dana, gone.id)
    monkeypatch.setattr(rules, "may_use", lambda *_: Verdict())
    for one in (waiting, reading, foreign, gone):
        with pytest.raises(GuardRefused, match="P5"):
            await world.desk.run(api_keys.change_settings, program(one), "northwind", max_minutes=30)
        with pytest.raises(GuardRefused, match="P5"):
            await world.desk.run(platform.change_plan, program(one), "northwind", "free")
    monkeypatch.setattr(api_keys, "require", lambda verdict: None)
    with pytest.raises(GuardRefused):
        await world.run(api_keys.accept, world.dana, waiting.id)
    with pytest.raises(GuardRefused, match="P5"):
        await world.run(api_keys.accept, world.admin("contoso/ines"), waiting.id)


async def test_the_platform_makes_moves_and_closes_a_tenant_with_before_and_after(world: World) -> None:
    """REQ-603: created, suspended, resumed, de-provisioned, plan and flags; each in the tenant's own log."""
    by = program(await key(world, KeyRight.PLATFORM))
    await world.desk.run(platform.create_tenant, by, ACME)
    assert told(world, "acme")["action"] == "tenant.created"
    with pytest.raises(Refused, match="already"):
        await world.desk.run(platform.create_tenant, by, ACME)

    steps = [
        (platform.change_plan, ("pro",), {"plan": "basic"}, {"plan": "pro"}),
        (platform.change_flags, ({"beta": "on"},), {"flags": [["beta", None]]}, {"flags": [["beta", "on"]]}),
        (platform.change_flags, ({"beta": None},), {"flags": [["beta", "on"]]}, {"flags": [["beta", None]]}),
        (platform.move_tenant, (TenantStatus.SUSPENDED, "unpaid"), {"status": "active"}, {"status": "suspended"}),
        (platform.move_tenant, (TenantStatus.ACTIVE, "paid"), {"status": "suspended"}, {"status": "active"}),
        (platform.move_tenant, (TenantStatus.DEPROVISIONED, "left"), {"status": "active"}, {"status": "deprovisioned"}),
    ]
    for command, words, before, after in steps:
        await world.desk.run(command, by, "acme", *words)  # type: ignore[arg-type]  # each takes its own words
        entry = told(world, "acme")
        assert (entry["before"], entry["after"]) == (before, after)
        assert json.dumps(entry["actor"]).count(by.id) == 1
    assert world.row(Tenant, "acme").status is TenantStatus.DEPROVISIONED
    with pytest.raises(Refused, match="cannot become active"):
        await world.desk.run(platform.move_tenant, by, "acme", TenantStatus.ACTIVE, "back")
    with pytest.raises(Refused, match="nothing changes any more"):
        await world.desk.run(platform.change_plan, by, "acme", "free")


async def test_suspending_ends_whoever_is_inside(world: World) -> None:
    """REQ-110, P6: a suspended tenant has nobody inside, and nobody gets in."""
    by = program(await key(world, KeyRight.PLATFORM))
    session = await world.inside()
    done = await world.desk.run(platform.move_tenant, by, "northwind", TenantStatus.SUSPENDED, "unpaid")
    assert done.answer["sessions_ended"] == "1"
    assert world.row(Session, session.id).ended_at is not None
    with pytest.raises(Refused, match="suspended"):
        await world.ask()


async def test_an_import_leaves_the_platforms_flags(world: World) -> None:
    by = program(await key(world, KeyRight.PLATFORM))
    await world.desk.run(platform.change_flags, by, "northwind", {"beta": "on", "limit": "5"})
    from app.services import tenants
    from tests.services.world import NORTHWIND, PLATFORM

    done = await world.desk.run(tenants.import_records, PLATFORM, [NORTHWIND])
    assert done.answer["changed"] == "0"
    assert [flag.name for flag in world.row(Tenant, "northwind").flags] == ["beta", "limit"]
