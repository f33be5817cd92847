"""Letters, from the replica."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime, timedelta

from storage.models import Contact, ContactRole, Mail, MailState, parse_time, time_text

PATIENCE = timedelta(minutes=15)
"""How long a letter may wait before somebody should look."""
FAILED_SHOWS = timedelta(days=7)
"""How long a failed letter stands in everybody's status line; in `mail list` it stands for ever."""


def queued_mail(connection: sqlite3.Connection, limit: int = 5000) -> list[Mail]:
    """Letters nobody has handed on yet, oldest first."""
    rows = connection.execute(
        "SELECT image FROM mail WHERE state = ? ORDER BY created_at, id LIMIT ?", (MailState.QUEUED.value, limit)
    )
    return [Mail.from_image(image) for (image,) in rows]


def queued_count(connection: sqlite3.Connection) -> int:
    """How many letters wait."""
    (count,) = connection.execute("SELECT count(*) FROM mail WHERE state = ?", (MailState.QUEUED.value,)).fetchone()
    return int(count)


def all_mail(connection: sqlite3.Connection, limit: int = 200, state: MailState | None = None) -> list[Mail]:
    """Letters, newest first; those of one state where it is given."""
    where, values = ("WHERE state = ?", [state.value]) if state else ("", [])
    rows = connection.execute(
        f"SELECT image FROM mail {where} ORDER BY created_at DESC, id DESC LIMIT ?", (*values, limit)
    )
    return [Mail.from_image(image) for (image,) in rows]


@dataclass(frozen=True, slots=True)
class MailTrouble:
    """What is wrong with the mail: letters that failed in the last days, and those that wait longer than they should.
    `why` is the newest word on either."""

    failed: int
    waiting: int
    oldest: datetime | None
    why: str


def mail_trouble(connection: sqlite3.Connection, now: datetime) -> MailTrouble | None:
    """None where all is well."""
    late = time_text(now - PATIENCE)
    waiting, oldest = connection.execute(
        "SELECT count(*), min(created_at) FROM mail WHERE state = ? AND created_at <= ?", (MailState.QUEUED.value, late)
    ).fetchone()
    (failed,) = connection.execute(
        "SELECT count(*) FROM mail WHERE state = ? AND json_extract(image, '$.failed_at') > ?",
        (MailState.FAILED.value, time_text(now - FAILED_SHOWS)),
    ).fetchone()
    if not waiting and not failed:
        return None
    word = connection.execute(
        "SELECT json_extract(image, '$.last_error') FROM mail WHERE state IN (?, ?)"
        " AND json_extract(image, '$.last_error') IS NOT NULL ORDER BY rev DESC LIMIT 1",
        (MailState.QUEUED.value, MailState.FAILED.value),
    ).fetchone()
    return MailTrouble(failed, waiting, parse_time(oldest) if oldest else None, word[0] if word else "")


def admins_of(connection: sqlite3.Connection, tenant_id: str) -> list[Contact]:
    """The tenant's administrators, by key."""
    rows = connection.execute("SELECT image FROM contact WHERE tenant_id = ? ORDER BY id", (tenant_id,))
    people = (Contact.from_image(image) for (image,) in rows)
    return [person for person in people if person.has(ContactRole.TENANT_ADMIN)]
