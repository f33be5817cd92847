"""Sync: how soon another console sees a commit, how fast a replica is built, and what the drawing loop feels of it."""

from __future__ import annotations

import asyncio
import gc
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from app.demo.fill import fill
from storage.clock import SharedClock, SystemClock
from storage.log.verify import verify_all
from storage.models.tables import ROW_TABLES
from storage.replica.engine import Replica
from storage.shared.sqlite import SqliteShared
from storage.shared.vault import Vault, new_key
from storage.sync import ChangeSet, Sync
from storage.witness import Witness
from tests.benchmarks.figure import Figure

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

COMMITS = 30
ENTRIES, TENANTS = 50_000, 50

WRITER = """
import asyncio, random, sys, time
from pathlib import Path
from storage.clock import SystemClock
from storage.log.actions import Action
from storage.log.entry import Draft
from storage.models import Actor, ActorKind
from storage.shared.change import Change, new_change_id
from storage.shared.sqlite import SqliteShared
from storage.shared.vault import Vault, new_key

async def main():
    clock = SystemClock()
    shared = await SqliteShared.open(Path(sys.argv[1]), Vault(new_key()), clock)
    actor = Actor(ActorKind.SYSTEM, "bench", "bench", "")
    for _ in range(int(sys.argv[2])):
        await asyncio.sleep(random.uniform(0.15, 0.25))
        said = Draft(Action.LOG_EXPORTED, data={"log": "operator"})
        change = Change(new_change_id(), clock.now(), actor, (said,), (), ())
        applied = await shared.apply(change)
        print(applied.rev, time.monotonic(), flush=True)
    await shared.close()

asyncio.run(main())
"""


@asynccontextmanager
async def _console(path: Path, home: Path) -> AsyncIterator[tuple[SqliteShared, Sync]]:
    shared = await SqliteShared.open(path, Vault(new_key()), SystemClock())
    replica = Replica.open(home / "replica.db")
    sync = Sync(shared, replica, Witness(home / "witness.json"), SharedClock())
    yield shared, sync
    await sync.close()
    replica.close()
    await shared.close()


async def _latencies(path: Path, home: Path) -> list[float]:
    """Milliseconds from the end of `apply` in one process to the published ChangeSet in another."""
    arrived: dict[int, float] = {}
    news = asyncio.Event()

    def publish(change_set: ChangeSet) -> None:
        for rev in range(change_set.rev - change_set.entries + 1, change_set.rev + 1):
            arrived[rev] = time.monotonic()
        news.set()

    async with _console(path, home) as (_, sync):
        await sync.pull()
        following = asyncio.create_task(sync.run(publish))
        writer = await asyncio.create_subprocess_exec(
            sys.executable, "-c", WRITER, str(path), str(COMMITS), stdout=subprocess.PIPE
        )
        out, _ = await writer.communicate()
        committed = {int(rev): float(at) for rev, at in (line.split() for line in out.decode().splitlines())}
        while max(committed) not in arrived:
            news.clear()
            await news.wait()
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
    return [1000 * (arrived[rev] - at) for rev, at in committed.items()]


async def stalls(work: Callable[[], Awaitable[object]]) -> tuple[float, list[float]]:
    """Seconds that `work` took, and how late (ms) the loop was each time it wanted to draw meanwhile."""
    late: list[float] = []
    done = False

    async def beat() -> None:
        while not done:
            due = time.perf_counter() + 0.005
            await asyncio.sleep(0.005)
            late.append(1000 * (time.perf_counter() - due))

    beating = asyncio.create_task(beat())
    began = time.perf_counter()
    await work()
    seconds = time.perf_counter() - began
    done = True
    await beating
    return seconds, sorted(late)


async def _measure(room: Path) -> list[Figure]:
    shared_path = room / "shared.db"
    fill(shared_path, ENTRIES, TENANTS)
    async with _console(shared_path, room / "bootstrap") as (shared, sync):
        seconds, late = await stalls(sync.pull)
        per_second = ENTRIES / seconds
        report_seconds, _ = await stalls(lambda: verify_all(shared, ROW_TABLES))
        round_seconds, round_late = await stalls(sync.check_everything)
        assert not sync.status.faults
    latencies = await _latencies(shared_path, room / "bootstrap")
    median, worst = statistics.median(latencies), max(latencies)
    p99, round_p99 = late[int(len(late) * 0.99)], round_late[int(len(round_late) * 0.99)]
    return [
        Figure(
            f"commit in one process to ChangeSet in another, {COMMITS} commits, median (worst)",
            f"{median:.0f} ms ({worst:.0f} ms)",
            "< 250 ms",
            median < 250,
        ),
        Figure(f"a new replica of {ENTRIES:,} entries, verified as it comes", f"{per_second:,.0f} entries/s"),
        Figure(
            "… how late the drawing loop runs meanwhile, p99 (worst)", f"{p99:.1f} ms ({late[-1]:.1f} ms)", "≤ 5 ms"
        ),
        Figure("verify --all, operator entries", f"{ENTRIES / report_seconds:,.0f} entries/s"),
        Figure("background check, a whole round at full speed", f"{ENTRIES / round_seconds:,.0f} entries/s"),
        Figure(
            "… how late the drawing loop runs meanwhile, p99 (worst)", f"{round_p99:.1f} ms ({round_late[-1]:.1f} ms)"
        ),
    ]


def run() -> list[Figure]:
    gc.freeze()  # as the console does
    with tempfile.TemporaryDirectory() as room:
        return asyncio.run(_measure(Path(room)))
