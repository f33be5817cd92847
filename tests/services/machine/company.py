"""The company that the state machine drives: a real shared database of either form, two real consoles, one clock.

The second console is a laptop: it may lag behind, its clock may be wrong, its cable may be pulled out, and what it may
keep it keeps and sends on return. `act` runs every command, and compares what came of it with the model's word.
"""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar, TypeVar

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize

from app.policy.verdict import Refused
from app.services import sessions
from app.services.command import queueable_of
from app.services.outbox import Queued
from storage.errors import Conflict, Offline
from storage.models import Staff, StepUp
from storage.outbox import Outbox
from storage.shared.change import Change
from tests.clock import ManualClock
from tests.services.cable import Cable, LaptopClock
from tests.services.machine.beliefs import Model
from tests.services.machine.grounds import LIMITS, ground
from tests.services.machine.model import Case, Person, Place
from tests.services.machine.post import PostOffice
from tests.services.world import World

T = TypeVar("T")
Effect = Callable[[Mapping[str, str]], None]

PEOPLE = {"ann": "engineer", "raj": "engineer", "dana": "super", "lee": "super", "noor": "auditor"}
NO = (Refused, Conflict)
SKEW = timedelta(seconds=2)
people = st.sampled_from(sorted(PEOPLE))
supers = st.sampled_from(["dana", "lee"])
places = st.sampled_from(["northwind", "contoso", "fabrikam"])
picks = st.integers(0, 10**6)


@dataclass
class Waiting:
    """A command that the laptop keeps. `in_force`: it was applied, only the answer was lost."""

    name: str
    may: Callable[[], bool]
    then: Effect
    in_force: bool


class TwoConsoles(RuleBasedStateMachine):
    """Five staff, three tenants, two consoles, one clock; `form` of the shared database. `reached` counts what was done
    and what was refused, over all runs."""

    form = "sqlite"
    reached: ClassVar[Counter[str]] = Counter()

    @initialize()
    def open(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.ground = ground(self.form)
        self.home = Path(tempfile.mkdtemp(prefix="run-", dir=self.ground.home))
        for part in ("one", "two"):
            shutil.copytree(self.ground.home / part, self.home / part)
        self.clock = ManualClock()
        self.laptop = LaptopClock(self.clock)
        self.shared = self.wait(self.ground.opened(self.clock, self.home))
        self.cable = Cable(self.shared)
        vault = self.ground.vault
        self.worlds = [
            World.reopened(self.shared, vault, self.clock, self.home / "one", LIMITS),  # type: ignore[arg-type]  # either form
            World.reopened(self.cable, vault, self.laptop, self.home / "two", LIMITS),  # type: ignore[arg-type]  # as the real ones
        ]
        self.worlds[1].share_codes(self.worlds[0])
        self.worlds[1].desk.outbox = Outbox(self.home / "two" / "outbox.db")
        self.waiting: dict[str, Waiting] = {}
        self.post = PostOffice(self.worlds[0], self.clock)
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
        self.at = self.now
        self.longest: dict[str, int] = {}

    # ── how things are done ──

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    async def pull(self) -> None:
        for world in self.worlds[: 1 if self.cable.cut else 2]:
            await world.sync.pull()

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def staff(self, world: World, who: Person) -> Staff:
        found: Staff = getattr(world, who.name)
        return found

    def words(self, what: str) -> str:
        """A reason like no other."""
        self.count += 1
        return f"{what} {self.count} shows completed but the card was never credited; compare the event."

    def act(
        self,
        lag: int,
        may: Callable[[], bool],
        command: Callable[..., Change],
        who: Any,
        *args: Any,
        then: Effect | None = None,
        **named: Any,
    ) -> None:
        """Run it on one of the consoles. The model has said whether it is allowed (`may`) and what comes of it
        (`then`, with the answer; `self.at` is the moment that the console told). A console that lags, or whose clock
        is wrong, may refuse what is allowed by now; none may ever allow what is not."""
        world, then = self.worlds[lag % 2], then or (lambda answer: None)
        if world is self.worlds[1] and self.cable.cut:
            self._out_of_reach(may, command, who, args, named, then)
            return
        if lag % 3:
            self.wait(world.sync.pull())
        sure = bool(lag % 3) and (world is self.worlds[0] or not self.laptop.off)
        person = self.staff(world, who) if isinstance(who, Person) else who
        allowed = may()
        if isinstance(who, Person):
            allowed = allowed and not (self._takes_a_code(world, command, person) and who.locked(self.now))
        there = self._as_the_laptop_sees_it(may)
        self.cable.lose_answer = lag % 7 == 1 and world is self.worlds[1] and queueable_of(command) is not None
        given = self._newest_code(person)
        try:
            done = self.wait(world.run(command, person, *args, **named))
        except NO as no:
            assert not allowed or not sure, f"{command.__name__} was refused: {no}"
            self.reached[f"{named_in_full(command)} refused"] += 1
            return
        finally:
            self.cable.lose_answer = False
            self.wait(self.worlds[0].sync.pull())
            if isinstance(who, Person) and self._newest_code(person) != given:
                who.failures, who.locked_until = 0, None  # a right code: the wrong ones before it count no more
        by_a_hair = world is self.worlds[1] and command is not sessions.start and there
        assert allowed or by_a_hair, f"{command.__name__} was allowed"
        self.at = world.desk.now()
        assert abs(self.at - self.now) <= SKEW, "only the shared database's clock decides"
        self.reached[named_in_full(command)] += 1
        if isinstance(done, Queued):
            assert done.kept is not None
            self.waiting[done.kept.id] = Waiting(command.__name__, may, then, in_force=True)
        then(done.answer)

    def _as_the_laptop_sees_it(self, may: Callable[[], bool]) -> bool:
        """What a console tells may be two seconds off, at a deadline too; only entering waits for the shared clock."""
        off, now = self.laptop.off, self.now
        if not off or abs(off) > SKEW:
            return False
        self.clock.set(now + off)
        try:
            return may()
        finally:
            self.clock.set(now)

    def _out_of_reach(
        self,
        may: Callable[[], bool],
        command: Callable[..., Change],
        who: Any,
        args: tuple[Any, ...],
        named: dict[str, Any],
        then: Effect,
    ) -> None:
        """REQ-802: what adds privilege is refused, with a clear word; what may be kept is, and changes nothing yet."""
        world = self.worlds[1]
        person = self.staff(world, who) if isinstance(who, Person) else who
        try:
            done = self.wait(world.run(command, person, *args, **named))
        except Offline:
            assert queueable_of(command) is None, f"{command.__name__} should be kept"
            return
        except Refused:
            return
        assert isinstance(done, Queued) and done.kept is not None, f"{command.__name__} was done out of reach"
        self.reached[f"{named_in_full(command)} kept"] += 1
        self.waiting[done.kept.id] = Waiting(command.__name__, may, then, in_force=False)

    @staticmethod
    def _takes_a_code(world: World, command: Callable[..., Change], person: Staff) -> bool:
        return world.desk.needs_code(command, world.actor(person))

    def _newest_code(self, who: Any) -> str | None:
        """The step-up that this person was given last; the first console has always pulled."""
        return next((one.id for one in self.worlds[0].desk.view().latest(StepUp, 1, staff_id=who.id)), None)

    # ── what is picked ──

    def case(self, pick: int, fit: Callable[[Case], bool] = lambda case: True) -> Case | None:
        """A case, of those that fit where there are any: stories that go on are told more often."""
        every = list(self.model.cases.values())
        some = [case for case in every if fit(case)] if pick % 4 else every
        chosen = some or every
        return chosen[pick // 4 % len(chosen)] if chosen else None

    def inside(self, pick: int) -> Case | None:
        every = [case for case in self.model.cases.values() if case.session is not None]
        return every[pick % len(every)] if every else None

    def known(self, key: str) -> Any:
        """A tenant admin, as the actor they are."""
        return self.worlds[0].admin(key)


def named_in_full(command: Callable[..., Change]) -> str:
    """`break_glass.declare`, as the emergency's command is called `declare` too."""
    return f"{command.__module__.rpartition('.')[2]}.{command.__name__}"
