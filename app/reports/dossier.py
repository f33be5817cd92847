"""A session's dossier: who, who approved, which case, what was viewed, how long, and what came of it, on one page
(REQ-406). Gathered here as data; `dossier_page` draws Markdown and HTML from that data alone."""

from __future__ import annotations

import sqlite3
from datetime import datetime
from typing import Any

from storage.errors import Misconfigured
from storage.models import Session, time_text
from storage.models.row import encode
from storage.replica.queries.log import entries_by_number, entry_hash, search
from storage.replica.queries.log_filter import LogFilter
from storage.replica.queries.requests import RequestLine, request_line
from storage.replica.queries.sessions import SessionCard, decisions_on, session_card, views_of

Document = dict[str, Any]


def collect(connection: sqlite3.Connection, session_id: str, now: datetime) -> Document:
    """Everything the dossier says, as data. Raises Misconfigured when there is no such session here."""
    card = session_card(connection, session_id)
    line = request_line(connection, card.session.request_id) if card else None
    if card is None or line is None:
        raise Misconfigured(f"there is no session {session_id}")
    one = card.session
    return {
        "session": one.id,
        "request": one.request_id,
        "made_at": time_text(now),
        "who": {
            "engineer": card.engineer,
            "email": card.engineer_email,
            "id": one.engineer_id,
            "tenant": card.tenant,
            "tenant_id": one.tenant_id,
            "as_user": card.target,
            "as_user_email": card.target_email,
        },
        "who_approved": _approval(connection, card),
        "which_case": _case(line),
        "what_was_viewed": _viewed(connection, one, card.declared),
        "how_long": _length(card, now),
        "outcome": encode(one.outcome) if one.outcome else None,
        "outcome_owed": one.outcome is None and not one.is_active(now),
        "entries": _entries(connection, one),
    }


def _approval(connection: sqlite3.Connection, card: SessionCard) -> Document:
    one = card.session
    decisions = [
        {"what": d.kind.value, "by": d.by_name, "id": d.by, "at": time_text(d.at), "minutes": d.minutes, "note": d.note,
         "content_digest": d.content_digest}
        for d in decisions_on(connection, one.request_id)
    ]  # fmt: skip
    elevation = None
    if one.elevation is not None:
        asked = one.elevation
        elevation = {
            "state": asked.state.value,
            "reason": asked.reason,
            "asked_at": time_text(asked.asked_at),
            "decided_by": card.elevation_decided_by,
            "decided_at": time_text(asked.decided_at) if asked.decided_at else None,
        }
    return {"layer": one.layer.value, "decisions": decisions, "elevation": elevation}


def _case(line: RequestLine) -> Document:
    asked = line.request
    return {
        "ticket": asked.ticket,
        "reason": asked.reason,
        "scope": asked.scope,
        "records_declared": asked.records,
        "urgent": asked.urgent,
        "tried_before": [way.value for way in asked.tried],
        "why_not": asked.why_not,
        "conversation": [encode(said) for said in asked.exchanges],
    }


def _viewed(connection: sqlite3.Connection, one: Session, declared: int) -> Document:
    views = [
        {"at": time_text(v.at), "kind": v.kind.value, "name": v.name, "fields": list(v.fields), "count": v.count,
         "within_scope": v.within_scope, "source": v.source}
        for v in views_of(connection, one.id)
    ]  # fmt: skip
    return {
        "mode": one.mode.value,
        "records_seen": one.records_seen,
        "records_declared": declared,
        "beyond_scope": one.beyond_scope,
        "nothing": not views,
        "views": views,
    }


def _length(card: SessionCard, now: datetime) -> Document:
    one = card.session
    end = min(one.ended_at or now, one.expires_at)
    return {
        "started_at": time_text(one.started_at),
        "allowed_until": time_text(one.expires_at),
        "ended_at": time_text(end) if end < now or one.ended_at else None,
        "seconds": max(0, int((end - one.started_at).total_seconds())),
        "seconds_allowed": int((one.expires_at - one.started_at).total_seconds()),
        "ended_by": one.end_kind.value if one.end_kind else ("clock" if not one.is_active(now) else None),
        "ended_by_name": card.ended_by,
        "end_reason": one.end_reason,
        "active": one.is_active(now),
    }


def _entries(connection: sqlite3.Connection, one: Session) -> list[Document]:
    """The entries of the tenant's own log that stand behind it: anyone can look them up in an export."""
    log = f"tenant:{one.tenant_id}"
    wanted = (LogFilter(request=(one.request_id,)), LogFilter(session=(one.id,)))
    numbers = sorted({number for each in wanted for step in search(connection, log, each) for number in step})
    found: list[Document] = []
    for start in range(0, len(numbers), 500):
        for entry in entries_by_number(connection, log, numbers[start : start + 500]):
            name = str(entry.data.get("actor", {}).get("name", ""))
            found.append({"log": log, "seq": entry.seq, "at": entry.data.get("at"), "action": entry.data.get("action"),
                          "actor": name, "hash": entry_hash(connection, log, entry.seq)})  # fmt: skip
    return found
