"""What a request says, what it is bound to, and what state it is in *now* (REQ-101, REQ-104, REQ-115): `state_at` needs
no process to have recorded the passing of time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.policy.limits import COOLING, DECLARABLE, EMERGENCY_OPEN, UNDELIVERED, USABLE
from app.policy.words import moment, span
from storage.models import Alternative, Decision, Layer, Mode, Request, RequestState
from storage.models.row import canonical, digest, encode

OPEN = frozenset({RequestState.PENDING, RequestState.DECLARED, RequestState.COOLING, RequestState.APPROVED})
CLOSED = frozenset(RequestState) - OPEN
BEFORE_EMERGENCY = frozenset({RequestState.PENDING, RequestState.EXPIRED, RequestState.DECLARED, RequestState.COOLING})
"""REQ-109: an emergency is declared for what is open or expired. What a tenant denied or vetoed stays so."""


@dataclass(frozen=True, slots=True)
class RequestForm:
    """What an engineer fills in (REQ-101, REQ-103). `target_id` is a contact key, `again_of` an earlier request."""

    tenant_id: str
    target_id: str
    ticket: str
    reason: str
    scope: str
    records: int
    mode: Mode = Mode.READ_ONLY
    minutes: int = 30
    urgent: bool = False
    tried: tuple[Alternative, ...] = ()
    why_not: str = ""
    again_of: str | None = None


def state_at(request: Request, now: datetime) -> RequestState:
    """REQ-104, REQ-108, REQ-201: pending ends by time, so does every wait of break-glass; cooling ends in an approval,
    and an approval lapses."""
    match request.state:
        case RequestState.PENDING:
            return RequestState.EXPIRED if now >= request.expires_at else RequestState.PENDING
        case RequestState.DECLARED:
            return RequestState.LAPSED if now >= declarable_until(request) else RequestState.DECLARED
        case RequestState.COOLING:
            if now >= cooling_ends(request):
                return RequestState.APPROVED if _lasts(usable_until(request), now) else RequestState.LAPSED
            return RequestState.COOLING
        case RequestState.APPROVED:
            return RequestState.APPROVED if _lasts(request.usable_until, now) else RequestState.LAPSED
    return request.state


def _lasts(until: datetime | None, now: datetime) -> bool:
    return until is None or now < until


def declarable_until(request: Request) -> datetime:
    """REQ-108: when it is too late to declare break-glass, and to countersign what was declared."""
    return request.expires_at + DECLARABLE


def cooling_ends(request: Request) -> datetime:
    """When cooling is over: in an approval, or, where no letter was ever accepted, in nothing."""
    glass = request.break_glass
    assert glass is not None and glass.countersigned_at is not None, f"{request.id} is cooling without break-glass"
    return glass.cooling_until or glass.countersigned_at + UNDELIVERED


def usable_until(request: Request) -> datetime | None:
    """REQ-201: when the approval lapses; for break-glass that follows from the cooling, recorded or not."""
    if request.state is RequestState.COOLING:
        until = request.break_glass.cooling_until if request.break_glass else None
        return until + USABLE if until is not None else cooling_ends(request)
    return request.usable_until


def opened_at(request: Request) -> datetime | None:
    """Since when it can be used, by whatever way; None where nobody has opened it."""
    if request.layer is Layer.BREAK_GLASS:
        return request.break_glass.cooling_until if request.break_glass else None
    if request.layer is Layer.EMERGENCY:
        return request.emergency.countersigned_at if request.emergency else None
    return request.decided_at


def deadline(request: Request, now: datetime) -> datetime | None:
    """When the state that it is in now ends by time, None where it does not."""
    match state_at(request, now):
        case RequestState.PENDING:
            return request.expires_at
        case RequestState.DECLARED:
            return declarable_until(request)
        case RequestState.COOLING:
            return cooling_ends(request)
        case RequestState.APPROVED:
            return usable_until(request)
    return None


def emergency_void_at(request: Request) -> datetime | None:
    """REQ-109: when the declared emergency is void, whatever became of the request meanwhile; None where it was
    countersigned, or there is none."""
    declared = request.emergency
    if declared is None or declared.countersigned_at is not None:
        return None
    return declared.declared_at + EMERGENCY_OPEN


def is_emergency_lapse_due(request: Request, now: datetime) -> bool:
    """Whether its emergency is void by time and nobody has recorded that yet."""
    void = emergency_void_at(request)
    return void is not None and now >= void and request.emergency is not None and request.emergency.lapsed_at is None


def emergency_waits(request: Request, now: datetime) -> bool:
    """REQ-109: one super declared an emergency and a second can still countersign it."""
    void = emergency_void_at(request)
    return void is not None and now < void and state_at(request, now) in BEFORE_EMERGENCY


def state_words(request: Request, decision: Decision | None, now: datetime) -> str:
    """What became of a request, for a person: who, what, when."""
    state = state_at(request, now)
    by = decision.by_name if decision is not None else (request.decided_by or "")
    at = moment(request.decided_at, now) if request.decided_at else ""
    approved = _approved_words(request, by, at, now)
    words = {
        RequestState.PENDING: f"waits for the tenant until {moment(request.expires_at, now)}",
        RequestState.DECLARED: "expired undecided; break-glass is declared and waits for a super until"
        f" {moment(declarable_until(request), now)}",
        RequestState.COOLING: _cooling_words(request, now),
        RequestState.APPROVED: approved,
        RequestState.DENIED: f"was denied by {by} at {at}",
        RequestState.WITHDRAWN: "was withdrawn by its engineer",
        RequestState.EXPIRED: f"expired at {moment(request.expires_at, now)}: nobody decided",
        RequestState.LAPSED: _lapsed_words(request, now),
        RequestState.USED: f"{approved} and used by session {request.session_id}",
        RequestState.VETOED: f"was vetoed by {by} at {at}: that is final",
    }
    return f"{request.id} {words[state]}"


def _approved_words(request: Request, by: str, at: str, now: datetime) -> str:
    glass, emergency = request.break_glass, request.emergency
    if request.layer is Layer.BREAK_GLASS and glass is not None and glass.cooling_until is not None:
        return f"was opened by break-glass: nobody vetoed until {moment(glass.cooling_until, now)}"
    if request.layer is Layer.EMERGENCY and emergency is not None and emergency.countersigned_at is not None:
        return f"was opened by an emergency that two supers declared at {moment(emergency.countersigned_at, now)}"
    return f"was approved by {by} at {at}"


def _cooling_words(request: Request, now: datetime) -> str:
    until = request.break_glass.cooling_until if request.break_glass else None
    if until is None:
        return (
            "is cooling, but no mail server has accepted a letter to the tenant yet:"
            f" the {span(COOLING)} have not begun"
        )
    return f"is cooling: the tenant can veto until {moment(until, now)}, then it can be used"


def _lapsed_words(request: Request, now: datetime) -> str:
    glass = request.break_glass
    if glass is not None and glass.countersigned_at is None:
        return "lapsed: no super countersigned break-glass in time"
    if request.layer is Layer.BREAK_GLASS and glass is not None and glass.cooling_until is None:
        return "lapsed: no letter to the tenant was ever accepted, so break-glass never began to cool"
    until = usable_until(request)
    return "lapsed: approved, but not used" + (f" by {moment(until, now)}" if until else "")


def content_digest(content: RequestForm | Request) -> str:
    """REQ-115: what a decision is bound to. Changing any of it makes another digest."""
    return digest(
        canonical(
            encode(
                {
                    "tenant": content.tenant_id,
                    "target": content.target_id,
                    "scope": content.scope,
                    "records": content.records,
                    "mode": content.mode,
                    "minutes": content.minutes,
                    "ticket": content.ticket,
                    "reason": content.reason,
                }
            )
        )
    )
