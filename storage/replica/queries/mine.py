"""One person's running session, for the countdown in the terminal's title, the warnings and the question on leaving;
how much is open; who an address is."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from storage.models import Session, Staff, time_text


@dataclass(frozen=True, slots=True)
class Mine:
    """My running session, and its tenant's name."""

    session: Session | None
    tenant: str


def running_of(connection: sqlite3.Connection, staff_id: str, now: datetime) -> Mine:
    """Where `staff_id` is inside at `now`."""
    found = connection.execute(
        "select s.image, t.name from session s left join tenant t on t.id = s.tenant_id "
        "where s.engineer_id = ? and s.ended_at is null and s.expires_at > ? limit 1",
        (staff_id, time_text(now)),
    ).fetchone()
    session = Session.from_image(found[0]) if found else None
    return Mine(session, found[1] or "" if found else "")


def open_counts(connection: sqlite3.Connection, now: datetime) -> dict[str, int]:
    """How many sessions run and how many reviews wait, by main screen."""
    sessions, reviews = connection.execute(
        "select (select count(*) from session where ended_at is null and expires_at > ?), "
        "(select count(*) from review where signed_at is null)",
        (time_text(now),),
    ).fetchone()
    return {"sessions": sessions, "review": reviews}


def staff_by_email(connection: sqlite3.Connection, email: str) -> Staff | None:
    """The account with that address, in any case of letters."""
    found = connection.execute("select image from staff where lower(email) = lower(?) limit 1", (email,)).fetchone()
    return Staff.from_image(found[0]) if found else None
