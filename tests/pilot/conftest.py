"""What pilots of single screens have in common: a company on a shared database and one replica, and its stories."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.shared.vault import Vault
from tests.clock import ManualClock
from tests.pilot.board_story import Morning, tell_morning
from tests.pilot.queue_world import QueueWorld, open_world


@pytest.fixture
async def world(shared_path: Path, vault: Vault, clock: ManualClock) -> AsyncIterator[QueueWorld]:
    async with open_world(shared_path, vault, clock) as made:
        yield made


@pytest.fixture
async def morning(world: QueueWorld) -> Morning:
    return await tell_morning(world)
