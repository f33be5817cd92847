"""The kill switch between its turning and its entry, and what a gate is told (REQ-110, REQ-203): values, no rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from storage.models.request import Mode


@dataclass(frozen=True, slots=True)
class Shutting:
    """A switch that is on and whose entry has not been written yet: which tenant's, by whom, from where, when (UTC)."""

    tenant_id: str
    by: str
    name: str
    ip: str
    at: datetime


@dataclass(frozen=True, slots=True)
class Admission:
    """Whether a session may go on at this moment, and why not. `mode` and `expires_at` (UTC) hold where it may."""

    allowed: bool
    why: str = ""
    mode: Mode | None = None
    expires_at: datetime | None = None
