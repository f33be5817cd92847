"""The tenant inspector, as it looks in three sizes."""

from __future__ import annotations

from collections.abc import Callable

from textual.pilot import Pilot

from tests.pilot.board_story import BoardApp
from tests.pilot.queue_world import ANN, VERA
from tests.snapshots.board_still import Still

Compare = Callable[..., bool]


def on(tenant: str, *keys: str) -> Callable[[Pilot[None]], object]:
    """Put the cursor on a tenant, then press."""

    async def before(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, BoardApp)
        await pilot.pause()
        app.tenants.table.move_to(tenant)
        await pilot.pause()
        await pilot.press(*keys)
        await pilot.pause()

    return before


def test_inspector(board: Still, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(board.app(VERA, "tenants"), terminal_size=size, run_before=on("northwind"))


def test_a_tenant_that_lets_nobody_in(board: Still, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(board.app(ANN, "tenants"), terminal_size=size, run_before=on("tailspin"))


def test_inspector_on_one_pane(board: Still, snap_compare: Compare) -> None:
    assert snap_compare(board.app(VERA, "tenants"), terminal_size=(80, 24), run_before=on("northwind", "enter"))
