"""Letters about sessions: started, elevated, ended — the receipt — and the outcome given later (REQ-204, 207, 211)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from app.policy.people import Place
from app.services.letters import letter
from app.services.letters_facts import Facts, held, outcome, person, viewed
from storage.models import Contact, EndKind, Layer, Mail, Request, Session, SessionView, Staff
from storage.view import View


def started(view: View, place: Place, engineer: Staff, request: Request, session: Session) -> tuple[Mail, ...]:
    """REQ-207: only where the tenant opted in; to its admins, to the user whose view is assumed. Where nobody there
    consented (REQ-108, REQ-109), the admins are told in any case."""
    told: dict[str, Contact] = {}
    unasked = session.layer is not Layer.CONSENT
    if place.settings.notify_start_admins or unasked:
        told |= {admin.id: admin for admin in place.admins}
    target = place.contact(request.target_id)
    if place.settings.notify_start_target and target is not None and not target.removed:
        told[target.id] = target
    subject = f"Support session started by {engineer.name} ({request.ticket})"
    facts: Facts = {"session": held(place, engineer, request, session)}
    now = session.started_at
    admins = {admin.id for admin in place.admins}
    return tuple(
        letter(
            view,
            one,
            "session.started",
            subject,
            facts | {"is_admin": one.id in admins},
            now,
            request,
            session.id,
            urgent=unasked,
        )
        for one in told.values()
    )


def elevated(
    view: View, place: Place, engineer: Staff, by: Staff, request: Request, session: Session, now: datetime
) -> tuple[Mail, ...]:
    """REQ-202: the tenant learns who let a session change data."""
    subject = f"Support session of {engineer.name} may now change data ({request.ticket})"
    facts: Facts = {
        "session": held(place, engineer, request, session),
        "by": person(by),
        "reason": session.elevation.reason if session.elevation else "",
    }
    return tuple(
        letter(view, admin, "elevation.granted", subject, facts, now, request, session.id) for admin in place.admins
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
    first = "Force-ended" if forced else "Receipt"
    facts: Facts = {
        "session": held(place, engineer, request, session),
        "views": viewed(views),
        "outcome": outcome(session.outcome),
    }
    return tuple(
        letter(
            view,
            admin,
            "session.force_ended" if forced else "session.receipt",
            f"{first}: support session of {engineer.name} in {place.tenant.name} ({request.ticket})",
            facts,
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
    subject = f"Outcome: support session of {engineer.name} ({request.ticket})"
    facts: Facts = {"session": held(place, engineer, request, session), "outcome": outcome(session.outcome)}
    return tuple(
        letter(view, admin, "outcome.given", subject, facts, now, request, session.id) for admin in place.admins
    )
