"""Break-glass at each of its stages, an emergency, and the fastest way in, as they look in three sizes (REQ-108, 109;
issue 4, section 1)."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.pilot.queue_world import ANN, DANA, RAJ
from tests.snapshots.board_still import SIZES
from tests.snapshots.queue_still import StillQueue
from tests.snapshots.test_request_snaps import on
from tests.snapshots.urgent_still import LEE

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


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys())
@pytest.mark.parametrize("stage", STAGES)
def test_a_way_in(night: StillQueue, snap_compare: Compare, stage: str, size: tuple[int, int]) -> None:
    """What became of it, what is possible now, and what that costs."""
    keys = ("enter",) if size[0] < 100 else ()
    app = night.app(STAGES[stage])
    assert snap_compare(app, terminal_size=size, run_before=on(night.ids[stage], *keys))
