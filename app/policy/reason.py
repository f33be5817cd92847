"""The reason linter (REQ-102, REQ-103)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from app.policy.verdict import Verdict, rule


@dataclass(frozen=True, slots=True)
class Judgement:
    """What the linter says: the verdict, and hints at what would make the reason better."""

    verdict: Verdict
    hints: tuple[str, ...] = ()


def judge(reason: str, ticket: str, earlier_reasons: Collection[str] = ()) -> Judgement:
    """REQ-102."""
    return Judgement(rule("REQ-102", len(set(reason.casefold().split())) >= 5, "specific", "too short"))


def explains_why_not(words: str) -> Verdict:
    """REQ-103."""
    return rule("REQ-103", len(set(words.casefold().split())) >= 3, "said", "say why the other ways did not do")
