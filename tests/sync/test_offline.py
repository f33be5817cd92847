"""REQ-802: out of reach is said at once and with its time; the console comes back by itself and has missed nothing."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest

from storage.errors import Offline
from storage.sync import ChangeSet
from tests.clock import ManualClock
from tests.sync.behind import Intruder
from tests.sync.story import Console, console, length, one_more

HOW_LONG = 20.0


class Following:
    """A running sync, and what it publishes."""

    def __init__(self, running: Console) -> None:
        self.running = running
        self.told: list[ChangeSet] = []
        self._news = asyncio.Event()
        self._task = asyncio.create_task(running.sync.run(self._publish))

    def _publish(self, change_set: ChangeSet) -> None:
        self.told.append(change_set)
        self._news.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for news until the condition holds."""
        async with asyncio.timeout(HOW_LONG):
            while not condition():
                await self._news.wait()
                self._news.clear()

    async def stop(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)


async def test_a_file_that_is_away_and_comes_back(mine: Console, behind: Intruder, clock: ManualClock) -> None:
    following = Following(mine)
    await following.until(lambda: bool(following.told))
    away = behind.path.with_name("away.db")
    behind.path.rename(away)
    await following.until(lambda: not mine.sync.status.live)
    since = mine.sync.status.offline_since
    assert since is not None and abs((since - clock.now()).total_seconds()) < HOW_LONG
    assert "gone" in mine.sync.status.offline_because
    assert mine.replica.view("look").get is not None and mine.replica.position() is not None, "reading goes on"
    with pytest.raises(Offline):
        await mine.sync.pull()
    assert mine.sync.status.offline_since == since, "it has been away since then, not since the last try"

    away.rename(behind.path)
    await following.until(lambda: mine.sync.status.live)
    assert mine.sync.status.offline_since is None and not mine.sync.status.forked
    await following.stop()


async def test_what_happened_meanwhile_arrives_on_return(
    mine: Console, behind: Intruder, clock: ManualClock, told: object
) -> None:
    before = await length(mine.shared)
    following = Following(mine)
    await following.until(lambda: bool(following.told))
    elsewhere = behind.path.with_name("elsewhere.db")
    behind.path.rename(elsewhere)
    await following.until(lambda: not mine.sync.status.live)
    with closing(sqlite3.connect(elsewhere)) as connection:  # the same file on its own machine: work goes on there
        assert connection.execute("SELECT count(*) FROM operator_log").fetchone() == (before,)
    elsewhere.rename(behind.path)
    other = console(mine.shared, behind.path.parent, clock, "other")
    await one_more(other)
    await following.until(lambda: sum(change_set.entries for change_set in following.told) == 1)
    assert mine.sync.status.position == other.sync.status.position
    await other.close()
    await following.stop()


async def test_a_damaged_shared_file_is_said_loudly_and_not_copied(mine: Console, behind: Intruder) -> None:
    following = Following(mine)
    await following.until(lambda: bool(following.told))
    position = mine.sync.status.position
    behind.path.with_name("rubbish").write_bytes(b"rubbish" * 5000)
    behind.path.with_name("rubbish").replace(behind.path)
    await following.until(lambda: mine.sync.status.forked and not mine.sync.status.live)
    assert "not a database" in str(mine.sync.status.faults[0])
    assert mine.sync.status.position == position
    await following.stop()


async def test_the_first_connection_may_come_late(shared_path: object, behind: Intruder, mine: Console) -> None:
    """A console that starts while the shared database is away shows what it has, and catches up by itself."""
    away = behind.path.with_name("away.db")
    behind.path.rename(away)
    late = console(mine.shared, behind.path.parent, mine.clock, "late")
    following = Following(late)
    await following.until(lambda: late.sync.status.offline_since is not None)
    assert late.replica.position() is None
    away.rename(behind.path)
    await following.until(lambda: late.sync.status.position == mine.sync.status.position)
    await following.stop()
    await late.close()
