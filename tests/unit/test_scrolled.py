"""The table's own scrollbar: it says where one is, and wheel, drag and click on it move the rows, never the cursor."""

from __future__ import annotations

from textual import events

from tests.unit.test_table import numbered, showing
from widgets.rows import ListSource
from widgets.scroll_track import EIGHTHS, thumb_of


def test_the_thumb_stands_at_either_end_exactly_when_the_list_does() -> None:
    for height, extent in ((10, 11), (10, 40), (35, 1_000_000)):
        first, last = thumb_of(height, extent, 0), thumb_of(height, extent, extent - height)
        assert first.start == 0
        assert first.end - first.start >= EIGHTHS, "never thinner than a cell"
        assert abs(last.end - height * EIGHTHS) <= 1


async def test_there_is_a_bar_only_where_there_is_more_to_see() -> None:
    async with showing(numbered(0, 5)) as (app, pilot):
        assert not app.table.has_bar and app.table.room == app.table.size.width
        app.table.show(ListSource(numbered(0, 50)))
        await pilot.pause()
        assert app.table.has_bar and app.table.room == app.table.size.width - 1
        await pilot.resize_terminal(60, 60)
        await pilot.pause()
        assert not app.table.has_bar


async def test_the_wheel_moves_the_rows_and_not_the_cursor() -> None:
    async with showing(numbered(0, 50)) as (app, pilot):
        for kind, moved in ((events.MouseScrollDown, True), (events.MouseScrollUp, False)):
            app.table.post_message(kind(app.table, 5, 5, 0, 0, 0, False, False, False))
            await pilot.pause()
            assert (app.table.top > 0) is moved
            assert app.table.cursor_key == "r0"


async def test_dragging_the_thumb_to_the_end_shows_the_last_row_and_back_the_first() -> None:
    async with showing(numbered(0, 50)) as (app, pilot):
        x, last = app.table.size.width - 1, app.table.size.height - 1
        await pilot.mouse_down(app.table, offset=(x, 0))
        await pilot.hover(app.table, offset=(x, last))
        assert "r49" in app.lines()[-1]
        await pilot.hover(app.table, offset=(x, 0))
        assert "r0 " in app.lines()[1]
        await pilot.mouse_up(app.table, offset=(x, 0))
        await pilot.hover(app.table, offset=(x, last))
        assert "r0 " in app.lines()[1], "let go: the mouse moves nothing any more"
        assert app.table.cursor_key == "r0"


async def test_a_click_beside_the_thumb_moves_by_a_page() -> None:
    async with showing(numbered(0, 50)) as (app, pilot):
        x, height = app.table.size.width - 1, app.table.size.height
        await pilot.click(app.table, offset=(x, height - 1))
        assert app.table.top == height
        await pilot.click(app.table, offset=(x, 0))
        assert app.table.top == 0
        assert app.table.cursor_key == "r0" and app.said == ["on r0"]
