"""PostgreSQL as tests use it: whoever a Change names acts over a log-in of their own, at the time the test says.

In production every person has a connection; here one superuser's connection takes each person's identity in turn
(SET SESSION AUTHORIZATION, which is what `session_user` is), and log-ins are made when somebody first acts.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextvars import ContextVar
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from storage.models import Actor, ActorKind, Admission, Credential
from storage.models.row import time_text
from storage.shared.change import Applied, Change
from storage.shared.interface import StepUpAnswer
from storage.shared.postgres.line import Line
from storage.shared.postgres.shared import PostgresShared
from tests.clock import ManualClock
from tests.postgres import Cluster

if TYPE_CHECKING:
    from storage.shared.postgres.line import Connection

T = TypeVar("T")
_acting: ContextVar[str] = ContextVar("acting")
_SERVICES = {
    "clock": "countersign_worker",
    "mail": "countersign_worker",
    "worker": "countersign_worker",
    "portal": "countersign_portal",
}


class TeamShared(PostgresShared):
    """A whole company's connections in one."""

    def __init__(self, server: Cluster, database: str, clock: ManualClock) -> None:
        super().__init__(server.url(database))
        self.database = database
        self._clock = clock
        self._reading = Line(server.url(database, "countersign_worker"))
        self._known: set[str] = set()

    async def apply(self, change: Change) -> Applied:
        _acting.set(await self._role(change.actor))
        return await super().apply(change)

    async def step_up(self, staff_id: str, code: str, act: str, actor: Actor) -> StepUpAnswer:
        _acting.set(await self._role(actor))
        return await super().step_up(staff_id, code, act, actor)

    async def shut(self, tenant_id: str, actor: Actor) -> None:
        _acting.set(await self._role(actor))
        await super().shut(tenant_id, actor)

    async def admission(self, session_id: str) -> Admission:
        _acting.set("countersign_gate")
        return await super().admission(session_id)

    async def lease(self, name: str, holder: str, seconds: int) -> bool:
        _acting.set("countersign_worker")
        return await super().lease(name, holder, seconds)

    async def _at_once(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        async with self._aside.use() as connection:
            return await self._as_whom(connection, work)

    async def now(self) -> datetime:
        return self._clock.now()

    async def credential(self, staff_id: str) -> Credential | None:
        """As the superuser, for whom alone it can be read."""
        self._reading, reading = self._writing, self._reading
        try:
            return await super().credential(staff_id)
        finally:
            self._reading = reading

    async def _role(self, actor: Actor) -> str:
        """The log-in of an actor, made if need be."""
        if actor.kind is ActorKind.TENANT_ADMIN:
            return "countersign_portal"
        if actor.kind is ActorKind.GATE:
            return "countersign_gate"
        if actor.kind is ActorKind.SYSTEM and actor.id.startswith("K-"):
            return "countersign_portal"  # a program, by its API key
        if actor.kind is ActorKind.SYSTEM:
            return _SERVICES.get(actor.id, "postgres")
        role = "cs_" + actor.id.lower().replace("-", "_")
        if role not in self._known:
            async with self._writing.use() as connection:
                there = await connection.execute("select 1 from pg_roles where rolname = %s", (role,))
                if await there.fetchone() is None:
                    await connection.execute(f'create role "{role}" login in role countersign_staff')
                await connection.execute(
                    "insert into countersign.login values (%s, 'staff', %s) on conflict do nothing", (role, actor.id)
                )
            self._known.add(role)
        return role

    async def _write(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        async with self._writing.use() as connection:
            return await self._as_whom(connection, work)

    async def _as_whom(self, connection: Connection, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Once more as whoever acts now, at the test's time."""
        await connection.execute(f"set countersign.test_now = '{time_text(self._clock.now())}'")
        await connection.execute(f'set session authorization "{_acting.get()}"')
        try:
            return await work(connection)
        finally:
            if not connection.closed:
                await connection.execute("reset session authorization")
