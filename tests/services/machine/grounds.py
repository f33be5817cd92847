"""Where the state machine's company stands: a populated world made once on each form of the shared database, and cloned
for every run: files copied in memory, a template database cloned by the server.

What a run needs and what may be shared between runs is decided here, so that a thousand runs fit into minutes: a
PostgreSQL clone takes 15 to 20 ms, a fresh one would take a second.
"""

from __future__ import annotations

import asyncio
import atexit
import shutil
import tempfile
from collections.abc import Awaitable, Callable
from functools import cache
from pathlib import Path
from typing import Protocol

import psycopg

from app.policy.limits import Limits
from app.services import tenants
from storage.shared.guards.case import Limits as GuardLimits
from storage.shared.interface import SharedDatabase
from storage.shared.opening import create_file
from storage.shared.sqlite import SqliteShared
from storage.shared.vault import OpenVault, Vault, new_key
from tests.clock import ManualClock
from tests.postgres import cluster
from tests.postgres import template as empty
from tests.services.world import FABRIKAM, PLATFORM, World
from tests.team import TeamShared

LIMITS = Limits(sessions_per_hour=3, tenants_per_day=2)
"""Low enough that a story of fifty steps meets them."""
GUARDED = GuardLimits(starts_per_hour=3, tenants_per_day=2)


class Ground(Protocol):
    """One form of the shared database. `home` holds the populated company's replicas, `one` and `two`."""

    vault: Vault
    home: Path

    async def opened(self, clock: ManualClock, run: Path) -> SharedDatabase:
        """A clone of the populated company, for the run whose directory this is."""

    async def gone(self, shared: SharedDatabase) -> None:
        """Close it, and leave nothing behind."""


@cache
def ground(form: str) -> Ground:
    """The populated company on this form, made when somebody first asks."""
    return OnPostgres() if form == "postgres" else OnSqlite()


def in_memory() -> Path:
    """A directory of this process, in memory where the machine has such a place."""
    shm = Path("/dev/shm")
    home = Path(tempfile.mkdtemp(prefix="countersign-machine-", dir=shm if shm.is_dir() else None))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    return home


Making = Callable[[SharedDatabase, Vault, ManualClock, Path], Awaitable[None]]
"""Fills a new shared database, leaves two consoles in `home`, and closes all of it."""


async def populate(shared: SharedDatabase, vault: Vault, clock: ManualClock, home: Path) -> None:
    """Five staff, three tenants; two consoles that have seen it all."""
    world = await World.made(shared, vault, clock, home / "one", LIMITS)  # type: ignore[arg-type]  # either form
    await world.desk.run(tenants.import_records, PLATFORM, [FABRIKAM])
    await world.close()
    await shared.close()
    shutil.copytree(home / "one", home / "two")


class OnSqlite:
    def __init__(self, make: Making = populate) -> None:
        self.make = make
        self.vault = Vault(new_key())
        self.home = in_memory()
        create_file(self.home / "shared.db")
        asyncio.run(self._made())

    async def _made(self) -> None:
        clock = ManualClock()
        shared = await SqliteShared.open(self.home / "shared.db", self.vault, clock, limits=GUARDED)
        await self.make(shared, self.vault, clock, self.home)

    async def opened(self, clock: ManualClock, run: Path) -> SharedDatabase:
        shutil.copyfile(self.home / "shared.db", run / "shared.db")
        return await SqliteShared.open(run / "shared.db", self.vault, clock, limits=GUARDED)

    async def gone(self, shared: SharedDatabase) -> None:
        await shared.close()


class OnPostgres:
    """`database` is a template that nobody is connected to, with everybody's log-in in it."""

    def __init__(self, make: Making = populate) -> None:
        self.make = make
        self.vault = OpenVault(new_key())
        self.home = in_memory()
        self.database = cluster().fresh(empty(), "machine")
        asyncio.run(self._made())

    async def _made(self) -> None:
        clock = ManualClock()
        with psycopg.connect(cluster().url(self.database), autocommit=True) as installer:
            installer.execute(
                "update countersign.limits set starts_per_hour = %s, tenants_per_day = %s",
                (GUARDED.starts_per_hour, GUARDED.tenants_per_day),
            )
        shared = TeamShared(cluster(), self.database, clock)
        await self.make(shared, self.vault, clock, self.home)

    async def opened(self, clock: ManualClock, run: Path) -> SharedDatabase:
        return TeamShared(cluster(), cluster().fresh(self.database, "run"), clock)

    async def gone(self, shared: SharedDatabase) -> None:
        await shared.close()
        assert isinstance(shared, TeamShared)
        cluster().drop(shared.database)
