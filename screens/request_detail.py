"""Everything about one request, as named values: state and countdown, what is asked and why, each rule with its word,
what happens next, the exchange with the tenant, what happened so far, and the letters.

`request_fields` is pure; `RequestDetail` is the scrolling pane that shows it beside the queue or by itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Flag, auto
from itertools import groupby

from textual.app import ComposeResult

from app.policy.verdict import Finding, Verdict
from app.policy.ways import Way
from screens.context import ConsoleContext
from screens.queued import waits_on
from screens.request_words import (
    ALTERNATIVE_WORDS,
    LAYER_WORDS,
    MODE_WORDS,
    RequestNow,
    next_step,
    request_now,
    scope_words,
    urgent_facts,
)
from storage.models import Mail, MailState, Mode, Request
from storage.replica.queries.requests import LoggedStep, RequestLine, names, request_mails, request_steps
from widgets.cells import BarCell, Cell, Tone, Toned
from widgets.fields import BLANK, Field, FieldList, field, line, under
from widgets.kept import ScrolledPane
from widgets.text import visible

TimeText = Callable[[datetime], str]
LATE = timedelta(minutes=1)
"""What time brought about is told with its own moment where it was recorded later than this."""


@dataclass(frozen=True, slots=True)
class RequestStory:
    """What the detail is made of. `rules` is the verdict on the way in; `names` are the people behind ids. `waits` says
    what about it waits in the outbox; `ways` are those that lead in now."""

    line: RequestLine
    rules: Verdict
    steps: Sequence[LoggedStep]
    mails: Sequence[Mail]
    names: Mapping[str, str]
    waits: str = ""
    ways: tuple[Way, ...] = ()


class Part(Flag):
    """What a pane shows: what is asked, how it came about, or both."""

    ASKED = auto()
    STORY = auto()


def request_fields(story: RequestStory, now: datetime, when: TimeText, part: Part) -> list[Field]:
    """The detail, top to bottom in the order of what one wants to know."""
    fields: list[Field] = []
    if Part.ASKED in part:
        shown = request_now(story.line, now)
        fields += [
            *_headline(story.line, shown),
            *([line(Toned(story.waits, Tone.SOON))] if story.waits else []),
            field("next", visible(next_step(story.line, now))),
            *_ways(story.ways),
            BLANK,
            *_asked(story.line, story.names, now),
            *_exchanges(story.line.request, when),
        ]
    if Part.STORY in part:
        # What stands between a closed request and a session is that it is closed, and the headline says so.
        rules = () if request_now(story.line, now).closed else _rules(story.rules)
        fields += [*rules, *_timeline(story.steps, when), *_letters(story.mails, when)]
    return fields[1:] if fields and fields[0] is BLANK else fields


def _ways(ways: Sequence[Way]) -> Iterable[Field]:
    """The ways that can still lead in, the least costly first, each with what it costs (REQ-113)."""
    lines: list[Cell] = []
    for way in ways if len(ways) > 1 else ():  # one alone is open already, and the headline says so
        if way.is_open:
            lines += [visible(way.words), *([Toned(visible(way.cost), Tone.DIM)] if way.cost else [])]
    if lines:
        yield field("ways in", *lines)


def rule_lines(verdict: Verdict) -> list[Cell]:
    """Each rule's word: what refuses first, then what passes."""
    ordered = sorted(verdict.findings, key=lambda finding: finding.passed)
    return [rule_line(finding) for finding in ordered]


def rule_line(finding: Finding) -> Toned:
    if finding.passed:
        return Toned(f"✓ {visible(finding.why)}", Tone.DIM)
    who = f" — {visible(finding.who_could)}" if finding.who_could else ""
    return Toned(f"✗ {visible(finding.why)}{who}", Tone.SOON)


def _headline(one: RequestLine, shown: RequestNow) -> Iterable[Field]:
    urgent = "  ! urgent" if one.request.urgent else ""
    yield line(Toned(visible(shown.headline) + urgent, shown.tone if shown.tone is not Tone.PLAIN else Tone.STRONG))
    if shown.deadline is not None and shown.since is not None:
        yield line(BarCell(shown.since, shown.deadline))


def _asked(one: RequestLine, names: Mapping[str, str], now: datetime) -> Iterable[Field]:
    request = one.request
    yield field("tenant", visible(one.tenant_name))
    yield field("view as", visible(f"{one.target_name} <{one.target_email}>" if one.target_email else one.target_name))
    yield field("engineer", visible(f"{one.engineer_name} <{one.engineer_email}>"))
    yield field("ticket", visible(request.ticket))
    yield field("reason", visible(request.reason))
    yield field("scope", visible(scope_words(request)))
    yield field("access", _access(request))
    tried = ", ".join(ALTERNATIVE_WORDS[way] for way in request.tried) or "nothing less invasive"
    yield field("tried", tried, *([Toned(visible(request.why_not), Tone.DIM)] if request.why_not else []))
    if request.countersigned_by:
        yield field("countersign", Toned(f"✓ {visible(names.get(request.countersigned_by, ''))}", Tone.GOOD))
    if request.declined_by:
        yield field("countersign", Toned(f"✗ declined by {visible(names.get(request.declined_by, ''))}", Tone.BAD))
    for label, words in urgent_facts(request, now):
        yield field(label, Toned(visible(words), Tone.SOON))
    if request.decision_note:
        yield field("note", visible(request.decision_note))
    if request.again_of:
        yield field("again of", visible(request.again_of))
    if request.session_id:
        yield field("session", visible(request.session_id))


def _access(request: Request) -> str:
    minutes = f"{request.minutes} min"
    if request.granted_minutes is not None and request.granted_minutes != request.minutes:
        minutes = f"{request.granted_minutes} min granted of {request.minutes} asked"
    full = " (changes data)" if request.mode is Mode.FULL else ""
    return f"{MODE_WORDS[request.mode]}{full} · {minutes} · {LAYER_WORDS[request.layer]}"


def _rules(verdict: Verdict) -> Iterable[Field]:
    rules = rule_lines(verdict)
    if rules:
        yield BLANK
        yield field("rules", *rules)


def _exchanges(request: Request, when: TimeText) -> Iterable[Field]:
    for number, exchange in enumerate(request.exchanges):
        if number == 0:
            yield BLANK
        sign, tone = ("?", Tone.SOON) if exchange.kind == "question" else ("→", Tone.PLAIN)
        label = "exchange" if number == 0 else ""
        head = Toned(f"{when(exchange.at)} {visible(exchange.name)}", Tone.DIM)
        words = Toned(f"{sign} {visible(exchange.text)}", tone)
        yield field(label, head, words) if label else under(head, words)


def _timeline(steps: Sequence[LoggedStep], when: TimeText) -> Iterable[Field]:
    if steps:
        yield BLANK
        words = [_step_words(step, when) for step in steps]
        runs = [(one, len(list(same))) for one, same in groupby(words)]
        yield field("so far", *(f"{one} ×{times}" if times > 1 else one for one, times in runs))


def _step_words(step: LoggedStep, when: TimeText) -> str:
    words = step.action.rpartition("impersonate.action.")[2].replace(".", " ").replace("_", " ")
    who = f" by {visible(step.actor_name)}" if step.actor_kind in ("staff", "tenant_admin") else ""
    since = f", as of {when(step.effective_at)}" if step.effective_at and step.at - step.effective_at >= LATE else ""
    return f"{when(step.at)} {words}{who}{since}"


def _letters(mails: Sequence[Mail], when: TimeText) -> Iterable[Field]:
    if mails:
        yield BLANK
        yield field("letters", *(_mail_words(mail, when) for mail in mails))


def _mail_words(mail: Mail, when: TimeText) -> Toned:
    sent = f"delivered {when(mail.delivered_at)}" if mail.delivered_at else "waiting to be sent"
    if mail.state is MailState.FAILED:
        sent = f"NOT DELIVERED: {visible(mail.last_error or '')}"
    elif mail.state is MailState.QUEUED and mail.last_error:
        sent += f": {visible(mail.last_error)}"
    return Toned(
        f"{visible(mail.to_name)} <{visible(mail.to_email)}>: {visible(mail.subject)}, {sent}",
        Tone.PLAIN if mail.delivered_at else Tone.DIM,
    )


class RequestDetail(ScrolledPane, can_focus=True):
    """The pane."""

    DEFAULT_CSS = """
    RequestDetail { padding: 0 0 0 1; scrollbar-size-vertical: 1; }
    RequestDetail > FieldList { padding-right: 1; }
    """

    def __init__(
        self, now: Callable[[], datetime], when: TimeText, *, id: str | None = None, classes: str = ""
    ) -> None:
        super().__init__(id=id, classes=classes)
        self._now, self._when = now, when
        self.part = Part.ASKED | Part.STORY
        self._shown: str | None = None

    def compose(self) -> ComposeResult:
        yield FieldList(self._now)

    def show(self, story: RequestStory | None) -> None:
        """Show a request; scrolled to the top when it is another one, else left where it is."""
        fields = self.query_one(FieldList)
        if story is None:
            fields.show([line(Toned("nothing selected", Tone.DIM))])
        else:
            fields.show(request_fields(story, self._now(), self._when, self.part))
        shown = story.line.request.id if story is not None else None
        if shown != self._shown:
            self._shown = shown
            self.scroll_home(animate=False)

    def refresh_time_cells(self) -> None:
        """Draw the countdown on."""
        self.query_one(FieldList).refresh_time_cells()

    @property
    def text(self) -> str:
        """What is shown, as plain text."""
        return self.query_one(FieldList).text


def read_story(context: ConsoleContext, one: RequestLine, rules: Verdict, ways: tuple[Way, ...] = ()) -> RequestStory:
    """Everything the detail needs, from the replica."""
    reader, request = context.reader, one.request
    people = [key for key in (request.countersigned_by, request.declined_by, request.decided_by) if key]
    return RequestStory(
        one,
        rules,
        request_steps(reader, request.id),
        request_mails(reader, request.id),
        names(reader, people),
        waits_on(context, request.id),
        ways,
    )
