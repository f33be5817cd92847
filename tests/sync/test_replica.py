"""A replica is nobody's only copy: whatever becomes of the file, the console has the true history again and says so."""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from storage.errors import Corrupt, Misconfigured
from storage.replica.engine import Replica
from storage.replica.schema import LEFT_OUT, version
from storage.shared.postgres.shared import PostgresShared
from storage.shared.sqlite import SqliteShared
from storage.sync import ChangeSet
from storage.sync_checked import public_tables
from tests.clock import ManualClock
from tests.sync.behind import Intruder
from tests.sync.story import Console, console, length, one_more

Content = dict[str, list[tuple[object, ...]]]


def content(path: Path) -> Content:
    """Everything in a replica, table by table."""
    names = [*sorted(public_tables()), "operator_log", "tenant_log", "digest", "pending", "log_head"]
    with closing(sqlite3.connect(path)) as connection:
        return {name: sorted(connection.execute(f"SELECT * FROM {name}").fetchall()) for name in names}


def counted(words: str, every: int) -> int:
    """The number that "7", "all" or "all - 1" names in a log of `every` entries."""
    first, *rest = words.split(" ", 1)
    return (every if first == "all" else int(first)) + (int(rest[0].replace(" ", "")) if rest else 0)


async def test_a_replica_holds_what_the_shared_database_holds_and_no_secret(mine: Console, behind: Intruder) -> None:
    here = content(mine.replica.path)
    for table in (*public_tables(), "operator_log", "tenant_log", "log_head"):
        columns = [name for (name,) in behind.ask(f"SELECT name FROM pragma_table_xinfo('{table}') ORDER BY cid")]
        kept = [name for name in columns if name not in LEFT_OUT.get(table, ())]
        assert len(columns) - len(kept) == len(LEFT_OUT.get(table, ()))
        assert here[table] == sorted(behind.ask(f"SELECT {', '.join(map(str, kept))} FROM {table}")), table
    assert here["pending"] == []
    text = mine.replica.path.read_bytes() + mine.replica.path.with_name("replica.db-wal").read_bytes()
    for (sealed,) in behind.ask("SELECT json_extract(image, '$.sealed_secret') FROM credential"):
        assert str(sealed).encode() not in text


@pytest.mark.parametrize("chunk", ["1", "2", "7", "all - 1", "all", "all + 1"])
async def test_bootstrapping_in_chunks_gives_the_same_replica(
    mine: Console, shared: SqliteShared, tmp_path: Path, clock: ManualClock, chunk: str
) -> None:
    every = await length(shared)
    other = console(shared, tmp_path, clock, "other", counted(chunk, every))
    steps: list[tuple[int, int]] = []
    change_set = await other.sync.pull(lambda done, total: steps.append((done, total)))
    assert content(other.replica.path) == content(mine.replica.path)
    assert change_set.entries == every and steps[-1] == (every, every)
    assert [done for done, _ in steps] == sorted({done for done, _ in steps}), "each chunk is told once, in order"
    await other.close()


async def test_two_replicas_converge_whoever_writes(
    mine: Console, shared: SqliteShared, tmp_path: Path, clock: ManualClock
) -> None:
    other = console(shared, tmp_path, clock, "other")
    for _ in range(3):
        await one_more(mine)
        await one_more(other)
    await asyncio.gather(mine.sync.pull(), other.sync.pull())
    assert content(mine.replica.path) == content(other.replica.path)
    await other.close()


async def test_two_processes_with_one_home_share_the_replica(
    mine: Console, shared: SqliteShared, tmp_path: Path, clock: ManualClock
) -> None:
    twin = console(shared, tmp_path, clock)  # the same files
    await one_more(mine)
    await asyncio.gather(*(one.sync.pull() for one in (mine, twin, mine, twin)))
    assert mine.replica.position() == twin.replica.position() == mine.sync.status.position
    assert await twin.sync.check_everything() == ()
    await twin.close()


async def test_a_replica_that_another_process_rebuilt_is_taken_and_not_rebuilt_again(
    mine: Console, shared: SqliteShared, tmp_path: Path, clock: ManualClock
) -> None:
    before = content(mine.replica.path)
    twin = console(shared, tmp_path, clock)  # the same files
    await twin.sync.pull()
    with mine.replica.locked():
        mine.replica.rebuild("to try it")
    with twin.replica.locked():
        twin.replica.rebuild("noticed a moment later")
    assert (mine.replica.rebuilt_because, twin.replica.rebuilt_because) == ("to try it", "")
    await twin.sync.pull()
    assert twin.replica.position() == mine.replica.position() == mine.sync.status.position
    assert content(mine.replica.path) == before
    await twin.close()


async def test_a_changeset_names_what_changed(mine: Console) -> None:
    before = await length(mine.shared)
    told: list[ChangeSet] = []
    first = asyncio.Event()
    task = asyncio.create_task(mine.sync.run(lambda change_set: (told.append(change_set), first.set())))  # type: ignore[arg-type,return-value]
    await asyncio.wait_for(first.wait(), 20)
    await one_more(mine)
    task.cancel()
    (news,) = [change_set for change_set in told if change_set.entries]
    assert news.entries == 1 and news.rev == before + 1 and news.tables == {"session_view", "session"}
    assert {table for table, _ in news.keys} == news.tables
    assert [change_set.generation for change_set in told] == sorted({change_set.generation for change_set in told})


async def test_what_another_process_of_the_same_home_pulled_is_told_here_too(
    mine: Console, shared: SqliteShared, tmp_path: Path, clock: ManualClock
) -> None:
    """A command typed in another terminal pulls into the replica that this console shows: its screens must hear."""
    before = await length(shared)
    typed = console(shared, tmp_path, clock)  # the same files
    await one_more(typed)
    change_set = await mine.sync.pull()
    assert (change_set.entries, change_set.rev) == (1, before + 1)
    assert change_set.tables == {"session_view", "session"} == {table for table, _ in change_set.keys}
    assert (await mine.sync.pull()).entries == 0, "once"
    await typed.close()


async def test_a_replica_of_another_version_is_made_anew_and_not_kept(mine: Console) -> None:
    await mine.close()
    with closing(sqlite3.connect(mine.replica.path)) as connection:
        connection.execute(f"PRAGMA user_version = {version() + 1}")
    again = Replica.open(mine.replica.path)
    assert again.rebuilt_because == "it was made by another version"
    assert again.position() is None
    assert not list(mine.replica.path.parent.glob("*.corrupt-*"))
    again.close()


async def test_a_truncated_replica_is_set_aside_and_rebuilt(
    mine: Console, shared: SqliteShared, tmp_path: Path, clock: ManualClock
) -> None:
    before = content(mine.replica.path)
    await mine.close()
    size = mine.replica.path.stat().st_size
    os.truncate(mine.replica.path, size // 2)
    again = console(shared, tmp_path, clock)
    assert again.replica.rebuilt_because.startswith("it was damaged")
    await again.sync.pull()
    assert content(again.replica.path) == before
    (kept,) = again.replica.path.parent.glob("*.corrupt-*")
    assert kept.stat().st_size == size // 2
    await again.close()


async def test_a_replica_whose_file_vanishes_under_a_running_console_comes_back(mine: Console) -> None:
    before = content(mine.replica.path)
    for side in ("", "-wal", "-shm"):
        mine.replica.path.with_name(mine.replica.path.name + side).unlink()
    await mine.sync.pull()
    assert content(mine.replica.path) == before
    assert mine.replica.rebuilt_because == "the file was gone"
    assert mine.replica.position() == mine.sync.status.position, "the UI's connection follows"
    await one_more(mine)


async def test_a_byte_changed_in_the_replica_alone_accuses_nobody(
    mine: Console, shared: SqliteShared, tmp_path: Path, clock: ManualClock
) -> None:
    before = content(mine.replica.path)
    for table, key, column in (("operator_log", "seq = 12", "body"), ("settings", "id = 'acme'", "image")):
        with closing(sqlite3.connect(mine.replica.path, isolation_level=None)) as connection:
            text = connection.execute(f"SELECT {column} FROM {table} WHERE {key}").fetchone()[0]
            changed = text.replace('"at":"2026', '"at":"2027').replace('"kill_switch":false', '"kill_switch":true')
            assert changed != text
            connection.execute(f"UPDATE {table} SET {column} = ? WHERE {key}", (changed,))
        assert await mine.sync.check_everything() == ()
        assert content(mine.replica.path) == before
        assert "was damaged" in mine.replica.rebuilt_because


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 2**32), length=st.sampled_from([1, 16, 4096, 20000]), kind=st.sampled_from(["", "-wal"]))
def test_any_damage_to_the_replica_heals(
    told: Path, vault: object, tmp_path_factory: pytest.TempPathFactory, seed: int, length: int, kind: str
) -> None:
    home = tmp_path_factory.mktemp("damage")
    shutil.copyfile(told, home / "shared.db")
    clock = ManualClock()

    async def run() -> None:
        shared = await SqliteShared.open(home / "shared.db", vault, clock)  # type: ignore[arg-type]  # the session's
        one = console(shared, home, clock, chunk=5)
        await one.sync.pull()
        whole = content(one.replica.path)
        if kind == "":
            await one.close()
        target = one.replica.path.with_name(one.replica.path.name + kind)
        dice = random.Random(seed)
        with target.open("r+b") as handle:
            handle.seek(dice.randrange(max(1, target.stat().st_size - length)))
            handle.write(dice.randbytes(length))
        if kind != "":  # as after a crash: what stands in the WAL is all there is
            copy = home / "crashed"
            shutil.copytree(one.replica.path.parent, copy)
            await one.close()
            shutil.rmtree(one.replica.path.parent)
            copy.rename(one.replica.path.parent)
        again = console(shared, home, clock)
        assert await again.sync.check_everything() == ()
        assert content(again.replica.path) == whole
        await again.close()
        await shared.close()

    asyncio.run(run())


KILLED = """
import asyncio, sys
from pathlib import Path
from storage.shared.postgres.shared import PostgresShared
from storage.shared.sqlite import SqliteShared
from storage.shared.vault import Vault, new_key
from tests.clock import ManualClock
from tests.sync.story import console

async def main():
    clock = ManualClock()
    home = Path(sys.argv[1])
    if len(sys.argv) > 2:
        shared = await PostgresShared.open(sys.argv[2])
    else:
        shared = await SqliteShared.open(home / "shared.db", Vault(new_key()), clock)
    one = console(shared, home, clock, chunk=1)
    await one.sync.pull(lambda done, total: print(done, flush=True))
    print("done", flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.mark.parametrize("killed_at", ["1", "3", "11", "all - 1"])
async def test_a_console_killed_while_it_syncs_leaves_a_consistent_replica(
    shared: SqliteShared, mine: Console, tmp_path: Path, clock: ManualClock, killed_at: str
) -> None:
    after = counted(killed_at, await length(shared))
    whole = content(mine.replica.path)
    await mine.close()
    shutil.rmtree(tmp_path / "console")
    url = [shared.url] if isinstance(shared, PostgresShared) else []
    process = subprocess.Popen([sys.executable, "-c", KILLED, str(tmp_path), *url], stdout=subprocess.PIPE, text=True)  # noqa: ASYNC220 - it is to be killed
    assert process.stdout is not None
    for line in process.stdout:
        if line.strip() == "done" or int(line) >= after:
            break
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    again = console(shared, tmp_path, clock)
    assert again.replica.rebuilt_because == ""
    position = again.replica.position()
    assert position is not None and position.head.seq >= after - 1
    await again.sync.pull()
    assert content(again.replica.path) == whole
    assert await again.sync.check_everything() == ()
    await again.close()


async def test_a_directory_that_cannot_be_written_is_said_in_words(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Misconfigured, match="cannot be opened"):
        Replica.open(tmp_path / "file" / "replica.db")


async def test_an_unreadable_witness_is_not_passed_over(mine: Console, tmp_path: Path, clock: ManualClock) -> None:
    await mine.close()
    mine.sync.witness.path.write_text("{")
    with pytest.raises(Corrupt, match="unreadable"):
        console(mine.shared, tmp_path, clock)
