"""The kill switch never waits for the log's head (REQ-110): in force at once for all that ask, recorded after."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from app.policy.verdict import Refused
from app.services import api_keys, consent, sessions, tenants
from app.services.desk import Desk
from app.upkeep import WORKER
from storage.errors import GuardRefused, Misconfigured
from storage.models import ApiKey, EndKind, KeyRight, LinkKind, Session, Settings, Shutting, TenantMode
from storage.replica.engine import Replica
from storage.shared.postgres.shared import PostgresShared
from storage.shared.sqlite import SqliteShared
from storage.sync import Sync
from storage.witness import Witness
from tests.services.world import World

Holding = Callable[[], AbstractAsyncContextManager[None]]


@pytest.fixture
def holding(world: World) -> Holding:
    """Somebody's transaction that sits on the head of the operator log while the block runs."""

    @asynccontextmanager
    async def hold() -> AsyncIterator[None]:
        if isinstance(world.shared, SqliteShared):
            other = sqlite3.connect(world.shared.path, isolation_level=None)
            other.execute("BEGIN IMMEDIATE")
            yield
            other.execute("ROLLBACK")
            other.close()
            return
        assert isinstance(world.shared, PostgresShared)
        async with await psycopg.AsyncConnection.connect(world.shared.url) as connection:
            await connection.execute("select 1 from countersign.log_head where log = 'operator' for update")
            yield
            await connection.rollback()

    return hold


async def until_shut(world: World, session: Session) -> None:
    while (await world.shared.admission(session.id)).allowed:  # noqa: ASYNC110  (it is the database that answers)
        await asyncio.sleep(0)


async def test_the_switch_is_in_force_while_a_transaction_sits_on_the_head(world: World, holding: Holding) -> None:
    """REQ-110: the next check of every session is refused; the entry follows when the head is free."""
    inside = [await world.inside(who) for who in (world.ann, world.raj)]
    elsewhere = await world.inside(world.lee, tenant_id="contoso", target_id="contoso/omar")
    for session in inside:
        told = await world.shared.admission(session.id)
        assert told.allowed and told.mode is session.mode and told.expires_at == session.expires_at
    head = (await world.shared.position()).head
    async with holding():
        turning = asyncio.create_task(
            world.desk.run(tenants.set_kill_switch, world.admin("northwind/maria"), "northwind", True)
        )
        await until_shut(world, inside[0])
        for session in inside:
            assert "shut all support access off" in (await world.shared.admission(session.id)).why
        assert (await world.shared.admission(elsewhere.id)).allowed, "nobody else's sessions are touched"
        assert (await world.shared.position()).head == head and not turning.done(), "its entry waits for the head"
        (mark,) = await world.shared.shuttings()
        assert (mark.tenant_id, mark.by) == ("northwind", "northwind/maria")
    done = await turning
    assert done.answer["sessions_ended"] == "2"
    assert [world.row(Session, one.id).end_kind for one in inside] == [EndKind.TENANT, EndKind.TENANT]
    assert await world.shared.shuttings() == []
    assert "ended by tenant" in (await world.shared.admission(inside[0].id)).why


async def test_a_tenants_own_program_turns_it_as_fast(world: World, holding: Holding) -> None:
    """REQ-110, REQ-602: by its API key, too, the switch waits for nobody; only by a key that its people accepted."""
    session = await world.inside()
    made = await world.run(api_keys.create, world.dana, "alarm", KeyRight.SETTINGS, "northwind", "ab" * 32)
    key = world.row(ApiKey, made.answer["id"])
    program = api_keys.actor_of(key, "198.51.100.7")
    with pytest.raises(Refused, match="no administrator of the tenant has accepted"):
        await world.desk.run(api_keys.change_settings, program, "northwind", kill_switch=True)
    assert await world.shared.shuttings() == [] and (await world.shared.admission(session.id)).allowed
    await world.run(api_keys.accept, world.admin("northwind/maria"), key.id)
    with pytest.raises(Refused, match="another tenant's"):
        await world.desk.run(api_keys.change_settings, program, "contoso", kill_switch=True)
    assert await world.shared.shuttings() == []
    async with holding():
        turning = asyncio.create_task(
            world.desk.run(api_keys.change_settings, program, "northwind", kill_switch=True, max_minutes=30)
        )
        await until_shut(world, session)
        (mark,) = await world.shared.shuttings()
        assert (mark.tenant_id, mark.by, turning.done()) == ("northwind", key.id, False)
    assert (await turning).answer["sessions_ended"] == "1"
    assert await world.shared.shuttings() == []
    settings = world.row(Settings, "northwind")
    assert (settings.kill_switch, settings.max_minutes, settings.changed_by) == (True, 30, key.id)


async def test_a_console_that_has_not_heard_of_the_key_yet_records_the_switch_it_turned(
    world: World, tmp_path: Path
) -> None:
    """REQ-110: what is in force is not refused in words; the shared database has said that the key may."""
    session = await world.inside()
    made = await world.run(api_keys.create, world.dana, "alarm", KeyRight.SETTINGS, "northwind", "ab" * 32)
    key = world.row(ApiKey, made.answer["id"])
    replica = Replica.open(tmp_path / "late" / "replica.db")
    sync = Sync(world.shared, replica, Witness(tmp_path / "late" / "w.json"), world.clock)  # type: ignore[arg-type]  # as the real one
    await sync.pull()
    await world.run(api_keys.accept, world.admin("northwind/maria"), key.id)
    program = api_keys.actor_of(key, "198.51.100.7")
    done = await Desk(world.shared, replica, sync, world.clock).run(
        api_keys.change_settings, program, "northwind", kill_switch=True
    )
    assert done.answer["sessions_ended"] == "1" and await world.shared.shuttings() == []
    assert "ended by tenant" in (await world.shared.admission(session.id)).why
    await sync.close()
    replica.close()


async def test_what_a_program_turned_and_did_not_live_to_record_the_worker_writes_down(world: World) -> None:
    """REQ-110, REQ-401: whose key it was stands in the entry."""
    session = await world.inside()
    made = await world.run(api_keys.create, world.dana, "alarm", KeyRight.SETTINGS, "northwind", "ab" * 32)
    key = world.row(ApiKey, made.answer["id"])
    await world.run(api_keys.accept, world.admin("northwind/maria"), key.id)
    await world.shared.shut("northwind", api_keys.actor_of(key, "198.51.100.7"))
    world.clock.advance(timedelta(seconds=2))
    assert await world.desk.record_shuttings(WORKER) == 1
    assert world.row(Settings, "northwind").changed_by == key.id
    assert world.row(Session, session.id).end_kind is EndKind.TENANT
    turned_by = (await newest(world, "kill_switch.turned_on"))["data"]["turned_on_by"]
    assert isinstance(turned_by, dict) and (turned_by["id"], turned_by["name"]) == (key.id, "API key alarm")
    await world.run(api_keys.revoke, world.dana, key.id)
    with pytest.raises(GuardRefused, match="P5"):
        await world.shared.shut("northwind", api_keys.actor_of(key, "198.51.100.7"))


async def test_between_the_switch_and_its_entry_nothing_gets_in(world: World) -> None:
    """REQ-110, P6: no start, no request, no approval, though every copy still shows the tenant open."""
    approved = await world.approve(await world.ask())
    pending = await world.ask(world.raj)
    link_to_approve = await world.link(pending, "northwind/juan", LinkKind.APPROVE)
    await world.shared.shut("northwind", world.admin("northwind/maria"))
    with pytest.raises(GuardRefused, match="shut all support access off"):
        await world.start(approved)
    with pytest.raises(GuardRefused, match="shut all support access off"):
        await world.ask(world.lee)
    with pytest.raises(GuardRefused, match="shut all support access off"):
        await world.run(consent.approve, world.admin("northwind/juan"), link_to_approve)


async def test_a_switch_whose_entry_never_came_is_written_down_by_the_worker(world: World) -> None:
    """REQ-110, REQ-401: whoever turned it on died at once; the entry says who it was, from where and when."""
    session = await world.inside()
    maria = replace(world.admin("northwind/maria"), ip="192.0.2.7")
    await world.shared.shut("northwind", maria)
    turned_at = world.clock.now()
    assert await world.desk.record_shuttings(WORKER) == 0, "whoever turned it on comes first"
    world.clock.advance(timedelta(seconds=2))
    assert await world.desk.record_shuttings(WORKER) == 1
    settings = world.row(Settings, "northwind")
    assert settings.kill_switch and settings.changed_by == maria.id
    assert world.row(Session, session.id).end_kind is EndKind.TENANT
    entry = await newest(world, "kill_switch.turned_on")
    assert entry["actor"]["id"] == "worker"
    assert entry["data"]["turned_on_by"] == {
        "at": turned_at.isoformat(timespec="microseconds").replace("+00:00", "Z"),
        "id": maria.id,
        "ip": "192.0.2.7",
        "name": maria.name,
    }
    assert await world.desk.record_shuttings(WORKER) == 0, "once"


async def newest(world: World, action: str) -> dict[str, dict[str, object]]:
    own = [json.loads(one.body) for one in await world.shared.entries("tenant:northwind", 0)]
    return [entry for entry in own if entry["action"] == action][-1]


async def test_the_worker_writes_down_no_switch_that_nobody_turned(world: World, postgres_database: str) -> None:
    """P5, REQ-110: not even the worker shuts a tenant, or says that somebody did. (Whoever can write an SQLite file
    stands in for the portal there.)"""
    maria = world.admin("northwind/maria")
    made_up = Shutting("northwind", maria.id, maria.name, "local", world.clock.now())
    with pytest.raises(GuardRefused, match="P5"):
        await world.desk.run(tenants.record_shutting, WORKER, made_up)
    await world.shared.shut("northwind", maria)
    with pytest.raises(GuardRefused, match="P5"):
        await world.desk.run(tenants.record_shutting, WORKER, replace(made_up, by="northwind/juan"))


async def test_turning_it_off_leaves_no_mark_behind(world: World) -> None:
    """REQ-110: off is off; a mark that outlived its entry does not shut the tenant again."""
    maria = world.admin("northwind/maria")
    await world.run(tenants.set_kill_switch, maria, "northwind", True)
    await world.shared.shut("northwind", world.admin("northwind/juan"))  # a second admin, a moment later
    assert await world.shared.shuttings() == [], "it is recorded already"
    await world.run(tenants.set_kill_switch, maria, "northwind", False)
    assert await world.shared.shuttings() == []
    assert (await world.shared.admission((await world.inside()).id)).allowed


async def test_another_setting_does_not_take_a_mark_away(world: World) -> None:
    """REQ-110: a change of the mode, decided before the switch was turned, leaves it on."""
    await world.shared.shut("northwind", world.admin("northwind/maria"))
    await world.run(tenants.change_settings, world.admin("northwind/juan"), "northwind", mode=TenantMode.CONSENT_ONLY)
    assert [mark.by for mark in await world.shared.shuttings()] == ["northwind/maria"]


async def test_only_the_tenants_own_admins_shut_it(world: World) -> None:
    """P5, REQ-110: not a user, not another tenant's admin, not staff; and nothing is shut by the attempt."""
    for actor in (world.admin("northwind/eva"), world.admin("contoso/ines"), world.actor(world.dana)):
        with pytest.raises((GuardRefused, Misconfigured)):  # or the log-in has no right to the function at all
            await world.shared.shut("northwind", actor)
        with pytest.raises(Refused, match="tenant's own"):
            await world.desk.run(tenants.set_kill_switch, actor, "northwind", True)
    assert await world.shared.shuttings() == []


async def test_a_gates_question_fails_closed(world: World) -> None:
    """REQ-203, REQ-301, REQ-304: unknown, over by time, ended, suspended, an engineer who left: refused in words."""
    assert "no session" in (await world.shared.admission("S-0000000")).why
    session = await world.inside()
    world.clock.advance(session.expires_at - world.clock.now())
    assert "time of session" in (await world.shared.admission(session.id)).why, "no process recorded anything"
    other = await world.inside(world.raj)
    await world.run(sessions.end, world.raj, other.id, "a webhook was lost", "nothing", "no", "")
    assert "ended by engineer" in (await world.shared.admission(other.id)).why
