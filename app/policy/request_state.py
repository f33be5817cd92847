"""What a request says, what it is bound to, and what state it is in *now* (REQ-101, REQ-104, REQ-115): `state_at` needs
no process to have recorded the passing of time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.policy.words import moment
from storage.models import Alternative, Decision, Mode, Request, RequestState
from storage.models.row import canonical, digest, encode

CLOSED = frozenset(RequestState) - {RequestState.PENDING, RequestState.APPROVED}


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
    """REQ-104, REQ-201: pending ends by time, an approval lapses by time."""
    if request.state is RequestState.PENDING and now >= request.expires_at:
        return RequestState.EXPIRED
    if request.state is RequestState.APPROVED and request.usable_until is not None and now >= request.usable_until:
        return RequestState.LAPSED
    return request.state


def state_words(request: Request, decision: Decision | None, now: datetime) -> str:
    """What became of a request, for a person: who, what, when."""
    state = state_at(request, now)
    by = decision.by_name if decision is not None else (request.decided_by or "")
    at = moment(request.decided_at, now) if request.decided_at else ""
    words = {
        RequestState.PENDING: f"waits for the tenant until {moment(request.expires_at, now)}",
        RequestState.APPROVED: f"was approved by {by} at {at}",
        RequestState.DENIED: f"was denied by {by} at {at}",
        RequestState.WITHDRAWN: "was withdrawn by its engineer",
        RequestState.EXPIRED: f"expired at {moment(request.expires_at, now)}: nobody decided",
        RequestState.LAPSED: "lapsed: approved, but not used"
        + (f" by {moment(request.usable_until, now)}" if request.usable_until else ""),
        RequestState.USED: f"was approved by {by} at {at} and used by session {request.session_id}",
    }
    return f"{request.id} {words[state]}"


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
