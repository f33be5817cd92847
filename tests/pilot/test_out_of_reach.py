"""REQ-802, ux.md principle 1: offline, a key that needs the shared database says so before anybody types words for it,
and a form says so while it is filled in."""

from __future__ import annotations

import asyncio

from textual.widgets import Static

from screens.new_request import NewRequestScreen
from tests.pilot.test_outbox import cells, console_of, live, state
from tests.pilot.whole_console import until
from tests.terminal.headless import ANN, SUE, Home, home, prepared

__all__ = ["home", "prepared"]


async def test_a_force_end_is_refused_before_its_reason_is_typed(home: Home) -> None:
    session = (await asyncio.to_thread(home.inside))["id"]
    elsewhere = home.database.with_name("elsewhere.db")
    async with console_of(home, SUE) as (app, pilot):
        await pilot.press("2")
        await until(pilot, lambda: app.current_mode == "sessions" and bool(cells(app, session)))
        home.database.rename(elsewhere)
        await until(pilot, lambda: not live(app) and "OFFLINE" in state(app))
        await pilot.press("f")
        await until(pilot, lambda: any("ask a super who can reach it" in one for one in app.said))
        assert "Force-end: not now offline since" in "\n".join(app.said)
        assert len(app.screen_stack) == 1, "nothing is asked that would be for nothing"

        elsewhere.rename(home.database)
        await until(pilot, lambda: live(app))
        await pilot.press("f")
        await until(pilot, lambda: len(app.screen_stack) == 2)


async def test_a_form_says_while_one_types_that_it_cannot_be_sent(home: Home) -> None:
    elsewhere = home.database.with_name("elsewhere.db")
    async with console_of(home, ANN) as (app, pilot):
        await pilot.press("n")
        await until(pilot, lambda: isinstance(app.screen, NewRequestScreen))
        form = app.screen

        def verdict() -> str:
            return str(form.query_one("#new-verdict", Static).render())

        assert "offline" not in verdict()
        home.database.rename(elsewhere)
        await until(pilot, lambda: "✗ offline since" in verdict())
        await pilot.press("ctrl+s")
        await until(pilot, lambda: any("Not yet offline since" in one for one in app.said))
        elsewhere.rename(home.database)
        await until(pilot, lambda: "offline" not in verdict())
