"""Counts drawn with block characters: a spark line for a table's cell, and a column chart with its scale.

Textual's own Sparkline is a widget, and stretches its values over its whole width; a table cell needs text, and a
chart of days needs a column per day and words under it.
"""

from __future__ import annotations

from collections.abc import Sequence

_EIGHTHS = " ▁▂▃▄▅▆▇█"


def sparkline(values: Sequence[int], peak: int | None = None) -> str:
    """One character a value, scaled to `peak` (default: the largest). Nothing at all is a dot, so that "none" and
    "few" differ; anything above nothing is at least the lowest block."""
    top = max(peak if peak is not None else max(values, default=0), 1)
    return "".join("·" if value <= 0 else _EIGHTHS[max(1, min(8, round(value * 8 / top)))] for value in values)


def folded(values: Sequence[int], width: int) -> tuple[int, ...]:
    """The values summed into at most `width` neighbouring groups; the last group ends at the last value."""
    if width <= 0 or not values:
        return ()
    size = -(-len(values) // width)
    first = len(values) % size
    groups = [values[:first]] if first else []
    groups += [values[start : start + size] for start in range(first, len(values), size)]
    return tuple(sum(group) for group in groups)


def columns(values: Sequence[int], width: int, height: int) -> list[str]:
    """A column chart, `height` lines of `width` cells at most: the scale at the left, a line below. Columns are as wide
    as fits (one or two cells, then a gap); too many values are summed into groups."""
    room = max(width - len(str(max(sum(values), 1))) - 2, 1)
    drawn = folded(values, room)
    step = max(1, min(3, room // max(len(drawn), 1)))
    top = max(drawn, default=0) or 1
    margin = len(str(top)) + 1
    lines = []
    for level in range(height - 1, 0, -1):
        label = str(top) if level == height - 1 else ""
        cells = "".join(_cell(value, top, height - 1, level) * max(1, step - 1) + " " * (step > 1) for value in drawn)
        lines.append(f"{label:>{margin - 1}} ┤{cells}" if label else " " * (margin - 1) + f" │{cells}")
    lines.append(f"{0:>{margin - 1}} └" + "─" * (step * len(drawn)))
    return lines


def _cell(value: int, top: int, rows: int, level: int) -> str:
    """The part of a column that stands on `level` (1 is the lowest), in eighths."""
    eighths = -(-value * rows * 8 // top)
    return _EIGHTHS[max(0, min(8, eighths - (level - 1) * 8))]
