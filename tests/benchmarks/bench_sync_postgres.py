"""Sync on PostgreSQL: a new replica, a day's catch-up, a commit seen by another console, the cost of idle consoles.

An entry is an operator entry; nearly each has a twin in its tenant's log, which is verified as well. BENCH_ENTRIES sets
another size, BENCH_FILLED an existing file from `demo fill` of that size.
"""

from __future__ import annotations

import asyncio
import gc
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import psycopg

from app.demo.fill import fill
from storage.clock import SharedClock
from storage.filling.near import filled
from storage.log.entry import Head
from storage.replica.engine import Replica
from storage.shared.interface import Hint
from storage.shared.postgres.shared import PostgresShared
from storage.sync import ChangeSet, Sync
from storage.witness import Witness
from tests.benchmarks.bench_sync import stalls
from tests.benchmarks.figure import Figure
from tests.benchmarks.filled_postgres import copied
from tests.postgres import Cluster, binaries

ENTRIES = int(os.environ.get("BENCH_ENTRIES", "1000000"))
DAY = 20_000
COMMITS = 200
CONSOLES, IDLE_SECONDS = 200, 60.0
SETTLED_SECONDS = 130.0
"""The server plans a statement anew for its first eight executions: of the background check too by then."""
LOG_IN = "bench_writer"
WRITER = """
import asyncio, random, sys, time
from storage.log.actions import Action
from storage.log.entry import Draft
from storage.models import Actor, ActorKind
from storage.shared.change import Change, new_change_id
from storage.shared.postgres.shared import PostgresShared

async def main():
    shared = PostgresShared(sys.argv[1])
    actor = Actor(ActorKind.STAFF, *sys.argv[3:6])
    for _ in range(int(sys.argv[2])):
        await asyncio.sleep(random.uniform(0.05, 0.15))
        said = Draft(Action.LOG_EXPORTED, data={"log": "operator"})
        change = Change(new_change_id(), await shared.now(), actor, (said,), (), ())
        applied = await shared.apply(change)
        print(applied.rev, time.monotonic(), flush=True)
    await shared.close()

asyncio.run(main())
"""


def run() -> list[Figure]:
    """All of it, on a server of its own."""
    gc.freeze()  # as the console does
    server = Cluster(next(iter(binaries().values())), max_connections="500", autovacuum="on")
    try:
        with tempfile.TemporaryDirectory() as room:
            file = Path(os.environ.get("BENCH_FILLED") or Path(room) / "shared.db")
            if not file.exists():
                fill(file, ENTRIES, 200)
            url = server.url(copied(file, server))
            return asyncio.run(_measure(url, server, Path(room)))
    finally:
        server.close()


async def _measure(url: str, server: Cluster, room: Path) -> list[Figure]:
    figures = await _bootstrap(url, room / "new")
    figures.append(await _catch_up(url, room / "day"))
    figures.append(await _commit(url, room / "new"))
    figures.append(await _idle(url, server))
    return figures


@asynccontextmanager
async def _console(url: str, home: Path) -> AsyncIterator[Sync]:
    shared = PostgresShared(url)
    replica = Replica.open(home / "replica.db")
    sync = Sync(shared, replica, Witness(home / "witness.json"), SharedClock())
    yield sync
    await sync.close()
    replica.close()
    await shared.close()


async def _bootstrap(url: str, home: Path) -> list[Figure]:
    most = 0

    async def watch() -> None:
        nonlocal most
        while True:
            most = max(most, await asyncio.to_thread(_memory_of_children))
            await asyncio.sleep(0.5)

    async with _console(url, home) as sync:
        watching = asyncio.create_task(watch())
        seconds, late = await stalls(sync.pull)
        watching.cancel()
        assert not sync.status.faults and sync.status.verified_rev >= ENTRIES
        (twins,) = sync._replica.reader.execute("SELECT count(*) FROM tenant_log").fetchone()
    rate, both = ENTRIES / seconds, (ENTRIES + twins) / seconds
    return [
        Figure(f"a new replica of {ENTRIES:,} entries, verified", *_least(rate, "entries/s", 50_000)),
        Figure(f"… counted with the {twins:,} twins, each verified in its own chain", f"{both:,.0f} entries/s"),
        Figure("… memory of the processes that do it", *_most(most / 2**20, "MiB", 150)),
        Figure("… how late the drawing loop runs meanwhile, p99", *_most(late[int(len(late) * 0.99)], "ms", 5)),
        Figure("… worst", f"{late[-1]:.1f} ms"),
    ]


async def _catch_up(url: str, home: Path) -> Figure:
    """A replica that stands a day back."""
    replica = Replica.open(home / "replica.db")
    async with filled(url, replica.path, home / "witness.json", ENTRIES - DAY, lambda done, total: None) as made:
        assert made is not None and made.sound
        with replica.locked():
            replica.adopt(made.path)
    replica.close()
    async with _console(url, home) as sync:
        seconds, _ = await stalls(sync.pull)
        assert not sync.status.faults and sync.status.verified_rev >= ENTRIES
    return Figure(f"catching up with {DAY:,} entries, verified", *_most(seconds, "s", 1))


async def _commit(url: str, home: Path) -> Figure:
    """From the answer to the one who commits to the ChangeSet by which another console repaints."""
    arrived: dict[int, float] = {}
    news = asyncio.Event()

    def publish(change_set: ChangeSet) -> None:
        for rev in range(change_set.rev - change_set.entries + 1, change_set.rev + 1):
            arrived[rev] = time.monotonic()
        news.set()

    async with _console(url, home) as sync:
        following = asyncio.create_task(sync.run(publish))
        await news.wait()
        person = await asyncio.to_thread(_log_in_for, url)
        address = url.replace("user=postgres", f"user={LOG_IN}")
        writer = await asyncio.create_subprocess_exec(
            sys.executable, "-c", WRITER, address, str(COMMITS), *person, stdout=subprocess.PIPE
        )
        out, _ = await writer.communicate()
        committed = {int(rev): float(at) for rev, at in (line.split() for line in out.decode().splitlines())}
        while max(committed) not in arrived:
            news.clear()
            await news.wait()
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
    waits = sorted(1000 * (arrived[rev] - at) for rev, at in committed.items())
    median, p99 = statistics.median(waits), waits[int(len(waits) * 0.99)]
    return Figure(
        f"commit to another console's ChangeSet, {COMMITS} commits, median / p99",
        f"{median:.0f} / {p99:.0f} ms",
        "< 30 / < 150 ms",
        median < 30 and p99 < 150,
    )


def _log_in_for(url: str) -> tuple[str, str, str]:
    """A log-in for one of the filled staff; id, name and address."""
    with psycopg.connect(url, autocommit=True) as connection:
        found = connection.execute(
            "select id, image::jsonb->>'name', email from countersign.staff where role = 'super' order by id limit 1"
        ).fetchone()
        assert found is not None
        connection.execute(f"drop role if exists {LOG_IN}".encode())
        connection.execute(f"create role {LOG_IN} login in role countersign_staff".encode())
        connection.execute(
            "insert into countersign.login values (%s, 'staff', %s) on conflict do nothing", (LOG_IN, found[0])
        )
    return found


async def _idle(url: str, server: Cluster) -> Figure:
    """What each console asks for while nothing happens: LISTEN, the slow pull with its look at the guards, the clock
    when its reading is old, the background check's steps. Some minutes after they started, as they stand all day."""
    with psycopg.connect(url, autocommit=True) as line:
        line.execute("vacuum analyze")  # what the server does by itself, some time after the copy: not for the consoles
    worker = url.replace("user=postgres", "user=countersign_worker")
    consoles = [PostgresShared(worker) for _ in range(CONSOLES)]
    head = (await consoles[0].position()).head
    tables = ("mail", "session", "request", "session_view")

    async def follow(shared: PostgresShared) -> None:
        clock = SharedClock()
        async for hint in shared.changes():
            assert hint is not Hint.SILENT
            await clock.keep_right(shared.now)
            await shared.pull(Head(head.seq, head.hash), 1000)

    async def look(shared: PostgresShared, table: str) -> None:
        after = ""
        while True:
            rows = await shared.rows(table, after, 500)
            after = rows[-1].key if len(rows) == 500 else ""
            await asyncio.sleep(shared.rest_seconds)

    tasks = []
    for number, shared in enumerate(consoles):
        tasks += [asyncio.create_task(follow(shared)), asyncio.create_task(look(shared, tables[number % 4]))]
        await asyncio.sleep(0.05)
    await asyncio.sleep(SETTLED_SECONDS)
    before = await asyncio.to_thread(_server_seconds, server)
    await asyncio.sleep(IDLE_SECONDS)
    share = (await asyncio.to_thread(_server_seconds, server) - before) / IDLE_SECONDS * 100
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    for shared in consoles:
        await shared.close()
    return Figure(f"{CONSOLES} idle consoles: the server's processor", *_most(share, "% of a core", 5))


def _server_seconds(server: Cluster) -> float:
    """Processor time of all processes of this server so far, those that have ended included."""
    (parent,) = [int(line) for line in (server.data / "postmaster.pid").read_text().splitlines()[:1]]
    ticks = 0
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        pid = int(stat.parent.name)
        if pid == parent:
            ticks += sum(int(one) for one in fields[11:15])
        elif int(fields[1]) == parent:
            ticks += int(fields[11]) + int(fields[12])
    return ticks / os.sysconf("SC_CLK_TCK")


def _memory_of_children() -> int:
    """Bytes of the processes that this one started and that fill a replica."""
    total = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            if b"storage.filling" in (status.parent / "cmdline").read_bytes():
                total += next(
                    int(line.split()[1]) * 1024
                    for line in status.read_text().splitlines()
                    if line.startswith("RssAnon")
                )
        except (OSError, StopIteration):
            continue
    return total


def _least(value: float, unit: str, goal: float) -> tuple[str, str, bool]:
    return f"{value:,.0f} {unit}", f"≥ {goal:,.0f} {unit}", value >= goal


def _most(value: float, unit: str, goal: float) -> tuple[str, str, bool]:
    return f"{value:.1f} {unit}", f"≤ {goal:g} {unit}", value <= goal
