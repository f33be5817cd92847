"""Named values in two columns, long ones wrapped under themselves: the detail beside a list.

Values are cells like a table's: text, toned text, or a live cell that is drawn anew as time passes. Text must be
visible already (`widgets.text`); nothing is read as markup.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from textual.content import Content
from textual.geometry import Size

from widgets.cells import Cell, Tone, Toned, drawn
from widgets.kept import Kept

LABEL = 16
"""The widest a label may be; longer ones are clipped by whoever writes them."""


@dataclass(frozen=True, slots=True)
class Field:
    """A label and its values, each on a line of its own. Without a label the values start at the left edge, over the
    whole width: a title, or a sentence. No values at all is an empty line."""

    label: str = ""
    values: tuple[Cell, ...] = ()
    indented: bool = False


def field(label: str, *values: Cell) -> Field:
    return Field(label, values)


def line(*values: Cell) -> Field:
    """Sentences over the whole width."""
    return Field("", values)


def under(*values: Cell) -> Field:
    """More values in the column of the field above."""
    return Field("", values, indented=True)


BLANK = Field()


class FieldList(Kept):
    """The widget; as high as its text. Put it into a scrolling container."""

    DEFAULT_CSS = """
    FieldList { height: auto; width: 1fr; }
    """

    def __init__(
        self, now: Callable[[], datetime], fields: Sequence[Field] = (), *, id: str | None = None, classes: str = ""
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._now = now
        self._fields = tuple(fields)
        self._drawn: tuple[int, Content] | None = None
        self._alive: tuple[Toned, ...] = ()

    def show(self, fields: Sequence[Field]) -> None:
        """Show these fields; nothing happens if they say what is shown already."""
        if tuple(fields) == self._fields:
            return
        self._fields = tuple(fields)
        self._redraw()

    def refresh_time_cells(self) -> None:
        """Draw anew if what depends on the time now reads differently."""
        if self._drawn is not None and self._told(self._drawn[0]) != self._alive:
            self._redraw()

    @property
    def text(self) -> str:
        """What is shown, as plain text."""
        return self._composed(self.size.width or 80).plain

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return self._content(width).plain.count("\n") + 1

    def render(self) -> Content:
        return self._content(self.content_size.width)

    def on_resize(self) -> None:
        self._drawn = None

    def _told(self, width: int) -> tuple[Toned, ...]:
        """What the live cells say now: laying out is dear, so a tick asks them first."""
        now = self._now()
        cells = (cell for one in self._fields for cell in one.values)
        return tuple(drawn(cell, now, width) for cell in cells if not isinstance(cell, (str, Toned)))

    def _redraw(self) -> None:
        """Lay out anew only if the height has changed; a passing second repaints, it moves nothing."""
        before = self._drawn
        self._drawn = None
        height = before and before[1].plain.count("\n")
        same = before is not None and self._content(before[0]).plain.count("\n") == height
        self.refresh(layout=not same)

    def _content(self, width: int) -> Content:
        if self._drawn is None or self._drawn[0] != width:
            self._drawn = (width, self._composed(width))
            self._alive = self._told(width)
        return self._drawn[1]

    def _composed(self, width: int) -> Content:
        now = self._now()
        margin = min(LABEL, max((len(one.label) for one in self._fields), default=0)) + 2
        lines: list[Content] = []
        for one in self._fields:
            if not one.values:
                lines.append(Content(one.label))
                continue
            inset = margin if one.label or one.indented else 0
            for number, cell in enumerate(one.values):
                label = one.label if number == 0 else ""
                toned = drawn(cell, now, max(1, width - inset))
                for part in Content.styled(toned.text, _STYLES[toned.tone]).wrap(max(1, width - inset)) or [Content()]:
                    lines.append(Content.styled(f"{label:<{inset}}", _STYLES[Tone.DIM]) + part if inset else part)
                    label = ""
        return Content("\n").join(lines)


_STYLES = {
    Tone.PLAIN: "",
    Tone.DIM: "$tone-dim",
    Tone.STRONG: "bold",
    Tone.ACCENT: "$tone-accent",
    Tone.GOOD: "$tone-good",
    Tone.SOON: "$tone-soon",
    Tone.BAD: "bold $tone-bad",
}
