"""The filter line of the audit viewer (REQ-407)."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from storage.replica.queries.log_filter import LogFilter, parse_filter

NOW = datetime(2026, 3, 2, 14, 3, tzinfo=UTC)


def test_conditions_and_free_words_stand_side_by_side() -> None:
    wanted = parse_filter('tenant:northwind action:session.* since:7d refund "never arrived"', NOW)
    assert wanted == LogFilter(
        tenant=("northwind",),
        action=("session.*",),
        since=NOW - timedelta(days=7),
        words=("refund", "never arrived"),
    )


@pytest.mark.parametrize(
    ("value", "moment"),
    [
        ("30m", NOW - timedelta(minutes=30)),
        ("today", datetime(2026, 3, 2, tzinfo=UTC)),
        ("yesterday", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2026-02-01", datetime(2026, 2, 1, tzinfo=UTC)),
        ("2026-02-01T10:30", datetime(2026, 2, 1, 10, 30, tzinfo=UTC)),
        ("2026-02-01T10:30+02:00", datetime(2026, 2, 1, 8, 30, tzinfo=UTC)),
    ],
)
def test_moments_can_be_said_in_many_ways(value: str, moment: datetime) -> None:
    assert parse_filter(f"since:{value}", NOW).since == moment


def test_an_apostrophe_is_part_of_a_word() -> None:
    assert parse_filter("customer's refund", NOW).words == ("customer's", "refund")


def test_until_a_day_includes_that_day() -> None:
    assert parse_filter("until:2026-02-01", NOW).until == datetime(2026, 2, 2, tzinfo=UTC)


def test_what_cannot_be_read_is_told_and_does_not_filter() -> None:
    wanted = parse_filter("since:lately refund", NOW)
    assert wanted.since is None
    assert "lately" in wanted.problems[0]


def test_a_condition_still_being_typed_is_not_one_yet() -> None:
    assert parse_filter("tenant:", NOW).empty


@given(st.text(max_size=80))
def test_any_line_can_be_read(line: str) -> None:
    parse_filter(line, NOW)
