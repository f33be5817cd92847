"""A request as a person reads it: its state in words, the deadline that runs, what happens next.

Pure: rows and a moment in, words out. What holds now comes from `app.policy.requests.state_at`; this module only says
it. Names passed in are as stored; the words go through the gate for outside text where they are drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.policy.emergency import CATEGORIES
from app.policy.limits import EMERGENCY_OPEN
from app.policy.request_state import (
    cooling_ends,
    declarable_until,
    emergency_void_at,
    emergency_waits,
    opened_at,
    state_at,
    usable_until,
)
from app.policy.words import moment
from storage.models import Alternative, Layer, Mode, Request, RequestState, Session
from storage.replica.queries.requests import RequestLine
from widgets.cells import Tone

LAYER_LETTERS = {Layer.CONSENT: "C", Layer.BREAK_GLASS: "B", Layer.EMERGENCY: "E"}
LAYER_WORDS = {
    Layer.CONSENT: "layer 1, consent",
    Layer.BREAK_GLASS: "layer 2, break-glass",
    Layer.EMERGENCY: "layer 3, emergency",
}
ALTERNATIVE_WORDS = {
    Alternative.LOGS: "logs",
    Alternative.METRICS: "metrics",
    Alternative.MASKED_RECORD: "masked record",
    Alternative.SNAPSHOT: "snapshot",
    Alternative.GUIDED_CALL: "guided call",
}
_OPENED = {
    Layer.CONSENT: "approved",
    Layer.BREAK_GLASS: "open by break-glass: nobody vetoed",
    Layer.EMERGENCY: "open by an emergency",
}
_SHORT = {Layer.CONSENT: "approved", Layer.BREAK_GLASS: "break-glass", Layer.EMERGENCY: "emergency"}
MODE_WORDS = {Mode.READ_ONLY: "read-only", Mode.FULL: "full"}


@dataclass(frozen=True, slots=True)
class RequestNow:
    """A request at a moment. `short` fits a column, `headline` a line; `deadline` and `since` bound what runs now,
    None where nothing does. `closed`: nothing can come of it any more."""

    state: RequestState
    short: str
    headline: str
    tone: Tone
    since: datetime | None
    deadline: datetime | None
    closed: bool


def open_question(request: Request) -> bool:
    """Whether the tenant's last word in the exchange is a question nobody has answered."""
    return bool(request.exchanges) and request.exchanges[-1].kind == "question"


def request_now(line: RequestLine, now: datetime) -> RequestNow:
    """The words for `line` at `now`."""
    request = line.request
    state = state_at(request, now)
    if emergency_waits(request, now):
        return _alarmed(line, state)
    match state:
        case RequestState.PENDING:
            return _pending(line)
        case RequestState.APPROVED:
            return _approved(line)
        case RequestState.DECLARED:
            return _declared(line)
        case RequestState.COOLING:
            return _cooling(line)
        case RequestState.USED:
            return _used(line, now)
        case RequestState.VETOED:
            return _closed(state, "vetoed", "break-glass was vetoed by the tenant: that is final", Tone.BAD)
        case RequestState.DENIED:
            return _closed(state, "denied", "denied by the tenant", Tone.BAD)
        case RequestState.WITHDRAWN:
            return _closed(state, "withdrawn", f"withdrawn by {line.engineer_name}")
        case RequestState.EXPIRED:
            return _expired(line, now)
        case RequestState.LAPSED:
            return _closed(state, "lapsed", "lapsed: nothing came of it in time")


def next_step(line: RequestLine, now: datetime) -> str:
    """What happens next, and who does it. How long it has is drawn by the bar above it."""
    request, engineer = line.request, line.engineer_name
    if emergency_waits(request, now):
        return "a second super countersigns the emergency; after two hours without it is void"
    match request_now(line, now).state:
        case RequestState.PENDING if open_question(request):
            return f"{engineer} answers the question; then {line.tenant_name}'s admins decide"
        case RequestState.PENDING:
            return f"an admin of {line.tenant_name} approves or denies by the mailed link"
        case RequestState.EXPIRED if not request_now(line, now).closed:
            return f"{engineer} declares break-glass, or asks again"
        case RequestState.DECLARED:
            return "a super countersigns break-glass; then the tenant is mailed and can veto for 2 hours"
        case RequestState.COOLING if _cooling_until(request) is None:
            return "a mail server accepts a letter to the tenant: only then the 2 hours begin"
        case RequestState.COOLING:
            return f"{line.tenant_name} vetoes, or {engineer} can start when the time is over"
        case RequestState.APPROVED if _waits_for_countersign(request):
            return f"a second staff member countersigns full mode; without it {engineer} starts read-only"
        case RequestState.APPROVED:
            return f"{engineer} starts the session"
        case RequestState.USED if line.session is not None and line.session.is_active(now):
            return f"the session runs; at its end {engineer} gives the outcome"
        case RequestState.USED if _owes(line.session):
            return f"{engineer} gives the outcome; until then no other session starts"
        case RequestState.USED:
            return "nothing: the session is over and its outcome given"
        case _:
            return "nothing on this one; r asks again, prefilled"


def scope_words(request: Request) -> str:
    """The scope with the number of records expected."""
    return f"{request.scope} (about {request.records:,} record{'' if request.records == 1 else 's'})"


def urgent_facts(request: Request, now: datetime) -> list[tuple[str, str]]:
    """What was declared beyond the request: label and words, as they were given."""
    facts = [("cannot wait", request.break_glass.reason)] if request.break_glass else []
    if request.emergency is not None:
        void = emergency_void_at(request)
        ended = f"; void at {moment(void, now)}: no second super" if void is not None and now >= void else ""
        facts += [("emergency", f"{CATEGORIES[request.emergency.category]}: {request.emergency.reason}{ended}")]
    return facts


def signs(request: Request) -> str:
    """Three letters for the table: urgent, mode, layer. Each says without colour what a colour may add."""
    urgent = "!" if request.urgent else " "
    mode = "F" if request.mode is Mode.FULL else "r"
    return f"{urgent}{mode}{LAYER_LETTERS[request.layer]}"


def _pending(line: RequestLine) -> RequestNow:
    request = line.request
    asked = open_question(request)
    return RequestNow(
        RequestState.PENDING,
        "has question" if asked else "awaits tenant",
        f"{line.tenant_name} asks a question" if asked else f"waiting for {line.tenant_name}",
        Tone.SOON if asked else Tone.PLAIN,
        request.created_at,
        request.expires_at,
        closed=False,
    )


def _alarmed(line: RequestLine, state: RequestState) -> RequestNow:
    """One super declared an emergency on it: what runs now is the time that a second one has (REQ-109)."""
    declared = line.request.emergency
    assert declared is not None
    return RequestNow(
        state,
        "needs a super",
        "EMERGENCY declared, waits for a second super",
        Tone.BAD,
        declared.declared_at,
        declared.declared_at + EMERGENCY_OPEN,
        closed=False,
    )


def _expired(line: RequestLine, now: datetime) -> RequestNow:
    """Over; but one that was urgent stands open for break-glass a while (REQ-108)."""
    request = line.request
    if not request.urgent or now >= declarable_until(request):
        return _closed(RequestState.EXPIRED, "expired", "expired: nobody decided in time")
    return RequestNow(
        RequestState.EXPIRED,
        "undecided",
        "expired: nobody decided in time; break-glass is possible",
        Tone.SOON,
        request.expires_at,
        declarable_until(request),
        closed=False,
    )


def _declared(line: RequestLine) -> RequestNow:
    glass = line.request.break_glass
    return RequestNow(
        RequestState.DECLARED,
        "needs a super",
        f"break-glass declared by {line.engineer_name}, waits for a super",
        Tone.SOON,
        glass.declared_at if glass else line.request.expires_at,
        declarable_until(line.request),
        closed=False,
    )


def _cooling(line: RequestLine) -> RequestNow:
    glass = line.request.break_glass
    begun = glass is not None and glass.cooling_since is not None
    return RequestNow(
        RequestState.COOLING,
        "cooling" if begun else "not yet told",
        f"break-glass is cooling: {line.tenant_name} can veto"
        if begun
        else f"break-glass: no letter to {line.tenant_name} accepted yet, cooling has not begun",
        Tone.SOON if begun else Tone.BAD,
        (glass.cooling_since or glass.countersigned_at) if glass else None,
        cooling_ends(line.request),
        closed=False,
    )


def _cooling_until(request: Request) -> datetime | None:
    return request.break_glass.cooling_until if request.break_glass else None


def _approved(line: RequestLine) -> RequestNow:
    request = line.request
    waits = _waits_for_countersign(request)
    declined = request.mode is Mode.FULL and request.declined_by is not None
    opened = _OPENED[request.layer]
    ready = f"{opened}, but full mode was declined: read-only" if declined else f"{opened}, ready to start"
    return RequestNow(
        RequestState.APPROVED,
        "needs second" if waits else _SHORT[request.layer],
        f"{opened}, full mode waits for a countersign" if waits else ready,
        Tone.SOON if waits else Tone.GOOD,
        opened_at(request) or request.created_at,
        usable_until(request),
        closed=False,
    )


def _used(line: RequestLine, now: datetime) -> RequestNow:
    session = line.session
    if session is not None and session.is_active(now):
        return RequestNow(
            RequestState.USED,
            "inside now",
            f"{line.engineer_name} is inside now",
            Tone.ACCENT,
            session.started_at,
            session.expires_at,
            closed=False,
        )
    if _owes(session):
        return RequestNow(RequestState.USED, "outcome owed", "ended, outcome owed", Tone.BAD, None, None, closed=False)
    return _closed(RequestState.USED, "closed", "closed, outcome given")


def _closed(state: RequestState, short: str, headline: str, tone: Tone = Tone.DIM) -> RequestNow:
    return RequestNow(state, short, headline, tone, None, None, closed=True)


def _waits_for_countersign(request: Request) -> bool:
    return request.mode is Mode.FULL and request.countersigned_by is None and request.declined_by is None


def _over_since(session: Session | None) -> datetime | None:
    return None if session is None else session.ended_at or session.expires_at


def _owes(session: Session | None) -> bool:
    return session is not None and session.outcome is None
