"""Every refusal of the rules over sessions, by requirement (REQ-112, 201 … 206)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from app.policy import sessions as policy
from app.policy.duty import Duty
from storage.models import (
    Contact,
    ContactRole,
    DecisionKind,
    Elevation,
    ElevationState,
    Mode,
    Outcome,
    RequestState,
    Standing,
    Start,
    TenantMode,
)
from tests.unit.samples import ANN, DANA, EVA, FREE, NOOR, NOW, RAJ, decision, place, request, session

APPROVED = request(RequestState.APPROVED)
MINUTE = timedelta(minutes=1)
ASKED = session(elevation=Elevation(ElevationState.ASKED, "because", NOW))


def facts(**case: object) -> dict[str, object]:
    return {
        "request": APPROVED,
        "decision": decision(APPROVED),
        "staff": ANN,
        "place": place(),
        "standing": FREE,
        "current": None,
        "now": NOW + MINUTE,
    } | case


def test_an_approved_request_can_be_started() -> None:
    """REQ-201."""
    verdict = policy.may_start(**facts())  # type: ignore[arg-type]
    assert verdict.allowed, verdict.why()


BUSY = Standing(ANN.id, "S-1", None, ())
OWES = Standing(ANN.id, None, "S-1", ())


@pytest.mark.parametrize(
    ("case", "required", "words"),
    [
        ({"staff": RAJ}, "REQ-107", "not Raj Patel's"),
        ({"staff": replace(ANN, deactivated_at=NOW)}, "REQ-701", "deactivated"),
        ({"staff": replace(ANN, until=NOW)}, "REQ-701", "ended"),
        ({"request": request()}, "REQ-201", "waits for the tenant"),
        ({"request": request(RequestState.DENIED)}, "REQ-201", "was denied"),
        ({"request": request(RequestState.USED, session_id="S-0")}, "REQ-201", "used by session S-0"),
        ({"now": NOW + timedelta(hours=8)}, "REQ-201", "lapsed"),
        ({"decision": None}, "REQ-107", "no approval is on record"),
        ({"decision": decision(APPROVED, DecisionKind.DENY)}, "REQ-107", "no approval is on record"),
        ({"request": replace(APPROVED, scope="all of it")}, "REQ-115", "does not count"),
        ({"decision": replace(decision(APPROVED), content_digest="other")}, "REQ-115", "does not count"),
        ({"place": place(kill_switch=True)}, "REQ-110", "kill switch"),
        ({"place": place(mode=TenantMode.FORBIDDEN)}, "REQ-110", "forbidden"),
        ({"place": place(without=EVA.id)}, "REQ-101", "no user"),
        ({"standing": BUSY, "current": session()}, "REQ-201", "one at a time"),
        ({"standing": BUSY, "current": session(expires_at=NOW)}, "REQ-206", "owed"),
        ({"standing": OWES, "current": session(ended_at=NOW)}, "REQ-206", "outcome of session S-1 is owed"),
        ({"standing": replace(FREE, starts=(Start("nw", NOW),) * 5)}, "REQ-112", "5 sessions started"),
    ],
)
def test_starts_that_are_refused(case: dict[str, object], required: str, words: str) -> None:
    refusals = policy.may_start(**facts(**case)).refusals  # type: ignore[arg-type]
    assert words in "; ".join(finding.why for finding in refusals if finding.rule == required)


def test_a_session_lasts_what_was_granted_at_most_the_tenants_maximum() -> None:
    """REQ-201: min(minutes asked, tenant's maximum), fewer where fewer were approved."""
    assert policy.granted_minutes(APPROVED, place()) == 30
    assert policy.granted_minutes(replace(APPROVED, granted_minutes=10), place()) == 10
    assert policy.granted_minutes(request(RequestState.APPROVED, minutes=200), place()) == 60
    assert policy.granted_minutes(APPROVED, place(max_minutes=15)) == 15


def test_a_temporary_colleagues_session_ends_with_the_account() -> None:
    """REQ-701."""
    soon = NOW + timedelta(minutes=10)
    assert policy.would_end(APPROVED, replace(ANN, until=soon), place(), NOW) == soon


def test_full_needs_the_countersign() -> None:
    """REQ-202."""
    full = request(RequestState.APPROVED, mode=Mode.FULL)
    assert policy.granted_mode(full) is Mode.READ_ONLY
    assert policy.granted_mode(replace(full, countersigned_by=RAJ.id)) is Mode.FULL
    assert policy.granted_mode(replace(APPROVED, countersigned_by=RAJ.id)) is Mode.READ_ONLY


def test_over_is_over_by_time() -> None:
    """REQ-203: nothing is logged, ended or elevated in a session past its end, recorded or not."""
    late = session().expires_at
    for verdict in (
        policy.may_log_view(session(), ANN, late),
        policy.may_end(session(), ANN, late),
        policy.may_force_end(session(), DANA, late),
        policy.may_ask_elevation(session(), ANN, place(), late),
        policy.may_countersign_elevation(ASKED, DANA, ANN, place(), Duty(), late),
    ):
        assert "REQ-203" in {finding.rule for finding in verdict.refusals}
    assert policy.owes_outcome(session(), late)
    assert policy.may_give_outcome(session(), ANN, late).allowed


def test_only_its_engineer_logs_and_ends() -> None:
    """REQ-205, REQ-206."""
    assert policy.may_log_view(session(), ANN, NOW).allowed
    assert not policy.may_log_view(session(), RAJ, NOW).allowed
    assert not policy.may_end(session(), DANA, NOW).allowed
    assert not policy.may_give_outcome(session(ended_at=NOW), DANA, NOW).allowed


def test_only_a_super_force_ends() -> None:
    """REQ-204."""
    assert policy.may_force_end(session(), DANA, NOW).allowed
    assert "only a super" in policy.may_force_end(session(), RAJ, NOW).why()
    assert not policy.may_force_end(session(), NOOR, NOW).allowed
    assert not policy.may_force_end(session(ended_at=NOW), DANA, NOW).allowed


def test_the_outcome_is_given_once_and_after_the_end() -> None:
    """REQ-206."""
    given = Outcome("cause", "nothing", "no", "", True, NOW)
    assert "end it" in policy.may_give_outcome(session(), ANN, NOW).why()
    assert "has been given" in policy.may_give_outcome(session(ended_at=NOW, outcome=given), ANN, NOW).why()


@pytest.mark.parametrize(
    ("outcome", "words"),
    [
        (Outcome("", "nothing", "no", "", True, NOW), "cause found is missing"),
        (Outcome("a", "", "no", "", True, NOW), "what was changed"),
        (Outcome("a", "nothing", " ", "", True, NOW), "beyond the scope"),
        (Outcome("a", "nothing", "no", "x" * 2001, True, NOW), "at most 2,000"),
        (Outcome("a\x1b", "nothing", "no", "", True, NOW), "U+001B"),
    ],
)
def test_an_outcome_says_everything(outcome: Outcome, words: str) -> None:
    """REQ-206: cause, what was changed or that nothing was, beyond the scope or not."""
    assert words in policy.is_outcome(outcome).why()


@pytest.mark.parametrize(
    ("name", "fields", "count"),
    [("", (), 1), ("a\nb", (), 1), ("x" * 301, (), 1), ("a", ("b\x00",), 1), ("a", ("b",) * 101, 1), ("a", (), -1)],
)
def test_what_was_viewed_is_named(name: str, fields: tuple[str, ...], count: int) -> None:
    """REQ-205."""
    assert {f.rule for f in policy.is_view(name, fields, count).refusals} == {"REQ-205"}


def test_elevation_is_asked_once_and_granted_by_another() -> None:
    """REQ-202: never one's own."""
    assert policy.may_ask_elevation(session(), ANN, place(), NOW).allowed
    assert "waits" in policy.may_ask_elevation(ASKED, ANN, place(), NOW).why()
    assert "full mode already" in policy.may_ask_elevation(session(mode=Mode.FULL), ANN, place(), NOW).why()
    assert "not Raj" in policy.may_ask_elevation(session(), RAJ, place(), NOW).why()
    assert policy.may_countersign_elevation(ASKED, RAJ, ANN, place(), Duty(), NOW).allowed
    assert "second person" in policy.may_countersign_elevation(ASKED, ANN, ANN, place(), Duty(), NOW).why()
    assert "no elevation waits" in policy.may_countersign_elevation(session(), RAJ, ANN, place(), Duty(), NOW).why()
    assert not policy.may_countersign_elevation(ASKED, NOOR, ANN, place(), Duty(), NOW).allowed
    raj_too = Contact("nw/r", "nw", "Raj", "raj+x@ops.example", (ContactRole.USER,))
    assert "REQ-107" in {
        f.rule for f in policy.may_countersign_elevation(ASKED, RAJ, ANN, place(raj_too), Duty(), NOW).refusals
    }
    assert not policy.may_countersign_elevation(ASKED, RAJ, ANN, place(kill_switch=True), Duty(), NOW).allowed
    assert policy.may_decline_elevation(ASKED, RAJ, ANN, place(kill_switch=True), NOW).allowed
