"""PostgreSQL under many consoles: commands a second, against a bare function, and over a slow line.

A server of its own, durable (fsync, full_page_writes and synchronous_commit on, everything else as shipped), over its
Unix socket. The commands are real ones, built beforehand (`postgres_story`): of ten, one asks, one delivers the letter
with the links, one approves, one starts, five log a view, one ends; 128 engineers over 24 tenants. Consoles send what
`PostgresShared` sends, each its next when it has the answer. A console's first 30 commands warm its plans and do not
count. The bare function locks a head, writes three rows of 700 bytes and notifies, called in the same way and run.
Without guards: the same commands where the database refuses nothing, for what the guards cost and what the rest does.
"""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable
from typing import LiteralString

import psycopg

from storage.shared.postgres.line import connect
from tests.benchmarks.figure import Figure
from tests.benchmarks.postgres_team import Team, Work, bare_at_work, founded, team_at_work
from tests.faults.wire import Wire
from tests.postgres import Cluster, binaries

CONSOLES = {1: 16, 8: 64, 32: 128}
"""How many work at once, and how many engineers share the work."""
BARE_CALLS = 2000
ROUND_TRIP = 0.020
NO_GUARDS = "create or replace function countersign.check_all(the_case jsonb) returns void language sql as 'select'"
GOAL_RATE, GOAL_RATIO, GOAL_SLOW, GOAL_TRIPS = 700, 0.35, 150, 3
STORIES = 3


def run() -> list[Figure]:
    """Every figure; about a minute on a quiet machine."""
    major, programs = next(iter(binaries().items()))
    server = Cluster(programs, durable=True)
    try:
        team = founded(server)
        figures = [figure for count in CONSOLES for figure in _at_once(team, count)]
        return [Figure("the server", f"PostgreSQL {major}"), *figures, *_slow(team)]
    finally:
        server.close()


def _at_once(team: Team, count: int) -> list[Figure]:
    bare = asyncio.run(bare_at_work(team, count, BARE_CALLS))
    done = _work(team, count)
    ratio, is_goal = done.rate / bare.rate, count == 8
    what = f"{count} console{'s' if count > 1 else ''}"
    rate_goal = (f"≥ {GOAL_RATE}/s", done.rate >= GOAL_RATE) if is_goal else ("", None)
    ratio_goal = (f"≥ {GOAL_RATIO} × bare", ratio >= GOAL_RATIO) if is_goal else ("", None)
    return [
        Figure(f"{what}: commands", f"{done.rate:,.0f}/s", *rate_goal),
        Figure(f"{what}: against the bare function ({bare.rate:,.0f}/s)", f"{ratio:.2f} × bare", *ratio_goal),
        Figure(f"{what}: a command, median / 99th percentile", _waits(done)),
        *([_by_action(done)] if count == 1 else []),
        *([_unguarded(team, count, bare.rate)] if is_goal else []),
    ]


def _unguarded(team: Team, count: int, bare_rate: float) -> Figure:
    done = _work(team, count, change=NO_GUARDS)
    return Figure("… without any guard: commands", f"{done.rate:,.0f}/s, {done.rate / bare_rate:.2f} × bare")


def _work(team: Team, count: int, address: Callable[[str, str], str] | None = None, change: LiteralString = "") -> Work:
    """A copy of the company at work, with this change of its database."""
    company = team.again()
    try:
        if change:
            with psycopg.connect(team.server.url(company.database), autocommit=True) as line:
                line.execute(change)
        where = (lambda user: address(company.database, user)) if address else None
        return asyncio.run(team_at_work(company, count, CONSOLES[count], STORIES, where))
    finally:
        company.drop()


def _slow(team: Team) -> list[Figure]:
    """Through a proxy that takes 10 ms in each direction."""
    wire = Wire(team.server.home / ".s.PGSQL.5432")
    try:
        wire.slow(ROUND_TRIP / 2)

        def address(database: str, user: str) -> str:
            return f"host=127.0.0.1 port={wire.port} user={user} dbname={database}"

        trip = asyncio.run(_round_trip(address(team.database, "postgres")))
        alone, eight = _work(team, 1, address), _work(team, 8, address)
    finally:
        wire.close()
    trips = statistics.median(alone.waits()) / trip
    return [
        Figure("over a line of 20 ms: `select 1`, median", f"{trip * 1000:.1f} ms"),
        Figure("… one console: a command, median", f"{trips:.2f} round trips", f"< {GOAL_TRIPS}", trips < GOAL_TRIPS),
        Figure("… 8 consoles: commands", f"{eight.rate:,.0f}/s", f"≥ {GOAL_SLOW}/s", eight.rate >= GOAL_SLOW),
        Figure("… 8 consoles: a command, median / 99th percentile", _waits(eight)),
    ]


async def _round_trip(url: str) -> float:
    """Median seconds of a statement that costs nothing."""
    line = await connect(url)
    try:
        taken = []
        for _ in range(20):
            began = time.perf_counter()
            await line.execute("select 1")
            taken.append(time.perf_counter() - began)
        return statistics.median(taken)
    finally:
        await line.close()


def _waits(work: Work) -> str:
    waits = work.waits()
    return f"{statistics.median(waits) * 1000:.1f} / {waits[len(waits) * 99 // 100] * 1000:.1f} ms"


def _by_action(work: Work) -> Figure:
    names = sorted({action for action, _, _ in work.done})
    medians = (f"{name.rpartition('action.')[2]} {statistics.median(work.waits(name)) * 1000:.1f}" for name in names)
    return Figure("1 console: by action, median ms", ", ".join(medians))
