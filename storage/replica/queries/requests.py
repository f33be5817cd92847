"""Requests as the queue reads them: one line per request with the names of everyone in it, and what the detail needs.

All reads are short and synchronous, from the replica. `waiting_requests` is bounded by how many are open at once;
`past_requests` by its limit, and says when there were more. The form's type-ahead lists stand here too: they are part
of asking.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from storage.models import (
    Contact,
    ContactRole,
    Mail,
    Request,
    Role,
    Session,
    Settings,
    Staff,
    Tenant,
    parse_time,
    time_text,
)

_LINE = """
SELECT r.image, r.rev,
       t.image ->> '$.name',
       c.image ->> '$.name', c.image ->> '$.email',
       e.image ->> '$.name', e.image ->> '$.email',
       s.image
FROM request r
LEFT JOIN tenant t ON t.id = r.tenant_id
LEFT JOIN contact c ON c.id = r.image ->> '$.target_id'
LEFT JOIN staff e ON e.id = r.engineer_id
LEFT JOIN session s ON s.id = r.image ->> '$.session_id'
"""
_OPEN = ("approved", "cooling", "declared", "pending")
_OPEN_MARKS = ", ".join("?" * len(_OPEN))
_BEFORE = {
    "expired": ("pending",),
    "approved": ("cooling",),
    "lapsed": ("approved", "declared", "cooling"),
    "open": (*_OPEN, "used"),
}
_WORD_COLUMNS = (
    "r.id",
    "r.ticket",
    "t.name",
    "e.image ->> '$.name'",
    "c.image ->> '$.name'",
    "r.image ->> '$.reason'",
    "r.image ->> '$.scope'",
)
_UNDECIDED = f"{_LINE} WHERE r.state = 'expired' AND r.expires_at > ? AND r.image ->> '$.urgent'"
_ALARMED = f"""{_LINE}
WHERE r.rev >= (SELECT seq FROM operator_log WHERE at > :after ORDER BY at LIMIT 1)
  AND r.state = 'expired' AND r.image ->> '$.emergency.declared_at' > :after"""
"""A request is written with each declaration: only what was written since can hold one."""
_BUSY = "SELECT image ->> '$.active_session', image ->> '$.owes_outcome' FROM standing"


@dataclass(frozen=True, slots=True)
class RequestLine:
    """A request with the names of everyone in it. `session` is the one it led to, if it did."""

    request: Request
    rev: int
    tenant_name: str
    target_name: str
    target_email: str
    engineer_name: str
    engineer_email: str
    session: Session | None


@dataclass(frozen=True, slots=True)
class PastRequests:
    """Requests newest first; `truncated`: there were more than the limit."""

    lines: tuple[RequestLine, ...]
    truncated: bool


@dataclass(frozen=True, slots=True)
class RequestFilter:
    """What to look for: every given part must hold. Values match whole ids or the beginnings of words in names."""

    words: tuple[str, ...] = ()
    state: str = ""
    tenant: str = ""
    staff: str = ""
    ticket: str = ""

    @property
    def empty(self) -> bool:
        return not (self.words or self.state or self.tenant or self.staff or self.ticket)


@dataclass(frozen=True, slots=True)
class LoggedStep:
    """One entry of the operator log that names the request."""

    seq: int
    at: datetime
    action: str
    actor_kind: str
    actor_name: str
    reason: str
    effective_at: datetime | None = None
    """Of what time has brought about: when it did, which may be long before anybody was up to record it."""


@dataclass(frozen=True, slots=True)
class TenantChoice:
    """A tenant to choose from in the form."""

    tenant: Tenant
    settings: Settings


def waiting_requests(
    connection: sqlite3.Connection, expired_after: datetime, emergency_after: datetime
) -> list[RequestLine]:
    """Every request that waits or may still be used; those that were urgent and expired after a time, for which
    break-glass may be declared; and those for which an emergency was declared after another, expired or not."""
    waiting = connection.execute(f"{_LINE} WHERE r.state IN ({_OPEN_MARKS})", _OPEN).fetchall()
    waiting += connection.execute(_UNDECIDED, (time_text(expired_after),)).fetchall()
    known = {image for image, *_ in waiting}
    alarmed = connection.execute(_ALARMED, {"after": time_text(emergency_after)}).fetchall()
    return [_line(row) for row in (*waiting, *(one for one in alarmed if one[0] not in known))]


def busy_requests(connection: sqlite3.Connection) -> list[RequestLine]:
    """Those whose session runs or still owes its outcome."""
    busy = {one for pair in connection.execute(_BUSY) for one in pair if one}
    if not busy:
        return []
    marks = ",".join("?" * len(busy))
    sql = f"{_LINE} WHERE s.id IN ({marks}) AND r.state NOT IN ({_OPEN_MARKS})"
    return [_line(row) for row in connection.execute(sql, (*busy, *_OPEN))]


def past_requests(connection: sqlite3.Connection, wanted: RequestFilter, limit: int = 500) -> PastRequests:
    """Requests that match, newest first. `state` is matched as recorded, and a state that time brings about (expired,
    lapsed; and "open", which is none of the final ones) also finds the one it follows on: what holds now is the
    policy's word, and the caller's to apply."""
    clauses, values = _clauses(wanted)
    where = f" WHERE {' AND '.join(clauses)}" if clauses else ""
    found = connection.execute(f"{_LINE}{where} ORDER BY r.created_at DESC LIMIT ?", (*values, limit + 1)).fetchall()
    return PastRequests(tuple(_line(row) for row in found[:limit]), truncated=len(found) > limit)


def request_line(connection: sqlite3.Connection, request_id: str) -> RequestLine | None:
    """One request, or None."""
    row = connection.execute(f"{_LINE} WHERE r.id = ?", (request_id,)).fetchone()
    return None if row is None else _line(row)


def request_steps(connection: sqlite3.Connection, request_id: str, limit: int = 200) -> list[LoggedStep]:
    """The operator log's entries on a request, oldest first."""
    found = connection.execute(
        "SELECT seq, body FROM operator_log WHERE request = ? ORDER BY seq DESC LIMIT ?", (request_id, limit)
    ).fetchall()
    return [_step(seq, json.loads(body)) for seq, body in reversed(found)]


def request_mails(connection: sqlite3.Connection, request_id: str, limit: int = 50) -> list[Mail]:
    """The letters about a request, newest first."""
    found = connection.execute(
        "SELECT image FROM mail WHERE request_id = ? ORDER BY created_at DESC, id LIMIT ?", (request_id, limit)
    )
    return [Mail.from_image(image) for (image,) in found]


def earlier_reasons(connection: sqlite3.Connection, engineer_id: str, limit: int = 50) -> list[str]:
    """The engineer's latest reasons, newest first: a copied one is refused (REQ-102)."""
    found = connection.execute(
        "SELECT image ->> '$.reason' FROM request WHERE engineer_id = ? ORDER BY created_at DESC LIMIT ?",
        (engineer_id, limit),
    )
    return [reason for (reason,) in found]


def tenant_names(connection: sqlite3.Connection) -> list[tuple[str, str]]:
    """Id and name of every tenant, by name."""
    return connection.execute("SELECT id, name FROM tenant ORDER BY name, id").fetchall()


def tenant_choice(connection: sqlite3.Connection, tenant_id: str) -> TenantChoice | None:
    """One tenant with its settings, or None."""
    found = connection.execute(
        "SELECT t.image, s.image FROM tenant t LEFT JOIN settings s ON s.id = t.id WHERE t.id = ?", (tenant_id,)
    ).fetchone()
    if found is None:
        return None
    settings = Settings(tenant_id) if found[1] is None else Settings.from_image(found[1])
    return TenantChoice(Tenant.from_image(found[0]), settings)


def target_choices(connection: sqlite3.Connection, tenant_id: str) -> list[Contact]:
    """The people of a tenant whose view can be assumed, by name: its users and its administrators."""
    found = connection.execute("SELECT image FROM contact WHERE tenant_id = ?", (tenant_id,))
    people = [Contact.from_image(image) for (image,) in found]
    fitting = [one for one in people if one.has(ContactRole.USER) or one.has(ContactRole.TENANT_ADMIN)]
    return sorted(fitting, key=lambda one: (one.name.casefold(), one.id))


def active_supers(connection: sqlite3.Connection, now: datetime) -> list[Staff]:
    """The supers who can act at `now`, by name: whom a refusal may point to."""
    found = connection.execute("SELECT image FROM staff WHERE role = ?", (Role.SUPER.value,))
    people = [Staff.from_image(image) for (image,) in found]
    return sorted((one for one in people if one.is_active(now)), key=lambda one: one.name.casefold())


def staff_by_id(connection: sqlite3.Connection, staff_id: str) -> Staff | None:
    """One staff member, or None."""
    row = connection.execute("SELECT image FROM staff WHERE id = ?", (staff_id,)).fetchone()
    return None if row is None else Staff.from_image(row[0])


def names(connection: sqlite3.Connection, keys: Iterable[str]) -> Mapping[str, str]:
    """The names behind staff ids and contact keys; a key nobody bears stands for itself."""
    found: dict[str, str] = {}
    for key in set(keys):
        row = connection.execute(
            "SELECT image ->> '$.name' FROM staff WHERE id = ?"
            " UNION ALL SELECT image ->> '$.name' FROM contact WHERE id = ? LIMIT 1",
            (key, key),
        ).fetchone()
        found[key] = key if row is None else row[0]
    return found


def _line(row: tuple[str, int, str, str, str, str, str, str | None]) -> RequestLine:
    image, rev, tenant, target, target_email, engineer, engineer_email, session = row
    request = Request.from_image(image)
    return RequestLine(
        request=request,
        rev=rev,
        tenant_name=tenant or request.tenant_id,
        target_name=target or request.target_id,
        target_email=target_email or "",
        engineer_name=engineer or request.engineer_id,
        engineer_email=engineer_email or "",
        session=None if session is None else Session.from_image(session),
    )


def _step(seq: int, body: dict[str, object]) -> LoggedStep:
    actor = body.get("actor")
    who = actor if isinstance(actor, dict) else {}
    data = body.get("data")
    effective = data.get("effective_at") if isinstance(data, dict) else None
    return LoggedStep(
        seq=seq,
        at=parse_time(str(body["at"])),
        action=str(body["action"]),
        actor_kind=str(who.get("kind", "")),
        actor_name=str(who.get("name", "")),
        reason=str(body.get("reason", "")),
        effective_at=parse_time(effective) if isinstance(effective, str) else None,
    )


def _clauses(wanted: RequestFilter) -> tuple[list[str], list[str]]:
    """SQL conditions; names match by a beginning of any of their words, ids and tickets by a beginning."""
    clauses: list[str] = []
    values: list[str] = []
    if wanted.state:
        states = [wanted.state, *_BEFORE.get(wanted.state, ())]
        clauses.append(f"r.state IN ({','.join('?' * len(states))})")
        values += states
    if wanted.tenant:
        clauses.append(
            "r.tenant_id IN (SELECT id FROM tenant WHERE id = ? OR name LIKE ? ESCAPE '\\' OR name LIKE ? ESCAPE '\\')"
        )
        values += [wanted.tenant, f"{_like(wanted.tenant)}%", f"% {_like(wanted.tenant)}%"]
    if wanted.staff:
        clauses.append(
            "r.engineer_id IN (SELECT id FROM staff WHERE id = ?"
            " OR email LIKE ? ESCAPE '\\' OR image ->> '$.name' LIKE ? ESCAPE '\\')"
        )
        values += [wanted.staff, f"{_like(wanted.staff)}%", f"{_like(wanted.staff)}%"]
    if wanted.ticket:
        clauses.append("r.ticket LIKE ? ESCAPE '\\'")
        values.append(f"{_like(wanted.ticket)}%")
    for word in wanted.words:
        clauses.append("(" + " OR ".join(f"{column} LIKE ? ESCAPE '\\'" for column in _WORD_COLUMNS) + ")")
        values += [f"%{_like(word)}%"] * len(_WORD_COLUMNS)
    return clauses, values


def _like(text: str) -> str:
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
