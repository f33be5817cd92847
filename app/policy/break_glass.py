"""Break-glass, the second way in (REQ-108): for an urgent request that no admin decided, with a second person and two
hours in which the tenant can veto. Every rule holds again at the countersign, and again when the session starts."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from app.policy import reason, text
from app.policy.duty import Duty, is_on_duty
from app.policy.limits import DECLARABLE
from app.policy.people import Place, is_no_contact, is_second_person, is_super, may_act
from app.policy.request_state import declarable_until, state_at, state_words
from app.policy.requests import is_own, is_present_admin, is_unchanged, is_unused
from app.policy.tenants import is_layer_open, is_open
from app.policy.verdict import Verdict, rule
from app.policy.words import moment, span
from storage.models import ConsentLink, Contact, Decision, Layer, LinkKind, Request, RequestState, Staff

RULE = "REQ-108"
STOPPABLE = frozenset({RequestState.DECLARED, RequestState.COOLING})
"""What a tenant admin's veto stops."""


def may_declare(request: Request, decision: Decision | None, staff: Staff, place: Place, now: datetime) -> Verdict:
    """Its own engineer, after 24 hours in which no admin decided, on a request that was urgent when it was created."""
    return (
        may_act(staff, now)
        & is_own(request, staff)
        & is_no_contact(staff, place)
        & is_way_open(place)
        & was_urgent(request)
        & is_undecided(request, decision, now)
        & rule(
            RULE,
            bool(place.admins),
            f"{len(place.admins)} tenant admin{'s' if len(place.admins) != 1 else ''} can veto",
            f"{place.tenant.name} has no tenant admin who could veto",
            "the tenant must name an admin first",
        )
    )


def is_way_open(place: Place) -> Verdict:
    """REQ-110: break-glass and emergency need an open tenant in mode `default`."""
    return is_open(place) & is_layer_open(place, Layer.BREAK_GLASS)


def was_urgent(request: Request) -> Verdict:
    return rule(
        RULE,
        request.urgent,
        f"{request.id} was flagged urgent when it was created",
        f"{request.id} was not flagged urgent when it was created: break-glass is for urgent requests alone",
        "ask again, flagged urgent, if it is",
    )


def is_undecided(request: Request, decision: Decision | None, now: datetime) -> Verdict:
    """Nobody decided for 24 hours, and that is not long ago."""
    state = state_at(request, now)
    if state is RequestState.PENDING:
        left = span(request.expires_at - now)
        return rule(
            RULE,
            False,
            "",
            f"{request.id} still waits for the tenant: break-glass from {moment(request.expires_at, now)}, in {left}",
        )
    undecided = state is RequestState.EXPIRED
    verdict = rule(
        RULE,
        undecided,
        f"no admin decided on {request.id} within 24 hours",
        state_words(request, decision, now),
        "" if state in STOPPABLE else "ask again",
    )
    if not undecided:
        return verdict
    return verdict & rule(
        RULE,
        now < declarable_until(request),
        f"break-glass can be declared until {moment(declarable_until(request), now)}",
        f"{request.id} expired at {moment(request.expires_at, now)}, more than {span(DECLARABLE)} ago",
        "ask again: what was urgent then may be settled, and the admins may be there now",
    )


def is_second_reason(words: str, request: Request, earlier_reasons: Collection[str]) -> Verdict:
    """REQ-102, REQ-108: why it cannot wait, in words of its own."""
    return (
        text.is_clean(RULE, "second reason", words, text.REASON_MAX)
        & reason.judge(words, request.ticket, (*earlier_reasons, request.reason)).verdict
    )


def may_countersign(
    request: Request, decision: Decision | None, staff: Staff, engineer: Staff, place: Place, duty: Duty, now: datetime
) -> Verdict:
    """A super who is not its engineer, on duty, while it is declared."""
    state = state_at(request, now)
    return (
        is_super(staff, now, "countersigns break-glass")
        & is_second_person(staff, engineer, duty.who_could(now))
        & is_no_contact(staff, place)
        & is_no_contact(engineer, place)
        & is_on_duty(duty, staff, now)
        & is_way_open(place)
        & was_urgent(request)
        & rule(
            RULE,
            state is RequestState.DECLARED,
            f"{engineer.name} declared break-glass; it can be countersigned until"
            f" {moment(declarable_until(request), now)}",
            state_words(request, decision, now),
        )
        & rule(
            "REQ-701",
            engineer.is_active(now),
            f"{engineer.name} is active staff",
            f"{engineer.name} is no longer active staff: nobody could use it",
        )
    )


def may_veto(
    request: Request,
    admin: Contact | None,
    engineer: Staff,
    place: Place,
    decision: Decision | None,
    now: datetime,
    staff: tuple[Staff, ...] = (),
) -> Verdict:
    """Any present tenant admin, until the cooling is over. A veto is final."""
    state = state_at(request, now)
    return is_present_admin(admin, engineer, place, now, staff) & rule(
        RULE,
        state in STOPPABLE,
        state_words(request, decision, now),
        f"there is nothing to veto: {state_words(request, decision, now)}",
        f"to stop a session at once, {place.whoever_decides()} can turn the kill switch on"
        if state in (RequestState.APPROVED, RequestState.USED)
        else "",
    )


def stops(link: ConsentLink, request: Request, decision: Decision | None, now: datetime) -> Verdict:
    """REQ-105, REQ-108: the link of the urgent letter, or the deny link of the letter before, once. When it is too late
    is the request's to say, not the link's."""
    return (
        is_unused(link, request, decision, now)
        & rule(
            "REQ-105",
            link.kind in (LinkKind.VETO, LinkKind.DENY),
            "the link says no",
            f"this link can only {link.kind}",
            "the link in the urgent letter",
        )
        & is_unchanged(request, link.content_digest)
    )
