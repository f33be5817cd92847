"""Lines beyond those on screen: which of them are seen, moved by wheel and scrollbar, the bar painted with the lines.

Whole lines only, and at once: a list that is walked through by the key has nothing to animate. What it does not use of
Textual's scrolling view (two axes, layout at every new size, a bar of its own) it need not pay for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.segment import Segment
from textual import events

from widgets.direct import DirectLines
from widgets.scroll_track import EIGHTHS, Thumb, Track, thumb_of


class ScrolledLines(DirectLines):
    """Subclasses paint the lines that begin at `top`, each with `edges` at its right end."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._top = 0
        self._extent = 0
        self._track: Track | None = None
        self._grabbed: tuple[int, int] | None = None

    @property
    def top(self) -> int:
        """The first line that is seen."""
        return self._top

    @property
    def has_bar(self) -> bool:
        """Whether there are more lines than are seen."""
        return self._extent > self.size.height > 0

    @property
    def room(self) -> int:
        """Cells of a line, without the bar."""
        return self.size.width - self.has_bar

    def extend(self, lines: int) -> None:
        """There are so many lines now; what is seen stays, as far as it still exists."""
        had_bar, self._extent = self.has_bar, lines
        self.scroll_lines(self._top)
        if had_bar != self.has_bar:
            self.refresh()

    def scroll_lines(self, top: int) -> None:
        """See the lines from `top` on, or as near to it as there are."""
        before, self._top = self._top, max(0, min(top, self._extent - self.size.height))
        if self._top != before:
            self.refresh()
        self.scrolled()

    def scrolled(self) -> None:
        """Other lines are seen, or may be."""

    def edges(self, places: Sequence[int]) -> Iterator[Segment | None]:
        """The bar's cell at each of these places, None where there is no bar."""
        if not self.has_bar:
            yield from [None] * len(places)
            return
        track, thumb = self._track, self._thumb()
        if track is None:
            styles, beneath = self.styles, self.background_colors[0]
            grabbed = self._grabbed is not None
            back = beneath + (styles.scrollbar_background_active if grabbed else styles.scrollbar_background)
            bar = back + (styles.scrollbar_color_active if grabbed else styles.scrollbar_color)
            track = self._track = Track(back, bar, self.final)
        for y in places:
            yield track.cell(y, thumb)

    def notify_style_update(self) -> None:
        self._track = None
        super().notify_style_update()

    def on_resize(self) -> None:
        self.extend(self._extent)

    # -- by mouse ------------------------------------------------------------------------------------------------

    def on_bar(self, x: int) -> bool:
        """Whether a column of the widget is the bar's."""
        return self.has_bar and x >= self.room

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._wheel(event, 1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._wheel(event, -1)

    def _wheel(self, event: events.MouseEvent, step: int) -> None:
        if self.has_bar:
            event.stop()
            self.scroll_lines(self._top + step * max(1, round(self.app.scroll_sensitivity_y)))

    def on_mouse_down(self, event: events.MouseDown) -> None:
        if not self.on_bar(event.x):
            return
        thumb = self._thumb()
        if event.y * EIGHTHS >= thumb.end:
            self.scroll_lines(self._top + self.size.height)
        elif (event.y + 1) * EIGHTHS <= thumb.start:
            self.scroll_lines(self._top - self.size.height)
        else:
            self._grab((event.y, self._top))
            self.capture_mouse()

    def on_mouse_move(self, event: events.MouseMove) -> None:
        if self._grabbed is not None:
            y, top = self._grabbed
            self.scroll_lines(top + round((event.y - y) * self._extent / max(1, self.size.height)))

    def on_mouse_up(self) -> None:
        if self._grabbed is not None:
            self.release_mouse()

    def on_mouse_release(self) -> None:
        self._grab(None)

    def _grab(self, place: tuple[int, int] | None) -> None:
        self._grabbed, self._track = place, None
        self.refresh()

    def _thumb(self) -> Thumb:
        return thumb_of(self.size.height, self._extent, self._top)
