"""Letters about sessions: started, elevated, ended — the receipt — and the outcome given later (REQ-204, 207, 211)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from app.policy.people import Place
from app.policy.words import span
from app.services.letters import MODES, letter, line, quoted, utc, whom
from storage.models import Contact, EndKind, Mail, Request, Session, SessionView, Staff, ViewKind
from storage.view import View

ENDED = {
    EndKind.ENGINEER: "by its engineer",
    EndKind.SUPER: "by force, by a super of the operator",
    EndKind.TENANT: "by your organisation",
    EndKind.CLOCK: "by the clock: its time was over",
    EndKind.DEACTIVATED: "because its engineer's account was deactivated",
}
KINDS = {
    ViewKind.RECORD: "record",
    ViewKind.FIELD: "field",
    ViewKind.FILE: "file",
    ViewKind.SCREEN: "screen",
    ViewKind.QUERY: "query",
    ViewKind.SEARCH: "search",
    ViewKind.EXPORT: "export",
}


def started(view: View, place: Place, engineer: Staff, request: Request, session: Session) -> tuple[Mail, ...]:
    """REQ-207: only where the tenant opted in; to its admins, to the user whose view is assumed."""
    told: dict[str, Contact] = {}
    if place.settings.notify_start_admins:
        told |= {admin.id: admin for admin in place.admins}
    target = place.contact(request.target_id)
    if place.settings.notify_start_target and target is not None:
        told[target.id] = target
    now = session.started_at
    opening = f"{whom(engineer)} has started a support session in {line(place.tenant.name)}."
    return tuple(
        letter(
            view,
            one,
            "session.started",
            f"Support session started by {engineer.name} ({request.ticket})",
            (opening, _facts(place, engineer, request, session), _stop()),
            now,
            request,
            session.id,
        )
        for one in told.values()
    )


def elevated(
    view: View, place: Place, engineer: Staff, by: Staff, request: Request, session: Session, now: datetime
) -> tuple[Mail, ...]:
    """REQ-202: the tenant learns who let a session change data."""
    opening = f"{whom(by)} has countersigned full mode for the running session of {whom(engineer)}."
    reason = quoted(session.elevation.reason if session.elevation else "")
    return tuple(
        letter(
            view,
            admin,
            "elevation.granted",
            f"Support session of {engineer.name} may now change data ({request.ticket})",
            (opening, f"  Reason:\n{reason}", _facts(place, engineer, request, session), _stop()),
            now,
            request,
            session.id,
        )
        for admin in place.admins
    )


def receipt(
    view: View,
    place: Place,
    engineer: Staff,
    request: Request,
    session: Session,
    views: Sequence[SessionView],
    now: datetime,
) -> tuple[Mail, ...]:
    """REQ-211: who, why, how long, every record and field viewed, every change — or that nothing was viewed."""
    forced = session.end_kind is EndKind.SUPER
    opening = f"The support session of {whom(engineer)} in {line(place.tenant.name)} has ended, {_ended(session)}."
    why_ended = (f"Why it was ended:\n{quoted(session.end_reason)}",) if session.end_reason else ()
    return tuple(
        letter(
            view,
            admin,
            "session.force_ended" if forced else "session.receipt",
            ("Force-ended" if forced else "Receipt")
            + f": support session of {engineer.name} in {place.tenant.name} ({request.ticket})",
            (opening, *why_ended, _facts(place, engineer, request, session), _viewed(views), _outcome(session)),
            now,
            request,
            session.id,
        )
        for admin in place.admins
    )


def outcome_given(
    view: View, place: Place, engineer: Staff, request: Request, session: Session, now: datetime
) -> tuple[Mail, ...]:
    """REQ-206: what the receipt could not say yet."""
    opening = f"{whom(engineer)} has given the outcome of session {session.id}, which ended without one."
    return tuple(
        letter(
            view,
            admin,
            "outcome.given",
            f"Outcome: support session of {engineer.name} ({request.ticket})",
            (opening, _facts(place, engineer, request, session), _outcome(session)),
            now,
            request,
            session.id,
        )
        for admin in place.admins
    )


def _ended(session: Session) -> str:
    return ENDED[session.end_kind] if session.end_kind else "at its end time"


def _stop() -> str:
    return "To end it at once, turn on the kill switch in your support-access settings."


def _facts(place: Place, engineer: Staff, request: Request, session: Session) -> str:
    target = place.contact(session.target_id)
    over = session.ended_at
    lasted = (
        f"until {utc(over)} ({span(over - session.started_at)})"
        if over
        else f"until {utc(session.expires_at)} at the latest"
    )
    return "\n".join(
        [
            f"  Session:   {session.id}, request {request.id}, ticket {line(request.ticket)}",
            f"  Engineer:  {whom(engineer)}",
            f"  As user:   {whom(target) if target else line(session.target_id)}",
            f"  Mode:      {MODES[session.mode]}",
            f"  Time:      {utc(session.started_at)} {lasted}",
            "  Reason, in the engineer's own words:",
            quoted(request.reason),
        ]
    )


def _viewed(views: Sequence[SessionView]) -> str:
    if not views:
        return "Viewed: nothing was viewed."
    rows = [
        f"  {utc(one.at)}  {KINDS[one.kind]} {line(one.name)}"
        + (f", fields {', '.join(line(name) for name in one.fields)}" if one.fields else "")
        + (f", {one.count} results" if one.kind in (ViewKind.QUERY, ViewKind.SEARCH, ViewKind.EXPORT) else "")
        + ("" if one.within_scope else "  [outside the declared scope]")
        for one in sorted(views, key=lambda one: (one.at, one.id))
    ]
    return "\n".join(["Viewed:", *rows])


def _outcome(session: Session) -> str:
    outcome = session.outcome
    if outcome is None:
        return (
            "Outcome: not given yet. The engineer owes it, can start no other session until it is given, and you will"
            " get it by letter."
        )
    return "\n".join(
        [
            "Cause found:",
            quoted(outcome.cause),
            "What was changed:",
            quoted(outcome.changed),
            "Seen beyond the scope:",
            quoted(outcome.beyond_scope),
            "Follow-up:",
            quoted(outcome.follow_up or "none"),
            f"Ticket {'closed' if outcome.ticket_closed else 'still open'}.",
        ]
    )
