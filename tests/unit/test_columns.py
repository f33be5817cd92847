"""Columns fit any width: the least important leave first, none overlaps, and how many left is told."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from widgets.columns import GAP, Column, fit

COLUMNS = (
    Column("id", "request", 8),
    Column("name", "tenant", 20, least=8, grow=1),
    Column("ticket", "ticket", 9, priority=2),
    Column("left", "left", 7, priority=1),
)


@given(st.integers(0, 300))
def test_columns_never_overlap_nor_leave_the_line(room: int) -> None:
    placed, left_out = fit(COLUMNS, room)
    assert len(placed) + left_out == len(COLUMNS)
    end = -GAP
    for place in placed:
        assert place.x == end + GAP
        end = place.x + place.width
    if room >= 17:
        assert end <= room


def test_the_least_important_column_leaves_first() -> None:
    placed, left_out = fit(COLUMNS, 26)
    assert [place.column.id for place in placed] == ["id", "name", "left"]
    assert left_out == 1


def test_what_is_left_over_goes_to_the_column_that_grows() -> None:
    placed, _ = fit(COLUMNS, 100)
    assert [place.width for place in placed] == [8, 73, 9, 7]
    assert placed[-1].x + placed[-1].width == 100
