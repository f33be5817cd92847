"""The one table: every list of the console, the audit viewer's million entries included.

It asks a `RowSource` for windows of rows and paints only the lines on screen (`ScrolledLines`). What changes
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
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from widgets.cells import Tone
from widgets.columns import Column
from widgets.rows import ListSource, RowSource, RowView, Windows
from widgets.scrolled import ScrolledLines
from widgets.table_lines import LinePainter

HEADER = 1
"""Lines above the rows."""


class VirtualTable(ScrolledLines, can_focus=True):
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
        height: 1fr; width: 1fr; background: $background; color: $foreground;
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
        top, before, old_count = self.top, self._cursor, self._windows.count
        anchor = self._anchor(top)
        old_windows, self._windows = self._windows, Windows(source)
        self._painter.forget_rows()
        self.extend(self._windows.count + HEADER)
        if from_top:
            self._cursor, self._new_above = None, 0
            self._place_cursor(0)
            self.scroll_lines(0)
        else:
            found = source.index_of(anchor[0]) if anchor else None
            moved = found - anchor[1] if found is not None and anchor else 0
            self.scroll_lines(top + moved)
            if moved > 0 and self.top > 0:
                self._new_above += max(0, min(moved, self._windows.count - old_count))
            place = source.index_of(before[0]) if before else None
            self._place_cursor(place if place is not None else before[1] if before else 0)
        self._repaint(old_windows, top, before)
        if self.cursor_key != (before[0] if before else None):
            self._tell_moved()

    def refresh_time_cells(self) -> None:
        """Repaint the visible cells whose text has changed with the time. Cheap enough for every tick."""
        top, width = self.top, self.room
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
            self.scroll_lines(0)

    def action_page(self, step: int) -> None:
        page = max(1, self.size.height - HEADER - 1)
        index = (self._cursor[1] if self._cursor else 0) + step * page
        self.scroll_lines(self.top + step * page)
        self._move(min(max(index, 0), self._windows.count - 1), prefer=step)

    def action_edge(self, last: int) -> None:
        self._move(self._windows.count - 1 if last else 0, prefer=-1 if last else 1)

    def action_choose(self) -> None:
        if self._cursor:
            self.post_message(self.Chosen(self, self._cursor[0]))

    def on_click(self, event: events.Click) -> None:
        index = self.top + event.y - HEADER
        row = self._windows.row(index) if event.y >= HEADER and not self.on_bar(event.x) else None
        if row is None or row.heading:
            return
        again = self._cursor is not None and self._cursor[0] == row.key
        self._move(index)
        if event.chain > 1 and again:
            self.action_choose()

    def on_resize(self) -> None:
        self._painter.forget_rows()
        if self._cursor:
            self._into_view(self._cursor[1])

    def scrolled(self) -> None:
        if self.top == 0:
            self._new_above = 0

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
            lines = sorted(place[1] - self.top + HEADER for place in (before, self._cursor) if place)
            self.refresh_places([y for y in lines if HEADER <= y < self.size.height])
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
        top, page = self.top, max(1, self.size.height - HEADER)
        above = self._windows.row(index - 1)
        first = index - 1 if above is not None and above.heading else index
        if first < top:
            self.scroll_lines(first)
        elif index >= top + page:
            self.scroll_lines(index - page + 1)

    def _anchor(self, top: int) -> tuple[str, int] | None:
        """The row that must stay on its screen line: the cursor's if it is in view, else the topmost."""
        if self._cursor and top <= self._cursor[1] < top + max(1, self.size.height - HEADER):
            return self._cursor
        row = self._windows.row(top)
        return (row.key, top) if row else None

    # -- painting ------------------------------------------------------------------------------------------------

    def lines_at(self, places: Sequence[int]) -> Iterable[Strip]:
        width, top, painter = self.room, self.top, self._painter
        cursor = self._cursor[1] if self._cursor else -1
        for y, edge in zip(places, self.edges(places), strict=True):
            index = top + y - HEADER
            if y < HEADER:
                yield painter.header(width, self._new_above, edge)
            elif (row := self._windows.row(index)) is not None:
                yield painter.line(index, row, width, index == cursor, edge)
            else:
                yield painter.blank(width, self.empty if self.count == 0 and y == HEADER + 1 else "", edge)

    def _repaint(self, old: Windows, old_top: int, old_cursor: tuple[str, int] | None) -> None:
        """Repaint after a reload: only lines that are different, if nothing has moved."""
        top = self.top
        if top != old_top or old.count != self._windows.count or old_cursor != self._cursor:
            self.refresh()
            return
        rows = self._windows
        lines = range(HEADER, self.size.height)
        different = (y for y in lines if old.row(top + y - HEADER) != rows.row(top + y - HEADER))
        self.refresh_places([*range(HEADER), *different])
