"""The kill switch while 200 sessions run and a transaction sits on the log's head.

Both forms; the sessions are real ones of 200 engineers, and each is asked about as a gate asks, one after the other."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
import tempfile
import time
from pathlib import Path

import psycopg

from app.services import tenants
from storage.models import Role, Session
from storage.shared.interface import SharedDatabase
from storage.shared.opening import create_file
from storage.shared.sqlite import SqliteShared
from storage.shared.vault import OpenVault, Vault, new_key
from tests.benchmarks.figure import Figure
from tests.clock import ManualClock
from tests.postgres import cluster, template
from tests.services.world import World
from tests.team import TeamShared

SESSIONS, GOAL = 200, 0.1


def run() -> list[Figure]:
    home = Path(tempfile.mkdtemp(prefix="cs-switch-"))
    for form in ("sqlite", "postgres"):
        (home / form).mkdir()
    try:
        return asyncio.run(_on_sqlite(home)) + asyncio.run(_on_postgres(home))
    finally:
        shutil.rmtree(home, ignore_errors=True)


async def _on_sqlite(home: Path) -> list[Figure]:
    path, vault, clock = home / "shared.db", Vault(new_key()), ManualClock()
    create_file(path)
    shared = await SqliteShared.open(path, vault, clock)
    world, inside = await _crowded(shared, vault, clock, home / "sqlite")
    holder = sqlite3.connect(path, isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        return await _measured("SQLite", world, inside, lambda: holder.execute("ROLLBACK"))
    finally:
        holder.close()
        await world.close()
        await shared.close()


async def _on_postgres(home: Path) -> list[Figure]:
    server, clock, vault = cluster(), ManualClock(), OpenVault(new_key())
    database = server.fresh(template(), "switch")
    shared = TeamShared(server, database, clock)
    world, inside = await _crowded(shared, vault, clock, home / "postgres")
    holder = psycopg.connect(server.url(database))
    holder.execute("select 1 from countersign.log_head where log = 'operator' for update")
    try:
        return await _measured("PostgreSQL", world, inside, holder.rollback)
    finally:
        holder.close()
        await world.close()
        await shared.close()
        server.drop(database)


async def _crowded(shared: SharedDatabase, vault: Vault, clock: ManualClock, home: Path) -> tuple[World, list[Session]]:
    world = await World.made(shared, vault, clock, home)  # type: ignore[arg-type]  # either form
    inside = []
    for number in range(SESSIONS):
        engineer = await world.add(f"e{number}", f"Engineer {number}", Role.ENGINEER)
        inside.append(await world.inside(engineer))
    return world, inside


async def _measured(form: str, world: World, inside: list[Session], free: object) -> list[Figure]:
    """From the moment the switch is turned: when it is in force, and when every session's next check was refused."""
    allowed = [(await world.shared.admission(one.id)).allowed for one in inside]
    assert all(allowed)
    began = time.perf_counter()
    turning = asyncio.create_task(
        world.desk.run(tenants.set_kill_switch, world.admin("northwind/maria"), "northwind", True)
    )
    while (await world.shared.admission(inside[0].id)).allowed:  # noqa: ASYNC110  (the database's own answer)
        await asyncio.sleep(0)
    in_force = time.perf_counter() - began
    answers = [await world.shared.admission(one.id) for one in inside]
    everyone = time.perf_counter() - began
    assert not any(answer.allowed for answer in answers) and not turning.done()
    assert callable(free)
    free()
    await turning
    recorded = time.perf_counter() - began
    assert all(world.row(Session, one.id).ended_at for one in inside)
    a_check = (everyone - in_force) / len(inside) * 1000
    told = [
        ("switch turned → the next check is refused", in_force, GOAL),
        (f"every one of {SESSIONS} sessions asked about, one after the other", everyone, None),
        ("head free → entry written, every session ended and on the replica", recorded - everyone, None),
    ]
    figures = [
        Figure(
            f"{form}: {what}",
            f"{seconds * 1000:.0f} ms",
            *((f"≤ {goal * 1000:.0f} ms", seconds <= goal) if goal else ()),
        )
        for what, seconds, goal in told
    ]
    return [*figures, Figure(f"{form}: one session's check", f"{a_check:.2f} ms")]
