"""The countdown board and its dialogs, as they look in three sizes."""

from __future__ import annotations

from collections.abc import Callable

from textual.pilot import Pilot

from tests.pilot.board_story import BoardApp
from tests.pilot.queue_world import ANN, DANA, RAJ
from tests.snapshots.board_still import Still

Compare = Callable[..., bool]


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


def test_board(board: Still, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(board.app(DANA), terminal_size=size, run_before=on(board.morning.ann))


def test_detail_on_one_pane(board: Still, snap_compare: Compare) -> None:
    assert snap_compare(board.app(DANA), terminal_size=(80, 24), run_before=on(board.morning.ann, "enter"))


def test_log_a_view(board: Still, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(board.app(ANN), terminal_size=size, run_before=on(board.morning.ann, "l", *"refund 8842"))


def test_end_with_its_outcome(board: Still, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(board.app(ANN), terminal_size=size, run_before=on(board.morning.ann, "x"))


def test_outcome_owed(board: Still, snap_compare: Compare, size: tuple[int, int]) -> None:
    """The form says what is still missing."""
    app = board.app(DANA)
    assert snap_compare(app, terminal_size=size, run_before=on(board.morning.owed, "o", "ctrl+s"))


def test_force_end(board: Still, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(board.app(DANA), terminal_size=size, run_before=on(board.morning.ann, "f"))


def test_elevate(board: Still, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(board.app(ANN), terminal_size=size, run_before=on(board.morning.ann, "u"))


def test_countersign_elevation(board: Still, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(board.app(DANA), terminal_size=size, run_before=on(board.morning.raj, "c"))


def test_decline_elevation(board: Still, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(board.app(DANA), terminal_size=size, run_before=on(board.morning.raj, "D"))


def test_dossier(board: Still, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(board.app(RAJ), terminal_size=size, run_before=on(board.morning.ann, "d"))


def test_a_key_that_does_not_apply(board: Still, snap_compare: Compare) -> None:
    assert snap_compare(board.app(ANN), terminal_size=(120, 36), run_before=on(board.morning.raj, "f"))
