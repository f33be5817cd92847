"""The reason linter refuses what would fit any ticket, and no good reason (REQ-102, REQ-103)."""

from __future__ import annotations

import pytest

from app.policy import reason
from tests.unit.reasons import BAD, GOOD


@pytest.mark.parametrize("text", GOOD)
def test_a_good_reason_passes(text: str) -> None:
    """REQ-102: it must not refuse a good one."""
    judged = reason.judge(text, "T-48271")
    assert judged.verdict.allowed, judged.verdict.why()


@pytest.mark.parametrize("text", BAD)
def test_a_bad_reason_is_refused(text: str) -> None:
    """REQ-102: empty, vague, the ticket number alone, fewer than five distinct words, "the customer asked" alone."""
    judged = reason.judge(text, "T-48271")
    assert not judged.verdict.allowed
    assert judged.verdict.refusals[0].rule == "REQ-102"


def test_the_tables_are_large_enough() -> None:
    assert len(set(GOOD)) >= 40
    assert len(set(BAD)) >= 40
