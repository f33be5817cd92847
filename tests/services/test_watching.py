"""`changes`: a hint whenever the shared file has changed, by whomever (design.md, "The core idea")."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.shared.interface import Hint
from storage.shared.sqlite import SqliteShared
from storage.shared.vault import Vault
from storage.shared.watching import watch
from tests.clock import ManualClock
from tests.services.changes import importing

NEVER = 3600.0


@pytest.fixture
async def hints(shared_path: Path, shared: SqliteShared) -> AsyncIterator[AsyncIterator[Hint]]:
    watching = watch(shared_path, slow_seconds=NEVER)
    assert await anext(watching) is Hint.SLOW  # at once: nothing between a pull and the first look is missed
    yield watching
    await watching.aclose()  # type: ignore[attr-defined]  # a generator


async def test_ones_own_change_is_a_hint(hints: AsyncIterator[Hint], shared: SqliteShared, clock: ManualClock) -> None:
    await shared.apply(importing("northwind", clock.now()))
    assert await anext(hints) is Hint.MOVED


async def test_anothers_change_is_a_hint(
    hints: AsyncIterator[Hint], shared_path: Path, vault: Vault, clock: ManualClock
) -> None:
    other = await SqliteShared.open(shared_path, vault, clock)
    for number in range(3):
        await other.apply(importing(f"t{number}", clock.now()))
        assert await anext(hints) is Hint.MOVED
    await other.close()


async def test_a_change_without_an_entry_is_told_apart(
    hints: AsyncIterator[Hint], shared: SqliteShared, shared_path: Path, clock: ManualClock
) -> None:
    await shared.apply(importing("northwind", clock.now()))
    assert await anext(hints) is Hint.MOVED
    behind = sqlite3.connect(shared_path)
    with behind:
        behind.execute("UPDATE tenant SET rev = rev + 1")
    behind.close()
    assert await anext(hints) is Hint.SILENT


async def test_another_file_at_the_place_is_a_hint(
    hints: AsyncIterator[Hint], shared_path: Path, template: Path
) -> None:
    shutil.copyfile(template, shared_path.with_name("restored.db"))
    shared_path.with_name("restored.db").rename(shared_path)
    assert await anext(hints) is Hint.MOVED


async def test_a_file_that_goes_away_and_comes_back_is_two_hints(hints: AsyncIterator[Hint], shared_path: Path) -> None:
    elsewhere = shared_path.with_name("elsewhere.db")
    shutil.move(shared_path, elsewhere)
    assert await anext(hints) is Hint.MOVED
    shutil.move(elsewhere, shared_path)
    assert await anext(hints) is Hint.MOVED


async def test_without_any_change_the_slow_poll_comes_round(shared_path: Path) -> None:
    watching = watch(shared_path, slow_seconds=0.01)
    assert [await anext(watching) for _ in range(3)] == [Hint.SLOW] * 3
    await watching.aclose()  # type: ignore[attr-defined]  # a generator


async def test_a_writer_in_mid_commit_is_not_mistaken_for_trouble(
    hints: AsyncIterator[Hint], shared_path: Path
) -> None:
    writer = sqlite3.connect(shared_path, isolation_level=None)
    writer.execute("BEGIN EXCLUSIVE")
    waiting = asyncio.ensure_future(anext(hints))
    with pytest.raises(TimeoutError):
        await asyncio.wait_for(asyncio.shield(waiting), 0.1)
    writer.execute("UPDATE tenant SET rev = rev + 1")
    writer.execute("PRAGMA user_version = 7")
    writer.execute("COMMIT")
    writer.close()
    assert await waiting is Hint.SILENT
