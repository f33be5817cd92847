"""Processes that write to one shared file, for the tests of the fair queue and of sudden death. Forked from a server
that has imported everything once, so that a process costs milliseconds."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
import sqlite3
import time
from dataclasses import dataclass
from multiprocessing.context import ForkServerContext, ForkServerProcess
from pathlib import Path

from storage.clock import SystemClock
from storage.log.entry import OPERATOR, Head
from storage.log.verify import verify_chain
from storage.shared.interface import StoredEntry
from storage.shared.sqlite import SqliteShared
from storage.shared.vault import Vault, new_key
from tests.services.changes import importing


def server() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.services.writing_process", "sqlalchemy.ext.asyncio", "aiosqlite"])
    return context


@dataclass(frozen=True, slots=True)
class Written:
    """What a process says of its commands: their ids as acknowledged, and how long each waited, in seconds."""

    ids: tuple[str, ...]
    waits: tuple[float, ...]


def write_all(path: Path, name: str, count: int, start: object, answers: object) -> None:
    """The body of a process: `count` commands, one after the other, as fast as they are taken."""
    answers.put(asyncio.run(_write_all(path, name, count, start)))  # type: ignore[attr-defined]  # a Queue


async def _write_all(path: Path, name: str, count: int, start: object) -> Written:
    shared = await SqliteShared.open(path, Vault(new_key()), SystemClock())
    ids, waits = [], []
    start.wait()  # type: ignore[attr-defined]  # a Barrier
    for number in range(count):
        began = time.perf_counter()
        change = importing(f"{name}-{number}", await shared.now())
        await shared.apply(change)
        waits.append(time.perf_counter() - began)
        ids.append(change.id)
    await shared.close()
    return Written(tuple(ids), tuple(waits))


def write_until_killed(path: Path, name: str, acknowledged: int) -> None:
    """The body of a process that never ends by itself; each acknowledged id goes to a pipe at once, a line each."""
    asyncio.run(_write_until_killed(path, name, acknowledged))


async def _write_until_killed(path: Path, name: str, acknowledged: int) -> None:
    shared = await SqliteShared.open(path, Vault(new_key()), SystemClock())
    number = 0
    while True:
        change = importing(f"{name}-{number}", await shared.now())
        await shared.apply(change)
        os.write(acknowledged, f"{change.id}\n".encode())
        number += 1


def together(path: Path, processes: int, commands: int) -> list[Written]:
    """Let processes write at the same time, and gather what they say."""
    context = server()
    start, answers = context.Barrier(processes), context.Queue()
    running: list[ForkServerProcess] = [
        context.Process(target=write_all, args=(path, f"p{number}", commands, start, answers))
        for number in range(processes)
    ]
    for process in running:
        process.start()
    written = [answers.get(timeout=300) for _ in running]
    for process in running:
        process.join()
    return written


def check_history(path: Path, acknowledged: set[str]) -> int:
    """Assert that the file is sound, its logs without a gap, and every acknowledged command in it, once. Returns how
    many commands it holds."""
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        applied = [key for (key,) in connection.execute("SELECT id FROM command")]
        entries = connection.execute("SELECT seq, hash, body FROM operator_log ORDER BY seq").fetchall()
        twins = connection.execute("SELECT count(*) FROM tenant_log").fetchone()[0]
        tenants = connection.execute("SELECT count(*) FROM tenant").fetchone()[0]
        head = connection.execute("SELECT seq, lower(hex(hash)) FROM log_head WHERE log = ?", (OPERATOR,)).fetchone()
    connection.close()
    assert acknowledged <= set(applied), "an acknowledged command is lost"
    assert [seq for seq, _, _ in entries] == list(range(1, len(applied) + 1)), "a gap"
    assert len(applied) == len(set(applied)) == twins == tenants
    assert verify_chain(OPERATOR, [StoredEntry(OPERATOR, *entry) for entry in entries], Head(*head)) == []
    return len(applied)
