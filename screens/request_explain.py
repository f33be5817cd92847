"""The full explanation of a request (REQ-113): every rule of the way in, what I can do with it, why not, who could."""

from __future__ import annotations

from textual.content import Content

from app.policy.verdict import Finding, Verdict
from screens.context import ConsoleContext
from screens.queue_model import PREVIEW, limits_of
from screens.request_acts import Act, Verdicts, awaited, way_in
from screens.request_words import request_now
from storage.replica.queries.requests import RequestLine
from widgets.text import visible

_ACT_WORDS = {
    Act.OUTCOME: "give the outcome",
    Act.ANSWER: "answer the question",
    Act.START: "start the session",
    Act.DECLARE: "declare break-glass",
    Act.WITHDRAW: "withdraw it",
    Act.DECLINE: "decline full mode",
    Act.AGAIN: "ask again",
    Act.EMERGENCY: "declare an emergency",
}


def request_explained(context: ConsoleContext, line: RequestLine, acts: Verdicts) -> tuple[str, Content]:
    """Title and words for the dialog."""
    now = context.now()
    parts: list[Content] = [
        Content.styled(visible(request_now(line, now).headline), "bold"),
    ]
    if context.replica is not None:
        explained = way_in(context.replica.view(PREVIEW), line, now, limits_of(context))
        parts += [Content(visible(step)) for step in explained.steps]
        parts += [
            Content(),
            Content.styled(f"What stands between {visible(line.engineer_name)} and a session", "$tone-dim"),
        ]
        parts += [*verdict_lines(explained.verdict), Content()]
    parts += [Content.styled("What you can do with it", "$tone-dim")]
    for act, verdict in acts.items():
        sign = Content.styled("✓ ", "$tone-good") if verdict.allowed else Content.styled("✗ ", "$tone-bad")
        why = "" if verdict.allowed else ": " + visible(verdict.why())
        words = f"countersign {awaited(line.request, now).value}" if act is Act.COUNTERSIGN else _ACT_WORDS[act]
        parts.append(sign + Content(words) + Content.styled(why, "$tone-dim"))
    return f"Why {line.request.id} stands where it stands", Content("\n").join(parts)


def verdict_lines(verdict: Verdict) -> list[Content]:
    """Every rule with its word and its requirement, what refuses first."""
    return [_finding(one) for one in sorted(verdict.findings, key=lambda finding: finding.passed)]


def _finding(one: Finding) -> Content:
    sign = Content.styled("✓ ", "$tone-good") if one.passed else Content.styled("✗ ", "bold $tone-bad")
    who = f" — {visible(one.who_could)}" if one.who_could and not one.passed else ""
    words = Content(visible(one.why) + who) if one.passed else Content.styled(visible(one.why) + who, "$tone-bad")
    return sign + words + Content.styled(f"  {one.rule}", "$tone-dim")
