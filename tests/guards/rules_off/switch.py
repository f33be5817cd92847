"""The switch of `app/policy`: every rule of it asks `Verdict` at the end, so this is where it is turned off.

With the rules off a command comes out as the Change that it would be if nothing stood in its way, as someone would send
it who took the rules out of their console. What the rules would have said is collected all the same, each refusal with
the function that refused, so that "REQ-107" can be told apart into who may not decide and whose note is too long.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from unittest.mock import patch

from app.policy import sessions
from app.policy import verdict as verdicts
from app.policy.limits import MINUTES_MOST
from app.policy.people import Place
from app.policy.verdict import Finding, Refused, Verdict
from app.services.command import Proof
from storage.models import Mode, Request, StepUp
from storage.shared.change import Change, Write

NO_CODE = StepUp("", "", "", datetime(2026, 1, 1, tzinfo=UTC), "", ())
"""Stands for the second factor that is not there; its write is left out of the Change."""


@dataclass(frozen=True, slots=True, order=True)
class Rule:
    """One rule: the requirement, and the function of `app.policy` or of a command that asked for it."""

    requirement: str
    asked_in: str

    def __str__(self) -> str:
        return f"{self.requirement} {self.asked_in}"


@dataclass(frozen=True)
class RuledOff:
    """What a command comes to without its rules. `change` is None where no Change can come of it at all: there is no
    such row, or nothing to build it from. `refusals` are the rules that refuse, with their words."""

    change: Change | None
    refusals: dict[Rule, str]


def without_rules(command: Callable[[], Change], greed: str = "") -> RuledOff:
    """Run a command, with arguments and view in it, with the rules off. `greed`: the "mode" or the "minutes" of a
    session that starts are not cut down to what was granted either."""
    refusals: dict[Rule, str] = {}
    with _off(refusals), _greed(refusals, greed):
        try:
            change = command()
        except Refused as refused:  # not a rule: what the command reads is not there, or it is not for such an actor
            for finding in refused.verdict.findings:
                refusals.setdefault(_rule_of(finding), finding.why)
            return RuledOff(None, refusals)
        except (AssertionError, AttributeError, ValueError, TypeError) as nothing:
            refusals.setdefault(Rule("-", "nothing to build it from"), repr(nothing))
            return RuledOff(None, refusals)
    return RuledOff(replace(change, writes=tuple(w for w in change.writes if w.row is not NO_CODE)), refusals)


@contextmanager
def _off(refusals: dict[Rule, str]) -> Iterator[None]:
    def allowed(verdict: Verdict) -> bool:
        for finding in verdict.findings:
            if not finding.passed:
                refusals.setdefault(_rule_of(finding), finding.why)
        return True

    def used(proof: Proof) -> Write:
        return _used(proof) if proof._row is not None else Write(NO_CODE)

    _used = Proof.used
    with (
        patch.object(Verdict, "allowed", property(allowed)),
        patch.object(Verdict, "refusals", ()),
        patch.object(verdicts, "Finding", _traced),
        patch.object(Proof, "used", used),
    ):
        yield


@contextmanager
def _greed(refusals: dict[Rule, str], greed: str) -> Iterator[None]:
    """Full mode wherever it was asked for, or four hours."""
    granted_mode, granted_minutes = sessions.granted_mode, sessions.granted_minutes

    def mode(request: Request) -> Mode:
        if granted_mode(request) is not request.mode:
            refusals.setdefault(Rule("REQ-202", "granted_mode"), "full without a countersign")
        return request.mode

    def minutes(request: Request, place: Place) -> int:
        if granted_minutes(request, place) < MINUTES_MOST:
            refusals.setdefault(Rule("REQ-201", "granted_minutes"), "longer than what was granted")
        return MINUTES_MOST

    with (
        patch.object(sessions, "granted_mode", mode if greed == "mode" else granted_mode),
        patch.object(sessions, "granted_minutes", minutes if greed == "minutes" else granted_minutes),
    ):
        yield


@dataclass(frozen=True)
class _Traced(Finding):
    asked_in: str = ""


def _traced(name: str, passed: bool, why: str, who_could: str = "") -> Finding:
    """In place of Finding for `rule`, whose caller is the rule's own function."""
    return _Traced(name, passed, why, who_could, sys._getframe(2).f_code.co_name)


def _rule_of(finding: Finding) -> Rule:
    """The reason linter and the second factor make their findings themselves: the latter says which of its rules."""
    if isinstance(finding, _Traced):
        return Rule(finding.rule, finding.asked_in)
    return Rule(finding.rule, finding.why if finding.rule == "REQ-702" else "judge")
