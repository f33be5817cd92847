"""Columns that fit the terminal: the least important leave first, the others shrink, and nothing goes unsaid."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

GAP = 1


@dataclass(frozen=True, slots=True)
class Column:
    """One column. `width` is what it would like, `least` what it needs; `grow` shares in what is left over.
    `priority` 0 always stays; of the others the highest number leaves first. Widths are terminal cells."""

    id: str
    title: str
    width: int
    least: int = 0
    priority: int = 0
    grow: int = 0
    right: bool = False


@dataclass(frozen=True, slots=True)
class Placed:
    """A column on the line: which cell of the row it shows, where it starts, how wide it is."""

    column: Column
    index: int
    x: int
    width: int


def fit(columns: Sequence[Column], room: int) -> tuple[tuple[Placed, ...], int]:
    """The columns that fit in `room` cells with their places, and how many had to leave."""
    staying = list(enumerate(columns))
    while len(staying) > 1 and sum(_least(c) + GAP for _, c in staying) - GAP > room:
        leaving = max(staying, key=lambda item: (item[1].priority, item[0]))
        if leaving[1].priority == 0:
            break
        staying.remove(leaving)
    widths = {index: _least(column) for index, column in staying}
    spare = room - sum(widths.values()) - GAP * (len(staying) - 1)
    for index, column in sorted(staying, key=lambda item: item[1].priority):
        extra = max(0, min(spare, column.width - widths[index]))
        widths[index] += extra
        spare -= extra
    shares = sum(column.grow for _, column in staying)
    for index, column in staying:
        if spare > 0 and column.grow:
            extra = spare * column.grow // shares
            widths[index] += extra
            spare -= extra
            shares -= column.grow
    placed, x = [], 0
    for index, column in staying:
        width = max(0, min(widths[index], room - x))
        placed.append(Placed(column, index, x, width))
        x += width + GAP
    return tuple(placed), len(columns) - len(staying)


def _least(column: Column) -> int:
    return column.least or column.width
