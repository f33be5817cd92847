"""What somebody uninvolved has to look at and sign: emergencies, and what a tenant disputes (REQ-109, REQ-502,
REQ-504); and the register of incidents."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from storage.models.request import EmergencyCategory
from storage.models.row import Row


class ReviewKind(StrEnum):
    """Why a review was opened."""

    EMERGENCY = "emergency"
    DISPUTE = "dispute"


@dataclass(frozen=True, slots=True)
class Review(Row):
    """One thing to be signed off. `claim` says in words what is to be judged; `entry_seq` names the disputed entry of
    the tenant's own log. `barred` lists the staff who were part of it and may not sign. Open until `signed_at`."""

    TABLE: ClassVar[str] = "review"

    kind: ReviewKind
    tenant_id: str
    request_id: str | None
    session_id: str | None
    entry_seq: int | None
    claim: str
    barred: tuple[str, ...]
    opened_by: str
    opened_by_name: str
    opened_at: datetime
    due_at: datetime
    finding: str | None = None
    signed_by: str | None = None
    signed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Incident(Row):
    """An entry of the incident register: every emergency has one (REQ-109)."""

    TABLE: ClassVar[str] = "incident"

    request_id: str
    tenant_id: str
    engineer_id: str
    ticket: str
    category: EmergencyCategory
    reason: str
    declared_by: str
    countersigned_by: str
    at: datetime
    review_id: str
