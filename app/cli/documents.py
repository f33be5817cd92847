"""Requests, sessions and tenants as JSON documents and as lines for people. Durations in seconds, times RFC 3339."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

from app.cli.output import print_pairs
from app.policy.request_state import deadline, emergency_void_at, state_at
from storage.models import BreakGlass, Emergency, Layer, Request, Session
from storage.models.row import encode

if TYPE_CHECKING:
    from app.policy.ways import Way
    from storage.replica.queries.requests import RequestLine
    from storage.replica.queries.sessions import SessionCard

REQUEST_COLUMNS = ("ID", "STATE", "TENANT", "TICKET", "ENGINEER", "AS USER", "MODE", "MINUTES", "CREATED")
SESSION_COLUMNS = ("ID", "STATE", "TENANT", "TICKET", "ENGINEER", "AS USER", "MODE", "LEFT", "SEEN", "STARTED")


def of_request(line: RequestLine, now: datetime) -> dict[str, object]:
    """All that is stored, with names, and the state that holds now."""
    stored = encode(line.request)
    assert isinstance(stored, dict)
    ends = deadline(line.request, now)
    return {
        **stored,
        "state": state_at(line.request, now),
        "tenant": line.tenant_name,
        "target": line.target_name,
        "target_email": line.target_email,
        "engineer": line.engineer_name,
        "engineer_email": line.engineer_email,
        "seconds": (line.request.granted_minutes or line.request.minutes) * 60,
        "seconds_left": max(0, int((ends - now).total_seconds())) if ends else None,
    }


def request_row(line: RequestLine, now: datetime) -> tuple[object, ...]:
    one = line.request
    minutes = one.granted_minutes or one.minutes
    state = state_at(one, now).value + (" !" if one.urgent else "")
    return (one.id, state, line.tenant_name, one.ticket, line.engineer_name, line.target_name, one.mode.value, minutes,
            one.created_at)  # fmt: skip


def print_request(line: RequestLine, now: datetime, ways: tuple[Way, ...] = ()) -> None:
    """One request for a person; with the ways that lead in, where they were asked for."""
    one = line.request
    pairs: list[tuple[str, object]] = [
        ("request", one.id),
        ("state", state_at(one, now).value),
        ("tenant", f"{line.tenant_name} ({one.tenant_id})"),
        ("as user", f"{line.target_name} <{line.target_email}>"),
        ("engineer", f"{line.engineer_name} <{line.engineer_email}>"),
        ("ticket", one.ticket),
        ("reason", one.reason),
        ("scope", f"{one.scope} (about {one.records:,} records)"),
        ("mode", one.mode.value),
        ("minutes", f"{one.minutes} asked" + (f", {one.granted_minutes} granted" if one.granted_minutes else "")),
        ("urgent", one.urgent),
        ("tried", [way.value for way in one.tried]),
        ("why not", one.why_not),
        ("created", one.created_at),
    ]
    ends = deadline(one, now)
    if ends is not None:
        pairs.append(("until", ends))
    pairs += [] if one.layer is Layer.CONSENT else [("by", one.layer.value.replace("_", "-"))]
    pairs += [("decided", one.decided_at)] if one.decided_at else []
    pairs += [("note", one.decision_note)] if one.decision_note else []
    pairs += [("countersigned", one.countersigned_at)] if one.countersigned_at else []
    pairs += [(said.kind, f"{said.name}: {said.text}") for said in one.exchanges]
    pairs += _break_glass(one.break_glass) if one.break_glass else []
    pairs += _emergency(one, one.emergency, now) if one.emergency else []
    pairs += [("session", one.session_id)] if one.session_id else []
    pairs += [("way in" if way.is_open else "no way in", way.words) for way in ways]
    print_pairs(pairs)


def _break_glass(glass: BreakGlass) -> list[tuple[str, object]]:
    return [
        ("break-glass", glass.reason),
        ("declared", glass.declared_at),
        ("by a super", glass.countersigned_at),
        ("cooling from", glass.cooling_since),
        ("usable from", glass.cooling_until),
    ]


def _emergency(one: Request, declared: Emergency, now: datetime) -> list[tuple[str, object]]:
    void = emergency_void_at(one)
    return [
        ("emergency", f"{declared.category.value}: {declared.reason}"),
        ("declared", declared.declared_at),
        *([("void since", void)] if void is not None and now >= void else []),
        ("by a second super", declared.countersigned_at),
        ("incident", declared.incident_id),
    ]


def state_of(session: Session, now: datetime) -> str:
    """What a session is now, by time: active, expired, ended; with the outcome owed or not."""
    if session.is_active(now):
        return "active"
    word = "ended" if session.ended_at is not None and session.end_kind not in (None, "clock") else "expired"
    return word if session.outcome is not None else f"{word}, outcome owed"


def of_session(card: SessionCard, now: datetime) -> dict[str, object]:
    """All that is stored, with names, whether it is active now, and its length."""
    one = card.session
    stored = encode(one)
    assert isinstance(stored, dict)
    end = min(one.ended_at or one.expires_at, one.expires_at)
    return {
        **stored,
        "active": one.is_active(now),
        "outcome_owed": not one.is_active(now) and one.outcome is None,
        "tenant": card.tenant,
        "target": card.target,
        "target_email": card.target_email,
        "engineer": card.engineer,
        "engineer_email": card.engineer_email,
        "scope": card.scope,
        "declared_records": card.declared,
        "seconds": int((end - one.started_at).total_seconds()),
        "seconds_left": max(0, int((one.expires_at - now).total_seconds())) if one.is_active(now) else 0,
    }


def session_row(card: SessionCard, now: datetime) -> tuple[object, ...]:
    one = card.session
    left = max(0, int((one.expires_at - now).total_seconds())) if one.is_active(now) else 0
    seen = f"{one.records_seen}/{card.declared}" + (" !" if one.beyond_scope else "")
    return (one.id, state_of(one, now), card.tenant, one.ticket, card.engineer, card.target, one.mode.value,
            f"{left // 60}:{left % 60:02}", seen, one.started_at)  # fmt: skip


def print_session(card: SessionCard, now: datetime) -> None:
    """One session for a person."""
    one = card.session
    pairs: list[tuple[str, object]] = [
        ("session", one.id),
        ("state", state_of(one, now)),
        ("request", one.request_id),
        ("tenant", f"{card.tenant} ({one.tenant_id})"),
        ("as user", f"{card.target} <{card.target_email}>"),
        ("engineer", f"{card.engineer} <{card.engineer_email}>"),
        ("ticket", one.ticket),
        ("mode", one.mode.value),
        ("layer", one.layer.value),
        ("scope", f"{card.scope} (about {card.declared:,} records)"),
        ("started", one.started_at),
        ("until", one.expires_at),
        ("seen", f"{one.records_seen} records in {one.views} views, {one.beyond_scope} beyond the scope"),
    ]
    if one.elevation is not None:
        pairs.append(("elevation", f"{one.elevation.state.value}: {one.elevation.reason}"))
    if one.ended_at is not None:
        ended = one.end_kind.value if one.end_kind else "—"
        pairs.append(("ended", one.ended_at))
        pairs.append(("ended by", ended + (f" ({card.ended_by})" if card.ended_by else "")))
        pairs += [("end reason", one.end_reason)] if one.end_reason else []
    if one.outcome is not None:
        pairs += [
            ("cause", one.outcome.cause),
            ("changed", one.outcome.changed),
            ("beyond scope", one.outcome.beyond_scope),
            ("follow-up", one.outcome.follow_up or "—"),
            ("ticket closed", one.outcome.ticket_closed),
        ]
    print_pairs(pairs)
