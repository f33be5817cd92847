"""The transparency report over a period (REQ-408): how often support access was asked for, how it was decided, what
came of it. Counts and medians alone: nobody and no tenant is named.

Requests belong to the period in which they were asked, sessions to the one in which they began, and every other act to
the one its entry was written in. The report says which head of the operator log it was counted from.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from statistics import median
from typing import Any

from app.policy.request_state import opened_at, state_at
from storage.log.entry import Head
from storage.models import Layer, Mode, Request, RequestState, Session, time_text

Document = dict[str, Any]

GRANTED = frozenset({RequestState.APPROVED, RequestState.USED, RequestState.LAPSED})
"""States that say: somebody let the engineer in, used or not."""


def collect(connection: sqlite3.Connection, since: datetime, until: datetime, now: datetime, head: Head) -> Document:
    """Everything the report says, as data; durations in whole seconds. `since` <= moment < `until`, UTC."""
    requests = [
        Request.from_image(image)
        for (image,) in connection.execute(
            "SELECT image FROM request WHERE created_at >= ? AND created_at < ?", (time_text(since), time_text(until))
        )
    ]
    sessions = [
        Session.from_image(image)
        for (image,) in connection.execute(
            "SELECT image FROM session WHERE started_at >= ? AND started_at < ?", (time_text(since), time_text(until))
        )
    ]
    acts, reviews = _acts(connection, since, until), _reviews(connection, since, until)
    return {
        "from": time_text(since),
        "until": time_text(until),
        "made_at": time_text(now),
        "counted_from": {"log": "operator", "seq": head.seq, "hash": head.hash},
        "requests": _asked(requests, acts, now),
        "layers": [_layer(layer, requests, sessions, now) for layer in Layer],
        "break_glass": {
            "declared": acts["break_glass.declared"],
            "countersigned": acts["break_glass.countersigned"],
            "vetoed": acts["break_glass.vetoed"],
            "activated": sum(one.layer is Layer.BREAK_GLASS for one in sessions),
        },
        "emergencies": {
            "declared": acts["emergency.declared"],
            "countersigned": acts["emergency.countersigned"],
            "void_without_a_second_super": acts["emergency.lapsed"],
            "activated": sum(one.layer is Layer.EMERGENCY for one in sessions),
            "reviews_signed": reviews["review.signed", "emergency"],
        },
        "sessions": _sessions(sessions, now),
        "tenants_own_acts": {
            "kill_switch_turned_on": acts["kill_switch.turned_on"],
            "kill_switch_turned_off": acts["kill_switch.turned_off"],
            "disputes_opened": reviews["review.opened", "dispute"],
            "disputes_answered": reviews["review.signed", "dispute"],
        },
    }


def _acts(connection: sqlite3.Connection, since: datetime, until: datetime) -> Counter[str]:
    """How often each action stands in the operator log in that time."""
    rows = connection.execute(
        "SELECT action, count(*) FROM operator_log WHERE at >= ? AND at < ? GROUP BY action",
        (time_text(since), time_text(until)),
    )
    return Counter(dict(rows.fetchall()))


def _reviews(connection: sqlite3.Connection, since: datetime, until: datetime) -> Counter[tuple[str, str]]:
    """How often a review of each kind was opened and signed: a dispute is one, an emergency has one."""
    rows = connection.execute(
        "SELECT action, json_extract(body, '$.data.kind'), count(*) FROM operator_log"
        " WHERE action IN ('review.opened', 'review.signed') AND at >= ? AND at < ? GROUP BY 1, 2",
        (time_text(since), time_text(until)),
    )
    return Counter({(action, kind): count for action, kind, count in rows})


def _was_opened(request: Request, now: datetime) -> bool:
    """Whether somebody let the engineer in: what nobody countersigned, or nobody was told of, lapses unopened."""
    return state_at(request, now) in GRANTED and opened_at(request) is not None


def _asked(requests: list[Request], acts: Counter[str], now: datetime) -> Document:
    states = Counter(state_at(one, now) for one in requests)
    opened = sum(_was_opened(one, now) for one in requests)
    return {
        "asked": len(requests),
        "urgent": sum(one.urgent for one in requests),
        "full": sum(one.mode is Mode.FULL for one in requests),
        "refused_by_rule": acts["request.refused"],
        "questions_asked": acts["question.asked"],
        "outcomes": {
            "approved": opened,
            "lapsed_unopened": sum(states[state] for state in GRANTED) - opened,
            **{state.value: states[state] for state in RequestState if state not in GRANTED},
        },
        "tenants": len({one.tenant_id for one in requests}),
        "engineers": len({one.engineer_id for one in requests}),
    }


def _layer(layer: Layer, requests: list[Request], sessions: list[Session], now: datetime) -> Document:
    granted = [one for one in requests if one.layer is layer and _was_opened(one, now)]
    begun = [one for one in sessions if one.layer is layer]
    return {
        "layer": layer.value,
        "approved": len(granted),
        "not_used": sum(state_at(one, now) is RequestState.LAPSED for one in granted),
        "sessions": len(begun),
        "median_waiting_seconds": _median(_waited(one) for one in granted),
        "median_session_seconds": _median(_lasted(one, now) for one in begun if not one.is_active(now)),
    }


def _waited(request: Request) -> int | None:
    """Seconds from the asking until it could be used."""
    opened = opened_at(request)
    return None if opened is None else int((opened - request.created_at).total_seconds())


def _lasted(session: Session, now: datetime) -> int:
    end = min(session.ended_at or now, session.expires_at)
    return max(0, int((end - session.started_at).total_seconds()))


def _median(seconds: Iterable[int | None]) -> int | None:
    known = [one for one in seconds if one is not None]
    return int(median(known)) if known else None


def _sessions(sessions: list[Session], now: datetime) -> Document:
    over = [one for one in sessions if not one.is_active(now)]
    ends = Counter((one.end_kind.value if one.end_kind else "clock") for one in over)
    return {
        "started": len(sessions),
        "full": sum(one.mode is Mode.FULL for one in sessions),
        "running": len(sessions) - len(over),
        "ended_by": dict(sorted(ends.items())),
        "nothing_viewed": sum(one.views == 0 for one in over),
        "records_seen": sum(one.records_seen for one in sessions),
        "beyond_scope": sum(one.beyond_scope > 0 for one in sessions),
        "outcome_owed": sum(one.outcome is None for one in over),
        "median_seconds": _median(_lasted(one, now) for one in over),
        "tenants": len({one.tenant_id for one in sessions}),
    }
