"""The review screen, as it looks in three sizes."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot

from app.services.desk import Desk
from storage.replica.engine import Replica
from storage.shared.vault import Vault
from storage.sync import SyncStatus
from tests.clock import ManualClock
from tests.pilot.board_story import BoardApp
from tests.pilot.queue_world import DANA, VERA, QueueWorld, open_world
from tests.pilot.review_story import Waiting, tell_reviews

Compare = Callable[..., bool]
Told = tuple[QueueWorld, Waiting]


@pytest.fixture(scope="module")
def told(copied: Path, vault: Vault) -> Iterator[Told]:
    async def tell() -> Told:
        async with open_world(copied, vault, ManualClock()) as world:
            return world, await tell_reviews(world)

    world, waiting = asyncio.run(tell())
    replica = Replica.open(world.replica.path)
    desk = Desk(world.shared, replica, world.sync, world.still)
    yield dataclasses.replace(world, replica=replica, desk=desk), waiting
    replica.close()


def app_of(told: Told, email: str) -> BoardApp:
    world, _ = told
    app = BoardApp(world, email, "review")
    position = world.replica.position()
    assert position is not None
    status = SyncStatus(live=True, position=position, verified_rev=position.head.seq)
    app.context.sync_status = lambda: status
    return app


def pressing(*keys: str) -> Callable[[Pilot[None]], object]:
    async def before(pilot: Pilot[None]) -> None:
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()

    return before


def test_reviews(told: Told, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(app_of(told, VERA), terminal_size=size, run_before=pressing())


def test_an_emergency_to_be_signed(told: Told, snap_compare: Compare, size: tuple[int, int]) -> None:
    keys = ("down", "enter") if size[0] < 110 else ("down",)
    assert snap_compare(app_of(told, DANA), terminal_size=size, run_before=pressing(*keys))


def test_sign(told: Told, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(app_of(told, VERA), terminal_size=size, run_before=pressing("s"))
