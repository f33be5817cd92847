"""Widgets whose lines are kept as they were given to the compositor, until something about them is refreshed.

A frame asks every widget that its region touches for all its lines: the panes below the rows, the bars around them.
Textual keeps each line before the filters and assembles the rest anew, which for what has not changed is most of a
frame.
"""

from __future__ import annotations

from typing import Self

from textual.containers import Container, Horizontal, Vertical, VerticalScroll
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget
from textual.widgets import Static


class Kept(Widget):
    """Stands last among a widget's bases, so that the first one's styles are inherited."""

    _kept_crop: Region | None = None
    _kept_lines: list[Strip] = []  # noqa: RUF012  # replaced, never changed in place

    def render_lines(self, crop: Region) -> list[Strip]:
        if crop != self._kept_crop:
            self._kept_lines, self._kept_crop = super().render_lines(crop), crop
        return self._kept_lines

    def refresh(self, *regions: Region, repaint: bool = True, layout: bool = False, recompose: bool = False) -> Self:
        self._kept_crop = None
        return super().refresh(*regions, repaint=repaint, layout=layout, recompose=recompose)

    def notify_style_update(self) -> None:
        self._kept_crop = None
        super().notify_style_update()


class Pane(Container, Kept):
    """A container that is only background."""


class ScrolledPane(VerticalScroll, Kept):
    """One below the other, and more than fits."""


class Rows(Vertical, Kept):
    """One below the other."""


class Columns(Horizontal, Kept):
    """Side by side."""


class Words(Static, Kept):
    """A line of words that changes seldom. Nothing in it is read as markup."""

    def __init__(self, words: str = "", *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(words, id=id, classes=classes, markup=False)
