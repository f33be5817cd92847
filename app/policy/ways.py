"""Which ways lead into a tenant for a request at this moment, the least costly first, and what each costs (REQ-113):
"consent: waiting for 2 admins; break-glass from 14:03, then 2 h; emergency: two supers, reported publicly"."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.policy.break_glass import is_way_open, was_urgent
from app.policy.duty import Duty
from app.policy.limits import COOLING, PENDING
from app.policy.people import Place, is_no_contact
from app.policy.request_state import (
    BEFORE_EMERGENCY,
    cooling_ends,
    declarable_until,
    emergency_waits,
    state_at,
    usable_until,
)
from app.policy.tenants import is_open
from app.policy.verdict import Verdict
from app.policy.words import moment, span
from storage.models import Layer, Request, RequestState, Staff

NAMES = {Layer.CONSENT: "consent", Layer.BREAK_GLASS: "break-glass", Layer.EMERGENCY: "emergency"}


@dataclass(frozen=True, slots=True)
class Way:
    """One way in. `is_open`: it can still lead in; else `words` say why not. `at`: when it lets in at the earliest,
    None where that hangs on a person. `cost`: what it takes of whom, and who hears of it."""

    layer: Layer
    is_open: bool
    at: datetime | None
    words: str
    cost: str = ""


def ways(
    request: Request, engineer: Staff, place: Place, supers: tuple[Staff, ...], duty: Duty, now: datetime
) -> tuple[Way, ...]:
    """Every way there is, in the order of what it costs; those that are shut say why."""
    state = state_at(request, now)
    if state is RequestState.APPROVED and is_open(place).allowed:
        until = usable_until(request)
        words = f"open now{f' until {moment(until, now)}' if until else ''}: {engineer.name} starts it"
        return (Way(request.layer, True, now, words, "a code of the second factor"),)
    return (
        _consent(request, place, now),
        _break_glass(request, engineer, place, duty, now),
        _emergency(request, engineer, place, supers, now),
    )


def in_a_line(found: tuple[Way, ...]) -> str:
    """The ways that are open, in one line; or why there is none."""
    return "; ".join(one.words for one in found if one.is_open) or f"no way in: {found[0].words}"


def _consent(request: Request, place: Place, now: datetime) -> Way:
    shut = _shut(Layer.CONSENT, is_open(place))
    if shut is not None:
        return shut
    count = len(place.admins)
    admins = f"{count} admin{'' if count == 1 else 's'}"
    asked = bool(request.exchanges) and request.exchanges[-1].kind == "question"
    match state_at(request, now):
        case RequestState.PENDING if asked:
            words = f"consent: {request.exchanges[-1].name} waits for an answer, then decides"
        case RequestState.PENDING:
            words = f"consent: waiting for {admins}"
        case RequestState.DECLARED | RequestState.COOLING:
            return Way(Layer.CONSENT, False, None, "consent: the time for it is over; break-glass is under way")
        case RequestState.USED:
            return Way(Layer.CONSENT, False, None, "it has been used")
        case over:
            words = f"consent: ask again ({request.id} is {over.value}), {admins} can decide within {span(PENDING)}"
    if not count:
        return Way(Layer.CONSENT, False, None, f"consent: {place.tenant.name} has no admin who could decide")
    return Way(Layer.CONSENT, True, None, words, "nothing but their yes")


def _break_glass(request: Request, engineer: Staff, place: Place, duty: Duty, now: datetime) -> Way:
    state, layer = state_at(request, now), Layer.BREAK_GLASS
    shut = _shut(layer, is_way_open(place) & was_urgent(request) & is_no_contact(engineer, place))
    if shut is not None:
        return shut
    who = duty.who_could(now)
    cost = "a second reason, a super's countersign; every admin and security contact is mailed and can veto"
    glass = request.break_glass
    match state:
        case RequestState.PENDING:
            at = request.expires_at
            words = f"break-glass from {moment(at, now)}, then {_short(COOLING.seconds)}"
            return Way(layer, True, at + COOLING, words, cost)
        case RequestState.EXPIRED if now < declarable_until(request):
            words = f"break-glass now (until {moment(declarable_until(request), now)}), then {_short(COOLING.seconds)}"
            return Way(layer, True, now + COOLING, words, cost)
        case RequestState.DECLARED:
            words = f"break-glass: a super countersigns{f' ({who})' if who else ''}, then {_short(COOLING.seconds)}"
            return Way(layer, True, now + COOLING, words, "a super's countersign; the tenant can veto")
        case RequestState.COOLING if glass is not None and glass.cooling_until is None:
            words = f"break-glass: {_short(COOLING.seconds)} after a letter to the tenant is accepted"
            return Way(layer, True, None, words, "the tenant can veto")
        case RequestState.COOLING:
            at = cooling_ends(request)
            words = f"break-glass at {moment(at, now)}, in {span(at - now)}, unless vetoed"
            return Way(layer, True, at, words, "the tenant can veto")
    return Way(layer, False, None, f"break-glass: not any more, {request.id} is {state.value}")


def _emergency(request: Request, engineer: Staff, place: Place, supers: tuple[Staff, ...], now: datetime) -> Way:
    state, layer = state_at(request, now), Layer.EMERGENCY
    shut = _shut(layer, is_way_open(place) & is_no_contact(engineer, place))
    if shut is not None:
        return shut
    if state not in BEFORE_EMERGENCY:
        return Way(layer, False, None, f"emergency: not on this one, {request.id} is {state.value}")
    others = [
        one for one in supers if one.is_active(now) and one.id != engineer.id and is_no_contact(one, place).allowed
    ]
    if len(others) < 2:
        return Way(layer, False, None, f"emergency: needs two supers besides {engineer.name}, there is {len(others)}")
    cost = "reported at once to the tenant and to both legal addresses, registered, reviewed by a third person"
    if emergency_waits(request, now):
        return Way(layer, True, None, "emergency: a second super, reported publicly", cost)
    return Way(layer, True, None, "emergency: two supers, reported publicly", cost)


def _shut(layer: Layer, verdict: Verdict) -> Way | None:
    """The way as shut, with the first reason and who could open it; None if nothing stands in it."""
    for finding in verdict.refusals:
        who = f" — {finding.who_could}" if finding.who_could else ""
        return Way(layer, False, None, f"{NAMES[layer]}: {finding.why}{who}")
    return None


def _short(seconds: int) -> str:
    """ "2 h", "90 min"."""
    return f"{seconds // 3600} h" if seconds % 3600 == 0 else f"{seconds // 60} min"
