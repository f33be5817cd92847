"""Sync: the shared database's history, pulled, verified and applied to the replica, for as long as the console runs.

The audit log is the change feed (design.md): every console verifies the whole history as it arrives and remembers the
heads it saw. A notification is only a hint to pull now. A history that does not continue ours is a fork: it is said
loudly, the evidence is kept, nothing is resynchronised behind anyone's back. A damaged *replica* is rebuilt by itself.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from storage.clock import SharedClock
from storage.errors import Corrupt, CountersignError, ForkedHistory, Offline
from storage.evidence import Docket, Finding
from storage.log.chain import Fault
from storage.log.entry import OPERATOR, Head
from storage.replica.engine import Replica
from storage.shared.interface import Hint, Position, Pulled, SharedDatabase
from storage.sync_checked import public_tables
from storage.sync_intake import Intake, Taken
from storage.sync_long import take_in
from storage.sync_pull import News, chunks
from storage.sync_status import ChangeSet, SyncStatus, verified_up_to
from storage.sync_watch import Watch
from storage.witness import Witness

__all__ = ["ChangeSet", "Progress", "Sync", "SyncStatus"]

T = TypeVar("T")
Progress = Callable[[int, int], None]

_BACKOFF_SECONDS = (0.1, 3.0)


class Sync:
    """One per process. Every touch of the replica and its files happens in one thread of its own, so that the loop that
    draws never waits for a disk. Close it when done."""

    def __init__(
        self,
        shared: SharedDatabase,
        replica: Replica,
        witness: Witness,
        clock: SharedClock,
        *,
        evidence_directory: Path | None = None,
        chunk: int | None = None,
    ) -> None:
        self._shared = shared
        self._replica = replica
        self.witness = witness
        self._clock = clock
        self._intake = Intake(replica, witness)
        self._docket = Docket(evidence_directory or witness.path.parent / "evidence")
        self._chunk = chunk or shared.pull_entries
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="replica")
        self._pulling = asyncio.Lock()
        self._publish: Callable[[ChangeSet], None] | None = None
        self._closed = False
        self._generation = 0
        self._followed = False
        self._rebuilds_told = replica.rebuilds
        self._watch = Watch(shared, replica, self.in_thread, self.found, self._rebuild, self._went_round)
        self.status = SyncStatus(position=replica.position())
        self._told = 0 if self.status.position is None else self.status.position.head.seq

    async def in_thread(self, work: Callable[[], T]) -> T:
        """Run `work` in the replica's thread. A cancelled caller leaves the work to finish: it is one transaction."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    async def pull(self, progress: Progress | None = None) -> ChangeSet:
        """Verify and apply everything up to the shared head; pulls never overlap. `progress(done, total)` is called
        after each chunk of a long one. Raises Offline; ForkedHistory when the history does not continue ours."""
        async with self._pulling:
            try:
                return await self._pull(progress)
            except Offline as error:
                self._went_offline(error)
                raise
            finally:
                with contextlib.suppress(RuntimeError):  # closed meanwhile: SQLite does it then
                    self._thread.submit(self._replica.checkpoint)

    async def _pull(self, progress: Progress | None) -> ChangeSet:
        position = await self.in_thread(self._intake.position)
        if position is None or not self.status.live:
            await self._take_in(position, progress)
        news = News(self._told)
        async with aclosing(chunks(self._shared, self._intake, self.in_thread, self._chunk)) as coming:
            async for after, pulled, taken in coming:
                await self._take_note(news, after, taken)
                news.findings += [*taken.findings, *await self._watch.look(pulled)]
                self._progress(taken, pulled, progress)
        self._rebuilds_told, self._told = self._replica.rebuilds, news.told
        new = self._note(news.findings, forked=taken.broken)
        self.status = replace(
            self.status,
            live=True,
            offline_since=None,
            offline_because="",
            bootstrapping=None,
            last_pull=self._clock.now(),
        )
        tables = frozenset(table for table, _ in news.keys) if not news.wholesale else public_tables()
        change_set = self._changed(news.entries, tables, news.keys, new, news.wholesale)
        if taken.broken:
            raise ForkedHistory(
                "; ".join(str(finding.fault) for finding in taken.findings[:3]),
                f"nothing that adds privilege is possible now; the evidence is in {self._docket.directory}",
            )
        return change_set

    async def _take_note(self, news: News, after: Head, taken: Taken) -> None:
        """What a chunk brought, and what came before it without our doing."""
        if after.seq > news.told:  # another process of this home pulled, or an earlier pull was cut short
            unseen = await self.in_thread(lambda: self._intake.between(news.told, after.seq))
            news.brought(after.seq - news.told, unseen)
        rebuilds = self._replica.rebuilds - self._rebuilds_told
        if rebuilds > 2:
            raise Corrupt("the replica is damaged again and again", f"check the disk under {self._replica.path}")
        news.brought(taken.entries, taken.keys if rebuilds == 0 else None)
        news.told = max(after.seq, taken.position.head.seq) if taken.position is not None else after.seq

    async def _take_in(self, position: Position | None, progress: Progress | None) -> None:
        """A long history is taken in at once; then `_pull` goes on."""

        def note(done: int, total: int) -> None:
            self.status = replace(self.status, bootstrapping=(done, total))
            if progress is not None:
                progress(done, total)

        await take_in(self._shared, self._replica, self.witness, self._intake, self.in_thread, position, note)

    @property
    def alarmed(self) -> bool:
        """Whether there is reason to compare everything at once, and the background check has yet to do it."""
        return self._watch.alarmed

    def _progress(self, taken: Taken, pulled: Pulled, progress: Progress | None) -> None:
        done = taken.position.head.seq if taken.position is not None else 0
        self.status = replace(
            self.status,
            position=taken.position,
            verified_rev=verified_up_to(done, self.status.faults),
            bootstrapping=(done, pulled.head.seq) if pulled.more and not taken.broken else None,
        )
        if progress is not None and (pulled.more or done == pulled.head.seq):
            progress(done, pulled.head.seq)

    def _note(self, findings: Sequence[Finding], *, forked: bool = False) -> tuple[Fault, ...]:
        """Remember faults not known yet, and keep the evidence of them."""
        added = self._docket.note(findings, self._clock.now())
        self.status = self.status.knowing(self._docket.faults, forked)
        return added

    def found(self, findings: Sequence[Finding]) -> None:
        """Faults that the background check found: noted, kept, published."""
        new = self._note(findings)
        if new:
            self._changed(0, frozenset(), frozenset(), new, False)

    async def _rebuild(self, because: str) -> None:
        """The background check found the replica's own copy damaged: begin anew, from the shared database."""

        def begin_anew() -> None:
            with self._replica.locked():
                self._replica.rebuild(because)

        await self.in_thread(begin_anew)
        with contextlib.suppress(ForkedHistory):  # noted and published by `pull`
            await self.pull()

    def _went_round(self) -> None:
        self.status = replace(self.status, checked_at=self._clock.now())

    def _changed(
        self,
        entries: int,
        tables: frozenset[str],
        keys: frozenset[tuple[str, str]],
        faults: tuple[Fault, ...],
        wholesale: bool,
        *,
        status: bool = False,
    ) -> ChangeSet:
        worth_telling = bool(entries or faults or status)
        self._generation += worth_telling
        rev = self.status.position.head.seq if self.status.position is not None else 0
        change_set = ChangeSet(self._generation, rev, tables, keys, entries, faults, wholesale)
        if worth_telling and self._publish is not None:
            self._publish(change_set)
        return change_set

    async def run(self, publish: Callable[[ChangeSet], None], progress: Progress | None = None) -> None:
        """Follow the shared database until cancelled, calling `publish` in this loop for everything that changed,
        pulls by others through `pull` included. Comes back by itself after an outage, with jittered backoff."""
        self._publish = publish
        watching = asyncio.create_task(self._watch.run(), name="sync-watch")
        wait, longest = _BACKOFF_SECONDS
        try:
            while True:
                self._followed = False
                try:
                    await self._follow(progress)
                except Corrupt as error:  # damaged, or not ours any more: as loud as tampering
                    fault = Fault(OPERATOR, self.status.verified_rev, str(error))
                    self.found([Finding(fault, {}, {"error": repr(error)})])
                    self._went_offline(error)
                except Offline as error:
                    await self._lost_sight(error, progress)
                except CountersignError as error:
                    self._went_offline(error)
                if self._followed:  # it had been there: a first try at once, as after the first outage
                    wait = _BACKOFF_SECONDS[0]
                await asyncio.sleep(wait * random.uniform(0.5, 1.0))
                wait = min(wait * 2, longest)
        finally:
            self._publish = None
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def _lost_sight(self, error: CountersignError, progress: Progress | None) -> None:
        """The connection that watches broke. Whether the database is out of reach is for a pull to say: a person whose
        command goes through is not offline."""
        if self.status.live:
            try:
                await self.pull(progress)
                return
            except ForkedHistory:
                return
            except CountersignError as worse:
                error = worse
        self._went_offline(error)

    async def _follow(self, progress: Progress | None) -> None:
        """Pull at every hint; the first comes at once. A commit without an entry means that something was changed
        behind the log's back: the background check looks at once."""
        told = False
        async for hint in self._shared.changes():
            await self.measure_clock()
            with contextlib.suppress(
                ForkedHistory
            ):  # noted, kept and published by `pull`; the status goes on saying so
                await self.pull(progress)
            if not told:
                told = self._followed = True
                self._changed(0, frozenset(), frozenset(), (), False, status=True)
            if hint is Hint.SILENT:
                self._watch.alarm()

    async def measure_clock(self) -> None:
        """Read the shared clock, if the last reading is old or this machine slept since (REQ-209)."""
        await self._clock.keep_right(self._shared.now)

    def _went_offline(self, error: CountersignError) -> None:
        if self.status.offline_since is None:
            self.status = replace(
                self.status, live=False, offline_since=self._clock.now(), offline_because=str(error), bootstrapping=None
            )
            self._changed(0, frozenset(), frozenset(), (), False, status=True)

    async def check_everything(self) -> tuple[Fault, ...]:
        """Compare all that is stored in the shared database with what this console verified, now; returns every fault
        known afterwards. What the background check does little by little."""
        await self.pull()
        while True:
            rebuilds = self._replica.rebuilds
            await self._watch.round()
            if rebuilds == self._replica.rebuilds:
                break
        return self.status.faults

    async def close(self) -> None:
        """Write the heads seen and end the thread. Closing twice does no harm."""
        if self._closed:
            return
        self._closed = True
        await self.in_thread(lambda: self.witness.save(at_once=True))
        await asyncio.to_thread(self._thread.shutdown)
