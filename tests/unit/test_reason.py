"""The reason linter refuses what would fit any ticket, and no good reason (REQ-102, REQ-103)."""

from __future__ import annotations

import pytest

from app.policy import reason
from tests.unit.reasons import BAD, GOOD, HELD_OUT_BAD, HELD_OUT_GOOD


@pytest.mark.parametrize("text", GOOD + HELD_OUT_GOOD)
def test_a_good_reason_passes(text: str) -> None:
    """REQ-102: it must not refuse a good one."""
    judged = reason.judge(text, "T-48271")
    assert judged.verdict.allowed, judged.verdict.why()


@pytest.mark.parametrize("text", BAD + HELD_OUT_BAD)
def test_a_bad_reason_is_refused(text: str) -> None:
    """REQ-102: empty, vague, the ticket number alone, fewer than five distinct words, "the customer asked" alone."""
    judged = reason.judge(text, "T-48271")
    assert not judged.verdict.allowed
    assert judged.verdict.refusals[0].rule == "REQ-102"


def test_the_tables_are_large_enough() -> None:
    assert len(set(GOOD)) >= 40
    assert len(set(BAD)) >= 40


def test_a_copy_of_an_earlier_reason_is_refused_and_says_so() -> None:
    """REQ-102: copied, however spaced or cased."""
    judged = reason.judge(GOOD[0], "T-2", (GOOD[1], GOOD[0].upper() + "  "))
    assert "copy of an earlier one" in judged.verdict.why()


def test_a_refusal_says_what_is_missing() -> None:
    """REQ-102: symptom, object, why live data."""
    judged = reason.judge("troubleshooting an issue of the customer", "T-2")
    assert [hint.split(":")[0] for hint in judged.hints] == ["symptom", "object", "why live data"]
    assert "would fit any ticket" in judged.verdict.why()


def test_that_the_customer_asked_is_named_as_such() -> None:
    """REQ-103."""
    assert "asked" in reason.judge("The customer asked me to log in", "T-2").verdict.why()
    assert not reason.explains_why_not("customer asked me to log in").allowed
    assert reason.explains_why_not("The logs hold no answer of the bank").allowed
    assert not reason.explains_why_not("no").allowed


@pytest.mark.parametrize("text", ["\x00" * 2000, "a" * 2000, "🙂 " * 500, "’'" * 900, "-/#@&" * 400, "٣ " * 600])
def test_odd_text_is_judged_without_trouble(text: str) -> None:
    assert not reason.judge(text, "T-1").verdict.allowed
