"""The one table: every list of the console, the audit viewer's million entries included.

A Line-API ScrollView that asks a `RowSource` for windows of rows and paints only the lines on screen. What changes
elsewhere never moves what somebody reads: after a reload the cursor stands on the same key, on the same screen line,
and rows that came in above are announced in the header (`3 new ↑`). Cells that depend on the time are drawn when
painted, and `refresh_time_cells` repaints only those whose text has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from typing import ClassVar

from textual import events, on
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.scrollbar import ScrollBar
from textual.strip import Strip

from widgets.cells import Tone
from widgets.columns import Column
from widgets.direct import DirectLines
from widgets.rows import ListSource, RowSource, RowView, Windows
from widgets.table_lines import LinePainter

HEADER = 1
"""Lines above the rows."""

EIGHTHS = 8
"""Steps of a scrollbar's thumb within a cell."""


class VirtualTable(DirectLines, ScrollView, can_focus=True):
    """Columns and rows with a cursor. `now` is the clock by which time cells are drawn. `moved` is told the cursor's
    key at once, so that a detail is painted in the key's own frame; `Highlighted` says the same one frame later."""

    ALLOW_SELECT = False

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "cursor(-1)", "Up", show=False, id="table.up"),
        Binding("down,j", "cursor(1)", "Down", show=False, id="table.down"),
        Binding("pageup,ctrl+b", "page(-1)", "Page up", show=False, id="table.page-up"),
        Binding("pagedown,ctrl+f", "page(1)", "Page down", show=False, id="table.page-down"),
        Binding("home,g", "edge(0)", "First", show=False, id="table.first"),
        Binding("end,G", "edge(1)", "Last", show=False, id="table.last"),
        Binding("enter", "choose", "Choose", show=False, id="table.choose"),
    ]

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "table--header",
        "table--heading",
        "table--cursor",
        "table--empty",
        *(f"table--{tone}" for tone in Tone),
    }

    DEFAULT_CSS = """
    VirtualTable {
        height: 1fr; width: 1fr; overflow-x: hidden; overflow-y: auto;
        background: $background; color: $foreground; scrollbar-size-vertical: 1;
        & > .table--header { color: $text-muted; text-style: none; }
        & > .table--heading { color: $text-muted; text-style: bold; }
        & > .table--empty { color: $text-muted; }
        & > .table--cursor { background: $cursor-quiet; color: $foreground; }
        &:focus > .table--cursor { background: $cursor; color: $foreground; text-style: bold; }
        & > .table--dim { color: $tone-dim; }
        & > .table--strong { text-style: bold; }
        & > .table--accent { color: $tone-accent; }
        & > .table--good { color: $tone-good; }
        & > .table--soon { color: $tone-soon; }
        & > .table--bad { color: $tone-bad; text-style: bold; }
    }
    VirtualTable:ansi {
        & > .table--cursor { text-style: underline; }
        &:focus > .table--cursor { text-style: bold reverse; }
        & > .table--dim, & > .table--header, & > .table--empty { text-style: dim; }
    }
    """

    class Highlighted(Message):
        """The cursor stands on another row; `key` is None when the table is empty."""

        def __init__(self, table: VirtualTable, key: str | None) -> None:
            super().__init__()
            self.table, self.key = table, key

        @property
        def control(self) -> VirtualTable:
            return self.table

    class Chosen(Message):
        """Enter or a double click on a row."""

        def __init__(self, table: VirtualTable, key: str) -> None:
            super().__init__()
            self.table, self.key = table, key

        @property
        def control(self) -> VirtualTable:
            return self.table

    def __init__(
        self,
        columns: Sequence[Column],
        now: Callable[[], datetime],
        *,
        empty: str = "nothing here",
        moved: Callable[[str | None], None] | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.empty = empty
        self._moved = moved
        self._windows = Windows(ListSource())
        self._cursor: tuple[str, int] | None = None
        self._new_above = 0
        self._thumb = (-1, -1)
        self._painter = LinePainter(self, columns, now)

    # -- what is shown -------------------------------------------------------------------------------------------

    @property
    def cursor_key(self) -> str | None:
        """The key of the row under the cursor."""
        return self._cursor[0] if self._cursor else None

    @property
    def cursor_row(self) -> RowView | None:
        """The row under the cursor."""
        return self._windows.row(self._cursor[1]) if self._cursor else None

    @property
    def count(self) -> int:
        """Rows shown, headings included."""
        return self._windows.count

    def show(self, source: RowSource, *, from_top: bool = False) -> None:
        """Show these rows. The cursor stays on its key and its screen line; `from_top` starts anew (another filter)."""
        top, before, old_count = round(self.scroll_y), self._cursor, self._windows.count
        anchor = self._anchor(top)
        old_windows, self._windows = self._windows, Windows(source)
        self._painter.forget_rows()
        self.virtual_size = Size(self.size.width, self._windows.count + HEADER)
        if from_top:
            self._cursor, self._new_above = None, 0
            self._place_cursor(0)
            self._scroll(0)
        else:
            found = source.index_of(anchor[0]) if anchor else None
            moved = found - anchor[1] if found is not None and anchor else 0
            self._scroll(top + moved)
            if moved > 0 and round(self.scroll_y) > 0:
                self._new_above += max(0, min(moved, self._windows.count - old_count))
            place = source.index_of(before[0]) if before else None
            self._place_cursor(place if place is not None else before[1] if before else 0)
        self._repaint(old_windows, top, before)
        if self.cursor_key != (before[0] if before else None):
            self._tell_moved()

    def refresh_time_cells(self) -> None:
        """Repaint the visible cells whose text has changed with the time. Cheap enough for every tick."""
        top, width = round(self.scroll_y), self.scrollable_content_region.width
        regions: list[Region] = []
        for y in range(HEADER, self.size.height):
            row = self._windows.row(top + y - HEADER)
            if row is None:
                break
            if not row.heading:
                spans = self._painter.changed(top + y - HEADER, row, width)
                regions += (Region(start, y, size, 1) for start, size in spans)
        if regions:
            self.refresh(*regions)

    def move_to(self, key: str) -> bool:
        """Put the cursor on a row and bring it into view; False if there is no such row."""
        index = self._windows.source.index_of(key)
        if index is None:
            return False
        self._move(index)
        return True

    # -- cursor and scrolling ------------------------------------------------------------------------------------

    def action_cursor(self, step: int) -> None:
        index = (self._cursor[1] if self._cursor else -1) + step
        while (row := self._windows.row(index)) is not None and row.heading:
            index += step
        if row is not None:
            self._move(index)
        elif step < 0:
            self._scroll(0)

    def action_page(self, step: int) -> None:
        page = max(1, self.size.height - HEADER - 1)
        index = (self._cursor[1] if self._cursor else 0) + step * page
        self._scroll(round(self.scroll_y) + step * page)
        self._move(min(max(index, 0), self._windows.count - 1), prefer=step)

    def action_edge(self, last: int) -> None:
        self._move(self._windows.count - 1 if last else 0, prefer=-1 if last else 1)

    def action_choose(self) -> None:
        if self._cursor:
            self.post_message(self.Chosen(self, self._cursor[0]))

    def on_click(self, event: events.Click) -> None:
        index = round(self.scroll_y) + event.y - HEADER
        row = self._windows.row(index) if event.y >= HEADER else None
        if row is None or row.heading:
            return
        again = self._cursor is not None and self._cursor[0] == row.key
        self._move(index)
        if event.chain > 1 and again:
            self.action_choose()

    def on_resize(self) -> None:
        self._painter.forget_rows()
        self.virtual_size = Size(self.size.width, self._windows.count + HEADER)
        if self._cursor:
            self._into_view(self._cursor[1])

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        if self.show_vertical_scrollbar:
            self._move_thumb(new_value)
        if round(old_value) != round(new_value):
            self.refresh(self.size.region)
        if round(new_value) == 0:
            self._new_above = 0

    def _move_thumb(self, position: float) -> None:
        """Tell the scrollbar, and let it repaint only if its thumb moves by what it can show, an eighth of a cell: in
        a million rows that is seldom, and painting it costs as much as painting the rows."""
        bar = self.vertical_scrollbar
        rows, beyond = bar.size.height, bar.window_virtual_size - bar.window_size
        room = rows - max(1.0, bar.window_size * rows / max(1, bar.window_virtual_size))
        thumb = (rows, int(room * position / beyond * EIGHTHS) if beyond > 0 else 0)
        if thumb != self._thumb:
            self._thumb = thumb
            bar.position = position
        else:
            bar.set_reactive(ScrollBar.position, position)

    def notify_style_update(self) -> None:
        self._painter.forget_styles()
        super().notify_style_update()

    @on(events.Focus)
    @on(events.Blur)
    def _focus_changed(self) -> None:
        self._painter.forget_styles()
        self.refresh()

    def _move(self, index: int, prefer: int = 1) -> None:
        """Cursor to `index`, or to the nearest row that is no heading; into view; told."""
        before = self._cursor
        self._place_cursor(index, prefer)
        if self._cursor is None:
            return
        if before != self._cursor:
            for changed in (before, self._cursor):
                if changed:
                    self.refresh_line(changed[1] + HEADER)
        self._into_view(self._cursor[1])
        if before is None or before[0] != self._cursor[0]:
            self._tell_moved()

    def _tell_moved(self) -> None:
        if self._moved is not None:
            self._moved(self.cursor_key)
        self.post_message(self.Highlighted(self, self.cursor_key))

    def _place_cursor(self, index: int, prefer: int = 1) -> None:
        index = min(max(index, 0), self._windows.count - 1)
        for step in (prefer, -prefer):
            place = index
            while (row := self._windows.row(place)) is not None:
                if not row.heading:
                    self._cursor = (row.key, place)
                    return
                place += step
        self._cursor = None

    def _into_view(self, index: int) -> None:
        top, page = round(self.scroll_y), max(1, self.size.height - HEADER)
        above = self._windows.row(index - 1)
        first = index - 1 if above is not None and above.heading else index
        if first < top:
            self._scroll(first)
        elif index >= top + page:
            self._scroll(index - page + 1)

    def _scroll(self, y: int) -> None:
        self.scroll_to(y=y, animate=False)

    def _anchor(self, top: int) -> tuple[str, int] | None:
        """The row that must stay on its screen line: the cursor's if it is in view, else the topmost."""
        if self._cursor and top <= self._cursor[1] < top + max(1, self.size.height - HEADER):
            return self._cursor
        row = self._windows.row(top)
        return (row.key, top) if row else None

    # -- painting ------------------------------------------------------------------------------------------------

    def lines_at(self, places: Sequence[int]) -> Iterable[Strip]:
        width, top, painter = self.scrollable_content_region.width, round(self.scroll_y), self._painter
        cursor = self._cursor[1] if self._cursor else -1
        for y in places:
            index = top + y - HEADER
            if y < HEADER:
                yield painter.header(width, self._new_above)
            elif (row := self._windows.row(index)) is not None:
                yield painter.line(index, row, width, index == cursor)
            else:
                yield painter.blank(width, self.empty if self.count == 0 and y == HEADER + 1 else "")

    def _repaint(self, old: Windows, old_top: int, old_cursor: tuple[str, int] | None) -> None:
        """Repaint after a reload: only lines that are different, if nothing has moved."""
        top = round(self.scroll_y)
        if top != old_top or old.count != self._windows.count or old_cursor != self._cursor:
            self.refresh()
            return
        rows = self._windows
        lines = range(HEADER, self.size.height)
        different = (y for y in lines if old.row(top + y - HEADER) != rows.row(top + y - HEADER))
        self.refresh_places([*range(HEADER), *different])
