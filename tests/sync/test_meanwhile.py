"""Work goes on while somebody verifies: what is merely new is no fault, and what is false is found all the same."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import pytest

from storage.clock import SharedClock
from storage.log.entry import Head
from storage.log.verify import verify_all
from storage.shared.interface import Hint, Position, Pulled, StoredEntry, StoredRow
from storage.shared.reading import row_tables
from storage.shared.sqlite import SqliteShared
from storage.sync import Sync
from storage.sync_checked import public_tables
from tests.clock import ManualClock
from tests.sync import tampering
from tests.sync.behind import Intruder
from tests.sync.story import Console, console, length, one_more


class Busy:
    """The shared database of a team at work: before every read somebody else commits, and chunks are small."""

    rest_seconds = 0.0
    pull_entries = 1000
    place = ""

    def __init__(self, shared: SqliteShared, work: Callable[[], Awaitable[None]], chunk: int) -> None:
        self._shared, self._work, self._chunk = shared, work, chunk

    async def position(self) -> Position:
        await self._work()
        return await self._shared.position()

    async def entries(self, log: str, after: int, limit: int = 5000) -> Sequence[StoredEntry]:
        await self._work()
        return await self._shared.entries(log, after, limit)

    async def logs(self) -> dict[str, Head]:
        await self._work()
        return await self._shared.logs()

    async def rows(self, table: str, after: str, limit: int = 5000) -> Sequence[StoredRow]:
        await self._work()
        return await self._shared.rows(table, after, limit)

    async def pull(self, after: Head, limit: int = 5000) -> Pulled:
        await self._work()
        return await self._shared.pull(after, self._chunk)

    async def loosened(self) -> list[str]:
        return await self._shared.loosened()

    def changes(self) -> AsyncIterator[Hint]:
        return self._shared.changes()


@pytest.fixture
async def colleague(shared: SqliteShared, tmp_path: Path, clock: ManualClock) -> AsyncIterator[Console]:
    one = console(shared, tmp_path, clock, "colleague")
    yield one
    await one.close()


async def test_verify_finds_no_fault_in_what_is_written_meanwhile(shared: SqliteShared, colleague: Console) -> None:
    before = await length(shared)
    busy = Busy(shared, lambda: one_more(colleague), 5000)
    report = await verify_all(busy, row_tables())  # type: ignore[arg-type]  # Protocol wants default arguments alike
    assert report.faults == ()
    assert report.heads["operator"].seq > before


async def test_verify_finds_what_is_false_among_what_is_new(
    shared: SqliteShared, colleague: Console, behind: Intruder
) -> None:
    await colleague.sync.pull()
    expected = [
        tampering.row_edited(behind, "settings"),
        tampering.row_inserted_ahead_of_the_log(behind, "staff"),
        tampering.one_byte_of_a_tenants_entry(behind),
    ]
    busy = Busy(shared, lambda: one_more(colleague), 5000)
    report = await verify_all(busy, row_tables())  # type: ignore[arg-type]  # as above
    for one in expected:
        assert one.among(report.faults), report.faults


@pytest.mark.parametrize("chunk", [1, 3, 1000])
async def test_a_console_finds_no_fault_in_what_is_written_meanwhile(
    mine: Console, shared: SqliteShared, colleague: Console, chunk: int
) -> None:
    left = 60

    async def work() -> None:
        nonlocal left
        if left > 0:
            left -= 1
            await one_more(colleague)

    busy = Busy(shared, work, chunk)
    sync = Sync(busy, mine.replica, mine.sync.witness, SharedClock())  # type: ignore[arg-type]  # a shared database, in so far as sync reads
    assert await sync.check_everything() == ()
    assert await sync.check_everything() == ()
    await sync.pull()
    assert sync.status.faults == ()
    await sync.close()


async def test_bootstrapping_from_a_database_that_is_being_written(
    shared: SqliteShared, colleague: Console, mine: Console, tmp_path: Path
) -> None:
    """A row rewritten between two chunks is awaited until its entry comes; nothing is left pending."""
    from storage.replica.engine import Replica
    from storage.witness import Witness

    left = 30

    async def work() -> None:
        nonlocal left
        if left > 0:
            left -= 1
            await one_more(colleague)

    replica = Replica.open(tmp_path / "new" / "replica.db")
    sync = Sync(Busy(shared, work, 2), replica, Witness(tmp_path / "new" / "witness.json"), SharedClock())  # type: ignore[arg-type]  # as above
    await sync.pull()
    assert sync.status.faults == ()
    assert replica.reader.execute("SELECT count(*) FROM pending").fetchone() == (0,)
    await mine.sync.pull()
    for table in (*public_tables(), "operator_log", "digest"):
        query = f"SELECT * FROM {table} ORDER BY 1, 2"
        assert replica.reader.execute(query).fetchall() == mine.replica.reader.execute(query).fetchall()
    await sync.close()
    replica.close()
