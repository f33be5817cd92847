"""What pictures have in common: stories kept still in a copy of the database, one for each module; the sizes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.shared.vault import Vault
from tests.snapshots import board_still
from tests.snapshots.queue_still import StillQueue
from tests.snapshots.urgent_still import keep_night_still


@pytest.fixture(scope="module")
def copied(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shared database of the module's own."""
    path = tmp_path_factory.mktemp("still") / "shared.db"
    shutil.copyfile(template, path)
    return path


@pytest.fixture(scope="module")
def board(copied: Path, vault: Vault) -> Iterator[board_still.Still]:
    kept = board_still.keep_still(copied, vault)
    yield kept
    kept.world.replica.close()


@pytest.fixture(scope="module")
def night(copied: Path, vault: Vault) -> Iterator[StillQueue]:
    kept = keep_night_still(copied, vault)
    yield kept
    kept.world.replica.close()


@pytest.fixture(params=list(board_still.SIZES.values()), ids=list(board_still.SIZES))
def size(request: pytest.FixtureRequest) -> tuple[int, int]:
    chosen: tuple[int, int] = request.param
    return chosen
