"""The scrollbar of a list that paints itself: where its thumb stands, in eighths of a cell, and how each cell looks.

The list paints it as the last cell of its own lines. A bar that is a widget of its own costs a cut in every line of the
screen and a second repaint at every step, which is more than the rows themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import ceil

from rich.segment import Segment
from rich.style import Style
from textual.color import Color

EIGHTHS = 8
LOWER = " ▁▂▃▄▅▆▇"
"""A cell filled from below by so many eighths."""


@dataclass(frozen=True, slots=True)
class Thumb:
    """From `start` to `end`, in eighths of a cell below the track's upper end."""

    start: int
    end: int


def thumb_of(height: int, extent: int, top: int) -> Thumb:
    """The thumb where `height` of `extent` lines are seen, from `top` on. There must be more lines than are seen."""
    size = max(1.0, height * height / extent)
    start = int((height - size) * top / (extent - height) * EIGHTHS)
    return Thumb(start, start + ceil(size * EIGHTHS))


class Track:
    """The cells of a track in two colours. `final` takes each style past the application's filters."""

    def __init__(self, back: Color, bar: Color, final: Callable[[Style], Style]) -> None:
        under, over = back.rich_color, bar.rich_color
        self._track = Segment(" ", final(Style(bgcolor=under)))
        self._thumb = Segment(" ", final(Style(color=over, bgcolor=under, reverse=True)))
        head, tail = final(Style(color=over, bgcolor=under)), final(Style(color=over, bgcolor=under, reverse=True))
        self._heads = [Segment(glyph, head) for glyph in LOWER]
        self._tails = [Segment(glyph, tail) for glyph in LOWER]

    def cell(self, y: int, thumb: Thumb) -> Segment:
        """The cell at line `y`."""
        above, below = thumb.start - y * EIGHTHS, thumb.end - y * EIGHTHS
        if above >= EIGHTHS or below <= 0:
            return self._track
        if above > 0:
            return self._heads[EIGHTHS - above]
        return self._thumb if below >= EIGHTHS else self._tails[EIGHTHS - below]
