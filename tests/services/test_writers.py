"""The fair queue of writers, and sudden death (issue 2, section 2 and "Must show" 4)."""

from __future__ import annotations

import asyncio
import fcntl
import os
import random
import sqlite3
import threading
from pathlib import Path

import pytest

from storage.errors import Offline
from storage.shared.sqlite import SqliteShared
from storage.shared.vault import Vault
from storage.shared.writers import WriterQueue
from tests.clock import ManualClock
from tests.services.changes import importing
from tests.services.writing_process import check_history, server, together, write_until_killed


@pytest.mark.parametrize(
    ("processes", "commands"), [(8, 25), pytest.param(8, 200, marks=pytest.mark.long, id="8 x 200")]
)
def test_many_processes_lose_nothing_and_leave_no_gap(shared_path: Path, processes: int, commands: int) -> None:
    written = together(shared_path, processes, commands)
    acknowledged = {change_id for one in written for change_id in one.ids}
    assert len(acknowledged) == processes * commands
    assert check_history(shared_path, acknowledged) == processes * commands
    waits = sorted(wait for one in written for wait in one.waits)
    print(
        f"{processes} x {commands}: median {waits[len(waits) // 2] * 1000:.0f} ms, worst wait {waits[-1] * 1000:.0f} ms"
    )


@pytest.mark.parametrize("kills", [20, pytest.param(200, marks=pytest.mark.long, id="200")])
def test_a_process_killed_at_any_moment_loses_no_acknowledged_command(shared_path: Path, kills: int) -> None:
    context, chance = server(), random.Random(kills)
    acknowledged: set[str] = set()
    for number in range(kills):
        ours, theirs = os.pipe()
        os.set_inheritable(theirs, True)
        process = context.Process(target=write_until_killed, args=(shared_path, f"k{number}", _Handle(theirs)))
        process.start()
        os.close(theirs)
        with open(ours, "rb") as pipe:  # noqa: PTH123 (a descriptor)
            for _ in range(chance.randint(1, 6)):
                acknowledged.add(pipe.readline().decode().strip())
            threading.Event().wait(chance.uniform(0, 0.005))  # anywhere within a command, not only at its end
            process.kill()
            acknowledged |= {line.decode().strip() for line in pipe if line.endswith(b"\n")}
        process.join()
    applied = check_history(shared_path, acknowledged)
    assert applied <= len(acknowledged) + kills  # a command may have been applied without its answer getting through


class _Handle:
    """A descriptor that multiprocessing hands over to a process of its own server."""

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor

    def __reduce__(self) -> tuple[object, ...]:
        from multiprocessing.reduction import DupFd

        return _detached, (DupFd(self.descriptor),)


def _detached(duplicate: object) -> int:
    return duplicate.detach()  # type: ignore[attr-defined, no-any-return]  # DupFd has no public type


async def test_tasks_of_one_process_take_turns_in_the_order_they_came(tmp_path: Path) -> None:
    queue, order = WriterQueue(tmp_path / "x.db"), []

    async def one(number: int) -> None:
        async with queue.turn():
            order.append(number)
            await asyncio.sleep(0)

    await asyncio.gather(*(one(number) for number in range(50)))
    assert order == list(range(50))


async def test_nobody_overtakes_whoever_waits_at_the_turnstile(tmp_path: Path) -> None:
    """Two queues on one file, as two processes have them: one that comes back at once cannot starve the other."""
    here, there = WriterQueue(tmp_path / "x.db"), WriterQueue(tmp_path / "x.db")
    order: list[str] = []

    async def again_and_again(queue: WriterQueue, name: str) -> None:
        for _ in range(100):
            async with queue.turn():
                order.append(name)
                await asyncio.sleep(0.0005)

    await asyncio.gather(again_and_again(here, "a"), again_and_again(there, "b"))
    longest = max(len(run) for run in "".join(order).replace("ab", "a b").replace("ba", "b a").split())
    assert longest <= 50  # starved: a hundred; on a busy machine one goes ahead for a while before the other waits


async def test_a_lock_that_never_comes_is_offline_in_words_and_is_given_back(tmp_path: Path) -> None:
    held = os.open(tmp_path / "x.db.turn", os.O_RDWR | os.O_CREAT)
    fcntl.flock(held, fcntl.LOCK_EX)
    queue = WriterQueue(tmp_path / "x.db", patience=0.01)
    with pytest.raises(Offline, match="locked by another writer"):
        async with queue.turn():
            pass
    os.close(held)
    async with WriterQueue(tmp_path / "x.db").turn():  # what came too late was passed on
        pass


async def test_whoever_is_cancelled_while_waiting_does_not_keep_the_turn(tmp_path: Path) -> None:
    here, there = WriterQueue(tmp_path / "x.db"), WriterQueue(tmp_path / "x.db")

    async def wait() -> None:
        async with there.turn():
            pass

    for waited in range(20):
        async with here.turn():
            task = asyncio.create_task(wait())
            for _ in range(waited):
                await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    async with here.turn():
        pass


async def test_a_foreign_program_that_holds_the_file_is_waited_for_and_then_named(
    shared: SqliteShared, shared_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, vault: Vault
) -> None:
    monkeypatch.setattr("storage.shared.connections.BUSY_MILLISECONDS", 20)
    impatient = await SqliteShared.open(shared_path, vault, clock)
    foreign = sqlite3.connect(shared_path, isolation_level=None)
    foreign.execute("BEGIN EXCLUSIVE")
    try:
        with pytest.raises(Offline, match="locked by another program"):
            await impatient.apply(importing("northwind", clock.now()))
        with pytest.raises(Offline, match="locked by another program"):
            await impatient.position()
    finally:
        foreign.execute("ROLLBACK")
        foreign.close()
    assert (await impatient.apply(importing("northwind", clock.now()))).rev == 1
    await impatient.close()


async def test_a_commit_that_a_foreign_reader_holds_up_is_rolled_back_whole(
    shared_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch, vault: Vault
) -> None:
    """With a rollback journal a reader blocks only the very last step: COMMIT itself fails."""
    monkeypatch.setattr("storage.shared.connections.BUSY_MILLISECONDS", 20)
    impatient = await SqliteShared.open(shared_path, vault, clock)
    foreign = sqlite3.connect(shared_path, isolation_level=None)
    foreign.execute("BEGIN")
    foreign.execute("SELECT * FROM log_head").fetchall()
    try:
        with pytest.raises(Offline, match="locked by another program"):
            await impatient.apply(importing("northwind", clock.now()))
        assert (await impatient.position()).head.seq == 0
    finally:
        foreign.execute("ROLLBACK")
        foreign.close()
    assert (await impatient.apply(importing("northwind", clock.now()))).rev == 1
    assert (await impatient.position()).head.seq == 1
    await impatient.close()
