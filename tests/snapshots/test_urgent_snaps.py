"""Break-glass at each of its stages, an emergency, and the fastest way in, as they look in three sizes (REQ-108, 109;
issue 4, section 1)."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from storage.shared.vault import Vault
from tests.pilot.queue_world import ANN, DANA, RAJ
from tests.snapshots.queue_still import StillQueue
from tests.snapshots.test_request_snaps import SIZES, on
from tests.snapshots.urgent_still import LEE, keep_night_still

Compare = Callable[..., bool]
STAGES = {
    "undecided": RAJ,
    "declared": DANA,
    "unmailed": RAJ,
    "cooling": RAJ,
    "usable": ANN,
    "vetoed": ANN,
    "waiting": ANN,
    "alarmed": LEE,
    "emergency": ANN,
}
"""Each stage, and who looks at it."""


@pytest.fixture(scope="module")
def night(template: Path, vault: Vault, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StillQueue]:
    path = tmp_path_factory.mktemp("still-night") / "shared.db"
    shutil.copyfile(template, path)
    kept = keep_night_still(path, vault)
    yield kept
    kept.world.replica.close()


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys())
@pytest.mark.parametrize("stage", STAGES)
def test_a_way_in(night: StillQueue, snap_compare: Compare, stage: str, size: tuple[int, int]) -> None:
    """What became of it, what is possible now, and what that costs."""
    keys = ("enter",) if size[0] < 100 else ()
    app = night.app(STAGES[stage])
    assert snap_compare(app, terminal_size=size, run_before=on(night.ids[stage], *keys))
