"""What all main screens have in common, in the whole console: tabs, keys that explain themselves, the honest state."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from textual.widgets import Static

from app.console import CountersignApp
from screens.actions import COMMON
from screens.help import HelpDialog
from screens.main import MainScreen, forms_of
from screens.sign_in import SignInDialog
from storage.log.verify import Fault
from tests.pilot.whole_console import console, make_home, until
from widgets.bars import KeyBar, StatusBar, TopBar
from widgets.dialog import Notice
from widgets.fields import FieldList


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_home(tmp_path_factory.mktemp("console") / "home")


def main_screen(app: CountersignApp) -> MainScreen:
    screen = app.screen_stack[0]
    assert isinstance(screen, MainScreen)
    return screen


def bar_text(app: CountersignApp, kind: type[TopBar] | type[KeyBar] | type[StatusBar]) -> str:
    return str(main_screen(app).query_one(kind).render())


async def test_number_keys_go_to_each_main_screen_and_the_tab_says_so(home: Path, tmp_path: Path) -> None:
    async with console(home, tmp_path) as (app, pilot):
        for key, mode in (("2", "sessions"), ("3", "audit"), ("4", "tenants"), ("1", "queue")):
            await pilot.press(key)
            assert app.current_mode == mode
            assert f"{key} {mode.title()}" in bar_text(app, TopBar)


async def test_the_status_line_is_live_and_says_how_far_it_is_verified(home: Path, tmp_path: Path) -> None:
    async with console(home, tmp_path) as (app, _):
        state = bar_text(app, StatusBar)
        assert "live" in state
        assert "rev 3,000 ✓" in state


async def test_a_key_that_does_not_apply_says_why(home: Path, tmp_path: Path) -> None:
    """ux.md, principle 1."""
    async with console(home, tmp_path) as (app, pilot):
        await pilot.press("3", "end")
        await until(pilot, lambda: main_screen(app).entry is not None)  # type: ignore[attr-defined]
        await pilot.press("s")
        await pilot.pause()
        assert app.current_mode == "audit"
        said = [notification.message for notification in app._notifications]
        assert said == ["this entry belongs to no session"]


async def test_help_lists_every_action_of_the_screen(home: Path, tmp_path: Path) -> None:
    async with console(home, tmp_path) as (app, pilot):
        for mode in "1234":
            await pilot.press(mode, "question_mark")
            await until(pilot, lambda: isinstance(app.screen, HelpDialog))
            text = app.screen.query_one(FieldList).text
            screen = main_screen(app)
            for action in (*screen.ACTIONS, *COMMON):
                assert action.id in "".join(text.split())
            await pilot.press("escape")


async def test_z_shows_utc_and_local_time(home: Path, tmp_path: Path) -> None:
    async with console(home, tmp_path, environment={"COUNTERSIGN_CONSOLE__CLOCK": "utc"}) as (app, pilot):
        assert app.context.utc
        await pilot.press("z")
        assert not app.context.utc


async def test_a_fault_is_loud_on_every_screen_and_opens_the_list(home: Path, tmp_path: Path) -> None:
    """REQ-403, REQ-404."""
    async with console(home, tmp_path) as (app, pilot):
        status = app.context.sync_status()
        assert status is not None
        found = replace(status, faults=(Fault("operator", 17, "its bytes\x1b[2J differ"),), forked=True)
        app.context.sync_status = lambda: found
        for mode in "1234":
            await pilot.press(mode)
            main_screen(app).refresh_frame()
            await until(pilot, lambda: "FAULT in operator 17: its bytes␛[2J differ" in bar_text(app, StatusBar))
            assert main_screen(app).query_one(StatusBar).has_class("-alarm")
        await pilot.press("exclamation_mark")
        await until(pilot, lambda: isinstance(app.screen, Notice))
        words = str(app.screen.query_one("#dialog-body Static", Static).content)
        assert "no. 17" in words
        assert "refused" in words


async def test_keys_can_be_changed_by_their_id(home: Path, tmp_path: Path) -> None:
    async with console(home, tmp_path) as (app, pilot):
        app.context.keymap = {"app.audit": "f5"}
        app.set_keymap(dict(app.context.keymap))
        await pilot.press("f5")
        assert app.current_mode == "audit"


async def test_quit_asks_only_if_something_of_mine_runs_or_waits(home: Path, tmp_path: Path) -> None:
    async with console(home, tmp_path) as (app, pilot):
        await pilot.press("q")
        await until(pilot, lambda: not app.is_running or app._exit)


async def test_signing_in_names_everyone_active_and_checks_the_code(home: Path, tmp_path: Path) -> None:
    """REQ-701, REQ-702."""
    async with console(home, tmp_path) as (app, pilot):
        await pilot.press("ctrl+o")
        await until(pilot, lambda: isinstance(app.screen, SignInDialog))
        await pilot.press("tab", *"000000", "enter")
        problem = app.screen.query_one("#dialog-problem", Static)
        await until(pilot, lambda: problem.has_class("-told"))
        await pilot.press("escape")
        assert app.context.staff is not None


@pytest.mark.parametrize("theme", ["dark", "light", "high-contrast", "ansi"])
async def test_every_theme_can_be_set(home: Path, tmp_path: Path, theme: str) -> None:
    async with console(home, tmp_path, environment={"COUNTERSIGN_CONSOLE__THEME": theme}) as (app, _):
        assert app.theme == theme


def test_who_i_am_shortens_before_it_is_cut() -> None:
    assert forms_of("ann@ops.example", "super") == (
        "ann@ops.example · super",
        "ann@ops · super",
        "ann · super",
        "ann",
    )
