"""The company that the state machine drives: a real shared database in memory-backed files, two real consoles that may
lag behind each other, one clock, and the model's word on what is allowed."""

from __future__ import annotations

import asyncio
import atexit
import shutil
import tempfile
from collections.abc import Callable, Coroutine
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from hypothesis.stateful import RuleBasedStateMachine, initialize

from app.policy.limits import Limits
from app.policy.verdict import Refused
from app.services import tenants
from storage.errors import Conflict
from storage.models import Staff
from storage.shared.change import Applied, Change
from storage.shared.guards.case import Limits as GuardLimits
from storage.shared.opening import create_file
from storage.shared.sqlite import SqliteShared
from storage.shared.vault import Vault, new_key
from tests.clock import ManualClock
from tests.services.model import Case, Model, Person, Place
from tests.services.world import FABRIKAM, PLATFORM, World

T = TypeVar("T")

LIMITS = Limits(sessions_per_hour=3, tenants_per_day=2)
GUARDED = GuardLimits(starts_per_hour=3, tenants_per_day=2)
KEY = new_key()
PEOPLE = {"ann": "engineer", "raj": "engineer", "dana": "super", "lee": "super", "noor": "auditor"}
NO = (Refused, Conflict)


@cache
def template() -> Path:
    """A populated world, made once and copied for each run. In memory where the machine has such a place."""
    shm = Path("/dev/shm")
    home = Path(tempfile.mkdtemp(prefix="countersign-machine-", dir=shm if shm.is_dir() else None))
    atexit.register(shutil.rmtree, home, ignore_errors=True)
    create_file(home / "shared.db")

    async def populate() -> None:
        clock = ManualClock()
        shared = await SqliteShared.open(home / "shared.db", Vault(KEY), clock, limits=GUARDED)
        world = await World.made(shared, Vault(KEY), clock, home / "one", LIMITS)
        await world.desk.run(tenants.import_records, PLATFORM, [FABRIKAM])
        await world.close()
        await shared.close()
        shutil.copytree(home / "one", home / "two")

    asyncio.run(populate())
    return home


class TwoConsoles(RuleBasedStateMachine):
    """Five staff, three tenants, two consoles, one clock."""

    @initialize()
    def open(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.home = Path(tempfile.mkdtemp(prefix="run-", dir=template()))
        for part in ("one", "two"):
            shutil.copytree(template() / part, self.home / part)
        shutil.copyfile(template() / "shared.db", self.home / "shared.db")
        self.clock = ManualClock()
        self.shared = self.wait(SqliteShared.open(self.home / "shared.db", Vault(KEY), self.clock, limits=GUARDED))
        self.worlds = [
            World.reopened(self.shared, Vault(KEY), self.clock, self.home / part, LIMITS) for part in ("one", "two")
        ]
        self.worlds[1].share_codes(self.worlds[0])
        self.wait(self.pull())
        self.model = Model(
            {name: Person(name, role) for name, role in PEOPLE.items()},
            {
                "northwind": Place("northwind", ("northwind/maria", "northwind/juan")),
                "contoso": Place("contoso", ("contoso/ines", "contoso/omar"), maximum=45, standing=True),
                "fabrikam": Place("fabrikam", ("fabrikam/kim", "fabrikam/paul"), maximum=15),
            },
        )
        self.model.people["raj"].own = frozenset({"fabrikam"})
        self.count = 0
        self.longest: dict[str, int] = {}

    def teardown(self) -> None:
        if not hasattr(self, "loop"):
            return
        try:
            self.wait(self.whole())
        finally:
            self.wait(self.closed())
            self.loop.close()
            shutil.rmtree(self.home)

    async def closed(self) -> None:
        for world in self.worlds:
            await world.close()
        await self.shared.close()

    async def whole(self) -> None:
        """Logs verify, replicas equal the shared database."""
        for world in self.worlds:
            assert await world.sync.check_everything() == ()
            assert world.replica.position() == await self.shared.position()

    # ── how things are done ──

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    async def pull(self) -> None:
        for world in self.worlds:
            await world.sync.pull()

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def staff(self, world: World, who: Person) -> Staff:
        found: Staff = getattr(world, who.name)
        return found

    def do(
        self, lag: int, allowed: bool, command: Callable[..., Change], who: Any, *args: Any, **named: Any
    ) -> Applied | None:
        """Run it on one of the consoles, which may lag behind; the model has said whether it is allowed."""
        world = self.worlds[lag % 2]
        if lag % 3:
            self.wait(world.sync.pull())
        try:
            person = self.staff(world, who) if isinstance(who, Person) else who
            done = self.wait(world.run(command, person, *args, **named))
        except NO as no:
            assert not allowed or not lag % 3, f"{command.__name__} was refused: {no}"
            return None
        assert allowed, f"{command.__name__} was allowed"
        return done

    def case(self, pick: int) -> Case | None:
        every = list(self.model.cases.values())
        return every[pick % len(every)] if every else None

    def inside(self, pick: int) -> Case | None:
        every = [case for case in self.model.cases.values() if case.session is not None]
        return every[pick % len(every)] if every else None
