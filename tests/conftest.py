"""Fixtures that every test may use: a clock to move by hand, a vault, and a real shared database of its own."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from storage.shared.opening import create_file
from storage.shared.sqlite import SqliteShared
from storage.shared.vault import Vault, new_key
from tests.clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="session")
def vault() -> Vault:
    return Vault(new_key())


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new, empty shared database, made once: alembic takes longer than a test. Never opened, only copied."""
    path = tmp_path_factory.mktemp("template") / "shared.db"
    create_file(path)
    return path


@pytest.fixture
def shared_path(template: Path, tmp_path: Path) -> Path:
    """A file of its own with a shared database as `create` leaves it."""
    path = tmp_path / "shared.db"
    shutil.copyfile(template, path)
    return path


@pytest.fixture
async def shared(shared_path: Path, vault: Vault, clock: ManualClock) -> AsyncIterator[SqliteShared]:
    database = await SqliteShared.open(shared_path, vault, clock)
    yield database
    await database.close()
