"""REQ-802 on the screens: before, during and after the shared database is away. Real files throughout."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

from textual.pilot import Pilot

from app.console import CountersignApp
from app.launch import Launch
from screens.main import MainScreen
from screens.outbox import OutboxDialog
from screens.queued import outbox_now
from tests.pilot.whole_console import until
from tests.terminal.headless import ANN, Home, home, prepared
from widgets.bars import StatusBar
from widgets.fields import FieldList
from widgets.table import VirtualTable

__all__ = ["home", "prepared"]


class Told(CountersignApp):
    """The console, with every notification kept."""

    said: list[str]

    def notify(self, message: str, *, title: str = "", **how: Any) -> None:
        self.__dict__.setdefault("said", []).append(f"{title} {message}")
        super().notify(message, title=title, **how)


@asynccontextmanager
async def console_of(
    home: Home, who: str, size: tuple[int, int] = (120, 36)
) -> AsyncIterator[tuple[Told, Pilot[None]]]:
    app = Told(Launch.of(home=str(home.path), identity=who, environment={}))
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: (status := app.context.sync_status()) is not None and status.live)
        yield app, pilot


def state(app: CountersignApp) -> str:
    return str(front(app).query_one(StatusBar).render())


def front(app: CountersignApp) -> MainScreen:
    screen = app.screen_stack[0]
    assert isinstance(screen, MainScreen)
    return screen


def details(app: CountersignApp) -> str:
    return " ".join(" ".join(one.text for one in front(app).query(FieldList)).split())


def cells(app: CountersignApp, key: str) -> str:
    """The row of that key in the list in front; "" where it is not listed."""
    table = front(app).query(VirtualTable).first()
    if not table.move_to(key) or table.cursor_row is None:
        return ""
    return " ".join(getattr(cell, "text", str(cell)) for cell in table.cursor_row.cells)


def live(app: CountersignApp) -> bool:
    status = app.context.sync_status()
    return status is not None and status.live


async def test_a_withdrawal_before_during_and_after(home: Home) -> None:
    """Queued, not in force, wherever it shows; sent by itself when the database is back."""
    request = (await asyncio.to_thread(home.asked))["id"]
    async with console_of(home, ANN) as (app, pilot):
        await until(pilot, lambda: bool(cells(app, request)))
        assert "live" in state(app) and "queued" not in state(app)

        elsewhere = home.database.with_name("elsewhere.db")
        home.database.rename(elsewhere)
        await until(pilot, lambda: not live(app))
        await pilot.press("w")
        await until(pilot, lambda: len(app.screen_stack) == 2)
        await pilot.press("ctrl+s")
        await until(pilot, lambda: len(outbox_now(app.context).waiting) == 1)
        await until(pilot, lambda: "1 queued, not in force" in state(app))
        assert "OFFLINE" in state(app)
        await until(pilot, lambda: "⇡ queued" in cells(app, request))
        assert f"withdrawal of {request} by Ann Lee: queued, not in force" in details(app)
        assert "queued, not in force" in "\n".join(app.said)

        await pilot.press("O")
        await until(pilot, lambda: isinstance(app.screen, OutboxDialog))
        assert f"withdrawal of {request}" in " ".join(app.screen.query_one(FieldList).text.split())
        await pilot.press("escape")

        elsewhere.rename(home.database)
        await until(pilot, lambda: not outbox_now(app.context).waiting)
        await until(pilot, lambda: any("in force since" in one for one in app.said))
        await until(pilot, lambda: not cells(app, request))
        await until(pilot, lambda: "queued" not in state(app))
    shown = await asyncio.to_thread(home.ok, "request", "show", request, "--json")
    assert shown.document["state"] == "withdrawn"


async def test_what_came_to_nothing_is_told_until_it_is_seen(home: Home) -> None:
    """Conflicts become words for the person, and wait for them even when the console was closed meanwhile."""
    request = (await asyncio.to_thread(home.asked))["id"]
    token = home.token("maria", "deny")
    elsewhere = home.database.with_name("elsewhere.db")
    home.database.rename(elsewhere)
    await asyncio.to_thread(home.process, "request", "withdraw", request, who=ANN)
    elsewhere.rename(home.database)
    kept = home.path / "state" / "outbox"
    aside = kept.rename(kept.with_name("aside"))  # another machine decides first
    await asyncio.to_thread(home.process, "consent", "deny", token)
    aside.rename(kept)
    async with console_of(home, ANN) as (app, pilot):
        await until(pilot, lambda: "1 not applied: press O" in state(app))
        assert any("denied by Maria Santos" in one and "not needed" in one for one in app.said)
        await pilot.press("O")
        await until(pilot, lambda: isinstance(app.screen, OutboxDialog))
        assert "someone was faster" in " ".join(app.screen.query_one(FieldList).text.split())
        await pilot.press("escape")
        await until(pilot, lambda: "not applied" not in state(app))


async def test_an_ending_is_marked_on_the_board_until_it_is_in_force(home: Home) -> None:
    session = (await asyncio.to_thread(home.inside))["id"]
    elsewhere = home.database.with_name("elsewhere.db")
    async with console_of(home, ANN) as (app, pilot):
        home.database.rename(elsewhere)
        await until(pilot, lambda: not live(app))
        outcome = ("--cause", "a", "--changed", "nothing", "--beyond-scope", "no")
        await asyncio.to_thread(partial(home.process, "session", "end", session, *outcome, who=ANN))
        await pilot.press("2")
        await until(pilot, lambda: app.current_mode == "sessions" and "1 queued, not in force" in state(app))
        await until(pilot, lambda: "⇡" in cells(app, session))
        await until(pilot, lambda: f"ending of {session} by Ann Lee: queued, not in force" in details(app))
        elsewhere.rename(home.database)
        await until(pilot, lambda: not outbox_now(app.context).waiting)
        await until(pilot, lambda: "⇡" not in cells(app, session))
        assert any("ending of" in one and "in force since" in one for one in app.said)
