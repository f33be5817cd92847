"""REQ-404, REQ-405: whatever is changed behind the log's back, a running console and `audit verify` say which log,
which number and what is wrong."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from storage.errors import ForkedHistory
from storage.log.verify import Fault, Report, verify_all
from storage.models import tables
from storage.replica.schema import PRIVATE
from storage.shared.reading import row_tables
from storage.shared.sqlite import SqliteShared
from storage.sync import ChangeSet
from storage.sync_checked import public_tables
from tests.clock import ManualClock
from tests.sync import tampering
from tests.sync.behind import Intruder
from tests.sync.story import Console, console, length, one_more
from tests.sync.tampering import Expected

HOW_LONG = 20.0
"""Seconds after which a test gives up waiting; nothing is asserted about how fast it was."""


async def until_found(running: Console, expected: Expected, meanwhile: Callable[[], None]) -> tuple[Fault, ...]:
    """Run the console's sync, let `meanwhile` happen once it is live, and wait until the fault is published."""
    live, found = asyncio.Event(), asyncio.Event()
    published: list[Fault] = []

    def publish(change_set: ChangeSet) -> None:
        live.set()
        published.extend(change_set.faults)
        if expected.among(tuple(published)):
            found.set()

    task = asyncio.create_task(running.sync.run(publish))
    try:
        await asyncio.wait_for(live.wait(), HOW_LONG)
        await asyncio.to_thread(meanwhile)
        await asyncio.wait_for(found.wait(), HOW_LONG)
    except TimeoutError:
        pytest.fail(f"{expected} is not among {published}")
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return tuple(published)


async def verified(shared: SqliteShared, witness: Console | None = None) -> Report:
    seen = witness.sync.witness if witness is not None else None
    return await verify_all(shared, row_tables(), seen=seen)


def test_every_row_table_is_verified() -> None:
    assert set(row_tables()) == set(tables.ROW_TABLES) == public_tables() | PRIVATE


async def test_a_true_history_has_no_fault(mine: Console, shared: SqliteShared) -> None:
    assert await mine.sync.check_everything() == ()
    report = await verified(shared, mine)
    assert report.sound and report.logs == 3
    for table in row_tables():
        assert await shared.rows(table, "", 1), f"the story leaves no row table empty, but {table}"


@pytest.mark.parametrize("tamper", tampering.LOGS, ids=lambda tamper: tamper.__name__)
async def test_a_running_console_names_what_was_done_to_the_logs(
    mine: Console, behind: Intruder, tamper: Callable[[Intruder], Expected]
) -> None:
    undisturbed = mine.sync.status.position
    copy = behind.path.with_name("preview.db")
    shutil.copyfile(behind.path, copy)
    expected = tamper(Intruder(copy))

    await until_found(mine, expected, lambda: void(tamper(behind)))

    assert mine.sync.status.forked
    assert mine.sync.status.position == undisturbed, "nothing is resynchronised behind anyone's back"
    assert mine.sync.status.verified_rev <= undisturbed.head.seq  # type: ignore[union-attr]


@pytest.mark.parametrize("tamper", tampering.LOGS, ids=lambda tamper: tamper.__name__)
async def test_verify_names_what_was_done_to_the_logs(
    mine: Console, shared: SqliteShared, behind: Intruder, tamper: Callable[[Intruder], Expected]
) -> None:
    expected = tamper(behind)
    report = await verified(shared, mine)
    assert expected.among(report.faults), report.faults


@pytest.mark.parametrize("tamper", tampering.LOGS, ids=lambda tamper: tamper.__name__)
async def test_a_fresh_replica_with_the_heads_seen_does_not_swallow_it(
    mine: Console, shared: SqliteShared, behind: Intruder, clock: ManualClock, tamper: Callable[[Intruder], Expected]
) -> None:
    home = mine.replica.path.parent.parent
    await mine.close()
    mine.replica.path.unlink()
    tamper(behind)
    again = console(shared, home, clock)
    with_fault = False
    try:
        with_fault = bool(await again.sync.check_everything())
    except ForkedHistory:
        with_fault = True
    assert with_fault and again.sync.status.forked
    await again.close()


@pytest.mark.parametrize("table", row_tables())
@pytest.mark.parametrize("tamper", tampering.ROWS, ids=lambda tamper: tamper.__name__)
async def test_verify_names_the_row_and_the_entry_that_vouches_for_it(
    mine: Console, shared: SqliteShared, behind: Intruder, table: str, tamper: Callable[[Intruder, str], Expected]
) -> None:
    expected = tamper(behind, table)
    report = await verified(shared)
    assert expected.among(report.faults), report.faults
    assert expected.among(await mine.sync.check_everything()), mine.sync.status.faults


@pytest.mark.parametrize("tamper", tampering.ROWS, ids=lambda tamper: tamper.__name__)
@pytest.mark.parametrize("table", ["settings", "credential", "command"])
async def test_a_running_console_notices_a_row_changed_behind_the_logs_back(
    mine: Console, behind: Intruder, table: str, tamper: Callable[[Intruder, str], Expected]
) -> None:
    copy = behind.path.with_name("preview.db")
    shutil.copyfile(behind.path, copy)
    expected = tamper(Intruder(copy), table)
    await until_found(mine, expected, lambda: void(tamper(behind, table)))
    assert mine.sync.status.forked


async def test_a_row_changed_before_it_is_pulled_is_never_shown(
    shared: SqliteShared, behind: Intruder, tmp_path: Path, clock: ManualClock
) -> None:
    behind.run("UPDATE settings SET image = json_set(image, '$.kill_switch', json('true')) WHERE id = 'acme'")
    fresh = console(shared, tmp_path, clock, "fresh")
    await fresh.sync.pull()
    (fault,) = fresh.sync.status.faults
    assert "table settings, row acme: its image is not the one this entry vouches for" in str(fault)
    assert fresh.replica.reader.execute("SELECT id FROM settings").fetchall() == [("zeta",)]
    assert fresh.sync.status.forked
    await fresh.close()


async def test_evidence_keeps_both_sides_in_full(mine: Console, behind: Intruder) -> None:
    ((true_body,),) = behind.ask("SELECT body FROM operator_log WHERE seq = 12")
    tampering.one_byte(behind)
    ((false_body,),) = behind.ask("SELECT body FROM operator_log WHERE seq = 12")
    await mine.sync.check_everything()
    (file,) = (mine.sync.witness.path.parent / "evidence").iterdir()
    (finding,) = json.loads(file.read_text())["findings"]
    assert (finding["log"], finding["seq"]) == ("operator", 12)
    assert (finding["expected"]["body"], finding["found"]["body"]) == (true_body, false_body)


async def test_the_same_fault_is_told_once(mine: Console, behind: Intruder) -> None:
    tampering.one_byte(behind)
    first = await mine.sync.check_everything()
    assert await mine.sync.check_everything() == first
    assert len(list((mine.sync.witness.path.parent / "evidence").iterdir())) == 1


async def test_a_cut_log_that_grows_again_is_one_fault(
    mine: Console, shared: SqliteShared, behind: Intruder, clock: ManualClock
) -> None:
    tampering.the_tail_cut_and_the_heads_set_back(behind)
    behind.run("UPDATE session SET image = json_set(image, '$.views', 2)")
    with pytest.raises(ForkedHistory):
        await mine.sync.pull()
    faults = mine.sync.status.faults
    end = await length(shared) - 1
    behind.run(f"DELETE FROM operator_log WHERE seq > {end}", f"UPDATE log_head SET seq = {end} WHERE log = 'operator'")
    with pytest.raises(ForkedHistory, match=f"the log now ends at {end}"):
        await mine.sync.pull()
    assert mine.sync.status.faults == faults


async def test_a_restored_older_backup_is_a_fork(
    mine: Console, shared: SqliteShared, behind: Intruder, told: Path, clock: ManualClock
) -> None:
    """REQ-405: the file of an hour ago, put back under the name, with new work on top of it."""
    await one_more(mine)
    position = mine.sync.status.position
    assert position is not None
    seq = position.head.seq
    backup = behind.path.with_name("backup.db")
    shutil.copyfile(told, backup)
    backup.replace(behind.path)
    with pytest.raises(ForkedHistory, match=f"this console saw number {seq}, the log now ends at {seq - 1}"):
        await mine.sync.pull()
    report = await verified(shared, mine)
    assert Expected("operator", seq, f"this console saw number {seq}").among(report.faults)

    other = console(shared, behind.path.parent, clock, "other")
    await one_more(other)
    with pytest.raises(ForkedHistory, match=f"number {seq}: this console saw another entry under number {seq}"):
        await mine.sync.pull()
    assert mine.sync.status.position == position
    await other.close()


def void(_: object) -> None:
    """Says that an answer is not wanted."""
