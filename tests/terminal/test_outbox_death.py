"""kill -9 while queueing and while sending: whatever was said to be kept is applied exactly once (REQ-802)."""

from __future__ import annotations

import random
import sqlite3
import threading
from contextlib import closing

import pytest

from app.launch import Launch
from storage.outbox import KeptState, Outbox
from tests.terminal.headless import ANN, Home, home, prepared
from tests.terminal.outbox_process import queue_until_killed, send_until_killed, server

__all__ = ["home", "prepared"]


@pytest.mark.parametrize("rounds", [2, pytest.param(100, marks=pytest.mark.long, id="100")])
def test_what_was_kept_is_applied_once_whenever_processes_die(home: Home, rounds: int) -> None:
    session = home.inside()["id"]
    acknowledged: set[str] = set()
    elsewhere = home.database.with_name("elsewhere.db")
    chance = random.Random(rounds)
    for number in range(rounds):
        home.database.rename(elsewhere)
        acknowledged |= _queue_and_die(home, session, f"k{number}", chance)
        elsewhere.rename(home.database)
        for _ in range(2):  # two at a time, one of them killed anywhere within a command
            _send_and_die(home, chance)
    home.ok("worker", "--once")
    kept = Outbox(Launch.of(home=str(home.path), environment={}).outbox_path).items()
    assert acknowledged <= {one.id for one in kept}, "an acknowledged command is lost"
    assert {one.state for one in kept} == {KeptState.SENT}, [one.words for one in kept if one.waits]
    with closing(sqlite3.connect(home.database)) as connection:
        applied = [id for (id,) in connection.execute("SELECT id FROM command")]
        names = [name for (name,) in connection.execute("SELECT json_extract(image, '$.name') FROM session_view")]
    assert {one.id for one in kept} <= set(applied)
    assert len(names) == len(set(names)) == len(kept), "each exactly once"
    print(f"{rounds} rounds: {len(acknowledged)} acknowledged, {len(kept)} kept, {len(names)} applied, 0 lost, 0 twice")


def _queue_and_die(home: Home, session: str, name: str, chance: random.Random) -> set[str]:
    context = server()
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=queue_until_killed, args=(home.path, ANN, session, name, theirs))
    process.start()
    theirs.close()
    with open(ours.fileno(), "rb", closefd=False) as pipe:
        lines = [pipe.readline() for _ in range(chance.randint(2, 6))]
        threading.Event().wait(chance.uniform(0, 0.01))
        process.kill()
        lines += pipe.readlines()
    process.join()
    ours.close()
    return {line.decode().strip() for line in lines if line.endswith(b"\n")}


def _send_and_die(home: Home, chance: random.Random) -> None:
    context = server()
    ours, theirs = context.Pipe(duplex=False)
    processes = [context.Process(target=send_until_killed, args=(home.path, ANN, theirs)) for _ in range(2)]
    for process in processes:
        process.start()
    theirs.close()
    with open(ours.fileno(), "rb", closefd=False) as pipe:
        pipe.readline()
        threading.Event().wait(chance.uniform(0, 0.06))
        processes[0].kill()
        pipe.readline()
        threading.Event().wait(chance.uniform(0, 0.06))
        processes[1].kill()
    for process in processes:
        process.join()
    ours.close()
