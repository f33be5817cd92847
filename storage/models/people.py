"""Staff, what each of them is up to, and the proofs they give of being themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from storage.models.row import Row


class Role(StrEnum):
    """What a staff member may do. An auditor reads everything and changes nothing."""

    ENGINEER = "engineer"
    SUPER = "super"
    AUDITOR = "auditor"


class ActorKind(StrEnum):
    """Who stands behind an entry."""

    STAFF = "staff"
    TENANT_ADMIN = "tenant_admin"
    GATE = "gate"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who acts, from where, and with which step-up. `step_up` is the id of a `StepUp` row, never a code."""

    kind: ActorKind
    id: str
    name: str
    email: str
    ip: str = "local"
    step_up: str | None = None


@dataclass(frozen=True, slots=True)
class Staff(Row):
    """A named person of the operator (REQ-701)."""

    TABLE: ClassVar[str] = "staff"

    email: str
    name: str
    role: Role
    until: datetime | None
    created_at: datetime
    deactivated_at: datetime | None

    def is_active(self, now: datetime) -> bool:
        """Whether the person may act at `now`: neither deactivated nor past the end date of temporary staff."""
        return self.deactivated_at is None and (self.until is None or now < self.until)


@dataclass(frozen=True, slots=True)
class Start:
    """One session start, remembered for the rate limit."""

    tenant_id: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Standing(Row):
    """What an engineer is committed to. Key: the staff id. Every session start and end reads and writes it, so two
    consoles can neither start a second session nor slip past the rate limit at the same moment (REQ-112, REQ-201)."""

    TABLE: ClassVar[str] = "standing"

    active_session: str | None
    owes_outcome: str | None
    starts: tuple[Start, ...]
    limit_alerted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Credential(Row):
    """A person's TOTP secret (sealed) and recovery codes (hashed). Key: the staff id. Private (REQ-702)."""

    TABLE: ClassVar[str] = "credential"
    PRIVATE: ClassVar[bool] = True

    sealed_secret: str
    recovery_hashes: tuple[str, ...]
    last_step: int
    failures: int
    locked_until: datetime | None


@dataclass(frozen=True, slots=True)
class StepUp(Row):
    """An accepted fresh second factor. `act` names what it was given for (an action code). `used_by` lists the ids of
    the Changes it served: at most one, except that `request.create` and `session.start` share one for 2 minutes."""

    TABLE: ClassVar[str] = "step_up"

    staff_id: str
    act: str
    at: datetime
    method: str
    used_by: tuple[str, ...]
