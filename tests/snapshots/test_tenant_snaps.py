"""The tenant inspector, as it looks in three sizes."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot

from storage.shared.vault import Vault
from tests.pilot.board_story import BoardApp
from tests.pilot.queue_world import ANN, VERA
from tests.snapshots.board_still import SIZES, Still, keep_still

Compare = Callable[..., bool]


@pytest.fixture(scope="module")
def still(template: Path, vault: Vault, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Still]:
    path = tmp_path_factory.mktemp("still") / "shared.db"
    shutil.copyfile(template, path)
    kept = keep_still(path, vault)
    yield kept
    kept.world.replica.close()


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


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys())
def test_inspector(still: Still, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(still.app(VERA, "tenants"), terminal_size=size, run_before=on("northwind"))


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys())
def test_a_tenant_that_lets_nobody_in(still: Still, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(still.app(ANN, "tenants"), terminal_size=size, run_before=on("tailspin"))


def test_inspector_on_one_pane(still: Still, snap_compare: Compare) -> None:
    assert snap_compare(still.app(VERA, "tenants"), terminal_size=(80, 24), run_before=on("northwind", "enter"))
