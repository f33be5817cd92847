"""REQ-405: every console remembers the heads it saw, in a file that outlives its replica."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from storage.errors import ForkedHistory
from storage.log.entry import Head
from storage.shared.sqlite import SqliteShared
from storage.witness import Witness
from tests.clock import ManualClock
from tests.sync import tampering
from tests.sync.behind import Intruder
from tests.sync.story import Console, console, length, one_more


def head(seq: int) -> Head:
    return Head(seq, f"{seq:064x}")


async def test_the_heads_of_every_log_are_on_disk_after_a_pull(mine: Console, behind: Intruder) -> None:
    on_disk = json.loads(mine.sync.witness.path.read_text())["heads"]
    assert on_disk == {
        str(log): [seq, str(entry_hash).lower()]
        for log, seq, entry_hash in behind.ask("SELECT log, seq, hex(hash) FROM log_head")
    }


def test_a_head_is_only_exchanged_for_a_later_one(tmp_path: Path) -> None:
    witness = Witness(tmp_path / "witness.json")
    witness.saw("e", {"operator": head(7), "tenant:a": head(3)})
    witness.saw("e", {"operator": head(5), "tenant:a": head(4)})
    witness.save()
    again = Witness(witness.path)
    assert again.heads == {"operator": head(7), "tenant:a": head(4)} and again.epoch == "e"
    assert again.contradicts("operator", 7, "0" * 64) and not again.contradicts("operator", 7, head(7).hash)


def test_two_processes_with_one_home_add_to_the_same_memory(tmp_path: Path) -> None:
    one, two = Witness(tmp_path / "witness.json"), Witness(tmp_path / "witness.json")
    one.saw("e", {"operator": head(7)})
    one.save()
    two.saw("e", {"operator": head(6), "tenant:a": head(4)})
    two.save()
    assert Witness(one.path).heads == {"operator": head(7), "tenant:a": head(4)}


async def test_a_cut_tail_is_noticed_although_the_replica_is_lost(
    mine: Console, shared: SqliteShared, behind: Intruder, tmp_path: Path, clock: ManualClock
) -> None:
    every = await length(shared)
    await mine.close()
    shutil.rmtree(mine.replica.path.parent / "state" / "evidence", ignore_errors=True)
    mine.replica.path.unlink()
    tampering.the_tail_cut_and_the_heads_set_back(behind)
    left = await length(shared)
    assert left < every
    again = console(shared, tmp_path, clock)
    with pytest.raises(ForkedHistory, match=f"this console saw number {every}, the log now ends at {left}"):
        await again.sync.pull()
    assert again.sync.status.forked
    await again.close()


async def test_a_rewritten_history_that_has_grown_is_noticed_although_the_replica_is_lost(
    mine: Console, shared: SqliteShared, behind: Intruder, tmp_path: Path, clock: ManualClock
) -> None:
    every = await length(shared)
    await mine.close()
    mine.replica.path.unlink()
    tampering.history_rewritten(behind)
    stranger = console(shared, tmp_path, clock, "stranger")
    await one_more(stranger)  # who never saw the true history cannot tell, and works on
    again = console(shared, tmp_path, clock)
    with pytest.raises(ForkedHistory, match="seen another entry under this number: the history was rewritten"):
        await again.sync.pull()
    assert again.replica.position() is not None and again.sync.status.verified_rev < every
    await stranger.close()
    await again.close()


async def test_another_database_under_the_same_name_is_noticed_although_the_replica_is_lost(
    mine: Console, template: Path, behind: Intruder, tmp_path: Path, clock: ManualClock
) -> None:
    await mine.close()
    mine.replica.path.unlink()
    shutil.copyfile(template, tmp_path / "fresh.db")
    behind_fresh = Intruder(tmp_path / "fresh.db")
    behind_fresh.run("UPDATE log_head SET epoch = 'of another day'")
    (tmp_path / "fresh.db").replace(behind.path)
    again = console(mine.shared, tmp_path, clock)
    with pytest.raises(ForkedHistory, match="the shared database now holds another one"):
        await again.sync.pull()
    assert again.replica.position() is None, "nothing of it was taken"
    await again.close()
