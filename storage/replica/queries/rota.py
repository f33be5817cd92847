"""Office hours and shifts as the replica has them (REQ-111)."""

from __future__ import annotations

import sqlite3
from datetime import datetime

from storage.models import OFFICE, OfficeHours, Shift, time_text


def office_hours(connection: sqlite3.Connection) -> OfficeHours | None:
    """None: no hours are set, the office is always open."""
    row = connection.execute("SELECT image FROM office_hours WHERE id = ?", (OFFICE,)).fetchone()
    return None if row is None else OfficeHours.from_image(row[0])


def shifts(connection: sqlite3.Connection, now: datetime) -> list[Shift]:
    """Shifts that are not over, the next first; cancelled ones left out."""
    found = connection.execute("SELECT image FROM on_call_shift WHERE ends_at > ?", (time_text(now),))
    rows = [Shift.from_image(image) for (image,) in found]
    return sorted((one for one in rows if not one.cancelled), key=lambda one: (one.starts_at, one.id))
