"""Keys that come in one burst, faster than a dialog is built or left: none of them ends the console."""

from __future__ import annotations

from textual.app import App

from widgets.dialog import Notice
from widgets.themes import DEFAULT, THEMES


class Reading(App[None]):
    """A notice over nothing."""

    def __init__(self) -> None:
        super().__init__()
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = DEFAULT


async def test_a_key_that_is_faster_than_the_dialog_does_no_harm() -> None:
    app = Reading()
    async with app.run_test() as pilot:
        notice = Notice("A notice", "words")
        app.push_screen(notice)
        notice.action_scroll_body(1_000_000)  # nothing of it is there yet
        await notice.action_choose("cancel")
        await pilot.pause()
        assert app.screen is notice


async def test_leaving_a_dialog_twice_leaves_what_is_under_it_alone() -> None:
    app = Reading()
    async with app.run_test() as pilot:
        below, above = Notice("Below", "words"), Notice("Above", "words")
        await app.push_screen(below)
        await app.push_screen(above)
        await above.action_cancel()
        await above.action_cancel()
        await pilot.pause()
        assert app.screen is below
