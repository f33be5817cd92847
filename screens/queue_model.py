"""What the queue shows at a moment, read from the replica: who needs what, in which order, and how many need me."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from app.policy.limits import DECLARABLE, DEFAULTS, EMERGENCY_OPEN, Limits
from screens.context import ConsoleContext
from screens.queue_rows import Group, Grouped, ParsedFilter, history_source, queue_source
from screens.queued import marked
from screens.request_acts import needs
from screens.request_words import RequestNow, request_now
from storage.replica.queries.requests import RequestLine, busy_requests, past_requests, waiting_requests
from widgets.rows import RowSource

if TYPE_CHECKING:
    from storage.replica.engine import Replica

HISTORY_LIMIT = 500
PREVIEW = "preview"
"""The Change id of a View that no Change will come of."""


@dataclass(frozen=True, slots=True)
class QueueNow:
    """`summary` says how many there are; `next_change` is when time alone will change what stands here."""

    source: RowSource
    lines: dict[str, RequestLine]
    summary: str
    needs_me: int
    next_change: datetime | None


def limits_of(context: ConsoleContext) -> Limits:
    """The limits that the desk decides by; the defaults until it is open."""
    return context.desk.limits if context.desk is not None else DEFAULTS


Now = tuple[RequestLine, RequestNow]


def waiting_now(context: ConsoleContext, now: datetime) -> list[Now]:
    """The open requests. What time has closed is history, recorded or not."""
    lines = waiting_requests(context.reader, now - DECLARABLE, now - EMERGENCY_OPEN)
    return [(line, shown) for line in lines if not (shown := request_now(line, now)).closed]


def open_now(context: ConsoleContext, now: datetime) -> QueueNow:
    """The open requests in their groups, and those whose session still runs or owes its outcome."""
    waiting = waiting_now(context, now)
    busy = [(line, request_now(line, now)) for line in busy_requests(context.reader)]
    grouped = [Grouped(line, shown, _group(context, line, now)) for line, shown in waiting + busy if not shown.closed]
    needing = sum(one.group is Group.NEEDS_ME for one in grouped)
    summary = f"{len(waiting)} open · {needing} need{'s' if needing == 1 else ''} me"
    soonest = _next_change((one.shown for one in grouped), now)
    lines = _by_id(one.line for one in grouped)
    return QueueNow(queue_source(grouped, marked(context)), lines, summary, needing, soonest)


def found_now(replica: Replica, parsed: ParsedFilter, now: datetime, queued: frozenset[str] = frozenset()) -> QueueNow:
    """What the filter finds, of every state; the state asked for is the one that holds now. A search looks at every
    request there ever was: it reads through a connection of its own, so that it can run beside the interface."""
    with contextlib.closing(replica.new_reader()) as reader:
        past = past_requests(reader, parsed.wanted, HISTORY_LIMIT)
    wanted = parsed.wanted.state
    lines = [line for line in past.lines if not wanted or _is_in(line, wanted, now)]
    more = " or more: narrow the filter" if past.truncated else ""
    summary = f"{len(lines)} found{more}"
    soonest = _next_change((request_now(line, now) for line in lines), now)
    return QueueNow(history_source(lines, now, queued), _by_id(lines), summary, 0, soonest)


def _group(context: ConsoleContext, line: RequestLine, now: datetime) -> Group:
    if context.staff is None or context.replica is None:
        return Group.OTHERS
    if needs(context.replica.view(PREVIEW), line, context.staff, now, limits_of(context)):
        return Group.NEEDS_ME
    return Group.MINE if line.request.engineer_id == context.staff.id else Group.OTHERS


def _is_in(line: RequestLine, wanted: str, now: datetime) -> bool:
    shown = request_now(line, now)
    return not shown.closed if wanted == "open" else shown.state == wanted


def _by_id(lines: Iterable[RequestLine]) -> dict[str, RequestLine]:
    return {line.request.id: line for line in lines}


def _next_change(shown: Iterable[RequestNow], now: datetime) -> datetime | None:
    return min((at for at in (one.deadline for one in shown) if at is not None and at > now), default=None)
