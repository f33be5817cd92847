"""When the office is open, and who is on call when it is not (REQ-111)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from storage.models.row import Row

OFFICE = "office"
"""The key of the one row of office hours."""


@dataclass(frozen=True, slots=True)
class OfficeSpan:
    """Open on a weekday (1 is Monday) from `opens` until before `closes`, local time of the office as "09:00"."""

    weekday: int
    opens: str
    closes: str


@dataclass(frozen=True, slots=True)
class OfficeHours(Row):
    """The operator's office hours in one time zone (IANA name). No row: the office is always open."""

    TABLE: ClassVar[str] = "office_hours"

    zone: str
    spans: tuple[OfficeSpan, ...]
    set_by: str
    set_at: datetime


@dataclass(frozen=True, slots=True)
class Shift(Row):
    """A stretch of time for which one staff member is on call. Never changed but to be cancelled."""

    TABLE: ClassVar[str] = "on_call_shift"

    staff_id: str
    starts_at: datetime
    ends_at: datetime
    set_by: str
    set_at: datetime
    cancelled: bool = False

    def covers(self, moment: datetime) -> bool:
        return not self.cancelled and self.starts_at <= moment < self.ends_at
