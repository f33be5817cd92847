"""Letters, from the replica."""

from __future__ import annotations

import sqlite3

from storage.models import Contact, ContactRole, Mail, MailState


def queued_mail(connection: sqlite3.Connection, limit: int = 500) -> list[Mail]:
    """Letters nobody has handed on yet, oldest first."""
    rows = connection.execute(
        "SELECT image FROM mail WHERE state = ? ORDER BY created_at, id LIMIT ?", (MailState.QUEUED.value, limit)
    )
    return [Mail.from_image(image) for (image,) in rows]


def queued_count(connection: sqlite3.Connection) -> int:
    """How many letters wait."""
    (count,) = connection.execute("SELECT count(*) FROM mail WHERE state = ?", (MailState.QUEUED.value,)).fetchone()
    return int(count)


def all_mail(connection: sqlite3.Connection, limit: int = 200) -> list[Mail]:
    """Letters, newest first."""
    rows = connection.execute("SELECT image FROM mail ORDER BY created_at DESC, id DESC LIMIT ?", (limit,))
    return [Mail.from_image(image) for (image,) in rows]


def admins_of(connection: sqlite3.Connection, tenant_id: str) -> list[Contact]:
    """The tenant's administrators, by key."""
    rows = connection.execute("SELECT image FROM contact WHERE tenant_id = ? ORDER BY id", (tenant_id,))
    people = (Contact.from_image(image) for (image,) in rows)
    return [person for person in people if person.has(ContactRole.TENANT_ADMIN)]
