"""The demo's mailbox (REQ-803): one plays the tenant's admin, who stops break-glass (REQ-108) and shuts everything off
(REQ-110), each by the link of a letter."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from textual.pilot import Pilot
from textual.widgets import Button

from app.demo.console import DemoConsole
from app.demo.home import DemoHome
from app.demo.people import PRESENTER
from app.launch import Launch
from screens.demo_mailbox import MailboxDialog
from storage.models import Request, RequestState, Settings
from tests.pilot.whole_console import until
from widgets.dialog import Confirm
from widgets.table import VirtualTable

SIZES = [(80, 24), (120, 36)]


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> DemoHome:
    home = DemoHome.of(Launch.of(home=str(tmp_path_factory.mktemp("demo")), environment={}))
    home.prepare(fresh=False, progress=lambda words: None)
    return home


@asynccontextmanager
async def mailbox(home: DemoHome, size: tuple[int, int]) -> AsyncIterator[tuple[DemoConsole, Pilot[None]]]:
    """The demo with its mailbox open."""
    with home.entered() as number:
        app = DemoConsole(home.launch(number, PRESENTER, {}), home, number)
        async with app.run_test(size=size) as pilot:
            await until(pilot, lambda: (status := app.context.sync_status()) is not None and status.live)
            await pilot.press("f9")
            await until(pilot, lambda: isinstance(app.screen, MailboxDialog) and bool(app.screen.query(VirtualTable)))
            yield app, pilot


def requests(app: DemoConsole, state: RequestState) -> list[Request]:
    """The presenter's own."""
    assert app.context.replica is not None and app.context.staff is not None
    found = app.context.replica.view("").find(Request, engineer_id=app.context.staff.id)
    return [one for one in found if one.state is state]


async def stand_on(app: DemoConsole, pilot: Pilot[None], act: str, among: list[Request]) -> Request:
    """Move to a letter about one of these whose link does that: which one that is. (Of what is pending, some is
    undecided and over by time.)"""
    dialog, wanted = app.screen, {one.id: one for one in among}
    assert isinstance(dialog, MailboxDialog)
    found = [
        (key, wanted[standing.request.id])
        for key, letter in dialog.letters.items()
        if (standing := dialog.standing(letter)) and standing.request.id in wanted and act in standing.acts
    ]
    key, request = found[0]
    dialog.query_one(VirtualTable).move_to(key)
    button = dialog.query_one(f"#choice-{act}", Button)
    await until(pilot, lambda: not button.disabled and button.display)
    return request


@pytest.mark.parametrize("size", SIZES)
async def test_every_button_is_in_sight(home: DemoHome, size: tuple[int, int]) -> None:
    async with mailbox(home, size) as (app, pilot):
        await stand_on(app, pilot, "approve", requests(app, RequestState.PENDING))
        await pilot.pause()
        shown = [one for one in app.screen.query("#dialog-buttons Button") if one.display]
        box = app.screen.query_one("#box").region
        assert len(shown) == 6
        assert all(box.contains_region(one.region) and one.region.width for one in shown), [one.region for one in shown]


async def test_a_veto_stops_break_glass_for_good(home: DemoHome) -> None:
    """REQ-108: by the link of the urgent letter, in place of approve and deny."""
    async with mailbox(home, (120, 36)) as (app, pilot):
        (cooling,) = requests(app, RequestState.COOLING)
        await stand_on(app, pilot, "veto", [cooling])
        assert not app.screen.query_one("#choice-deny", Button).display
        await pilot.press("v", *"booked by hand", "enter")
        await until(pilot, lambda: cooling.id in {one.id for one in requests(app, RequestState.VETOED)})
        (vetoed,) = requests(app, RequestState.VETOED)
        assert vetoed.decision_note == "booked by hand"


async def test_the_tenants_kill_switch_is_turned_and_turned_back(home: DemoHome) -> None:
    """REQ-110: asked for first, and by the tenant's admin alone."""
    async with mailbox(home, (120, 36)) as (app, pilot):
        waiting = await stand_on(app, pilot, "approve", requests(app, RequestState.PENDING))

        def is_shut() -> bool:
            assert app.context.replica is not None
            settings = app.context.replica.view("").get(Settings, waiting.tenant_id)
            return settings is not None and settings.kill_switch

        dialog = app.screen
        assert isinstance(dialog, MailboxDialog)
        for shut in (True, False):
            await pilot.press("s")
            await until(pilot, lambda: isinstance(app.screen, Confirm))
            assert is_shut() is not shut, "nothing is done before the question is answered"
            await pilot.press("y")
            await until(pilot, lambda shut=shut: is_shut() is shut and not dialog.busy)  # type: ignore[misc]
