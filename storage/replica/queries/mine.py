"""What one person has open: for the countdown in the terminal's title, the warnings, and the question on leaving."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from storage.models import Session, Staff, time_text


@dataclass(frozen=True, slots=True)
class Mine:
    """My running session, its tenant's name, and how many requests of mine wait."""

    session: Session | None
    tenant: str
    waiting: int


def mine_open(connection: sqlite3.Connection, staff_id: str, now: datetime) -> Mine:
    """What `staff_id` has open at `now`."""
    moment = time_text(now)
    found = connection.execute(
        "select s.image, t.name from session s left join tenant t on t.id = s.tenant_id "
        "where s.engineer_id = ? and s.ended_at is null and s.expires_at > ? limit 1",
        (staff_id, moment),
    ).fetchone()
    (waiting,) = connection.execute(
        "select count(*) from request where engineer_id = ? and state in ('pending', 'approved') and expires_at > ?",
        (staff_id, moment),
    ).fetchone()
    session = Session.from_image(found[0]) if found else None
    return Mine(session, found[1] or "" if found else "", waiting)


def open_counts(connection: sqlite3.Connection, now: datetime) -> dict[str, int]:
    """How much is open, by main screen."""
    moment = time_text(now)
    requests, sessions, reviews = connection.execute(
        "select (select count(*) from request where (state = 'pending' and expires_at > ?)"
        " or state in ('approved', 'cooling', 'declared')), "
        "(select count(*) from session where ended_at is null and expires_at > ?), "
        "(select count(*) from review where signed_at is null)",
        (moment, moment),
    ).fetchone()
    return {"queue": requests, "sessions": sessions, "review": reviews}


def staff_by_email(connection: sqlite3.Connection, email: str) -> Staff | None:
    """The account with that address, in any case of letters."""
    found = connection.execute("select image from staff where lower(email) = lower(?) limit 1", (email,)).fetchone()
    return Staff.from_image(found[0]) if found else None
