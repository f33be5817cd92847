"""The queue as rows of the one table: what needs me first, then mine, then the others'; and the filter line's words."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import Enum

from screens.queued import MARK
from screens.request_words import RequestNow, request_now, signs
from storage.models import RequestState
from storage.replica.queries.requests import RequestFilter, RequestLine
from widgets.cells import Cell, LeftCell, Tone, Toned
from widgets.columns import Column
from widgets.countdown import left_text
from widgets.rows import ListSource, RowView, heading
from widgets.text import visible

COLUMNS = (
    Column("signs", "", 3),
    Column("id", "request", 8),
    Column("tenant", "tenant", 20, least=11, grow=3),
    Column("ticket", "ticket", 10, least=8, priority=2, grow=1),
    Column("engineer", "by", 8, least=5, priority=1, grow=1),
    Column("state", "state", 13),
    Column("left", "time", 7, right=True),
)
_PART = re.compile(r'(?:(\w+):)?("[^"]*"?|\S+)')
_FIELDS = ("state", "tenant", "staff", "ticket")


class Group(Enum):
    """Where a request stands in the queue, in this order."""

    NEEDS_ME = "NEEDS ME"
    MINE = "MINE"
    OTHERS = "OTHERS"


@dataclass(frozen=True, slots=True)
class Grouped:
    """A line, the words for it now, and where it belongs."""

    line: RequestLine
    shown: RequestNow
    group: Group


@dataclass(frozen=True, slots=True)
class ParsedFilter:
    """What a filter line asks for; `trouble` says which part of it is not understood, "" if all is."""

    wanted: RequestFilter
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class PastCell:
    """How long ago something was, for what no longer runs: `3h ago`."""

    at: datetime

    def drawn(self, now: datetime, width: int) -> Toned:
        return Toned(f"{left_text((now - self.at).total_seconds(), coarse=True)} ago", Tone.DIM)


def parse_filter(text: str) -> ParsedFilter:
    """Words, and `state:`, `tenant:`, `staff:`, `ticket:` with a value; quotes keep spaces."""
    wanted, words = RequestFilter(), []
    for name, quoted in _PART.findall(text):
        value = quoted.strip('"')
        if not name:
            words.append(value)
        elif name not in _FIELDS:
            return ParsedFilter(RequestFilter(), f"no field {name}: — there are {', '.join(f + ':' for f in _FIELDS)}")
        elif name == "state" and value not in {*RequestState, "open"}:
            return ParsedFilter(RequestFilter(), f"no state {value} — {', '.join(['open', *RequestState])}")
        else:
            wanted = replace(wanted, **{name: value})
    return ParsedFilter(replace(wanted, words=tuple(words)))


def queue_source(grouped: Iterable[Grouped], queued: Container[str] = ()) -> ListSource:
    """Open requests under their groups' headings. Within a group what ends first stands first. `queued`: those about
    which something waits in the outbox."""
    by_group: dict[Group, list[Grouped]] = {group: [] for group in Group}
    for one in grouped:
        by_group[one.group].append(one)
    rows: list[RowView] = []
    for group, members in by_group.items():
        if members:
            members.sort(key=_urgency)
            rows.append(heading(f"{group.value}  {len(members)}"))
            rows += [request_row(one.line, one.shown, queued) for one in members]
    return ListSource(rows)


def history_source(lines: Sequence[RequestLine], now: datetime, queued: Container[str] = ()) -> ListSource:
    """Requests of every state, as found, newest first."""
    return ListSource([request_row(line, request_now(line, now), queued) for line in lines])


def request_row(line: RequestLine, shown: RequestNow, queued: Container[str] = ()) -> RowView:
    """One request as a line of the table. What waits in the outbox is told in place of the state, which the detail
    says: it is what its person must know first."""
    request = line.request
    quiet = Tone.DIM if shown.closed else Tone.PLAIN
    return RowView(
        request.id,
        (
            Toned(signs(request), Tone.BAD if request.urgent and not shown.closed else Tone.DIM),
            Toned(visible(request.id), Tone.DIM),
            Toned(visible(line.tenant_name), quiet),
            Toned(visible(request.ticket), quiet),
            Toned(visible(line.engineer_email.partition("@")[0] or line.engineer_name), quiet),
            Toned(f"{MARK} queued", Tone.SOON) if request.id in queued else Toned(shown.short, shown.tone),
            _time_cell(line, shown),
        ),
        tone=quiet,
    )


def _time_cell(line: RequestLine, shown: RequestNow) -> Cell:
    """What is left while something runs; how long ago it was over, or asked, once nothing does."""
    return LeftCell(shown.deadline) if shown.deadline is not None else PastCell(shown.since or line.request.created_at)


def _urgency(one: Grouped) -> tuple[bool, bool, datetime, str]:
    request, deadline = one.line.request, one.shown.deadline
    return (not request.urgent, deadline is not None, deadline or request.created_at, request.id)
