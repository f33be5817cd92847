"""Letters of break-glass and of emergencies (REQ-108, REQ-109): who opened what, and how it can be stopped."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from app.policy.emergency import CATEGORIES
from app.policy.limits import COOLING, REVIEW_DUE, USABLE
from app.policy.people import Place
from app.policy.request_state import cooling_ends, usable_until
from app.policy.words import span
from app.services.letters import letter
from app.services.letters_facts import Facts, asked, exchanged, moment, person
from storage.models import Contact, ContactRole, Decision, LinkKind, Mail, Request, Staff
from storage.view import View

COOLING_EVENT = "break_glass.countersigned"
"""The letters whose first acceptance by a mail server starts the cooling."""
OPERATOR_LEGAL = "operator/legal"
"""Whom the letter to the operator's own legal address is to: an address in the settings, no row."""
URGENT = (ContactRole.TENANT_ADMIN, ContactRole.SECURITY_CONTACT)


def break_glass_declared(
    view: View, place: Place, engineer: Staff, request: Request, supers: Iterable[Staff], now: datetime
) -> tuple[Mail, ...]:
    """The supers are asked to look, or not to."""
    subject = f"Break-glass declared by {engineer.name} for {place.tenant.name} ({request.ticket})"
    facts: Facts = {"request": asked(place, engineer, request), "why": _why(request)}
    return tuple(
        letter(view, one, "break_glass.declared", subject, facts, now, request, urgent=True)
        for one in supers
        if one.is_active(now) and one.id != engineer.id
    )


def cooling(view: View, place: Place, engineer: Staff, by: Staff, request: Request, now: datetime) -> tuple[Mail, ...]:
    """Urgent, to all admins and security contacts; each admin gets a link of their own to veto with."""
    subject = f"URGENT: break-glass for {place.tenant.name} can be vetoed now ({request.ticket})"
    facts: Facts = {
        "request": asked(place, engineer, request),
        "by": person(by),
        "why": _why(request),
        "exchanges": [exchanged(one) for one in request.exchanges],
        "admins": place.whoever_decides(),
        "cooling": span(COOLING),
        "usable": span(USABLE),
    }
    people = {one.id: one for role in URGENT for one in place.having(role)}
    admins = {admin.id for admin in place.admins}
    return tuple(
        letter(
            view,
            one,
            COOLING_EVENT,
            subject,
            facts,
            now,
            request,
            links=(LinkKind.VETO,) if one.id in admins else (),
            urgent=True,
        )
        for one in people.values()
    )


def vetoed(
    view: View,
    place: Place,
    engineer: Staff,
    request: Request,
    veto: Decision,
    supers: Iterable[Staff],
    now: datetime,
) -> tuple[Mail, ...]:
    """The engineer and the supers learn that it is over; the other admins, that it is handled."""
    subject = f"Vetoed: break-glass for {place.tenant.name} ({request.ticket})"
    facts: Facts = {
        "request": asked(place, engineer, request),
        "by": veto.by_name,
        "at": moment(veto.at),
        "note": veto.note,
    }
    staff = {one.id: one for one in (engineer, *supers) if one.is_active(now)}
    people: list[Staff | Contact] = [*staff.values(), *(one for one in place.admins if one.id != veto.by)]
    return tuple(letter(view, one, "break_glass.vetoed", subject, facts, now, request) for one in people)


def usable(view: View, place: Place, engineer: Staff, request: Request, now: datetime) -> tuple[Mail, ...]:
    """The admins learn that nobody vetoed."""
    subject = f"Break-glass can be used: {engineer.name}, {place.tenant.name} ({request.ticket})"
    facts: Facts = {
        "request": asked(place, engineer, request),
        "since": moment(cooling_ends(request)),
        "until": moment(usable_until(request)),
    }
    return tuple(
        letter(view, admin, "break_glass.usable", subject, facts, now, request, urgent=True) for admin in place.admins
    )


def emergency_declared(
    view: View, place: Place, engineer: Staff, by: Staff, request: Request, supers: Iterable[Staff], now: datetime
) -> tuple[Mail, ...]:
    """The other supers are asked for the second signature."""
    subject = f"Emergency declared by {by.name} for {place.tenant.name} ({request.ticket})"
    facts: Facts = {"request": asked(place, engineer, request), "by": person(by), **_emergency(request)}
    return tuple(
        letter(view, one, "emergency.declared", subject, facts, now, request, urgent=True)
        for one in supers
        if one.is_active(now) and one.id not in (by.id, engineer.id)
    )


def emergency(
    view: View,
    place: Place,
    engineer: Staff,
    signers: tuple[Staff, Staff],
    request: Request,
    legal_email: str,
    now: datetime,
) -> tuple[Mail, ...]:
    """At once: all admins, the tenant's legal contacts, the operator's own legal address."""
    first, second = signers
    subject = f"URGENT: emergency access to {place.tenant.name} ({request.ticket})"
    facts: Facts = {
        "request": asked(place, engineer, request),
        "first": person(first),
        "second": person(second),
        "until": moment(request.usable_until),
        "incident": request.emergency.incident_id if request.emergency else None,
        "review": span(REVIEW_DUE),
        **_emergency(request),
    }
    people: dict[str, Contact] = {
        one.id: one for role in (ContactRole.TENANT_ADMIN, ContactRole.LEGAL_CONTACT) for one in place.having(role)
    }
    operator = Contact(OPERATOR_LEGAL, place.tenant.id, "Legal department of the operator", legal_email, ())
    return tuple(
        letter(view, one, "emergency.countersigned", subject, facts, now, request, urgent=True)
        for one in (*people.values(), operator)
    )


def _emergency(request: Request) -> Facts:
    declared = request.emergency
    assert declared is not None
    return {"category": CATEGORIES[declared.category], "why": declared.reason}


def _why(request: Request) -> str:
    return request.break_glass.reason if request.break_glass else ""
