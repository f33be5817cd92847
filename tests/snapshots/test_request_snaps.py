"""The queue, the form and their dialogs, as they look in three sizes and in every theme."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot

from screens.new_emergency import NewEmergencyScreen
from screens.new_request import NewRequestScreen
from screens.step_up import StepUpDialog
from storage.shared.vault import Vault
from tests.pilot.queue_app import QueueApp, settled
from tests.pilot.queue_world import ANN, DANA, RAJ, REASON
from tests.snapshots.queue_still import StillQueue, keep_still
from widgets.entry import LineEntry, Tick
from widgets.text_entry import TextEntry
from widgets.themes import THEMES

Compare = Callable[..., bool]
Before = Callable[[Pilot[None]], Awaitable[None]]


@pytest.fixture(scope="module")
def still(copied: Path, vault: Vault) -> Iterator[StillQueue]:
    kept = keep_still(copied, vault)
    yield kept
    kept.world.replica.close()


def on(request: str, *keys: str) -> Before:
    """Put the cursor on a request, then press keys one by one, letting each take effect."""

    async def before(pilot: Pilot[None]) -> None:
        app = pilot.app
        assert isinstance(app, QueueApp)
        await settled(pilot)
        app.queue.table.move_to(request)
        for key in keys:
            await settled(pilot)
            await pilot.press(key)
        await settled(pilot)

    return before


async def fill_in(pilot: Pilot[None], screen: NewRequestScreen, reason: str) -> None:
    """Whom it is for, the ticket, the reason, and one way tried."""
    await pilot.press(*"northw", "enter")
    await pilot.press(*"wen", "enter")
    screen.query_one("#ticket", LineEntry).prefill("T-48271")
    screen.query_one("#reason", TextEntry).prefill(reason)
    screen.query_one("#tried-logs", Tick).value = True


def complete_it(screen: NewRequestScreen) -> None:
    """The rest."""
    screen.query_one("#why-not", LineEntry).prefill("the logs end at the gateway, the state is not in them")
    screen.query_one("#scope", LineEntry).prefill("refund 8841, payment event 991")
    screen.query_one("#records", LineEntry).prefill("2")
    screen.query_one("#minutes", LineEntry).prefill("90")


async def judged(pilot: Pilot[None], screen: NewRequestScreen) -> None:
    await pilot.pause()
    while screen.judging:
        await pilot.pause(0.02)


def form(*, reason: str = "", full: bool = False, complete: bool = False, keys: tuple[str, ...] = ()) -> Before:
    """Open the form and fill it in; `keys` at the end."""

    async def before(pilot: Pilot[None]) -> None:
        await settled(pilot)
        await pilot.press("n")
        screen = await settled(pilot)
        assert isinstance(screen, NewRequestScreen)
        if reason:
            await fill_in(pilot, screen, reason)
        if complete:
            complete_it(screen)
        screen.query_one("#mode-full", Tick).value = full
        await judged(pilot, screen)
        for key in keys:
            await pilot.press(key)
        await settled(pilot)

    return before


def test_queue(still: StillQueue, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(still.app(ANN), terminal_size=size, run_before=on(still.ids["question"]))


@pytest.mark.parametrize("theme", [theme.name for theme in THEMES])
def test_queue_in_every_theme(still: StillQueue, snap_compare: Compare, theme: str) -> None:
    assert snap_compare(still.app(ANN, theme), terminal_size=(120, 36), run_before=on(still.ids["urgent"]))


def test_detail_on_one_pane(still: StillQueue, snap_compare: Compare) -> None:
    before = on(still.ids["question"], "enter")
    assert snap_compare(still.app(ANN), terminal_size=(80, 24), run_before=before)


def test_hostile_text_is_drawn_as_marks(still: StillQueue, snap_compare: Compare) -> None:
    assert snap_compare(still.app(ANN), terminal_size=(120, 36), run_before=on(still.ids["hostile"]))


def test_history_by_filter(still: StillQueue, snap_compare: Compare, size: tuple[int, int]) -> None:
    before = on(still.ids["question"], "slash", *"state:denied", "down")
    assert snap_compare(still.app(RAJ), terminal_size=size, run_before=before)


def test_explain(still: StillQueue, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(still.app(RAJ), terminal_size=size, run_before=on(still.ids["full"], "e"))


def test_withdraw(still: StillQueue, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(still.app(RAJ), terminal_size=size, run_before=on(still.ids["full"], "w"))


def test_countersign(still: StillQueue, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(still.app(DANA), terminal_size=size, run_before=on(still.ids["full"], "c"))


def test_answer(still: StillQueue, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(still.app(ANN), terminal_size=size, run_before=on(still.ids["question"], "a"))


def test_a_key_that_does_not_apply_says_why(still: StillQueue, snap_compare: Compare) -> None:
    assert snap_compare(still.app(ANN), terminal_size=(80, 24), run_before=on(still.ids["full"], "w"))


def test_step_up(still: StillQueue, snap_compare: Compare, size: tuple[int, int]) -> None:
    async def before(pilot: Pilot[None]) -> None:
        await settled(pilot)
        dialog = StepUpDialog(
            "start the session (30 min)",
            "R-7K2F9Q · Northwind Travel, as Maria Santos · T-48271",
            problem="wrong code; 4 more tries before it is locked",
        )
        await pilot.app.push_screen(dialog)
        await pilot.press(*"123")
        await pilot.pause()

    assert snap_compare(still.app(ANN), terminal_size=size, run_before=before)


def test_form_empty(still: StillQueue, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(still.app(ANN), terminal_size=size, run_before=form())


def test_form_type_ahead(still: StillQueue, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(still.app(ANN), terminal_size=size, run_before=form(keys=("r", "a", "down")))


def test_form_with_a_vague_reason(still: StillQueue, snap_compare: Compare, size: tuple[int, int]) -> None:
    before = form(reason="troubleshooting the urgent issue", full=True)
    assert snap_compare(still.app(ANN), terminal_size=size, run_before=before)


def test_form_ready(still: StillQueue, snap_compare: Compare, size: tuple[int, int]) -> None:
    assert snap_compare(still.app(ANN), terminal_size=size, run_before=form(reason=REASON, complete=True))


def test_explanation_on_one_pane(still: StillQueue, snap_compare: Compare) -> None:
    before = form(reason=REASON, complete=True, keys=("f2",))
    assert snap_compare(still.app(ANN), terminal_size=(80, 24), run_before=before)


def test_leaving_asks(still: StillQueue, snap_compare: Compare, size: tuple[int, int]) -> None:
    before = form(reason=REASON, keys=("escape",))
    assert snap_compare(still.app(ANN), terminal_size=size, run_before=before)


def test_emergency(still: StillQueue, snap_compare: Compare, size: tuple[int, int]) -> None:
    """A super declares one: what is entered, which harm, why it cannot wait (REQ-109)."""
    assert snap_compare(still.app(DANA), terminal_size=size, run_before=on(still.ids["urgent"], "E"))


def emergency_anew(*keys: str) -> Before:
    """A super's form for what nobody has asked for, filled in."""

    async def before(pilot: Pilot[None]) -> None:
        await settled(pilot)
        await pilot.press("N")
        screen = await settled(pilot)
        assert isinstance(screen, NewEmergencyScreen)
        await pilot.press(*"raj", "enter")
        await fill_in(pilot, screen, REASON)
        complete_it(screen)
        await judged(pilot, screen)
        await settled(pilot)
        for key in keys:
            await pilot.press(key)
            await settled(pilot)

    return before


def test_emergency_anew(still: StillQueue, snap_compare: Compare, size: tuple[int, int]) -> None:
    """For whom, what, and what will happen, before anything is sent (REQ-109, REQ-113)."""
    assert snap_compare(still.app(DANA), terminal_size=size, run_before=emergency_anew())


def test_emergency_anew_asks_which_harm(still: StillQueue, snap_compare: Compare, size: tuple[int, int]) -> None:
    before = emergency_anew("ctrl+s", *"secur", "enter")
    assert snap_compare(still.app(DANA), terminal_size=size, run_before=before)
