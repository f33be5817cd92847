"""The company that the state machine drives: a real shared database of either form, two real consoles that may lag
behind each other, one clock, and the model's word on what is allowed."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import Callable, Coroutine
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize

from app.policy.verdict import Refused
from storage.errors import Conflict
from storage.models import Staff, StepUp
from storage.shared.change import Applied, Change
from tests.clock import ManualClock
from tests.services.machine.grounds import LIMITS, ground
from tests.services.machine.model import Case, Model, Person, Place
from tests.services.world import World

T = TypeVar("T")

PEOPLE = {"ann": "engineer", "raj": "engineer", "dana": "super", "lee": "super", "noor": "auditor"}
NO = (Refused, Conflict)
people = st.sampled_from(sorted(PEOPLE))
places = st.sampled_from(["northwind", "contoso", "fabrikam"])
picks = st.integers(0, 10**6)


class TwoConsoles(RuleBasedStateMachine):
    """Five staff, three tenants, two consoles, one clock; `form` of the shared database."""

    form = "sqlite"

    @initialize()
    def open(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.ground = ground(self.form)
        self.home = Path(tempfile.mkdtemp(prefix="run-", dir=self.ground.home))
        for part in ("one", "two"):
            shutil.copytree(self.ground.home / part, self.home / part)
        self.clock = ManualClock()
        self.shared = self.wait(self.ground.opened(self.clock, self.home))
        self.worlds = [
            World.reopened(self.shared, self.ground.vault, self.clock, self.home / part, LIMITS)  # type: ignore[arg-type]  # either form
            for part in ("one", "two")
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
        await self.ground.gone(self.shared)

    async def whole(self) -> None:
        """Logs verify, replicas equal the shared database."""
        await self.pull()
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
        person = self.staff(world, who) if isinstance(who, Person) else who
        given = self.newest_code(person)
        try:
            done = self.wait(world.run(command, person, *args, **named))
        except NO as no:
            assert not allowed or not lag % 3, f"{command.__name__} was refused: {no}"
            return None
        finally:
            self.wait(self.worlds[0].sync.pull())
            if isinstance(who, Person) and self.newest_code(person) != given:
                who.failures, who.locked_until = 0, None  # a right code: the wrong ones before it count no more
        assert allowed, f"{command.__name__} was allowed"
        return done

    def newest_code(self, who: Any) -> str | None:
        """The step-up that this person was given last; the first console has always pulled."""
        return next((one.id for one in self.worlds[0].desk.view().latest(StepUp, 1, staff_id=who.id)), None)

    def case(self, pick: int) -> Case | None:
        every = list(self.model.cases.values())
        return every[pick % len(every)] if every else None

    def inside(self, pick: int) -> Case | None:
        every = [case for case in self.model.cases.values() if case.session is not None]
        return every[pick % len(every)] if every else None
