"""Which act an accepted code covers (REQ-702)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.policy.limits import DEFAULTS, Limits
from app.policy.step_up import covers, only_this_is_missing
from app.policy.verdict import Verdict, rule
from storage.models import StepUp
from tests.unit.samples import ANN, NOW, RAJ


def given(act: str, *used: str, owner: str = ANN.id) -> StepUp:
    return StepUp("P-1", owner, act, NOW, "totp", used)


def asked(proof: StepUp | None, act: str, seconds: int = 10, limits: Limits = DEFAULTS) -> Verdict:
    return covers(proof, ANN.id, act, NOW + timedelta(seconds=seconds), limits)


def test_a_fresh_code_covers_its_act() -> None:
    """REQ-702."""
    assert asked(given("session.force_end"), "session.force_end").allowed


@pytest.mark.parametrize(
    ("proof", "act", "seconds", "why"),
    [
        (None, "request.create", 0, "needed"),
        (given("session.start", owner=RAJ.id), "session.start", 0, "someone else"),
        (given("session.start", "change-1"), "session.start", 0, "used"),
        (given("session.start"), "session.start", 301, "older"),
        (given("session.start"), "request.create", 0, "another act"),
        (given("request.create"), "session.force_end", 0, "another act"),
        (given("request.countersign"), "session.countersign", 0, "another act"),
        (given("request.create", "change-1"), "session.start", 121, "another act"),
        (given("request.create", "change-1", "change-2"), "session.start", 10, "another act"),
    ],
)
def test_what_a_code_does_not_cover(proof: StepUp | None, act: str, seconds: int, why: str) -> None:
    """REQ-702: one's own, for this act, once, within five minutes; only create-then-start share one."""
    verdict = asked(proof, act, seconds)
    assert why in verdict.why()
    assert only_this_is_missing(verdict)


def test_one_code_covers_create_then_start_for_two_minutes() -> None:
    """REQ-702: a setting; 0 is never."""
    assert asked(given("request.create", "change-1"), "session.start", 120).allowed
    never = Limits(step_up_reuse_seconds=0)
    assert not asked(given("request.create", "change-1"), "session.start", 0, never).allowed


def test_a_code_does_not_make_up_for_another_rule() -> None:
    both = asked(None, "session.start") & rule("REQ-110", False, "", "the kill switch is on")
    assert not only_this_is_missing(both)
    assert not only_this_is_missing(Verdict())
