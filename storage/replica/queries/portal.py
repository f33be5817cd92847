"""What a tenant's own pages show of the tenant's own: its sessions, keys, admins, and its log, a page at a time."""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime

from storage.models import ApiKey, Contact, ContactRole, PortalSession, Tenant, time_text
from storage.replica.queries.log import Entry, entries_by_number, search
from storage.replica.queries.log_filter import LogFilter
from storage.replica.queries.sessions import SessionCard, session_card


@dataclass(frozen=True, slots=True)
class LogPage:
    """Entries, newest first. `older` is the number to ask before for the next page, None on the last one."""

    entries: tuple[Entry, ...]
    older: int | None


def log_page(
    connection: sqlite3.Connection, tenant_id: str, wanted: LogFilter, *, before: int | None, size: int
) -> LogPage:
    """The `size` newest entries that fit, of those with a number below `before`."""
    log = f"tenant:{tenant_id}"
    found: list[int] = []
    for step in search(connection, log, wanted):
        found += [number for number in step if before is None or number < before]
        if len(found) > size:
            break
    older = found[size - 1] if len(found) > size else None
    return LogPage(tuple(entries_by_number(connection, log, found[:size])), older)


def sessions_of(
    connection: sqlite3.Connection, tenant_id: str, *, before: str | None = None, limit: int = 30
) -> list[SessionCard]:
    """Support sessions in the tenant, newest first; of those started before `before` (a stored time)."""
    rows = connection.execute(
        "select id from session where tenant_id = ? and started_at < ? order by started_at desc, id limit ?",
        (tenant_id, before or "~", limit),
    ).fetchall()
    return [card for (key,) in rows if (card := session_card(connection, key)) is not None]


def running_in(connection: sqlite3.Connection, tenant_id: str, now: datetime) -> list[SessionCard]:
    """Who is inside the tenant now."""
    rows = connection.execute(
        "select id from session where tenant_id = ? and ended_at is null and expires_at > ? order by started_at",
        (tenant_id, time_text(now)),
    ).fetchall()
    return [card for (key,) in rows if (card := session_card(connection, key)) is not None]


def keys_of(connection: sqlite3.Connection, tenant_id: str | None = None) -> list[ApiKey]:
    """API keys, newest first: a tenant's, or all there are."""
    rows = connection.execute(
        "select image from api_key where ?1 is null or tenant_id = ?1 order by rev desc", (tenant_id,)
    )
    return [ApiKey.from_image(image) for (image,) in rows]


def key_by_id(connection: sqlite3.Connection, key_id: str) -> ApiKey | None:
    row = connection.execute("select image from api_key where id = ?", (key_id,)).fetchone()
    return None if row is None else ApiKey.from_image(row[0])


def admins_with_address(connection: sqlite3.Connection, email: str) -> list[Contact]:
    """Every tenant's present administrators of that address, in any case of letters."""
    rows = connection.execute("select image from contact where lower(email) = lower(?) order by id limit 50", (email,))
    people = (Contact.from_image(image) for (image,) in rows)
    return [person for person in people if person.has(ContactRole.TENANT_ADMIN)]


def portal_session(
    connection: sqlite3.Connection, session_hash: str
) -> tuple[PortalSession, Contact | None, Tenant | None] | None:
    """A browser's session with its person and tenant, or None."""
    row = connection.execute(
        "select p.image, c.image, t.image from portal_session p left join contact c on c.id = p.contact_id"
        " left join tenant t on t.id = json_extract(p.image, '$.tenant_id') where p.id = ?",
        (session_hash,),
    ).fetchone()
    if row is None:
        return None
    contact = Contact.from_image(row[1]) if row[1] is not None else None
    tenant = Tenant.from_image(row[2]) if row[2] is not None else None
    return PortalSession.from_image(row[0]), contact, tenant
