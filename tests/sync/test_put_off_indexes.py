"""A replica that takes in a long history does so without indexes, and never stays without."""

from __future__ import annotations

from pathlib import Path

import pytest

from storage import sync_intake
from storage.replica.engine import Replica
from storage.shared.sqlite import SqliteShared
from tests.clock import ManualClock
from tests.sync.story import console


def indexes(replica: Replica) -> set[str]:
    found = replica.reader.execute("SELECT name FROM sqlite_schema WHERE type = 'index' AND sql IS NOT NULL")
    return {name for (name,) in found}


async def test_a_replica_that_was_cut_short_before_its_indexes_is_completed_by_the_next_pull(
    shared: SqliteShared, tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync_intake, "_LONG", 5)
    cut = console(shared, tmp_path, clock, "cut", chunk=7)
    complete = indexes(cut.replica)
    with monkeypatch.context() as killed:
        killed.setattr(sync_intake.Intake, "make_index", lambda self: False)
        await cut.sync.pull()
        await cut.close()
    again = console(shared, tmp_path, clock, "cut")
    assert not indexes(again.replica)
    await again.sync.pull()
    assert indexes(again.replica) == complete
    assert again.replica.damage() == ""
    assert not await again.sync.check_everything()
    await again.close()
