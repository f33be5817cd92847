"""The populated world, for every test of a service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.shared.sqlite import SqliteShared
from storage.shared.vault import Vault
from tests.clock import ManualClock
from tests.services.world import World


@pytest.fixture
async def world(shared: SqliteShared, vault: Vault, clock: ManualClock, tmp_path: Path) -> AsyncIterator[World]:
    made = await World.made(shared, vault, clock, tmp_path / "home")
    yield made
    await made.close()
