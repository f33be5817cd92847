"""Letters about requests, to tenant admins, the engineer and supers (REQ-104, 105, 106, 112, 115). A letter is its
event and its facts; the event's template puts them into words at delivery (`app/mail`)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from app.policy.people import Place
from app.services.letters_facts import Facts, asked, exchanged, moment, person
from storage.models import Contact, Decision, Exchange, LinkKind, Mail, Request, Staff, time_text
from storage.models.row import Json, canonical
from storage.view import View

SUBJECT_MAX = 200
BOTH_LINKS = (LinkKind.APPROVE, LinkKind.DENY)


def letter(
    view: View,
    to: Staff | Contact,
    event: str,
    subject: str,
    facts: Facts,
    now: datetime,
    about: Request | None = None,
    session_id: str | None = None,
    links: tuple[LinkKind, ...] = (),
    *,
    tenant_id: str | None = None,
    urgent: bool = False,
) -> Mail:
    """One letter. `event` names its template, `facts` is all that the template has to say; with `about` (or
    `tenant_id`) it is a letter to that tenant, and carries the head of its log (REQ-405)."""
    return Mail(
        id=view.fresh_id("M"),
        event=event,
        to_id=to.id,
        to_name=_storable(to.name),
        to_email=_storable(to.email),
        tenant_id=about.tenant_id if about else tenant_id,
        request_id=about.id if about else None,
        session_id=session_id,
        subject=_storable(" ".join(subject.split())[:SUBJECT_MAX]),
        facts=canonical({name: _clean(value) for name, value in facts.items()}),
        links=links,
        created_at=now,
        urgent=urgent,
    )


def _storable(text: str) -> str:
    """Without lone surrogates, which no image can hold; rules refuse them long before."""
    return text.encode("utf-8", "replace").decode()


def _clean(value: Json) -> Json:
    if isinstance(value, str):
        return _storable(value)
    if isinstance(value, list):
        return [_clean(one) for one in value]
    return {name: _clean(one) for name, one in value.items()} if isinstance(value, dict) else value


def request_created(view: View, place: Place, engineer: Staff, request: Request, now: datetime) -> tuple[Mail, ...]:
    """REQ-104: every tenant admin is asked."""
    subject = f"{engineer.name} asks to enter {place.tenant.name} ({request.ticket})"
    facts: Facts = {"request": asked(place, engineer, request)}
    return tuple(
        letter(view, admin, "request.created", subject, facts, now, request, links=BOTH_LINKS, urgent=request.urgent)
        for admin in place.admins
    )


def standing_consent(view: View, place: Place, engineer: Staff, request: Request, now: datetime) -> tuple[Mail, ...]:
    """REQ-106: approved at once by the tenant's own standing consent, and the admins are told."""
    subject = f"Standing consent let {engineer.name} in ({request.ticket})"
    facts: Facts = {"request": asked(place, engineer, request), "to": "standing_consent"}
    return tuple(letter(view, admin, "request.approved", subject, facts, now, request) for admin in place.admins)


def handled(
    view: View, place: Place, engineer: Staff, request: Request, decision: Decision, now: datetime
) -> tuple[Mail, ...]:
    """REQ-105: the other admins learn that it is handled, by whom and how."""
    did = request.state.value
    subject = f"Handled: {decision.by_name} {did} {engineer.name}'s request ({request.ticket})"
    facts: Facts = {"request": asked(place, engineer, request), "decision": _decision(request, decision), "to": "admin"}
    return tuple(
        letter(view, admin, f"request.{did}", subject, facts, now, request)
        for admin in place.admins
        if admin.id != decision.by
    )


def decided(
    view: View, place: Place, engineer: Staff, request: Request, decision: Decision, now: datetime
) -> tuple[Mail, ...]:
    """The engineer is told as well, console open or not."""
    did = request.state.value
    subject = f"{decision.by_name} {did} your request to {place.tenant.name} ({request.ticket})"
    facts: Facts = {
        "request": asked(place, engineer, request),
        "decision": _decision(request, decision),
        "to": "engineer",
    }
    return (letter(view, engineer, f"request.{did}", subject, facts, now, request),)


def _decision(request: Request, decision: Decision) -> Facts:
    return {
        "did": request.state.value,
        "by": decision.by_name,
        "at": moment(decision.at),
        "minutes": decision.minutes,
        "note": decision.note,
    }


def expired(view: View, place: Place, engineer: Staff, request: Request, now: datetime) -> tuple[Mail, ...]:
    """REQ-104: nobody decided in time. The admins learn that nothing is left to decide, the engineer too."""
    subject = f"Expired undecided: {engineer.name}'s request to enter {place.tenant.name} ({request.ticket})"
    facts: Facts = {"request": asked(place, engineer, request)}
    told: list[tuple[Staff | Contact, str]] = [*((admin, "admin") for admin in place.admins), (engineer, "engineer")]
    return tuple(letter(view, one, "request.expired", subject, facts | {"to": to}, now, request) for one, to in told)


def question_asked(
    view: View, place: Place, engineer: Staff, request: Request, question: Exchange, now: datetime
) -> tuple[Mail, ...]:
    """REQ-115: the engineer is asked back."""
    subject = f"{question.name} asks about {request.id} ({request.ticket})"
    facts: Facts = {"request": asked(place, engineer, request), "question": exchanged(question)}
    return (letter(view, engineer, "question.asked", subject, facts, now, request),)


def question_answered(view: View, place: Place, engineer: Staff, request: Request, now: datetime) -> tuple[Mail, ...]:
    """REQ-115: question and answer stand in the next mail, which asks for the decision again."""
    subject = f"{engineer.name} answered: access to {place.tenant.name} ({request.ticket})"
    facts: Facts = {
        "request": asked(place, engineer, request),
        "exchanges": [exchanged(one) for one in request.exchanges],
    }
    return tuple(
        letter(view, admin, "question.answered", subject, facts, now, request, links=BOTH_LINKS, urgent=request.urgent)
        for admin in place.admins
    )


def rate_limit_met(
    view: View, supers: Iterable[Staff], engineer: Staff, place: Place, request: Request, why: str, now: datetime
) -> tuple[Mail, ...]:
    """REQ-112: supers are alerted."""
    facts: Facts = {
        "engineer": person(engineer),
        "tenant": place.tenant.name,
        "request": request.id,
        "ticket": request.ticket,
        "why": why,
        "at": time_text(now),
    }
    return tuple(
        letter(view, one, "rate_limit.met", f"Rate limit met by {engineer.name}", facts, now, request)
        for one in supers
        if one.is_active(now) and one.id != engineer.id
    )
