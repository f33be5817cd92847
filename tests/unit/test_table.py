"""The one table, in an application of its own: what changes elsewhere moves nothing under a person's eyes."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

from textual.app import App, ComposeResult
from textual.pilot import Pilot

from widgets.cells import LeftCell, Tone, Toned
from widgets.columns import Column
from widgets.rows import WINDOW, ListSource, RowView, heading
from widgets.table import VirtualTable
from widgets.themes import THEMES

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
COLUMNS = (Column("id", "id", 8), Column("name", "name", 20, least=6, grow=1), Column("left", "left", 7, priority=1))


class Bench(App[None]):
    """A table and nothing else."""

    def __init__(self) -> None:
        super().__init__()
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = "dark"
        self.time = NOON
        self.said: list[str] = []

    def compose(self) -> ComposeResult:
        yield VirtualTable(COLUMNS, lambda: self.time)

    @property
    def table(self) -> VirtualTable:
        return self.query_one(VirtualTable)

    def on_virtual_table_highlighted(self, event: VirtualTable.Highlighted) -> None:
        self.said.append(f"on {event.key}")

    def on_virtual_table_chosen(self, event: VirtualTable.Chosen) -> None:
        self.said.append(f"chose {event.key}")

    def lines(self) -> list[str]:
        """What is read, without the scrollbar."""
        table = self.table
        return [table.render_line(y).crop(0, table.room).text for y in range(table.size.height)]


def row(name: str, name_text: str = "", minutes: int = 10) -> RowView:
    return RowView(name, (name, name_text or f"name of {name}", LeftCell(NOON + timedelta(minutes=minutes))))


def numbered(first: int, last: int) -> list[RowView]:
    return [row(f"r{number}") for number in range(first, last)]


@asynccontextmanager
async def showing(
    rows: Sequence[RowView], size: tuple[int, int] = (60, 12)
) -> AsyncIterator[tuple[Bench, Pilot[None]]]:
    app = Bench()
    async with app.run_test(size=size) as pilot:
        app.table.show(ListSource(rows))
        app.table.focus()
        await pilot.pause()
        yield app, pilot


class Counted:
    """A million rows that remember which windows were asked for."""

    def __init__(self) -> None:
        self.asked: list[int] = []

    def count(self) -> int:
        return 1_000_000

    def rows(self, start: int, number: int) -> Sequence[RowView]:
        self.asked.append(start)
        return [RowView(str(index), (str(index), "x", "")) for index in range(start, start + number)]

    def index_of(self, key: str) -> int | None:
        return int(key)


async def test_a_million_rows_cost_the_windows_that_are_looked_at() -> None:
    async with showing([]) as (app, pilot):
        source = Counted()
        app.table.show(source)
        await pilot.press("end")
        assert app.table.cursor_key == "999999"
        assert "999999" in app.lines()[-1]
        await pilot.press("home", "pagedown")
        assert len(set(source.asked)) <= 4
        assert all(start % WINDOW == 0 for start in source.asked)


async def test_the_cursor_passes_over_headings() -> None:
    rows = [heading("NEEDS ME"), row("a"), heading("OTHERS"), row("b"), row("c")]
    async with showing(rows) as (app, pilot):
        assert app.table.cursor_key == "a"
        await pilot.press("down")
        assert app.table.cursor_key == "b"
        await pilot.press("up")
        assert app.table.cursor_key == "a"
        await pilot.press("up")
        assert app.table.cursor_key == "a"


async def test_rows_that_come_in_above_do_not_move_what_is_read() -> None:
    async with showing(numbered(0, 50)) as (app, pilot):
        await pilot.press(*["down"] * 20)
        before = app.lines()
        app.table.show(ListSource([row("new1"), row("new2"), *numbered(0, 50)]))
        await pilot.pause()
        assert app.table.cursor_key == "r20"
        assert app.lines()[1:] == before[1:]
        assert "2 new ↑" in app.lines()[0]
        await pilot.press("home")
        await pilot.pause()
        assert "new" not in app.lines()[0]


async def test_the_cursor_stays_at_its_place_when_its_row_goes() -> None:
    async with showing(numbered(0, 5)) as (app, pilot):
        await pilot.press("down", "down")
        app.table.show(ListSource([one for one in numbered(0, 5) if one.key != "r2"]))
        await pilot.pause()
        assert app.table.cursor_key == "r3"
        assert app.said[-1] == "on r3"


async def test_a_list_that_empties_and_fills_again_is_told() -> None:
    async with showing(numbered(0, 3)) as (app, pilot):
        app.table.show(ListSource())
        await pilot.pause()
        assert app.table.cursor_key is None
        assert "nothing here" in "".join(app.lines())
        app.table.show(ListSource(numbered(7, 9)))
        await pilot.pause()
        assert app.said[-2:] == ["on None", "on r7"]


async def test_a_passing_second_repaints_only_the_times_that_read_differently() -> None:
    async with showing([row("a", minutes=5), row("b", minutes=120)]) as (app, pilot):
        assert "5:00" in app.lines()[1]
        app.time += timedelta(seconds=1)
        painted: list[object] = []
        original = app.table.refresh
        app.table.refresh = lambda *regions, **kw: (painted.extend(regions), original(*regions, **kw))[1]  # type: ignore[method-assign]
        app.table.refresh_time_cells()
        await pilot.pause()
        assert [region.y for region in painted] == [1, 2]  # type: ignore[attr-defined]
        painted.clear()
        app.table.refresh_time_cells()
        assert painted == []
        assert "4:59" in app.lines()[1]


async def test_columns_that_have_no_room_are_told() -> None:
    async with showing(numbered(0, 3), size=(24, 6)) as (app, _):
        assert "+1 ›" in app.lines()[0]


async def test_what_is_told_about_columns_hides_no_title() -> None:
    async with showing(numbered(0, 3), size=(18, 6)) as (app, _):
        assert app.lines()[0].split() == ["id", "+1", "›", "name"]


async def test_enter_and_a_second_click_choose() -> None:
    async with showing(numbered(0, 5)) as (app, pilot):
        await pilot.press("enter")
        await pilot.click(VirtualTable, offset=(5, 3))
        await pilot.click(VirtualTable, offset=(5, 3), times=2)
        assert app.said[-1] == "chose r2"
        assert "chose r0" in app.said


async def test_vim_letters_move_too() -> None:
    async with showing(numbered(0, 50)) as (app, pilot):
        await pilot.press("j", "j", "k")
        assert app.table.cursor_key == "r1"
        await pilot.press("G")
        assert app.table.cursor_key == "r49"
        await pilot.press("g")
        assert app.table.cursor_key == "r0"


async def test_wide_and_combining_letters_keep_the_columns_straight() -> None:
    rows = [
        row("a", "漢字" * 13),
        row("b", "e\u0301" * 40),
        row("c", "plain"),
    ]
    async with showing(rows) as (app, _):
        lines = [app.table.render_line(y) for y in (1, 2, 3)]
        assert {line.cell_length for line in lines} == {60}
        assert "…" in lines[0].text


async def test_markup_in_a_cell_is_text() -> None:
    async with showing([row("a", "[red]x[/red] [@click=quit]y")]) as (app, _):
        assert "[red]x[/red] [@click=quit]y" in app.lines()[1]


async def test_the_cursor_can_be_seen_without_colour() -> None:
    async with showing([RowView("a", ("a", Toned("x", Tone.BAD), ""))]) as (app, _):
        assert app.lines()[1].startswith("▸ a")
