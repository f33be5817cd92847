"""A console at work, without a screen: a real workplace, its sync and its upkeep as the console runs them, and a person
who gives one command after another and believes what the console answers."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import traceback
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from app.bootstrap import Workplace, open_workplace
from app.launch import Launch
from app.services.outbox import Queued
from app.services.sessions import log_view
from app.services.tenants import TenantRecord, import_records
from app.upkeep import keep_up
from storage.errors import CountersignError, ForkedHistory, Offline
from storage.models import ViewKind
from storage.shared.change import Applied
from storage.sync import ChangeSet
from tests.faults.team import Person

_names = itertools.count(1)


@dataclass
class Answers:
    """What the person was told: acts in force, acts that are kept, acts not done (by kind of error)."""

    applied: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    tried: list[str] = field(default_factory=list)
    not_done: Counter[str] = field(default_factory=Counter)
    crashes: list[str] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.applied) + len(self.kept) + self.not_done.total()


class WorkingConsole:
    """Open it, let the person type, close it."""

    def __init__(self, person: Person, url: str, home: Path) -> None:
        self.person, self.url, self.home = person, url, home
        self.answers = Answers()
        self.was_offline = False
        self._place: Workplace | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._typing: asyncio.Task[None] | None = None
        self._stop = asyncio.Event()

    @property
    def place(self) -> Workplace:
        assert self._place is not None
        return self._place

    async def open(self) -> None:
        launch = Launch.of(database=self.url, home=str(self.home), identity=self.person.email, environment={})
        self._place = await open_workplace(launch)
        with contextlib.suppress(Offline, ForkedHistory):
            await self._place.sync.pull()
        self._run(self._place.sync.run(self._published))
        self._run(keep_up(self._place))

    def _published(self, _: ChangeSet) -> None:
        self.was_offline = self.was_offline or not self.place.sync.status.live

    def _run(self, work: object) -> None:
        task = asyncio.ensure_future(work)  # type: ignore[arg-type]  # a coroutine
        task.add_done_callback(self._ended)
        self._tasks.append(task)

    def _ended(self, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            self.answers.crashes.append("".join(traceback.format_exception(error)))

    def start_typing(self) -> None:
        self._stop.clear()
        self.was_offline = not self.place.sync.status.live
        self._typing = asyncio.create_task(self._type())
        self._typing.add_done_callback(self._ended)

    async def stop_typing(self) -> None:
        """After the command that is under way."""
        self._stop.set()
        if self._typing is not None:
            await asyncio.gather(self._typing, return_exceptions=True)

    async def _type(self) -> None:
        while not self._stop.is_set():
            await self.act()
            with contextlib.suppress(TimeoutError):  # a person thinks for a moment
                await asyncio.wait_for(self._stop.wait(), random.uniform(0.1, 0.3))

    async def act(self) -> None:
        """One command; what is said of it is remembered."""
        name = f"{self.person.name}-{next(_names)}"
        self.answers.tried.append(name)
        try:
            done = await self._command(name)
        except CountersignError as error:
            self.answers.not_done[type(error).__name__] += 1
        else:
            (self.answers.kept if isinstance(done, Queued) else self.answers.applied).append(name)

    async def _command(self, name: str) -> Applied:
        desk, actor = self.place.desk, self.place.actor()
        if self.person.session:
            return await desk.run(log_view, actor, self.person.session, ViewKind.SCREEN, name)
        return await desk.run(import_records, actor, [TenantRecord(name, name.title(), "free")])

    def settled(self, head: int) -> bool:
        """Live, at the head, nothing waits, nothing under way."""
        status, outbox = self.place.sync.status, self.place.desk.outbox
        assert outbox is not None
        at_head = status.position is not None and status.position.head.seq == head
        typing = self._typing is not None and not self._typing.done()
        return status.live and at_head and not typing and not outbox.waiting()

    def why_not(self, head: int) -> str:
        status, outbox = self.place.sync.status, self.place.desk.outbox
        assert outbox is not None
        seq = status.position.head.seq if status.position is not None else 0
        waits = [one.words for one in outbox.waiting()]
        return f"{self.person.name}: live {status.live} ({status.offline_because}), {seq} of {head}, waiting {waits}"

    async def reopen(self) -> None:
        """Leave the console, and start it again."""
        await self.close()
        self._tasks = []
        await self.open()

    async def close(self) -> None:
        await self.stop_typing()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._place is not None:
            await self._place.close()
