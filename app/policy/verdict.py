"""A verdict: allowed or not, and every rule that passed or refused, each in words for a person (REQ-113)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from storage.errors import CountersignError


@dataclass(frozen=True, slots=True)
class Finding:
    """One rule's word. `rule` is a requirement's id ("REQ-107"); `why` says what holds or what stands in the way;
    `who_could` names who can do it or change it, "" where nobody has to."""

    rule: str
    passed: bool
    why: str
    who_could: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """All findings, those that refuse included. `allowed` is: none refuses."""

    findings: tuple[Finding, ...] = ()

    @property
    def allowed(self) -> bool:
        return all(finding.passed for finding in self.findings)

    @property
    def refusals(self) -> tuple[Finding, ...]:
        return tuple(finding for finding in self.findings if not finding.passed)

    def __and__(self, other: Verdict) -> Verdict:
        return Verdict(self.findings + other.findings)

    def why(self) -> str:
        """The refusals in one line: why, and who could."""
        return "; ".join(f.why + (f" — {f.who_could}" if f.who_could else "") for f in self.refusals)


class Refused(CountersignError):
    """A rule said no. Carries the whole verdict."""

    def __init__(self, verdict: Verdict) -> None:
        super().__init__(verdict.why())
        self.verdict = verdict


def rule(name: str, holds: bool, passes: str, refuses: str, who_could: str = "") -> Verdict:
    """The verdict of one rule: `passes` is said when it holds, `refuses` and `who_could` when it does not."""
    return Verdict((Finding(name, True, passes) if holds else Finding(name, False, refuses, who_could),))


def together(verdicts: Iterable[Verdict]) -> Verdict:
    """One verdict of several, in their order."""
    return Verdict(tuple(finding for verdict in verdicts for finding in verdict.findings))


def require(verdict: Verdict) -> None:
    """Raise `Refused` unless the verdict allows."""
    if not verdict.allowed:
        raise Refused(verdict)
