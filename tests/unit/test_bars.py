"""The line of keys, where room is short (ux.md: 80×24 is a real size)."""

from __future__ import annotations

from textual.app import App, ComposeResult

from widgets.bars import Hint, KeyBar

KEYS = (
    Hint("a", "n", "New"),
    Hint("b", "s", "Start…", enabled=False),
    Hint("c", "w", "Withdraw…", enabled=False),
    Hint("d", "r", "Again…"),
    Hint("app.help", "?", "Help"),
)


class Bar(App[None]):
    def compose(self) -> ComposeResult:
        yield KeyBar()


async def shown(width: int) -> str:
    app = Bar()
    async with app.run_test(size=(width, 3)) as pilot:
        bar = app.query_one(KeyBar)
        bar.show(KEYS)
        await pilot.pause()
        return bar.render().plain.strip()


async def test_every_key_is_shown_where_there_is_room() -> None:
    assert await shown(60) == "n New  s Start…  w Withdraw…  r Again…  ? Help"


async def test_keys_that_do_not_apply_leave_first() -> None:
    assert await shown(40) == "n New  s Start…  r Again…  … ? Help"
    assert await shown(28) == "n New  r Again…  … ? Help"


async def test_the_way_to_all_keys_never_leaves() -> None:
    assert await shown(20) == "n New  … ? Help"
    assert await shown(9) == "… ? Help"
