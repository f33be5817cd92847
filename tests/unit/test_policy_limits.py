"""The rate limit is a rolling window (REQ-112)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from app.policy.limits import DEFAULTS, Limits, recent_starts, within_rate
from storage.models import Start
from tests.unit.samples import FREE, NOW


def test_the_sixth_session_within_an_hour_waits_until_the_first_is_an_hour_old() -> None:
    """REQ-112: five an hour, and the words say from when on."""
    five = replace(FREE, starts=tuple(Start("nw", NOW + timedelta(minutes=m)) for m in range(5)))
    at = NOW + timedelta(minutes=30)
    verdict = within_rate(five, "nw", at, DEFAULTS)
    assert verdict.refusals[0].rule == "REQ-112"
    assert "10:00 UTC" in verdict.why()
    assert within_rate(five, "nw", NOW + timedelta(hours=1), DEFAULTS).allowed
    assert within_rate(replace(five, starts=five.starts[:4]), "nw", at, DEFAULTS).allowed


def test_the_eleventh_tenant_within_a_day_is_refused_an_old_one_is_not() -> None:
    """REQ-112: ten distinct tenants a day."""
    ten = replace(FREE, starts=tuple(Start(f"t{n}", NOW + timedelta(hours=n * 2)) for n in range(10)))
    at = NOW + timedelta(hours=20)
    assert "10 tenants" in within_rate(ten, "other", at, DEFAULTS).why()
    assert within_rate(ten, "t3", at, DEFAULTS).allowed
    assert within_rate(ten, "other", NOW + timedelta(hours=24), DEFAULTS).allowed


def test_the_amounts_are_settings() -> None:
    """REQ-112."""
    one = replace(FREE, starts=(Start("nw", NOW),))
    assert not within_rate(one, "nw", NOW, Limits(sessions_per_hour=1)).allowed
    assert not within_rate(one, "other", NOW, Limits(tenants_per_day=1)).allowed


def test_what_no_window_reaches_is_forgotten() -> None:
    old = replace(FREE, starts=(Start("a", NOW), Start("b", NOW + timedelta(hours=2))))
    kept = recent_starts(old, NOW + timedelta(hours=25)).starts
    assert [start.tenant_id for start in kept] == ["b"]
