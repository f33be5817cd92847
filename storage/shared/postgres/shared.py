"""The shared database on PostgreSQL: the front of the rooms around it.

A Change is one call of one definer function (`sql/030_apply.sql`), which does what `storage.shared.writing` does on
SQLite, entry for entry and byte for byte. Reads go over a connection of their own, so that a long pull never keeps a
command waiting.
"""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Self, TypeVar

from storage.errors import Misconfigured, Offline
from storage.log.entry import Head
from storage.models import Actor, ActorKind, Admission, Credential, Shutting
from storage.shared.change import Applied, Change
from storage.shared.interface import Hint, Position, Pulled, StepUpAnswer, StoredEntry, StoredRow
from storage.shared.migrations import HEAD, REVISIONS
from storage.shared.postgres import guarded, reading, wire
from storage.shared.postgres.line import Line
from storage.shared.postgres.watching import SLOW_SECONDS, Watcher

if TYPE_CHECKING:
    from storage.shared.postgres.install import Roles
    from storage.shared.postgres.line import Connection

LOOK_SECONDS = 1.0
"""A pull looks at the guards too, unless one did so less than this ago: then the news matter more."""
_PREPARED_FROM = 3
"""Executions after which a statement is prepared."""

T = TypeVar("T")


class PostgresShared:
    """A `SharedDatabase`. Make the database with `create`, as its installer; open it with `open`, as yourself."""

    rest_seconds = 15.0
    """Two hundred consoles look thirteen times a second then, which is most of what they cost while nothing happens."""

    pull_entries = 4000
    """Nobody waits for a reader here; a transaction of the replica costs as much for one entry as for many."""

    def __init__(self, url: str, *, slow_seconds: float = SLOW_SECONDS, look_seconds: float = LOOK_SECONDS) -> None:
        self.url = url
        self._look_seconds, self._looked_at = look_seconds, -math.inf
        self._slow_seconds = slow_seconds
        self._writing = Line(url)  # waits for the log's head, ten seconds at most: see sql/037_staff_logins.sql
        self._reading = Line(url, patience=60.0, silence=4.0)
        self._aside = Line(url, silence=4.0)
        self._writes: set[asyncio.Task[Any]] = set()
        self._watcher: Watcher | None = None

    @classmethod
    async def create(cls, url: str, roles: Roles | None = None) -> Self:
        """Make schema, roles, functions and guards (or bring older ones up to date), and open the database."""
        from storage.shared.postgres.install import install

        await asyncio.to_thread(install, url, roles)
        return await cls.open(url)

    @classmethod
    async def open(cls, url: str) -> Self:
        """Open what `create` made. Raises Misconfigured (no such database, not ours, of another version) or Offline."""
        shared = cls(url)
        try:
            async with shared._reading.use() as connection:
                found: Any = await (
                    await connection.execute("select version_num from countersign.alembic_version")
                ).fetchone()
        except BaseException:
            await shared.close()
            raise
        revision = found[0] if found else "?"
        if revision != HEAD:
            await shared.close()
            advice = "run `countersign init` as its owner" if revision in REVISIONS else "update Countersign here"
            raise Misconfigured(f"the shared database has schema {revision}, this Countersign needs {HEAD}", advice)
        return shared

    @property
    def listening(self) -> bool | None:
        """Whether changes are heard of at once; False: seen by polling alone (a pooler); None: not known yet."""
        return self._watcher.listening if self._watcher is not None else None

    @property
    def place(self) -> str:
        return self.url

    async def position(self) -> Position:
        return await self._read(reading.read_position)

    async def apply(self, change: Change) -> Applied:
        text = wire.sent(change)

        async def call(connection: Connection) -> Applied:
            found: Any = await (await connection.execute("select countersign.apply(%s::jsonb)", (text,))).fetchone()
            return wire.answered(found[0])

        return await self._finished(self._applied(call))

    async def _applied(self, call: Callable[[Connection], Awaitable[Applied]]) -> Applied:
        """The id makes a Change safe to send again: when the connection breaks, once more tells what became of it."""
        try:
            return await self._write(call)
        except Offline:
            if not self._writing.reached:
                raise
            self._doubt_others(self._writing)
            return await self._write(call)

    async def shut(self, tenant_id: str, actor: Actor) -> None:
        """Over a line of its own: the one that writes may be waiting for the log's head."""
        text = json.dumps(wire.actor(actor))

        async def call(connection: Connection) -> None:
            await connection.execute("select countersign.shut(%s, %s::jsonb)", (tenant_id, text))

        await self._finished(self._at_once(call))

    async def shuttings(self) -> list[Shutting]:
        return await self._read(reading.read_shuttings)

    async def admission(self, session_id: str) -> Admission:
        return await self._at_once(lambda connection: reading.read_admission(connection, session_id))

    async def step_up(self, staff_id: str, code: str, act: str, actor: Actor) -> StepUpAnswer:
        """In two committed steps (sql/040_step_up.sql): the attempt counts before anything is learned."""
        from storage.errors import GuardRefused

        if actor.kind is not ActorKind.STAFF or actor.id != staff_id:
            raise GuardRefused("P10", "a code is given by the person it belongs to")

        async def call(connection: Connection) -> StepUpAnswer:
            begun: Any = await (
                await connection.execute("select countersign.step_up_begin(%s, %s, %s)", (code, act, actor.ip))
            ).fetchone()
            found: Any = await (await connection.execute("select countersign.step_up(%s)", begun)).fetchone()
            answer = found[0]
            return StepUpAnswer(answer["step_up"], answer["why"], answer["rev"])

        return await self._finished(self._write(call))

    async def credential(self, staff_id: str) -> Credential | None:
        """Only the owner's own connection may read it: everyone else is refused in words. Nobody's console needs to."""

        async def call(connection: Connection) -> Credential | None:
            found: Any = await (
                await connection.execute("select image from countersign.credential where id = %s", (staff_id,))
            ).fetchone()
            return Credential.from_image(found[0]) if found else None

        return await self._read(call)

    async def pull(self, after: Head, limit: int = 5000) -> Pulled:
        look = time.monotonic() - self._looked_at >= self._look_seconds
        heard = self._watcher is not None and self._watcher.listening
        quiet = self._watcher is not None and self._watcher.quiet
        if self._watcher is not None:
            self._watcher.quiet = False

        async def call(connection: Connection) -> Pulled:
            # most of a small pull's cost is planning; through a pooler nothing may be prepared
            connection.prepare_threshold = _PREPARED_FROM if heard else None
            return await reading.read_pulled(connection, after, limit, look, quiet)

        pulled = await self._read(call)
        if look:
            self._looked_at = time.monotonic()
        return pulled

    async def loosened(self) -> list[str]:
        return await self._read(guarded.loosened)

    async def entries(self, log: str, after: int, limit: int = 5000) -> list[StoredEntry]:
        return await self._read(lambda connection: reading.read_entries(connection, log, after, limit))

    async def logs(self) -> dict[str, Head]:
        return await self._read(reading.read_logs)

    async def rows(self, table: str, after: str, limit: int = 5000) -> list[StoredRow]:
        return await self._read(lambda connection: reading.read_rows(connection, table, after, limit))

    def changes(self) -> AsyncIterator[Hint]:
        self._watcher = Watcher(self.url, self._slow_seconds)
        return self._watcher.hints()

    async def now(self) -> datetime:
        async def call(connection: Connection) -> datetime:
            found: Any = await (await connection.execute("select countersign.clock()")).fetchone()
            moment: datetime = found[0]
            return moment.astimezone(UTC)

        return await self._read(call)

    async def lease(self, name: str, holder: str, seconds: int) -> bool:
        async def call(connection: Connection) -> bool:
            asked = await connection.execute("select countersign.take_lease(%s, %s, %s)", (name, holder, seconds))
            found: Any = await asked.fetchone()
            return bool(found[0])

        return await self._at_once(call)

    async def close(self) -> None:
        """Let running writes finish, then release every connection."""
        while self._writes:
            await asyncio.wait(self._writes)
        await self._writing.close()
        await self._reading.close()
        await self._aside.close()

    async def _at_once(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """What waits neither for a command nor for a pull. Once more on a new connection where the old one broke: to
        shut or to ask twice does no harm."""
        try:
            async with self._aside.use() as connection:
                return await work(connection)
        except Offline:
            if not self._aside.reached:
                raise
            self._doubt_others(self._aside)
            async with self._aside.use() as connection:
                return await work(connection)

    def _doubt_others(self, broken: Line) -> None:
        """What broke one line has most likely broken all: nobody shall wait for each to fall silent in its turn."""
        for line in (self._writing, self._reading, self._aside):
            if line is not broken:
                line.doubt()
        if self._watcher is not None:
            self._watcher.doubt()

    async def _read(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        try:
            async with self._reading.use() as connection:
                return await work(connection)
        except Offline:  # the server may have been restarted since the last read: once more, on a new connection
            if not self._reading.reached:
                raise
            self._doubt_others(self._reading)
            async with self._reading.use() as connection:
                return await work(connection)

    async def _write(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        async with self._writing.use() as connection:
            return await work(connection)

    async def _finished(self, work: Coroutine[Any, Any, T]) -> T:
        """Run to the end even if whoever asked is cancelled: an outcome is never unknown for want of patience."""
        task = asyncio.create_task(work)
        self._writes.add(task)
        task.add_done_callback(self._writes.discard)
        return await asyncio.shield(task)
