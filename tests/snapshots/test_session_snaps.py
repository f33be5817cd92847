"""The countdown board and its dialogs, as they look in three sizes."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot

from storage.shared.vault import Vault
from tests.pilot.board_story import BoardApp
from tests.pilot.queue_world import ANN, DANA, RAJ
from tests.snapshots.board_still import SIZES, Still, keep_still

Compare = Callable[..., bool]


@pytest.fixture(scope="module")
def still(template: Path, vault: Vault, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Still]:
    path = tmp_path_factory.mktemp("still") / "shared.db"
    shutil.copyfile(template, path)
    kept = keep_still(path, vault)
    yield kept
    kept.world.replica.close()


def on(session: str, *keys: str) -> Callable[[Pilot[None]], object]:
    """Put the cursor on a session, then press."""

    async def before(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, BoardApp)
        await pilot.pause()
        app.board.table.move_to(session)
        await pilot.pause()
        await pilot.press(*keys)
        for _ in range(4):
            await pilot.pause()

    return before


@pytest.fixture(params=SIZES.values(), ids=SIZES.keys())
def size(request: pytest.FixtureRequest) -> tuple[int, int]:
    chosen: tuple[int, int] = request.param
    return chosen


def test_board(still: Still, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(still.app(DANA), terminal_size=size, run_before=on(still.morning.ann))


def test_detail_on_one_pane(still: Still, snap_compare: Compare) -> None:
    assert snap_compare(still.app(DANA), terminal_size=(80, 24), run_before=on(still.morning.ann, "enter"))


def test_log_a_view(still: Still, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(still.app(ANN), terminal_size=size, run_before=on(still.morning.ann, "l", *"refund 8842"))


def test_end_with_its_outcome(still: Still, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(still.app(ANN), terminal_size=size, run_before=on(still.morning.ann, "x"))


def test_outcome_owed(still: Still, snap_compare: Compare, size: tuple[int, int]) -> None:
    """The form says what is still missing."""
    app = still.app(DANA)
    assert snap_compare(app, terminal_size=size, run_before=on(still.morning.owed, "o", "ctrl+s"))


def test_force_end(still: Still, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(still.app(DANA), terminal_size=size, run_before=on(still.morning.ann, "f"))


def test_elevate(still: Still, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(still.app(ANN), terminal_size=size, run_before=on(still.morning.ann, "u"))


def test_countersign_elevation(still: Still, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(still.app(DANA), terminal_size=size, run_before=on(still.morning.raj, "c"))


def test_decline_elevation(still: Still, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(still.app(DANA), terminal_size=size, run_before=on(still.morning.raj, "D"))


def test_dossier(still: Still, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(still.app(RAJ), terminal_size=size, run_before=on(still.morning.ann, "d"))


def test_a_key_that_does_not_apply(still: Still, snap_compare: Compare) -> None:
    assert snap_compare(still.app(ANN), terminal_size=(120, 36), run_before=on(still.morning.raj, "f"))
