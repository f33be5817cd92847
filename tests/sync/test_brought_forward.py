"""REQ-404: what comes at once after days away is verified as it is pull by pull, leaves the same replica, and is there
whole or not at all."""

from __future__ import annotations

import asyncio
import fcntl
import io
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from storage import sync_long as syncing
from storage.filling import forward, near, reader, source
from storage.filling.frames import Cut, packed
from storage.filling.reader import Order
from storage.replica.engine import Replica
from storage.shared.interface import SharedDatabase
from storage.shared.sqlite import SqliteShared
from tests.clock import ManualClock
from tests.sync import tampering
from tests.sync.behind import Intruder
from tests.sync.story import Console, console, length, one_more
from tests.sync.tampering import Expected
from tests.sync.test_filling import told
from tests.sync.test_replica import content


def nothing(done: int, total: int) -> None:
    """Nobody asks how far it is."""


@pytest.fixture(autouse=True)
def every_rest_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(syncing, "LONG", 1)
    monkeypatch.setattr(near, "CHUNK", 5)


async def stands_back(shared: SharedDatabase, home: Path, upto: int) -> Path:
    """The home of a console that has seen the first `upto` entries and nothing since."""
    replica = Replica.open(home / "replica.db")
    async with near.filled(shared.place, replica.path, home / "state" / "witness.json", upto, nothing) as made:
        assert made is not None and made.sound
        with replica.locked():
            replica.adopt(made.path)
    replica.close()
    return replica.path


def frames_of(shared: SharedDatabase, replica: Path, upto: int, chunk: int = 5) -> list[bytes]:
    """What the reader sends for a replica that stands back."""

    class Sent(list[bytes]):
        def write(self, data: bytes) -> None:
            self.append(data)

        def flush(self) -> None:
            """Nothing is kept back."""

    sent = Sent()
    order = Order(shared.place, str(replica), "", str(replica.parent / "state" / "witness.json"), upto, chunk)
    with source.source(shared.place) as connection:
        reader.fill(order, source.pull_from(connection), sent, lambda _: None)  # type: ignore[arg-type]  # a stream
    return [b"".join(sent[place : place + 2]) for place in range(0, len(sent), 2)]


def stands_at(path: Path) -> int:
    replica = Replica(path)
    position = replica.position()
    replica.close()
    return 0 if position is None else position.head.seq


@pytest.mark.parametrize("leg", [1, 7, 20_000])
async def test_it_leaves_the_replica_that_pulls_leave(
    mine: Console, shared: SharedDatabase, tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, leg: int
) -> None:
    every = await length(shared)
    path = await stands_back(shared, tmp_path / "other", every // 2)
    with monkeypatch.context() as at_hand:
        at_hand.setattr(reader, "LEG", leg)
        at_hand.setattr(syncing, "brought_forward", in_this_process)
        other = console(shared, tmp_path, clock, "other")  # type: ignore[arg-type]  # either form
        change_set = await other.sync.pull()
    assert content(path) == content(mine.replica.path)
    assert (change_set.entries, change_set.wholesale) == (every - every // 2, False)
    assert other.sync.witness.heads == mine.sync.witness.heads
    assert other.replica.damage() == ""
    assert await other.sync.check_everything() == ()
    await other.close()


async def in_this_process(
    place: str, replica: Path, witness: Path, upto: int, progress: Callable[[int, int], None]
) -> None:
    """The same reader and the same writer, one after the other and without processes."""
    stream = io.BytesIO()
    with source.source(place) as connection:
        order = Order(place, str(replica), "", str(witness), upto, 5)
        reader.fill(order, source.pull_from(connection), stream, lambda step: progress(*step))
    stream.seek(0)
    forward.bring_forward(Replica(replica), stream)


async def test_the_processes_do_it_and_rows_rewritten_later_come_with_what_rewrote_them(
    mine: Console, shared: SharedDatabase, tmp_path: Path, clock: ManualClock
) -> None:
    every = await length(shared)
    path = await stands_back(shared, tmp_path / "other", every // 3)
    witness = tmp_path / "other" / "state" / "witness.json"
    steps: list[tuple[int, int]] = []
    await near.brought_forward(shared.place, path, witness, every // 2, lambda done, total: steps.append((done, total)))
    assert stands_at(path) == every // 2 and steps[-1] == (every // 2, every // 2)
    assert content(path)["pending"]
    await one_more(mine)
    other = console(shared, tmp_path, clock, "other")  # type: ignore[arg-type]  # either form
    await other.sync.pull()
    await mine.sync.pull()
    assert not content(path)["pending"]
    assert content(path) == content(mine.replica.path)
    assert await other.sync.check_everything() == ()
    await other.close()


@pytest.mark.parametrize("sent", ["1", "half", "all but the end"])
async def test_killed_in_the_middle_it_leaves_the_replica_as_it_was(
    mine: Console, shared: SharedDatabase, tmp_path: Path, clock: ManualClock, sent: str
) -> None:
    every = await length(shared)
    path = await stands_back(shared, tmp_path / "other", every // 3)
    frames = frames_of(shared, path, every, chunk=2)
    number = {"1": 1, "half": len(frames) // 2, "all but the end": len(frames) - 1}[sent]
    before = content(path)
    read, write = os.pipe()
    process = subprocess.Popen([sys.executable, "-m", "storage.filling.forward", str(path)], stdin=read)  # noqa: ASYNC220 - it is to be killed
    os.close(read)
    with os.fdopen(write, "wb", buffering=0) as stream:
        for frame in frames[:number]:
            stream.write(frame)
        replica = Replica(path)
        while not await asyncio.to_thread(_is_being_written, replica):
            assert process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert content(path) == before and stands_at(path) == every // 3
    other = console(shared, tmp_path, clock, "other")  # type: ignore[arg-type]  # either form
    assert other.replica.rebuilt_because == ""
    await other.sync.pull()
    assert content(path) == content(mine.replica.path)
    assert other.replica.damage() == ""
    await other.close()


def _is_being_written(replica: Replica) -> bool:
    """Whether another process holds the lock of the file."""
    with replica.path.with_name(replica.path.name + ".lock").open("ab") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


async def test_cut_off_it_leaves_the_replica_as_it_was(mine: Console, shared: SharedDatabase, tmp_path: Path) -> None:
    every = await length(shared)
    path = await stands_back(shared, tmp_path / "other", every // 3)
    before = content(path)
    frames = frames_of(shared, path, every)
    stream = b"".join(frames)
    for cut in (len(frames[0]), len(frames[0]) + 10, len(stream) // 2, len(stream) - 1):
        with pytest.raises(Cut):
            forward.bring_forward(Replica(path), io.BytesIO(stream[:cut]))
        assert content(path) == before


async def test_another_process_of_the_home_that_was_faster_is_not_overwritten(
    mine: Console, shared: SharedDatabase, tmp_path: Path
) -> None:
    every = await length(shared)
    path = await stands_back(shared, tmp_path / "other", every // 3)
    early, late = frames_of(shared, path, every // 2), frames_of(shared, path, every // 2 + 1)
    forward.bring_forward(Replica(path), io.BytesIO(b"".join(early)))
    before = content(path)
    end = packed(("", (every // 3, "0" * 64), [], []))
    for stream in (b"".join(late), end):
        with pytest.raises((forward.Overtaken, sqlite3.IntegrityError)):
            forward.bring_forward(Replica(path), io.BytesIO(stream))
        assert content(path) == before


@pytest.mark.parametrize("tamper", tampering.LOGS, ids=lambda tamper: tamper.__name__)
async def test_what_was_done_to_the_logs_is_told_alike(
    mine: Console,
    shared: SqliteShared,
    behind: Intruder,
    tmp_path: Path,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
    tamper: Callable[[Intruder], Expected],
) -> None:
    unlike = tamper is tampering.a_head_set_back
    await both_ways(shared, tmp_path, clock, monkeypatch, lambda: tamper(behind), await length(shared) // 2, unlike)


@pytest.mark.parametrize("table", ["settings", "command", "session_view", "mail", "request"])
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
    await both_ways(shared, tmp_path, clock, monkeypatch, lambda: tamper(behind, table), 5)


async def both_ways(
    shared: SqliteShared,
    tmp_path: Path,
    clock: ManualClock,
    monkeypatch: pytest.MonkeyPatch,
    tamper: Callable[[], object],
    upto: int,
    unlike: bool = False,
) -> None:
    """A replica that stands back when it happens, brought on pull by pull and at once: told alike, left alike. Where
    the recorded head lies chunks end elsewhere: then (`unlike`) only the words are, not the numbers."""
    await stands_back(shared, tmp_path / "pulled", upto)
    shutil.copytree(tmp_path / "pulled", tmp_path / "forward")
    tamper()
    monkeypatch.setattr(syncing, "brought_forward", in_this_process)
    found, left = [], []
    for name, long in (("pulled", 10_000), ("forward", 1)):
        monkeypatch.setattr(syncing, "LONG", long)
        one = console(shared, tmp_path, clock, name, chunk=5)
        found.append(await told(one))
        left.append((one.sync.status.position, one.sync.status.forked, content(one.replica.path)))
        await one.close()
    if unlike:
        words = [{(log, re.sub("[0-9]+", "#", what)) for log, _, what in one} for one in found]
        assert words[0] and words[0] == words[1]
        return
    assert found[0] == found[1]
    assert left[0] == left[1]
