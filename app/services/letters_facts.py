"""What letters say, as data: people, requests, sessions, what was viewed. Words for people are chosen here, where the
rules are known; how they are laid out is the templates' business (app/mail/templates), and so is making text from
outside harmless: here it stands as it was given."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from app.policy.people import Place
from app.policy.requests import ALTERNATIVES
from app.policy.words import span
from storage.models import (
    Contact,
    EndKind,
    Exchange,
    Layer,
    Mode,
    Outcome,
    Request,
    Session,
    SessionView,
    Staff,
    ViewKind,
    time_text,
)
from storage.models.row import Json

Facts = dict[str, Json]

MODES = {Mode.READ_ONLY: "read-only: nothing can be changed", Mode.FULL: "full: data can be changed"}
LAYERS = {
    Layer.CONSENT: "your organisation's consent",
    Layer.BREAK_GLASS: "break-glass: nobody of your organisation decided in time",
    Layer.EMERGENCY: "emergency: two supers of the operator",
}
ENDED = {
    EndKind.ENGINEER: "by its engineer",
    EndKind.SUPER: "by force, by a super of the operator",
    EndKind.TENANT: "by your organisation",
    EndKind.CLOCK: "by the clock: its time was over",
    EndKind.DEACTIVATED: "because its engineer's account was deactivated",
}
COUNTED = (ViewKind.QUERY, ViewKind.SEARCH, ViewKind.EXPORT)
"""Kinds whose `count` says something: the size of a result."""


def person(someone: Staff | Contact) -> Facts:
    return {"name": someone.name, "email": someone.email}


def moment(at: datetime | None) -> str | None:
    return time_text(at) if at is not None else None


def target(place: Place, target_id: str) -> Facts:
    """The user whose view is assumed; one who is no contact any more by their key alone."""
    found = place.contact(target_id)
    return person(found) if found else {"name": target_id, "email": ""}


def asked(place: Place, engineer: Staff, request: Request) -> Facts:
    """Everything a decision is bound to, and the rest of what was asked (REQ-101, REQ-104, REQ-201)."""
    return {
        "id": request.id,
        "tenant": place.tenant.name,
        "engineer": person(engineer),
        "target": target(place, request.target_id),
        "ticket": request.ticket,
        "mode": MODES[request.mode],
        "minutes": request.minutes,
        "maximum": place.settings.max_minutes,
        "urgent": request.urgent,
        "records": request.records,
        "scope": request.scope,
        "reason": request.reason,
        "tried": [ALTERNATIVES[way] for way in request.tried],
        "why_not": request.why_not,
        "expires_at": time_text(request.expires_at),
        "usable_until": moment(request.usable_until),
    }


def exchanged(one: Exchange) -> Facts:
    """A question or an answer (REQ-115)."""
    return {"kind": one.kind.capitalize(), "name": one.name, "at": time_text(one.at), "text": one.text}


def held(place: Place, engineer: Staff, request: Request, session: Session) -> Facts:
    """A session: who, as whom, why, since when and how long."""
    over = session.ended_at
    return {
        "id": session.id,
        "request": request.id,
        "ticket": request.ticket,
        "tenant": place.tenant.name,
        "engineer": person(engineer),
        "target": target(place, session.target_id),
        "layer": LAYERS[session.layer],
        "mode": MODES[session.mode],
        "reason": request.reason,
        "started_at": time_text(session.started_at),
        "expires_at": time_text(session.expires_at),
        "ended_at": moment(over),
        "lasted": span(over - session.started_at) if over else None,
        "ended": ENDED[session.end_kind] if session.end_kind else None,
        "why_ended": session.end_reason,
    }


def viewed(views: Sequence[SessionView]) -> list[Json]:
    """Every record and field viewed, in order (REQ-205, REQ-211)."""
    return [
        {
            "at": time_text(one.at),
            "kind": one.kind.value,
            "name": one.name,
            "fields": list(one.fields),
            "results": one.count if one.kind in COUNTED else None,
            "within_scope": one.within_scope,
        }
        for one in sorted(views, key=lambda one: (one.at, one.id))
    ]


def outcome(given: Outcome | None) -> Json:
    """What the engineer said at the end; None while it is owed (REQ-206)."""
    if given is None:
        return None
    return {
        "cause": given.cause,
        "changed": given.changed,
        "beyond_scope": given.beyond_scope,
        "follow_up": given.follow_up,
        "ticket_closed": given.ticket_closed,
    }
