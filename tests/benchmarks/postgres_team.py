"""A company on a PostgreSQL of the benchmark's own, with everybody's log-ins, and the consoles that work at once.

A console here is three connections, as the product has them: the engineer's, the portal's, the worker's; at any moment
one of them is in use. One connection takes the log-ins of several engineers in turn (SET SESSION AUTHORIZATION, in
between and not counted).
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import psycopg

from storage.models import ActorKind
from storage.shared.postgres.install import install
from storage.shared.postgres.line import connect
from tests.benchmarks.postgres_story import EMAIL, ENGINEER, TENANT, TENANT_NAME, Recording, Revs, Step, Values, record
from tests.postgres import Cluster

ENGINEERS, TENANTS = 128, 24
CLOCK_SKEW = "CS002"
APPLY = "select countersign.apply(%s::jsonb)"
BARE = """
create schema bare;
create table bare.head (only_row boolean primary key default true, seq bigint not null);
create table bare.line (seq bigint not null, place int not null, body text not null, primary key (seq, place));
insert into bare.head (seq) values (0);
create function bare.write(rows text[]) returns jsonb language plpgsql security definer
  set search_path = pg_catalog, pg_temp as $$
declare number bigint;
begin
  update bare.head set seq = seq + 1 returning seq into number;
  insert into bare.line values (number, 1, rows[1]), (number, 2, rows[2]), (number, 3, rows[3]);
  perform pg_notify('bare', '');
  return jsonb_build_object('rev', number);
end $$;
grant usage on schema bare to public;
"""
"""What it is measured against: locks a head, writes three rows, notifies."""
BARE_CALL = "select bare.write(%s)"
ROWS = [("x" * 99 + " ") * 7] * 3


@dataclass(slots=True)
class Engineer:
    """One of the team, and what their next Changes will be made of."""

    role: str
    values: Values


@dataclass(slots=True)
class Team:
    """The company in `database`. `ahead`: what the server's clock shows more than ours, seconds."""

    server: Cluster
    database: str
    recording: Recording
    revs: Revs = field(default_factory=dict)
    engineers: list[Engineer] = field(default_factory=list)

    def again(self) -> Team:
        """The same company in a copy of the database."""
        engineers = [Engineer(one.role, dict(one.values)) for one in self.engineers]
        return Team(self.server, self.server.fresh(self.database, "team"), self.recording, dict(self.revs), engineers)

    def drop(self) -> None:
        self.server.drop(self.database)


def founded(server: Cluster) -> Team:
    """Make the company: staff with log-ins and accepted codes, tenants; a template that nobody is connected to."""
    team = Team(server, server.fresh("template0", "company"), record())
    install(server.url(team.database))
    with psycopg.connect(server.url(team.database), autocommit=True) as line:
        line.execute(BARE)
        line.execute("update countersign.limits set step_up_seconds = 3600, step_up_reuse_seconds = 3600")
        for step in team.recording.scene:
            _told(line, team, step, {})
        tenants = [f"tenant{number:03}" for number in range(TENANTS)]
        for tenant in tenants:
            _told(line, team, team.recording.importing, {TENANT: tenant, TENANT_NAME: f"Tenant {tenant}"})
        for number in range(ENGINEERS):
            values = {
                TENANT: tenants[number % TENANTS],
                ENGINEER: f"Engineer {number:03}",
                EMAIL: f"engineer{number:03}@ops.example",
            }
            _told(line, team, team.recording.hiring, values)
            team.engineers.append(_proven(line, team, values))
        line.execute("vacuum analyze")
    return team


def _told(line: psycopg.Connection[Any], team: Team, step: Step, values: Values) -> None:
    _become(line, step.actor.id if step.actor.kind is ActorKind.STAFF else None)
    (answer,) = line.execute(APPLY, (step.told(values, team.revs, datetime.now(UTC)),)).fetchone() or ({},)
    step.done(answer["rev"], values, team.revs)


def _proven(line: psycopg.Connection[Any], team: Team, values: Values) -> Engineer:
    """An engineer's log-in, and a code of theirs for each story, accepted."""
    staff_id = values[team.recording.engineer]
    for code, story in zip(team.recording.codes, team.recording.stories, strict=False):
        _become(line, staff_id)
        begun = line.execute("select countersign.step_up_begin(%s, 'request.create', 'local')", (code,)).fetchone()
        (answer,) = line.execute("select countersign.step_up(%s)", begun).fetchone() or ({},)
        _become(line, None)
        sql = "select image, rev from countersign.step_up where id = %s"
        image, rev = line.execute(sql, (answer["step_up"],)).fetchone() or ("", 0)
        story.prepared(values, answer["step_up"], json.loads(image)["at"])
        team.revs["step_up", answer["step_up"]] = rev
    return Engineer(_role(staff_id), values)


def _role(staff_id: str) -> str:
    return "cs_" + staff_id.lower().replace("-", "_")


def _become(line: psycopg.Connection[Any], staff_id: str | None) -> None:
    """Take a person's log-in, made if need be; None: the owner's again."""
    line.execute("reset session authorization")
    if staff_id is not None:
        role = _role(staff_id)
        if not line.execute("select 1 from pg_roles where rolname = %s", (role,)).fetchone():
            line.execute(f'create role "{role}" login in role countersign_staff')
        sql = "insert into countersign.login values (%s, 'staff', %s) on conflict do nothing"
        line.execute(sql, (role, staff_id))
        line.execute(f'set session authorization "{role}"')


@dataclass(frozen=True, slots=True)
class Work:
    """What was done: when each command was sent and answered (seconds), by its action."""

    done: tuple[tuple[str, float, float], ...]
    since: float
    until: float

    @property
    def rate(self) -> float:
        """Commands a second, while every console was warm and at work."""
        return sum(self.since < ended <= self.until for _, _, ended in self.done) / (self.until - self.since)

    def waits(self, action: str = "") -> list[float]:
        """Seconds from sending to the answer, of every warm command (of one action)."""
        return sorted(ended - sent for what, sent, ended in self.done if sent >= self.since and what.startswith(action))


class Console:
    """One of those who work at once, at an address: the server's socket, or a slow line to it."""

    def __init__(self, team: Team, address: Callable[[str], str]) -> None:
        self.team, self._address = team, address
        self.done: list[tuple[str, float, float]] = []
        self.warm = self.ended = 0.0
        self._lines: dict[str, psycopg.AsyncConnection[Any]] = {}

    async def open(self) -> None:
        for who, user in {"person": "postgres", "portal": "countersign_portal", "worker": "countersign_worker"}.items():
            self._lines[who] = await connect(self._address(user))

    async def close(self) -> None:
        for line in self._lines.values():
            await line.close()

    async def works(self, engineers: list[Engineer], stories: int) -> None:
        """Every engineer's stories, one command after the other. The first engineer's warm the plans."""
        for engineer in engineers:
            await self._lines["person"].execute(f'set session authorization "{engineer.role}"')
            for story in self.team.recording.stories[:stories]:
                for step in story.steps:
                    await self._sends(step, engineer.values)
            await self._lines["person"].execute("reset session authorization")
            self.warm = self.warm or time.perf_counter()
        self.ended = time.perf_counter()

    async def _sends(self, step: Step, values: Values) -> None:
        kind, before = step.actor.kind, dict(values)
        line = self._lines[{ActorKind.STAFF: "person", ActorKind.TENANT_ADMIN: "portal"}.get(kind, "worker")]
        text = step.told(values, self.team.revs, datetime.now(UTC))
        sent = time.perf_counter()
        try:
            rev = await _applied(line, text)
        except psycopg.Error as late:
            if late.sqlstate != CLOCK_SKEW:
                raise
            values.clear()
            values.update(before)  # it waited for more than two seconds: told again at its new time, as the desk does
            rev = await _applied(line, step.told(values, self.team.revs, datetime.now(UTC)))
        self.done.append((step.action, sent, time.perf_counter()))
        step.done(rev, values, self.team.revs)

    async def bare(self, calls: int) -> None:
        """The bare function, as often."""
        line = self._lines["person"]
        for number in range(calls + 30):
            if number == 30:
                self.warm = time.perf_counter()
            sent = time.perf_counter()
            await (await line.execute(BARE_CALL, (ROWS,))).fetchone()
            self.done.append(("bare", sent, time.perf_counter()))
        self.ended = time.perf_counter()


async def _applied(line: psycopg.AsyncConnection[Any], text: str) -> int:
    """The number of the last entry of a Change that was sent and applied."""
    answer: Any = await (await line.execute(APPLY, (text,))).fetchone()
    return int(answer[0]["rev"])


async def at_once(consoles: list[Console], work: Callable[[Console, int], Any]) -> Work:
    """All consoles at work; what counts is the time when all were warm and none was done."""
    await asyncio.gather(*(console.open() for console in consoles))
    try:
        await asyncio.gather(*(work(console, place) for place, console in enumerate(consoles)))
    finally:
        await asyncio.gather(*(console.close() for console in consoles))
    done = tuple(one for console in consoles for one in console.done)
    return Work(done, max(console.warm for console in consoles), min(console.ended for console in consoles))


async def team_at_work(
    team: Team, count: int, engineers: int, stories: int, address: Callable[[str], str] | None = None
) -> Work:
    """`count` consoles, `engineers` of the team shared out among them."""
    consoles = [Console(team, address or (lambda user: team.server.url(team.database, user))) for _ in range(count)]
    return await at_once(consoles, lambda console, place: console.works(team.engineers[place:engineers:count], stories))


async def bare_at_work(team: Team, count: int, calls: int, address: Callable[[str], str] | None = None) -> Work:
    """The bare function by `count` connections at once."""
    consoles = [Console(team, address or (lambda user: team.server.url(team.database, user))) for _ in range(count)]
    return await at_once(consoles, lambda console, place: console.bare(calls // count))
