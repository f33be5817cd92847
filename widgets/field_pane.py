"""Named values in a pane of fixed size, painted line by line: the detail beside a list that is walked through quickly.

`FieldList` is as high as its text and so lays the screen out anew when the text changes, which costs more than a key
may take. This one never does: what does not fit is told in the last line. It paints the rule at its left itself, for
the same reason as the table its scrollbar.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rich.cells import cell_len, chop_cells
from rich.style import Style
from textual.geometry import Size
from textual.strip import Strip

from widgets.cells import Tone, Toned
from widgets.direct import DirectLines
from widgets.fields import LABEL, Field
from widgets.table_lines import joined
from widgets.text import fitted

Line = tuple[tuple[str, Tone], ...]

KEPT_LINES = 400
RULE = "▏"
MARGIN = 1
"""Cells beside the text, at either side."""


class FieldPane(DirectLines):
    """Fields with plain or toned values; text must be visible already."""

    COMPONENT_CLASSES = {"pane--rule", *(f"pane--{tone}" for tone in Tone)}  # noqa: RUF012  # Textual's own declaration is a plain set

    DEFAULT_CSS = """
    FieldPane {
        & > .pane--rule { color: $panel-lighten-1; }
        & > .pane--dim { color: $tone-dim; }
        & > .pane--strong { text-style: bold; }
        & > .pane--accent { color: $tone-accent; }
        & > .pane--good { color: $tone-good; }
        & > .pane--soon { color: $tone-soon; }
        & > .pane--bad { color: $tone-bad; text-style: bold; }
    }
    FieldPane:ansi > .pane--dim { text-style: dim; }
    """

    def __init__(self, more: str, *, id: str | None = None) -> None:
        """`more` says how to see what does not fit."""
        super().__init__(id=id)
        self._more = more
        self._fields: tuple[Field, ...] = ()
        self._laid_out: tuple[Size, list[Line]] | None = None
        self._styles: dict[str, Style] = {}
        self._painted: dict[Line, Strip] = {}

    def show(self, fields: Sequence[Field]) -> None:
        """Show these; repaints only what differs."""
        if tuple(fields) == self._fields:
            return
        before = self._lines()
        self._fields, self._laid_out = tuple(fields), None
        after = self._lines()
        self.refresh_places([y for y in range(self.size.height) if before[y : y + 1] != after[y : y + 1]])

    def lines_at(self, places: Sequence[int]) -> Iterable[Strip]:
        lines, width, painted = self._lines(), self.size.width, self._painted
        for y in places:
            line = lines[y] if y < len(lines) else ()
            strip = painted.get(line)
            if strip is None or strip.cell_length < width:
                if len(painted) >= KEPT_LINES:
                    painted.clear()
                strip = painted[line] = self._strip(line, width)
            yield strip

    def _strip(self, line: Line, width: int) -> Strip:
        plain = self._style(Tone.PLAIN)
        parts = [
            (RULE, self._style("rule")),
            (" " * MARGIN, plain),
            *((text, self._style(tone)) for text, tone in line),
        ]
        used = sum(cell_len(text) for text, _ in parts)
        parts.append((" " * max(0, width - used), plain))
        return Strip(joined(parts), max(used, width))

    def on_resize(self) -> None:
        self._painted.clear()

    def notify_style_update(self) -> None:
        self._styles.clear()
        self._painted.clear()
        super().notify_style_update()

    def _style(self, tone: str) -> Style:
        found = self._styles.get(tone)
        if found is None:
            found = self.rich_style
            if tone != Tone.PLAIN:
                found += self.get_component_rich_style(f"pane--{tone}", partial=True)
            found = self._styles[tone] = self.final(found)
        return found

    def _lines(self) -> list[Line]:
        size = self.size
        if self._laid_out is None or self._laid_out[0] != size:
            width = max(1, size.width - cell_len(RULE) - 2 * MARGIN)
            lines = field_lines(self._fields, width)
            if len(lines) > size.height > 0:
                hidden = len(lines) - size.height + 1
                lines[size.height - 1 :] = [((fitted(f"↓ {hidden} more lines: {self._more}", width), Tone.DIM),)]
            self._laid_out = (size, lines)
        return self._laid_out[1]


def field_lines(fields: Sequence[Field], width: int) -> list[Line]:
    """Fields as lines of `width` cells: labels in one column, long values wrapped under themselves."""
    margin = min(LABEL, max((len(one.label) for one in fields), default=0)) + 2
    lines: list[Line] = []
    for one in fields:
        if not one.values:
            lines.append(((one.label, Tone.DIM),))
            continue
        inset = margin if one.label or one.indented else 0
        label = one.label
        for cell in one.values:
            value = cell if isinstance(cell, Toned) else Toned(cell if isinstance(cell, str) else "")
            for part in wrapped(value.text, max(1, width - inset)):
                head: Line = ((f"{label:<{inset}}", Tone.DIM),) if inset else ()
                lines.append((*head, (part, value.tone)))
                label = ""
    return lines


def wrapped(text: str, cells: int) -> list[str]:
    """`text` in lines of at most `cells` cells, broken between words where one fits, else inside."""
    if cell_len(text) <= cells:
        return [text]
    lines: list[str] = []
    line, used = "", 0
    for word in text.split(" "):
        size = cell_len(word)
        if line and used + 1 + size <= cells:
            line, used = f"{line} {word}", used + 1 + size
            continue
        if line:
            lines.append(line)
        if size > cells:
            *full, word = chop_cells(word, cells)
            lines += full
        line, used = word, cell_len(word)
    return [*lines, line]
