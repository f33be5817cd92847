"""The populated world, for every test of a service."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.shared.sqlite import SqliteShared
from storage.shared.vault import OpenVault, Vault, new_key
from tests.clock import ManualClock
from tests.services.world import World


@pytest.fixture
def vault(request: pytest.FixtureRequest, sealing: Vault) -> Vault:
    """PostgreSQL checks codes itself: there secrets are not sealed."""
    if "form" in request.fixturenames and request.getfixturevalue("form") == "postgres":
        return OpenVault(new_key())
    return sealing


@pytest.fixture
async def world(shared: SqliteShared, vault: Vault, clock: ManualClock, tmp_path: Path) -> AsyncIterator[World]:
    made = await World.made(shared, vault, clock, tmp_path / "home")
    yield made
    await made.close()
