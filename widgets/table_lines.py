"""How the table's lines are painted: columns placed, cells drawn and fitted, styles worked out once.

It knows what was painted last, so that a passing second can be told in which cells of a line it reads differently.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from widgets.cells import Tone, Toned, drawn
from widgets.columns import GAP, Column, Placed, fit
from widgets.direct import DirectLines
from widgets.rows import RowView
from widgets.text import fitted

GUTTER = 2
"""Cells at the left for the cursor's mark, so that it shows without colour."""

KEPT_LINES = 400

Part = list[Segment] | Placed
"""Of a row's line: what stays as it is, or the place of a cell that is alive."""


class LinePainter:
    """Paints lines for `widget`, whose component styles are named `table--…`. Each line takes the cell of the
    scrollbar that stands at its end, if there is one."""

    def __init__(self, widget: DirectLines, columns: Sequence[Column], now: Callable[[], datetime]) -> None:
        self._widget, self._columns, self._now = widget, tuple(columns), now
        self._placed: tuple[Placed, ...] = ()
        self._placed_for = -1
        self._left_out = 0
        self._lines: dict[tuple[int, bool, Segment | None], Strip] = {}
        self._rows: dict[tuple[int, bool], tuple[Part, ...]] = {}
        self._live: dict[tuple[int, int], Toned] = {}
        self._styles: dict[tuple[bool, Tone], Style] = {}
        self._parts: dict[str, Style] = {}

    def forget_rows(self) -> None:
        """Other rows, or another width."""
        self._lines.clear()
        self._rows.clear()
        self._live.clear()
        self._placed_for = -1

    def forget_styles(self) -> None:
        """Another theme, or the focus came or went."""
        self._lines.clear()
        self._rows.clear()
        self._styles.clear()
        self._parts.clear()

    def header(self, width: int, new_above: int, edge: Segment | None) -> Strip:
        """The titles; at the right, what came in above and how many columns have no room."""
        text, used = "  ", GUTTER
        for place in self._places(width):
            text += " " * (GUTTER + place.x - used)
            text += fitted(place.column.title, place.width, right=place.column.right)
            used = GUTTER + place.x + place.width
        notes = [f"{new_above} new ↑"] if new_above else []
        notes += [f"+{self._left_out} ›"] if self._left_out else []
        note = "  ".join(notes)
        if note:
            text = _beside(fitted(text, width), note)
        return _strip([Segment(fitted(text, width), self._part("header"))], width, edge)

    def blank(self, width: int, words: str, edge: Segment | None) -> Strip:
        """A line without a row."""
        style = self._part("empty") if words else self._style(False, Tone.PLAIN)
        return _strip([Segment(fitted("  " + words, width), style)], width, edge)

    def line(self, index: int, row: RowView, width: int, under_cursor: bool, edge: Segment | None) -> Strip:
        """A row's line. Lines whose cells depend on the time are painted anew each time, others are kept."""
        self._places(width)
        kept = self._lines.get((index, under_cursor, edge))
        if kept is not None:
            return kept
        if row.heading:
            text = fitted(f"  {drawn(row.cells[0], self._now(), width).text}", width)
            line, alive = _strip([Segment(text, self._part("heading"))], width, edge), False
        else:
            parts = self._rows.get((index, under_cursor))
            if parts is None:
                if len(self._rows) >= KEPT_LINES:
                    self._rows.clear()
                parts = self._rows[(index, under_cursor)] = self._row(row, width, under_cursor)
            alive = any(isinstance(part, Placed) for part in parts)
            line = _strip(self._told(index, row, parts, under_cursor), width, edge)
        if not alive:
            if len(self._lines) >= KEPT_LINES:
                self._lines.clear()
            self._lines[(index, under_cursor, edge)] = line
        return line

    def changed(self, index: int, row: RowView, width: int) -> list[tuple[int, int]]:
        """Where a line reads differently now than when it was painted: starts and widths, in cells of the line."""
        now, spans = self._now(), []
        for place in self._places(width):
            cell = row.cells[place.index]
            if isinstance(cell, (str, Toned)):
                continue
            before, after = self._live.get((index, place.index)), cell.drawn(now, place.width)
            if before != after:
                start, size = _difference(before, after, place)
                spans.append((GUTTER + place.x + start, size))
        return spans

    def _row(self, row: RowView, width: int, under_cursor: bool) -> tuple[Part, ...]:
        """What a row's line is made of."""
        plain, now = self._style(under_cursor, row.tone), self._now()
        parts: list[Part] = []
        still = [("▸ " if under_cursor else "  ", self._style(under_cursor, Tone.PLAIN))]
        used = GUTTER
        for place in self._places(width):
            still.append((" " * (GUTTER + place.x - used), plain))
            cell = row.cells[place.index]
            if isinstance(cell, (str, Toned)):
                text = drawn(cell, now, place.width)
                style = plain if text.tone is Tone.PLAIN else self._style(under_cursor, text.tone)
                still.append((fitted(text.text, place.width, right=place.column.right), style))
            else:
                parts += [joined(still), place]
                still = []
            used = GUTTER + place.x + place.width
        still.append((" " * max(0, width - used), plain))
        return (*parts, joined(still))

    def _told(self, index: int, row: RowView, parts: Iterable[Part], under_cursor: bool) -> Iterator[Segment]:
        """The parts of a line as they read now; what the cells that are alive said is kept for `changed`."""
        now = self._now()
        for part in parts:
            if not isinstance(part, Placed):
                yield from part
                continue
            text = drawn(row.cells[part.index], now, part.width)
            if len(self._live) > KEPT_LINES * len(self._columns):
                self._live.clear()
            self._live[(index, part.index)] = text
            style = self._style(under_cursor, row.tone if text.tone is Tone.PLAIN else text.tone)
            yield Segment(fitted(text.text, part.width, right=part.column.right), style)

    def _style(self, under_cursor: bool, tone: Tone) -> Style:
        found = self._styles.get((under_cursor, tone))
        if found is None:
            widget = self._widget
            found = widget.get_component_rich_style("table--cursor") if under_cursor else widget.rich_style
            if tone is not Tone.PLAIN and not found.reverse:
                found += widget.get_component_rich_style(f"table--{tone}", partial=True)
            found = self._styles[(under_cursor, tone)] = widget.final(found)
        return found

    def _part(self, name: str) -> Style:
        found = self._parts.get(name)
        if found is None:
            found = self._parts[name] = self._widget.final(self._widget.get_component_rich_style(f"table--{name}"))
        return found

    def _places(self, width: int) -> tuple[Placed, ...]:
        if width != self._placed_for:
            self._placed, self._left_out = fit(self._columns, width - GUTTER - GAP)
            self._placed_for = width
            self._lines.clear()
            self._rows.clear()
        return self._placed


def _strip(segments: Iterable[Segment], width: int, edge: Segment | None) -> Strip:
    """A line of exactly `width` cells, and the scrollbar's cell at its end."""
    strip = Strip(segments)
    if strip.cell_length > width:
        strip = strip.crop(0, width)
    return strip if edge is None else Strip([*strip, edge], width + 1)


def joined(parts: Iterable[tuple[str, Style]]) -> list[Segment]:
    """Segments, neighbours of one style in one: each costs the terminal a sequence, and Textual a step."""
    segments: list[Segment] = []
    text, style = "", None
    for more, its in parts:
        if its is style:
            text += more
            continue
        if text:
            segments.append(Segment(text, style))
        text, style = more, its
    if text:
        segments.append(Segment(text, style))
    return segments


def _beside(titles: str, note: str) -> str:
    """The note in the last gap that holds it, so that it hides no title; where there is none, at the right end."""
    gap = titles.rfind(" " * (len(note) + 2), GUTTER)
    if gap < 0:
        return titles[: -len(note) - 1] + " " + note
    end = gap + len(note) + (2 if titles[gap + len(note) + 2 :].strip() == "" else 1)
    return titles[: end - len(note)] + note + titles[end:]


def _difference(before: Toned | None, after: Toned, place: Placed) -> tuple[int, int]:
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
