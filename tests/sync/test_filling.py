"""REQ-404: a long history that is taken in at once is verified as it is pull by pull, and leaves the same replica."""

from __future__ import annotations

import asyncio
import io
import os
import re
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import pytest

from storage import sync_long as syncing
from storage.errors import ForkedHistory
from storage.filling import near, reader, source, writer
from storage.filling.near import Filled
from storage.filling.reader import Order
from storage.shared.interface import SharedDatabase
from storage.shared.sqlite import SqliteShared
from tests.clock import ManualClock
from tests.sync import tampering
from tests.sync.behind import Intruder
from tests.sync.story import Console, console, length, one_more
from tests.sync.tampering import Expected
from tests.sync.test_replica import content


@pytest.fixture(autouse=True)
def every_history_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(syncing, "LONG", 1)
    monkeypatch.setattr(near, "CHUNK", 5)


def files(one: Console) -> list[str]:
    """What lies beside the replica that should not stay."""
    return [file.name for file in one.replica.path.parent.glob("*filling*")]


async def test_it_leaves_the_replica_that_pulls_leave(
    mine: Console, shared: SharedDatabase, tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as ordinary:
        ordinary.setattr(syncing, "LONG", 10_000)
        pulled = console(shared, tmp_path, clock, "pulled")  # type: ignore[arg-type]  # either form
        await pulled.sync.pull()
    steps: list[tuple[int, int]] = []
    other = console(shared, tmp_path, clock, "other")  # type: ignore[arg-type]  # either form
    change_set = await other.sync.pull(lambda done, total: steps.append((done, total)))
    assert content(other.replica.path) == content(pulled.replica.path)
    every = await length(shared)
    assert (change_set.entries, change_set.wholesale) == (every, False)
    assert [step for step in steps if step[0] < every] == [(done, every) for done in range(5, every, 5)]
    assert other.sync.witness.heads == pulled.sync.witness.heads
    assert other.replica.damage() == "" and not files(other)
    assert await other.sync.check_everything() == ()
    await one_more(other)
    await pulled.sync.pull()
    assert content(other.replica.path) == content(pulled.replica.path)
    for one in (other, pulled):
        await one.close()


async def test_work_goes_on_while_it_is_taken_in(
    mine: Console, shared: SharedDatabase, tmp_path: Path, clock: ManualClock
) -> None:
    """Rows that are rewritten between two chunks are awaited, and come with the pull after it."""
    other = console(shared, tmp_path, clock, "other")  # type: ignore[arg-type]  # either form

    async def work() -> None:
        for _ in range(3):
            await one_more(mine)

    at_work = asyncio.create_task(work())
    await other.sync.pull()
    await at_work
    await other.sync.pull()
    assert content(other.replica.path) == content(mine.replica.path)
    assert await other.sync.check_everything() == ()
    await other.close()


@asynccontextmanager
async def in_this_process(
    place: str, replica: Path, witness: Path, upto: int, progress: Callable[[int, int], None]
) -> AsyncIterator[Filled | None]:
    """The same reader and the same writer, one after the other and without processes: for the many ways to tamper."""
    new, stream = replica.with_name("new.filling"), io.BytesIO()
    order = Order(place, str(replica), str(new), str(witness), upto, 5)
    with source.source(place) as connection:
        sound = reader.fill(order, source.pull_from(connection), stream, lambda step: progress(*step))
    if stream.getvalue():
        stream.seek(0)
        writer.write(replica, new, stream)
    yield Filled(new, sound) if new.exists() else None
    new.unlink(missing_ok=True)


async def told(one: Console) -> set[tuple[str, int, str]]:
    """What a pull of this console says is wrong."""
    with suppress(ForkedHistory):
        await one.sync.pull()
    return {(fault.log, fault.seq, fault.what) for fault in one.sync.status.faults}


async def both_ways(
    shared: SqliteShared,
    tmp_path: Path,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
    seen: Path | None,
    unlike: bool = False,
) -> None:
    """A new replica, pull by pull and at once, by consoles that remember the same heads: told alike, left alike. Where
    the recorded head lies chunks end elsewhere: then (`unlike`) only the words are, not the numbers."""
    monkeypatch.setattr(syncing, "filled", in_this_process)
    found, left = [], []
    for name, long in (("pulled", 10_000), ("filled", 1)):
        monkeypatch.setattr(syncing, "LONG", long)
        if seen is not None:
            (tmp_path / name / "state").mkdir(parents=True)
            shutil.copyfile(seen, tmp_path / name / "state" / "witness.json")
        one = console(shared, tmp_path, clock, name, chunk=5)
        found.append(await told(one))
        left.append((one.sync.status.position, one.sync.status.forked, one.sync.status.verified_rev))
        left.append(content(one.replica.path))  # type: ignore[arg-type]  # compared, whatever it is
        await one.close()
    if unlike:
        words = [{(log, re.sub("[0-9]+", "#", what)) for log, _, what in one} for one in found]
        assert words[1] and words[1] <= words[0]
        return
    assert found[0] == found[1]
    assert left[:2] == left[2:]


@pytest.mark.parametrize("remembers", [True, False], ids=["with the heads seen", "without"])
@pytest.mark.parametrize("tamper", tampering.LOGS, ids=lambda tamper: tamper.__name__)
async def test_what_was_done_to_the_logs_is_told_alike(
    mine: Console,
    shared: SqliteShared,
    behind: Intruder,
    tmp_path: Path,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
    tamper: Callable[[Intruder], Expected],
    remembers: bool,
) -> None:
    tamper(behind)
    unlike = tamper is tampering.a_head_set_back
    await both_ways(shared, tmp_path, clock, monkeypatch, mine.sync.witness.path if remembers else None, unlike)


@pytest.mark.parametrize("table", ["settings", "credential", "command", "session_view", "mail", "request"])
@pytest.mark.parametrize("tamper", tampering.ROWS, ids=lambda tamper: tamper.__name__)
async def test_what_was_done_to_the_rows_is_told_alike(
    shared: SqliteShared,
    behind: Intruder,
    tmp_path: Path,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
    table: str,
    tamper: Callable[[Intruder, str], Expected],
) -> None:
    tamper(behind, table)
    await both_ways(shared, tmp_path, clock, monkeypatch, None)


async def test_a_row_put_back_to_an_older_image_is_missed_at_once(
    shared: SqliteShared, behind: Intruder, tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A row that a later entry rewrote stands as an earlier one left it: the newest digest has no row."""
    ((seq,),) = behind.ask(
        "SELECT o.seq FROM operator_log AS o, json_each(o.body, '$.rows') AS r"
        " JOIN session AS s ON s.id = r.value ->> 1"
        " WHERE r.value ->> 0 = 'session' AND o.seq < s.rev ORDER BY o.seq LIMIT 1"
    )
    behind.run(("UPDATE session SET rev = ?", (seq,)))
    await both_ways(shared, tmp_path, clock, monkeypatch, None)


async def test_a_reader_that_dies_leaves_the_pull_to_go_on_without_it(
    mine: Console, shared: SqliteShared, behind: Intruder, tmp_path: Path, clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    broken = tmp_path / "no-python"
    broken.write_text("#!/bin/sh\nexit 3\n")
    broken.chmod(0o755)
    other = console(shared, tmp_path, clock, "other")
    monkeypatch.setattr(sys, "executable", str(broken))
    await other.sync.pull()
    assert content(other.replica.path) == content(mine.replica.path) and not files(other)
    await other.close()


async def test_a_console_that_goes_away_takes_its_processes_along_and_the_next_one_tidies_up(
    shared: SqliteShared, tmp_path: Path, clock: ManualClock
) -> None:
    other = console(shared, tmp_path, clock, "other")
    left = other.replica.path.with_name(other.replica.path.name + near.SUFFIX + "999999999")
    left.write_text("half a replica")
    order = Order(shared.place, str(other.replica.path), str(tmp_path / "never"), str(tmp_path / "w"), 10**9, 1)
    read, write = os.pipe()
    process = subprocess.Popen([sys.executable, "-m", "storage.filling.reader"], stdin=read, stdout=subprocess.DEVNULL)  # noqa: ASYNC220
    os.close(read)
    with os.fdopen(write, "wb") as to_reader:
        near.frames.send(to_reader, tuple(order))
    assert await asyncio.to_thread(process.wait, 30) == 1
    await other.sync.pull()
    assert not files(other)
    await other.close()
