"""A session: the time-boxed access that an approved request gives, and what was viewed in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from storage.models.request import Layer, Mode
from storage.models.row import Row


class EndKind(StrEnum):
    """Who or what ended a session."""

    ENGINEER = "engineer"
    SUPER = "super"
    TENANT = "tenant"
    CLOCK = "clock"
    DEACTIVATED = "deactivated"


class ElevationState(StrEnum):
    ASKED = "asked"
    GRANTED = "granted"
    DECLINED = "declined"


class ViewKind(StrEnum):
    """What was viewed or done (REQ-205)."""

    RECORD = "record"
    FIELD = "field"
    FILE = "file"
    SCREEN = "screen"
    QUERY = "query"
    SEARCH = "search"
    EXPORT = "export"


@dataclass(frozen=True, slots=True)
class Elevation:
    """The switch to `full` during a session, asked with its own reason (REQ-202)."""

    state: ElevationState
    reason: str
    asked_at: datetime
    decided_by: str | None = None
    decided_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the engineer says at the end (REQ-206). `changed` and `beyond_scope` are words; "nothing" and "no" are."""

    cause: str
    changed: str
    beyond_scope: str
    follow_up: str
    ticket_closed: bool
    at: datetime


@dataclass(frozen=True, slots=True)
class Session(Row):
    """Active is `ended_at is None and now < expires_at`, everywhere (design.md, "Time")."""

    TABLE: ClassVar[str] = "session"

    request_id: str
    tenant_id: str
    target_id: str
    engineer_id: str
    ticket: str
    layer: Layer
    mode: Mode
    started_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None
    end_kind: EndKind | None = None
    ended_by: str | None = None
    end_reason: str | None = None
    elevation: Elevation | None = None
    outcome: Outcome | None = None
    records_seen: int = 0
    views: int = 0
    beyond_scope: int = 0
    last_viewed: str | None = None

    def is_active(self, now: datetime) -> bool:
        return self.ended_at is None and now < self.expires_at


@dataclass(frozen=True, slots=True)
class SessionView(Row):
    """One thing viewed: names of records and fields, never their values. `count` is the size of a result."""

    TABLE: ClassVar[str] = "session_view"

    session_id: str
    tenant_id: str
    kind: ViewKind
    name: str
    fields: tuple[str, ...]
    count: int
    at: datetime
    source: str
    within_scope: bool
