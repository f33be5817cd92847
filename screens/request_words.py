"""A request as a person reads it: its state in words, the deadline that runs, what happens next.

Pure: rows and a moment in, words out. What holds now comes from `app.policy.requests.state_at`; this module only says
it. Names passed in are as stored; the words go through the gate for outside text where they are drawn.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.policy.requests import state_at
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
    match state:
        case RequestState.PENDING:
            return _pending(line)
        case RequestState.APPROVED:
            return _approved(line)
        case RequestState.USED:
            return _used(line, now)
        case RequestState.DENIED:
            return _closed(state, "denied", "denied by the tenant", Tone.BAD)
        case RequestState.WITHDRAWN:
            return _closed(state, "withdrawn", f"withdrawn by {line.engineer_name}")
        case RequestState.EXPIRED:
            return _closed(state, "expired", "expired: nobody decided in time")
        case RequestState.LAPSED:
            return _closed(state, "lapsed", "lapsed: the approval was not used in time")


def next_step(line: RequestLine, now: datetime) -> str:
    """What happens next, and who does it. How long it has is drawn by the bar above it."""
    request, engineer = line.request, line.engineer_name
    match request_now(line, now).state:
        case RequestState.PENDING if open_question(request):
            return f"{engineer} answers the question; then {line.tenant_name}'s admins decide"
        case RequestState.PENDING:
            return f"an admin of {line.tenant_name} approves or denies by the mailed link"
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


def _approved(line: RequestLine) -> RequestNow:
    request = line.request
    waits = _waits_for_countersign(request)
    declined = request.mode is Mode.FULL and request.declined_by is not None
    ready = "approved, but full mode was declined: read-only" if declined else "approved, ready to start"
    return RequestNow(
        RequestState.APPROVED,
        "needs second" if waits else "approved",
        "approved, full mode waits for a countersign" if waits else ready,
        Tone.SOON if waits else Tone.GOOD,
        request.decided_at or request.created_at,
        request.usable_until,
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
