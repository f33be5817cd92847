"""The outbox, with something that waits and something of every end, as it looks in three sizes (REQ-802)."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from textual.pilot import Pilot

from screens.outbox import OutboxDialog
from storage.models.row import Json
from storage.outbox import Kept, KeptState, Outbox
from storage.shared.vault import Vault
from tests.pilot.queue_app import settled
from tests.pilot.queue_world import ANN
from tests.snapshots.board_still import SIZES
from tests.snapshots.queue_still import StillQueue, keep_still

Compare = Callable[..., bool]
CAME_BACK = {
    KeptState.SENT: "refusal of full mode of {} in force since 12:20 UTC",
    KeptState.CONFLICT: "{} was denied by Maria Santos at 12:02 UTC; your withdrawal was not needed",
    KeptState.REFUSED: "the session is another engineer's: nothing was done",
}


@pytest.fixture
def still(template: Path, vault: Vault, tmp_path: Path) -> StillQueue:
    path = tmp_path / "shared.db"
    shutil.copyfile(template, path)
    return keep_still(path, vault)


def fill(outbox: Outbox, still: StillQueue) -> None:
    """A withdrawal that waits; a refusal, a withdrawal and an ending that came back."""
    now, who = still.world.clock.now(), still.world.actor(ANN)
    note: dict[str, Json] = {"note": "the customer found it"}
    kept = (
        ("request.decline", "full", KeptState.SENT),
        ("request.withdraw", "denied", KeptState.CONFLICT),
        ("session.end", "running", KeptState.REFUSED),
        ("request.withdraw", "approved", KeptState.QUEUED),
    )
    for number, (command, about, state) in enumerate(kept):
        at = now - timedelta(minutes=40 - number * 9)
        one = Kept(f"00000000-0000-7000-8000-00000000000{number}", command, (still.ids[about],), who, note, 7, at)
        outbox.keep(one)
        if state is not KeptState.QUEUED:
            outbox.settle(one.id, state, CAME_BACK[state].format(still.ids[about]), now)


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys())
@pytest.mark.parametrize("full", [True, False], ids=["full", "empty"])
def test_outbox(still: StillQueue, snap_compare: Compare, tmp_path: Path, size: tuple[int, int], full: bool) -> None:
    outbox = Outbox(tmp_path / "outbox.db")
    if full:
        fill(outbox, still)
    still.world.desk.outbox = outbox
    app = still.app(ANN)

    async def before(pilot: Pilot[None]) -> None:
        await settled(pilot)
        await pilot.app.push_screen(OutboxDialog(app.context))
        await pilot.pause()

    assert snap_compare(app, terminal_size=size, run_before=before)
    still.world.replica.close()
