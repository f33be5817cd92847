"""The shared database as an SQLite file on one machine: the front of the rooms around it.

Writers take their turn (`writers`), a Change is applied under the lock (`writing`, `guards`), a code is checked in a
step of its own (`proving`), consoles pull and watch (`reading`, `watching`). Whoever can write the file can also
falsify it: SQLite can only detect that, PostgreSQL can prevent it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from datetime import datetime
from pathlib import Path
from typing import Any, Self, TypeVar

from storage.clock import Clock
from storage.errors import Offline
from storage.log.actions import Action
from storage.log.entry import Head
from storage.models import Actor, Admission, Credential, Shutting
from storage.shared import reading, shutting
from storage.shared.change import Applied, Change
from storage.shared.connections import Connections, Transaction
from storage.shared.guards.case import Limits
from storage.shared.interface import Hint, Position, Pulled, StepUpAnswer, StoredEntry, StoredRow
from storage.shared.lease import Leases
from storage.shared.opening import create_file, inspect_file
from storage.shared.proving import prove
from storage.shared.vault import Vault
from storage.shared.watching import SLOW_SECONDS, watch
from storage.shared.writers import WriterQueue
from storage.shared.writing import apply_change

T = TypeVar("T")


class SqliteShared:
    """A `SharedDatabase`. Make one with `create` or `open`; `clock` is the shared clock itself, since the file lies on
    this machine. `patience`: seconds to wait for the turn to write; `slow_seconds`: the longest pause of `changes`."""

    rest_seconds = 1.0
    """A table of a few rows is compared in an instant, and each step wakes three threads."""

    pull_entries = 1000
    """Few enough that the writers of the file, who wait while a reader reads, wait little."""

    def __init__(
        self,
        path: Path,
        vault: Vault,
        clock: Clock,
        *,
        limits: Limits | None = None,
        patience: float = 30.0,
        slow_seconds: float = SLOW_SECONDS,
    ) -> None:
        self.path = path
        self._vault, self._clock, self._limits = vault, clock, limits or Limits()
        self._slow_seconds = slow_seconds
        self._queue = WriterQueue(path, patience)
        self._marks = shutting.Marks(path)
        self._leases = Leases(path)
        self._connections = Connections(path)
        self._reopening = asyncio.Lock()
        self._writes: set[asyncio.Task[Any]] = set()

    @classmethod
    async def create(cls, path: Path, vault: Vault, clock: Clock, *, limits: Limits | None = None) -> Self:
        """Make the file with its schema and an empty operator log, and open it. Raises Misconfigured if the file
        exists, or cannot be made."""
        await asyncio.to_thread(create_file, path)
        return await cls.open(path, vault, clock, limits=limits)

    @classmethod
    async def open(cls, path: Path, vault: Vault, clock: Clock, *, limits: Limits | None = None) -> Self:
        """Open what `create` made. Raises Misconfigured (no file, not ours, of a newer Countersign, not writable) or
        Corrupt, each with advice."""
        await asyncio.to_thread(inspect_file, path)
        return cls(path, vault, clock, limits=limits)

    @property
    def listening(self) -> bool | None:
        """The file is looked at twenty times a second: at once, as far as anybody can tell."""
        return True

    @property
    def place(self) -> str:
        return f"sqlite:///{self.path.absolute()}"

    async def position(self) -> Position:
        return await self._read(reading.read_position)

    async def apply(self, change: Change) -> Applied:
        def work(transaction: Transaction) -> Applied:
            marked = frozenset(mark.tenant_id for mark in self._marks.all())
            applied = apply_change(transaction, change, self._clock.now(), self._limits, marked)
            for tenant_id in shutting.turned(change, Action.KILL_SWITCH_OFF):
                self._marks.remove(tenant_id)  # before the commit: one left behind would shut the tenant again
            return applied

        applied = await self._write(work)
        for tenant_id in shutting.turned(change, Action.KILL_SWITCH_ON):
            self._marks.remove(tenant_id)  # after the commit: until it is recorded, the mark is all there is
        return applied

    async def shut(self, tenant_id: str, actor: Actor) -> None:
        await self._read(lambda tx: shutting.may_shut(tx, tenant_id, actor))
        await asyncio.to_thread(self._marks.put, tenant_id, actor, self._clock.now())

    async def shuttings(self) -> list[Shutting]:
        marks = await asyncio.to_thread(self._marks.all)
        return await self._read(lambda tx: shutting.unrecorded(tx, marks)) if marks else []

    async def admission(self, session_id: str) -> Admission:
        return await self._read(lambda tx: shutting.admission(tx, session_id, self._clock.now(), self._marks))

    async def step_up(self, staff_id: str, code: str, act: str, actor: Actor) -> StepUpAnswer:
        return await self._write(lambda tx: prove(tx, staff_id, code, act, actor, self._clock.now(), self._vault))

    async def credential(self, staff_id: str) -> Credential | None:
        return await self._read(lambda tx: reading.read_credential(tx, staff_id))

    async def pull(self, after: Head, limit: int = 5000) -> Pulled:
        return await self._read(lambda tx: reading.read_pulled(tx, after, limit))

    async def loosened(self) -> list[str]:
        return []  # whoever can write the file can drop its triggers: nothing there guards against them

    async def entries(self, log: str, after: int, limit: int = 5000) -> list[StoredEntry]:
        return await self._read(lambda tx: reading.read_entries(tx, log, after, limit))

    async def logs(self) -> dict[str, Head]:
        return await self._read(reading.read_logs)

    async def rows(self, table: str, after: str, limit: int = 5000) -> list[StoredRow]:
        return await self._read(lambda tx: reading.read_rows(tx, table, after, limit))

    def changes(self) -> AsyncIterator[Hint]:
        return watch(self.path, self._slow_seconds)

    async def now(self) -> datetime:
        return self._clock.now()

    async def lease(self, name: str, holder: str, seconds: int) -> bool:
        return await asyncio.to_thread(self._leases.take, name, holder, seconds, self._clock.now())

    async def close(self) -> None:
        """Let running writes finish, then release every connection."""
        while self._writes:
            await asyncio.wait(self._writes)
        await self._connections.close()

    async def _read(self, work: Callable[[Transaction], T]) -> T:
        await self._same_file()
        return await self._connections.read(work)

    async def _write(self, work: Callable[[Transaction], T]) -> T:
        """Run a write transaction to its end even if whoever asked is cancelled: its outcome is never unknown."""

        async def turn() -> T:
            async with self._queue.turn():
                await self._same_file()
                return await self._connections.write(work)

        task = asyncio.create_task(turn())
        self._writes.add(task)
        task.add_done_callback(self._writes.discard)
        return await asyncio.shield(task)

    async def _same_file(self) -> None:
        """Connections stay with a file that was renamed or removed: notice that another one stands at the path (a
        restored backup), and look at it as at a new one. What was written to the old file would be lost."""
        if self._connections.file_is_ours:
            return
        async with self._reopening:
            if self._connections.file_is_ours:
                return
            if not self.path.exists():
                raise Offline(f"{self.path} is gone", "bring the file back, or point --database at another")
            await self._connections.close()
            await asyncio.to_thread(inspect_file, self.path)
            self._connections = Connections(self.path)
