"""A request, and what was decided on it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from storage.models.row import Row


class Mode(StrEnum):
    READ_ONLY = "read_only"
    FULL = "full"


class Layer(StrEnum):
    """How a request got its approval: 1, 2 and 3 of requirements.md."""

    CONSENT = "consent"
    BREAK_GLASS = "break_glass"
    EMERGENCY = "emergency"


class Alternative(StrEnum):
    """The less invasive ways of REQ-103."""

    LOGS = "logs"
    METRICS = "metrics"
    MASKED_RECORD = "masked_record"
    SNAPSHOT = "snapshot"
    GUIDED_CALL = "guided_call"


class RequestState(StrEnum):
    """What is recorded of a request. What holds *now* is `app.policy.requests.state_at`: time needs no process.
    `DECLARED` is break-glass declared and not yet countersigned, `COOLING` what the tenant can still veto."""

    PENDING = "pending"
    DECLARED = "declared"
    COOLING = "cooling"
    APPROVED = "approved"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    LAPSED = "lapsed"
    USED = "used"
    VETOED = "vetoed"


class EmergencyCategory(StrEnum):
    """Harm that two hours would make irreparable (REQ-109)."""

    DATA_LOSS = "data_loss"
    SECURITY = "security"
    SAFETY = "safety"
    OUTAGE = "outage"
    LEGAL = "legal"


class DecisionKind(StrEnum):
    APPROVE = "approve"
    DENY = "deny"
    STANDING_CONSENT = "standing_consent"
    COUNTERSIGN = "countersign"
    DECLINE = "decline"
    BREAK_GLASS = "break_glass"
    VETO = "veto"
    EMERGENCY = "emergency"


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question by a tenant admin, or the engineer's answer to it (REQ-115)."""

    kind: str
    by: str
    name: str
    at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class BreakGlass:
    """The second way in (REQ-108): declared by the engineer, countersigned by a super, then two hours of cooling that
    begin when a mail server accepts the first letter to the tenant. Usable from `cooling_until` on, by time alone."""

    reason: str
    declared_at: datetime
    countersigned_by: str | None
    countersigned_at: datetime | None
    cooling_since: datetime | None
    cooling_until: datetime | None


@dataclass(frozen=True, slots=True)
class Emergency:
    """The third way in (REQ-109): declared by one super, countersigned by another, for an engineer who is neither. Two
    hours without the second signature make it void by time alone; `lapsed_at`, that moment, stands once it is recorded.
    """

    category: EmergencyCategory
    reason: str
    declared_by: str
    declared_at: datetime
    countersigned_by: str | None
    countersigned_at: datetime | None
    incident_id: str | None
    lapsed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Request(Row):
    """An engineer's wish to enter a tenant (REQ-101). `content_digest` covers what a decision is bound to (REQ-115);
    `granted_minutes` is what was approved, never more than `minutes`. `full` counts only with `countersigned_by`."""

    TABLE: ClassVar[str] = "request"

    tenant_id: str
    target_id: str
    ticket: str
    reason: str
    scope: str
    records: int
    mode: Mode
    minutes: int
    urgent: bool
    tried: tuple[Alternative, ...]
    why_not: str
    engineer_id: str
    created_at: datetime
    expires_at: datetime
    content_digest: str
    state: RequestState = RequestState.PENDING
    layer: Layer = Layer.CONSENT
    granted_minutes: int | None = None
    decided_at: datetime | None = None
    decided_by: str | None = None
    decision_note: str | None = None
    usable_until: datetime | None = None
    countersigned_by: str | None = None
    countersigned_at: datetime | None = None
    declined_by: str | None = None
    session_id: str | None = None
    again_of: str | None = None
    exchanges: tuple[Exchange, ...] = ()
    break_glass: BreakGlass | None = None
    emergency: Emergency | None = None


@dataclass(frozen=True, slots=True)
class Decision(Row):
    """One decision, once made never changed. `by` is a contact key or a staff id; `content_digest` is what was
    decided on."""

    TABLE: ClassVar[str] = "decision"

    request_id: str
    tenant_id: str
    kind: DecisionKind
    by: str
    by_name: str
    at: datetime
    minutes: int | None
    note: str | None
    content_digest: str
