"""Where a table's rows come from, and the windows in which they are kept.

A source answers synchronously and quickly: it reads the replica, never the network. The table asks for windows of 256
rows, so a million entries cost what is looked at.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from widgets.cells import Cell, Tone

WINDOW = 256
KEPT_WINDOWS = 8


@dataclass(frozen=True, slots=True)
class RowView:
    """One line of a table: its key, and a cell for each column, text already visible. `heading` rows name a group:
    only their first cell is drawn, over the whole line, and the cursor passes over them. `tone` is the row's own."""

    key: str
    cells: tuple[Cell, ...]
    heading: bool = False
    tone: Tone = Tone.PLAIN


class RowSource(Protocol):
    """Rows by position. Between two reloads of the table the answers must not change."""

    def count(self) -> int:
        """How many rows there are, headings included."""

    def rows(self, start: int, number: int) -> Sequence[RowView]:
        """Up to `number` rows from `start`."""

    def index_of(self, key: str) -> int | None:
        """Where the row with this key stands, or None."""


class ListSource:
    """Rows that are all at hand."""

    def __init__(self, rows: Sequence[RowView] = ()) -> None:
        self._rows = tuple(rows)
        self._places = {row.key: index for index, row in enumerate(self._rows)}

    def count(self) -> int:
        return len(self._rows)

    def rows(self, start: int, number: int) -> Sequence[RowView]:
        return self._rows[start : start + number]

    def index_of(self, key: str) -> int | None:
        return self._places.get(key)


def heading(title: str) -> RowView:
    """A group's heading."""
    return RowView(f"heading:{title}", (title,), heading=True)


class Windows:
    """The source seen through windows, the last few kept."""

    def __init__(self, source: RowSource) -> None:
        self.source = source
        self.count = source.count()
        self._windows: OrderedDict[int, Sequence[RowView]] = OrderedDict()

    def row(self, index: int) -> RowView | None:
        """The row at `index`, or None outside the list."""
        if not 0 <= index < self.count:
            return None
        number, offset = divmod(index, WINDOW)
        window = self._windows.get(number)
        if window is None:
            window = self._windows[number] = self.source.rows(number * WINDOW, WINDOW)
            if len(self._windows) > KEPT_WINDOWS:
                self._windows.popitem(last=False)
        else:
            self._windows.move_to_end(number)
        return window[offset] if offset < len(window) else None
