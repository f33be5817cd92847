"""Time left in words, bars and levels (REQ-209: warnings at five minutes and at one)."""

from __future__ import annotations

import pytest

from widgets.countdown import Level, bar, left_text, level_of


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "over"),
        (-5, "over"),
        (42, "0:42"),
        (60, "1:00"),
        (299.9, "4:59"),
        (3599, "59:59"),
        (3600, "1h 00m"),
        (69_120, "19h 12m"),
        (86_400, "1d 0h"),
        (8_640_000, "100d 0h"),
    ],
)
def test_time_left_reads_at_a_glance_and_fits_seven_cells(seconds: float, text: str) -> None:
    assert left_text(seconds) == text
    assert len(text) <= 7


@pytest.mark.parametrize(("seconds", "text"), [(3, "3s"), (59, "59s"), (61, "1m"), (7300, "2h"), (200_000, "2d")])
def test_ages_are_one_unit(seconds: float, text: str) -> None:
    assert left_text(seconds, coarse=True) == text


@pytest.mark.parametrize(
    ("seconds", "level"), [(301, Level.CALM), (300, Level.SOON), (61, Level.SOON), (60, Level.LAST), (0, Level.OVER)]
)
def test_the_level_changes_at_five_minutes_and_at_one(seconds: float, level: Level) -> None:
    assert level_of(seconds) is level


def test_every_level_but_calm_has_a_sign_besides_its_colour() -> None:
    assert [level.sign for level in Level] == ["", "!", "!!", "✕"]


def test_a_bar_shows_something_until_nothing_is_left() -> None:
    assert bar(0.001, 10) == "▓" + "░" * 9
    assert bar(0, 10) == "░" * 10
    assert bar(2, 10) == "▓" * 10
    assert bar(0.5, 0) == ""
