"""A Line-API widget whose lines go to the compositor as they are painted, and are kept until they are refreshed.

Textual passes every line of a widget through a pipeline for borders, padding, tint and filters, which takes longer
than painting it: half of what a key in a long list may cost. A widget without any of those is painted here instead;
filters (NO_COLOR, ANSI colours) are applied once to each style. One that is given a border takes the usual way.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Self

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Size
from textual.strip import Strip
from textual.widget import Widget


class DirectLines(Widget):
    """Subclasses paint in `lines_at`, with styles that have passed `final`."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self._kept: dict[int, Strip] = {}
        self._kept_for: Size | None = None
        self._bare = False

    def lines_at(self, places: Sequence[int]) -> Iterable[Strip]:
        """Paint the lines at these places."""
        raise NotImplementedError

    def render_line(self, y: int) -> Strip:
        return next(iter(self.lines_at((y,))))

    def render_lines(self, crop: Region) -> list[Strip]:
        size = self.outer_size
        if size != self._kept_for:
            self._kept.clear()
            self._kept_for = size
            self._bare = not any(self.styles.gutter)
        if not self._bare:
            return super().render_lines(crop)
        kept, places = self._kept, crop.line_range
        missing = [y for y in places if y not in kept]
        if missing:
            kept.update(zip(missing, self.lines_at(missing), strict=True))
        lines = [kept[y] for y in places]
        left, right = crop.column_span
        if left or right < size.width:
            lines = [line.crop(left, right) for line in lines]
        return lines

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        """Textual's, and the lines in `regions` (none: all) are painted again."""
        if repaint:
            if regions:
                for region in regions:
                    for y in region.line_range:
                        self._kept.pop(y, None)
            else:
                self._kept.clear()
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def refresh_places(self, places: Sequence[int]) -> None:
        """Paint these lines again, given in ascending order: one region for those that adjoin, each costs."""
        runs: list[list[int]] = []
        for y in places:
            if runs and runs[-1][1] == y:
                runs[-1][1] = y + 1
            else:
                runs.append([y, y + 1])
        if runs:
            self.refresh(*(Region(0, first, self.size.width, end - first) for first, end in runs))

    def notify_style_update(self) -> None:
        self._kept_for = None
        super().notify_style_update()

    def final(self, style: Style) -> Style:
        """A style as it is written: past the filters of the application. Keep it until the styles change."""
        background = self.background_colors[1]
        segments = [Segment(" ", style)]
        for one in self.get_line_filters():
            segments = one.apply(segments, background)
        return segments[0].style or Style.null()
