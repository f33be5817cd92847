"""What text may hold (REQ-101): something visible, not too long, no control characters."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.policy import text


@pytest.mark.parametrize("odd", ["\x00", "\x1b", "\x07", "\r", "\t", "\x7f", "\x9b", "\u2028", "\u2029", "\ud800"])
def test_control_characters_are_refused_and_named(odd: str) -> None:
    """REQ-101: in every input; the words say which."""
    verdict = text.is_clean("REQ-101", "reason", f"one {odd} two", 100)
    assert f"U+{ord(odd):04X}" in verdict.why()


def test_a_line_break_is_refused_where_one_line_is_meant() -> None:
    assert text.is_clean("REQ-101", "reason", "one\ntwo", 100).allowed
    assert "line breaks" in text.is_ticket("T-1\nBcc: x@y.example").why()


@pytest.mark.parametrize("nothing", ["", "   ", "\u200b\u200c", "\u00a0"])
def test_what_cannot_be_seen_is_missing(nothing: str) -> None:
    """REQ-101: nothing opens without a ticket."""
    assert "missing" in text.is_ticket(nothing).why()


def test_too_long_says_how_long() -> None:
    """REQ-101."""
    assert text.is_ticket("T" * 64).allowed
    assert "65 characters; at most 64" in text.is_ticket("T" * 65).why()


@pytest.mark.parametrize("good", ["ann@ops.example", "a.b+c@x.co", "üte@bücher.example", "o'neil@x.example"])
def test_addresses_pass(good: str) -> None:
    assert text.is_email(good).allowed


@pytest.mark.parametrize(
    "bad", ["", "ann", "@x", "ann@", "a b@x", "a@x, b@y", "Ann <ann@x>", "a@b@c", "ann@x\nBcc: y@z", "a\\b@x"]
)
def test_what_is_no_address_is_refused(bad: str) -> None:
    """REQ-701."""
    assert not text.is_email(bad).allowed


@given(st.text())
def test_what_passes_can_be_stored_and_shown(anything: str) -> None:
    """REQ-101: whatever passes encodes as UTF-8 and holds no control character but the newline."""
    if text.is_clean("REQ-101", "reason", anything, 10_000).allowed:
        anything.encode()
        assert all(c == "\n" or (c >= " " and not "\x7f" <= c <= "\x9f") for c in anything)
