"""The one table: every list of the console, the audit viewer's million entries included.

A Line-API ScrollView that asks a `RowSource` for windows of rows and paints only the lines on screen. What changes
elsewhere never moves what somebody reads: after a reload the cursor stands on the same key, on the same screen line,
and rows that came in above are announced in the header (`3 new ↑`). Cells that depend on the time are drawn when
painted, and `refresh_time_cells` repaints only those whose text has changed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import ClassVar

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from widgets.cells import Cell, Tone, Toned, drawn
from widgets.columns import GAP, Column, Placed, fit
from widgets.rows import ListSource, RowSource, RowView, Windows
from widgets.text import fitted

GUTTER = 2
"""Cells at the left for the cursor's mark, so that it shows without colour."""

HEADER = 1
KEPT_LINES = 400


class VirtualTable(ScrollView, can_focus=True):
    """Columns and rows with a cursor. `now` is the clock by which time cells are drawn."""

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
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(id=id, classes=classes)
        self.columns = tuple(columns)
        self.empty = empty
        self._now = now
        self._windows = Windows(ListSource())
        self._cursor: tuple[str, int] | None = None
        self._new_above = 0
        self._placed: tuple[Placed, ...] = ()
        self._left_out = 0
        self._placed_for = -1
        self._lines: dict[tuple[int, bool], Strip] = {}
        self._painted: dict[tuple[int, int], Toned] = {}
        self._styles: dict[tuple[bool, Tone], Style] = {}

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
        self._windows = Windows(source)
        self._forget()
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
        self.refresh()
        if self.cursor_key != (before[0] if before else None):
            self.post_message(self.Highlighted(self, self.cursor_key))

    def refresh_time_cells(self) -> None:
        """Repaint the visible cells whose text has changed with the time. Cheap enough for every tick."""
        now, top = self._now(), round(self.scroll_y)
        for y in range(HEADER, self.size.height):
            index = top + y - HEADER
            row = self._windows.row(index)
            if row is None:
                break
            if row.heading:
                continue
            for place in self._places():
                cell = row.cells[place.index]
                if isinstance(cell, (str, Toned)):
                    continue
                before, after = self._painted.get((index, place.index)), cell.drawn(now, place.width)
                if before != after:
                    start, width = _changed(before, after, place)
                    self.refresh(Region(GUTTER + place.x + start, y, width, 1))

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
        self._forget()
        self.virtual_size = Size(self.size.width, self._windows.count + HEADER)
        if self._cursor:
            self._into_view(self._cursor[1])

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        if round(new_value) == 0:
            self._new_above = 0

    def notify_style_update(self) -> None:
        self._lines.clear()
        self._styles.clear()
        super().notify_style_update()

    def _on_focus_change(self) -> None:
        self._lines.clear()
        self._styles.clear()
        self.refresh()

    def on_focus(self) -> None:
        self._on_focus_change()

    def on_blur(self) -> None:
        self._on_focus_change()

    def _move(self, index: int, prefer: int = 1) -> None:
        """Cursor to `index`, or to the nearest row that is no heading; into view; told."""
        before = self._cursor
        self._place_cursor(index, prefer)
        if self._cursor is None:
            return
        if before != self._cursor:
            for changed in (before, self._cursor):
                if changed:
                    self._lines.pop((changed[1], True), None)
                    self._lines.pop((changed[1], False), None)
                    self.refresh_line(changed[1] + HEADER)
        self._into_view(self._cursor[1])
        if before is None or before[0] != self._cursor[0]:
            self.post_message(self.Highlighted(self, self._cursor[0]))

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

    def render_line(self, y: int) -> Strip:
        base = self._style(False, Tone.PLAIN)
        width = self.scrollable_content_region.width
        if y < HEADER:
            return self._header_line(width)
        index = round(self.scroll_y) + y - HEADER
        row = self._windows.row(index)
        if row is None:
            if self._windows.count == 0 and y == HEADER + 1:
                style = self.get_component_rich_style("table--empty")
                return Strip([Segment(fitted("  " + self.empty, width), style)], width)
            return Strip.blank(width, base)
        under_cursor = self._cursor is not None and self._cursor[1] == index
        kept = self._lines.get((index, under_cursor))
        if kept is not None and kept.cell_length == width:
            return kept
        if row.heading:
            cell = drawn(row.cells[0], self._now(), width)
            text = fitted(f"  {cell.text}", width)
            line = Strip([Segment(text, self.get_component_rich_style("table--heading"))], width)
        else:
            line, lives = self._row_line(index, row, width, under_cursor)
            if lives:
                return line
        if len(self._lines) >= KEPT_LINES:
            self._lines.clear()
        self._lines[(index, under_cursor)] = line
        return line

    def _row_line(self, index: int, row: RowView, width: int, under_cursor: bool) -> tuple[Strip, bool]:
        base = self._style(under_cursor, Tone.PLAIN)
        plain = self._style(under_cursor, row.tone)
        now = self._now()
        segments = [Segment("▸ " if under_cursor else "  ", base)]
        used, lives = GUTTER, False
        for place in self._places():
            gap = GUTTER + place.x - used
            if gap > 0:
                segments.append(Segment(" " * gap, plain))
            cell: Cell = row.cells[place.index]
            text = drawn(cell, now, place.width)
            if not isinstance(cell, (str, Toned)):
                lives = True
                if len(self._painted) > KEPT_LINES:
                    self._painted.clear()
                self._painted[(index, place.index)] = text
            style = plain if text.tone is Tone.PLAIN else self._style(under_cursor, text.tone)
            segments.append(Segment(fitted(text.text, place.width, right=place.column.right), style))
            used = GUTTER + place.x + place.width
        segments.append(Segment(" " * max(0, width - used), plain))
        return Strip(segments, max(width, used)).crop_extend(0, width, plain), lives

    def _header_line(self, width: int) -> Strip:
        style = self.get_component_rich_style("table--header")
        text, used = "  ", GUTTER
        for place in self._places():
            text += " " * (GUTTER + place.x - used)
            text += fitted(place.column.title, place.width, right=place.column.right)
            used = GUTTER + place.x + place.width
        notes = [f"{self._new_above} new ↑"] if self._new_above else []
        notes += [f"+{self._left_out} ›"] if self._left_out else []
        note = "  ".join(notes)
        if note:
            text = fitted(text, max(0, width - len(note) - 1)) + " " + note
        return Strip([Segment(fitted(text, width), style)], width)

    def _style(self, under_cursor: bool, tone: Tone) -> Style:
        """How a cell looks; worked out once until the theme or the focus changes."""
        found = self._styles.get((under_cursor, tone))
        if found is None:
            found = self.get_component_rich_style("table--cursor") if under_cursor else self.rich_style
            if tone is not Tone.PLAIN and not found.reverse:
                found += self.get_component_rich_style(f"table--{tone}", partial=True)
            self._styles[(under_cursor, tone)] = found
        return found

    def _places(self) -> tuple[Placed, ...]:
        width = self.scrollable_content_region.width - GUTTER - GAP
        if width != self._placed_for:
            self._placed, self._left_out = fit(self.columns, width)
            self._placed_for = width
            self._lines.clear()
        return self._placed

    def _forget(self) -> None:
        self._lines.clear()
        self._painted.clear()
        self._placed_for = -1


def _changed(before: Toned | None, after: Toned, place: Placed) -> tuple[int, int]:
    """Where a cell reads differently, in cells from its start: over a slow line a second should cost a digit."""
    if before is None or before.tone is not after.tone:
        return 0, place.width
    old = fitted(before.text, place.width, right=place.column.right)
    new = fitted(after.text, place.width, right=place.column.right)
    start, end = 0, min(len(old), len(new))
    while start < end and old[start] == new[start]:
        start += 1
    tail = 0
    while tail < end - start and old[-1 - tail] == new[-1 - tail]:
        tail += 1
    first = cell_len(new[:start])
    return first, max(1, place.width - first - cell_len(new[len(new) - tail :]))
