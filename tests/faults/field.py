"""The field on which faults strike: several consoles at work on one server, round after round; afterwards every answer
that a person was given is held against what the database holds."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import statistics
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from storage.outbox import KeptState
from tests.faults.console import WorkingConsole
from tests.faults.ledger import Ledger
from tests.faults.page import Row
from tests.faults.team import Server, Team
from tests.faults.wire import Wire

SOON = 10.0
"""Seconds after the fault's end by which every console must have converged (issue 3)."""
PATIENCE = 60.0
"""After so long a console counts as stuck, not late."""


@dataclass
class Tally:
    """What the rounds came to."""

    rounds: int = 0
    lost: int = 0
    twice: int = 0
    different: int = 0
    late: int = 0
    stuck: int = 0
    took: list[float] = field(default_factory=list)
    troubles: list[str] = field(default_factory=list)
    offline: int = 0


class Trail:
    """What each console went through after a fault, for those that are late; `pause` is how long nothing at all ran
    here in one piece, which a machine that is busy with others does to a test."""

    def __init__(self, consoles: list[WorkingConsole], ended: float) -> None:
        self._consoles, self._ended = consoles, ended
        self._seen: dict[str, list[str]] = {one.person.name: [] for one in consoles}
        self._last, self._pause = ended, 0.0

    def look(self) -> None:
        now = time.monotonic()
        self._pause, self._last = max(self._pause, now - self._last), now
        for one in self._consoles:
            state = one.why_not(0)
            states = self._seen[one.person.name]
            if not states or states[-1].partition(" ")[2] != state:
                states.append(f"{now - self._ended:.1f} {state}")

    def of(self, one: WorkingConsole) -> str:
        """In words, a line a step."""
        load = ", ".join(f"{load:.0f}" for load in os.getloadavg())
        steps = "\n  ".join(self._seen[one.person.name])
        return f"\nlate; longest pause {self._pause:.1f} s, load {load}:\n  {steps}"


class Field:
    """`port`: where the consoles believe the server to be."""

    def __init__(
        self, server: Server, team: Team, home: Path, seed: str, *, port: int | None = None, database: str = ""
    ) -> None:
        self.server, self.team, self.home = server, team, home
        self.chance = random.Random(seed)
        self.database = database or server.fresh(team.database, "fault")
        self.wire = Wire(server.socket)
        self.port = port or self.wire.port
        self.ledger = Ledger(server.url(self.database))
        self.tally = Tally()
        self.consoles: list[WorkingConsole] = []
        self._began = time.monotonic()

    async def open(self, name: str = "") -> None:
        """A console for everybody."""
        for person in self.team.people:
            home = self.home / f"{person.name}{name}"
            self.consoles.append(WorkingConsole(person, person.url(self.database, self.port), home))
            await self.consoles[-1].open()

    async def anew(self, server: Server, name: str) -> None:
        """Consoles with nothing to remember, on a server that may be another one."""
        for one in self.consoles:
            await one.close()
            shutil.rmtree(one.home)
        self.consoles = []
        self.server, self.wire.target, self.ledger.url = server, server.socket, server.url(self.database)
        self.wire.mend()
        await self.open(name)

    async def until(self, condition: Callable[[], bool], seconds: float = PATIENCE) -> bool:
        """Wait for a condition; whether it came."""
        limit = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > limit:
                return False
            await asyncio.sleep(0.01)  # the poll of a condition, not a wait for time to pass
        return True

    async def more(self, answers: int) -> None:
        """Until so many more answers were given, by all consoles together."""
        enough = self._answered() + answers
        await self.until(lambda: self._answered() >= enough, 20)

    def _answered(self) -> int:
        return sum(len(one.answers) for one in self.consoles)

    async def noticed(self, seconds: float = 20) -> bool:
        """Until every console says that it is offline."""
        return await self.until(lambda: not any(one.place.sync.status.live for one in self.consoles), seconds)

    async def serving(self) -> None:
        """Until the server lets somebody in."""

        def look() -> bool:
            try:
                return self.ledger.head() >= 0
            except psycopg.OperationalError:
                return False

        assert await self.until(look)

    async def rounds(self, count: int, fault: Callable[[Field], Awaitable[None]]) -> Tally:
        """Strike so many times."""
        for _ in range(count):
            await self.round(fault)
        await self.compare_all()
        return self.tally

    async def round(self, fault: Callable[[Field], Awaitable[None]]) -> None:
        """Work, a strike in the middle of it, and what it came to."""
        for one in self.consoles:
            one.start_typing()
        await self.more(self.chance.randint(3, 9))
        await fault(self)
        await self.converged(time.monotonic())
        self.audit()

    async def converged(self, ended: float) -> None:
        """How long each console takes to be live, at the head, with nothing waiting."""
        trail = Trail(self.consoles, ended)
        stopping = [asyncio.create_task(one.stop_typing()) for one in self.consoles]
        waiting = list(self.consoles)

        def look() -> bool:
            trail.look()
            if not all(task.done() for task in stopping):
                return False
            head = self.ledger.head()
            for one in [one for one in waiting if one.settled(head)]:
                waiting.remove(one)
                self.tally.took.append(time.monotonic() - ended)
                if self.tally.took[-1] > SOON:
                    print(trail.of(one))
            return not waiting and all(one.settled(head) for one in self.consoles)

        if not await self.until(look):
            head = self.ledger.head()
            self.tally.stuck += len(waiting)
            self.tally.troubles += [one.why_not(head) for one in waiting]
        await asyncio.gather(*stopping)

    def audit(self) -> None:
        """Hold every answer against the database, and every copy."""
        self.tally.rounds += 1
        before = self.ledger.seq
        self.ledger.read_on()
        for one in self.consoles:
            self.tally.offline += one.was_offline
            self._audit_of(one)
            self.tally.troubles += [str(fault) for fault in one.place.sync.status.faults]
            differing = self.ledger.differences(one.place.replica.path, before)
            self.tally.different += bool(differing)
            self.tally.troubles += [f"{one.person.name}: {words}" for words in differing]

    def _audit_of(self, one: WorkingConsole) -> None:
        outbox = one.place.desk.outbox
        assert outbox is not None
        told = {
            str(kept.arguments["name"]): kept
            for kept in outbox.items()
            if kept.state in (KeptState.REFUSED, KeptState.CONFLICT)
        }
        answers = one.answers
        lost = [name for name in answers.applied if not self.ledger.done[name]]
        lost += [name for name in answers.kept if not self.ledger.done[name] and name not in told]
        twice = [name for name in answers.tried if self.ledger.done[name] > 1]
        self.tally.lost += len(lost)
        self.tally.twice += len(twice)
        self.tally.troubles += [f"lost: {name}" for name in lost] + [f"twice: {name}" for name in twice]
        self.tally.troubles += [f"refused: {kept.words}" for kept in told.values()]
        self.tally.troubles += answers.crashes
        answers.crashes = []
        self.applied += len(answers.applied)
        self.kept += len(answers.kept)
        answers.applied, answers.kept, answers.tried = [], [], []

    applied = 0
    kept = 0

    async def compare_all(self) -> None:
        """Each console compares everything that is stored with what it verified, and each copy as a whole is held
        against the database."""
        for one in self.consoles:
            faults = await one.place.sync.check_everything()
            self.tally.troubles += [str(fault) for fault in faults]
            self.tally.different += bool(self.ledger.differences(one.place.replica.path))

    def row(self, fault: str, note: str = "") -> Row:
        """The line of the table."""
        took = sorted(self.tally.took) or [0.0]
        return Row(
            fault=fault,
            rounds=self.tally.rounds,
            consoles=len(self.consoles),
            applied=self.applied,
            kept=self.kept,
            lost=self.tally.lost,
            twice=self.tally.twice,
            gaps=self.ledger.gaps + self.ledger.broken + self.tally.different,
            converged=sum(seconds <= SOON for seconds in took),
            of=len(took) + self.tally.stuck,
            median=statistics.median(took),
            slowest=took[-1],
            stuck=self.tally.stuck,
            seconds=time.monotonic() - self._began,
            note=note,
        )

    async def close(self) -> None:
        self.wire.mend()
        for one in self.consoles:
            await one.close()
        self.wire.close()
        if self.database != self.team.database:
            self.server.drop(self.database)
