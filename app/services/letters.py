"""Letters to tenant admins and supers: plain text that says everything by itself (REQ-104, REQ-105, REQ-106, REQ-115).

What people wrote is quoted line by line behind "> ", and names are flattened to one line, so that nothing from outside
can stand on a line of its own: only the lines `{approve_link}` and `{deny_link}` written here are ever replaced by
links, and no subject can break into another header.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from datetime import datetime

from app.policy.people import Place
from app.policy.requests import ALTERNATIVES
from storage.models import Contact, Decision, Exchange, LinkKind, Mail, Mode, Request, Staff
from storage.view import View

MODES = {Mode.READ_ONLY: "read-only: nothing can be changed", Mode.FULL: "full: data can be changed"}
SUBJECT_MAX = 200
BOTH_LINKS = (LinkKind.APPROVE, LinkKind.DENY)


def line(text: str) -> str:
    """Outside text on one line: line breaks become spaces, control characters a visible mark."""
    flat = " ".join(text.split())
    return "".join("�" if unicodedata.category(c) in ("Cc", "Cs") else c for c in flat)


def quoted(text: str) -> str:
    """Outside text of several lines, each behind "> "."""
    lines = [line(one) for one in text.splitlines()] or [""]
    return "\n".join(f"> {one}".rstrip() for one in lines)


def utc(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M:%S UTC")


def whom(someone: Staff | Contact) -> str:
    """ "Ann Lee <ann@ops.example>"."""
    return f"{line(someone.name)} <{line(someone.email)}>"


def letter(
    view: View,
    to: Staff | Contact,
    event: str,
    subject: str,
    parts: Iterable[str],
    now: datetime,
    about: Request | None = None,
    session_id: str | None = None,
    links: tuple[LinkKind, ...] = (),
) -> Mail:
    """One letter: a greeting, the parts with an empty line between, and who sent it."""
    body = [f"Dear {line(to.name)},", *parts, "This letter was written by Countersign, the operator's access log."]
    return Mail(
        id=view.fresh_id("M"),
        event=event,
        to_id=to.id,
        to_name=line(to.name),
        to_email=line(to.email),
        tenant_id=about.tenant_id if about else None,
        request_id=about.id if about else None,
        session_id=session_id,
        subject=line(subject)[:SUBJECT_MAX],
        text="\n\n".join(body) + "\n",
        links=links,
        created_at=now,
    )


def description(place: Place, engineer: Staff, request: Request) -> str:
    """Everything a decision is bound to, and the rest of what was asked (REQ-101, REQ-104)."""
    target = place.contact(request.target_id)
    tried = ", ".join(ALTERNATIVES[way] for way in request.tried) or "none"
    return "\n".join(
        [
            f"  Request:   {request.id}",
            f"  Tenant:    {line(place.tenant.name)}",
            f"  Engineer:  {whom(engineer)}",
            f"  As user:   {whom(target) if target else line(request.target_id)}",
            f"  Ticket:    {line(request.ticket)}",
            f"  Mode:      {MODES[request.mode]}",
            f"  Minutes:   {_minutes(place, request)}, counted from the start of the session",
            f"  Urgent:    {'yes' if request.urgent else 'no'}",
            f"  Records:   about {request.records}",
            "  Scope:",
            quoted(request.scope),
            "  Reason, in the engineer's own words:",
            quoted(request.reason),
            f"  Tried before: {tried}",
            "  Why that did not do:",
            quoted(request.why_not),
        ]
    )


def _minutes(place: Place, request: Request) -> str:
    """REQ-201: the tenant's maximum holds, whatever was asked."""
    maximum = place.settings.max_minutes
    return f"{request.minutes} asked, your maximum is {maximum}" if request.minutes > maximum else str(request.minutes)


def conversation(exchanges: tuple[Exchange, ...]) -> str:
    """Questions and answers so far, in order (REQ-115)."""
    return "\n".join(
        f"  {one.kind.capitalize()} by {line(one.name)}, {utc(one.at)}:\n{quoted(one.text)}" for one in exchanges
    )


def _choice(request: Request) -> str:
    return "\n".join(
        [
            "To approve, open this link and confirm (you can grant fewer minutes there, or ask a question):",
            "",
            "{approve_link}",
            "",
            "To deny:",
            "",
            "{deny_link}",
            "",
            f"Each link works once, for you alone, until {utc(request.expires_at)}. If nobody decides by then, the",
            "request expires and nobody enters. Opening a link decides nothing.",
        ]
    )


def request_created(view: View, place: Place, engineer: Staff, request: Request, now: datetime) -> tuple[Mail, ...]:
    """REQ-104: every tenant admin is asked."""
    subject = f"{engineer.name} asks to enter {place.tenant.name} ({request.ticket})"
    opening = f"{whom(engineer)} asks for support access to {line(place.tenant.name)}. You decide."
    return tuple(
        letter(
            view,
            admin,
            "request.created",
            subject,
            (opening, description(place, engineer, request), _choice(request)),
            now,
            request,
            links=BOTH_LINKS,
        )
        for admin in place.admins
    )


def standing_consent(view: View, place: Place, engineer: Staff, request: Request, now: datetime) -> tuple[Mail, ...]:
    """REQ-106: approved at once by the tenant's own standing consent, and the admins are told."""
    opening = (
        f"{whom(engineer)} asked for read-only support access to {line(place.tenant.name)}. Your standing consent"
        f" approved it at once; it can be used until {utc(request.usable_until or request.expires_at)}."
    )
    closing = "To end standing consent, or to shut support access off at once, change your support-access settings."
    return tuple(
        letter(
            view,
            admin,
            "request.approved",
            f"Standing consent let {engineer.name} in ({request.ticket})",
            (opening, description(place, engineer, request), closing),
            now,
            request,
        )
        for admin in place.admins
    )


def handled(
    view: View, place: Place, engineer: Staff, request: Request, decision: Decision, now: datetime
) -> tuple[Mail, ...]:
    """REQ-105: the other admins learn that it is handled, by whom and how."""
    did = _did(request, decision)
    return tuple(
        letter(
            view,
            admin,
            f"request.{request.state.value}",
            f"Handled: {decision.by_name} {request.state.value} {engineer.name}'s request ({request.ticket})",
            (
                f"{line(decision.by_name)} {did} on {utc(decision.at)}. Nothing is left for you to decide.",
                *_note(decision.note),
                description(place, engineer, request),
            ),
            now,
            request,
        )
        for admin in place.admins
        if admin.id != decision.by
    )


def decided(
    view: View, place: Place, engineer: Staff, request: Request, decision: Decision, now: datetime
) -> tuple[Mail, ...]:
    """The engineer is told as well, console open or not."""
    usable = f" It can be used until {utc(request.usable_until)}." if request.usable_until else ""
    return (
        letter(
            view,
            engineer,
            f"request.{request.state.value}",
            f"{decision.by_name} {request.state.value} your request to {place.tenant.name} ({request.ticket})",
            (
                f"{line(decision.by_name)} {_did(request, decision)} on {utc(decision.at)}.{usable}",
                *_note(decision.note),
                description(place, engineer, request),
            ),
            now,
            request,
        ),
    )


def _did(request: Request, decision: Decision) -> str:
    minutes = f" for {decision.minutes} minutes" if decision.minutes is not None else ""
    return f"{request.state.value} request {request.id}{minutes}"


def _note(note: str | None) -> tuple[str, ...]:
    return (f"Note:\n{quoted(note)}",) if note else ()


def question_asked(
    view: View, place: Place, engineer: Staff, request: Request, asked: Exchange, now: datetime
) -> tuple[Mail, ...]:
    """REQ-115: the engineer is asked back."""
    opening = f"{line(asked.name)} of {line(place.tenant.name)} asks about request {request.id} before deciding:"
    return (
        letter(
            view,
            engineer,
            "question.asked",
            f"{asked.name} asks about {request.id} ({request.ticket})",
            (opening, quoted(asked.text), "Answer in the console; the answer goes to every tenant admin."),
            now,
            request,
        ),
    )


def question_answered(view: View, place: Place, engineer: Staff, request: Request, now: datetime) -> tuple[Mail, ...]:
    """REQ-115: question and answer stand in the next mail, which asks for the decision again."""
    opening = f"{whom(engineer)} has answered a question about request {request.id}."
    return tuple(
        letter(
            view,
            admin,
            "question.answered",
            f"{engineer.name} answered: access to {place.tenant.name} ({request.ticket})",
            (opening, conversation(request.exchanges), description(place, engineer, request), _choice(request)),
            now,
            request,
            links=BOTH_LINKS,
        )
        for admin in place.admins
    )


def rate_limit_met(
    view: View, supers: Iterable[Staff], engineer: Staff, place: Place, request: Request, why: str, now: datetime
) -> tuple[Mail, ...]:
    """REQ-112: supers are alerted."""
    opening = f"{whom(engineer)} wanted to start another session, into {line(place.tenant.name)}, and was refused:"
    return tuple(
        letter(
            view,
            one,
            "rate_limit.met",
            f"Rate limit met by {engineer.name}",
            (opening, quoted(why), f"Request {request.id}, ticket {line(request.ticket)}."),
            now,
            request,
        )
        for one in supers
        if one.is_active(now) and one.id != engineer.id
    )
