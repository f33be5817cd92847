"""Sessions as the board, the live feed and the dossier read them from the replica.

The board is read in two steps so that 500 running sessions cost little: `board` lists which sessions there are, in
order, without decoding a row; `session_card` decodes one, when its line is really drawn. What is running and what is
over is decided by the time asked for, never by what a process happened to record (REQ-203).
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from storage.models import Decision, Request, Session, SessionView, parse_time, time_text


class Group(StrEnum):
    """Where a session stands on the board."""

    RUNNING = "running"
    OWED = "owed"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class BoardLine:
    """One session's place on the board. `deadline` is its `expires_at`; `flagged` says that something was viewed
    beyond the scope or that an elevation waits."""

    session_id: str
    rev: int
    group: Group
    deadline: datetime
    engineer_id: str
    flagged: bool


@dataclass(frozen=True, slots=True)
class SessionCard:
    """A session with the names that belong to it. `declared` is about how many records the request named."""

    session: Session
    rev: int
    engineer: str
    engineer_email: str
    tenant: str
    target: str
    target_email: str
    scope: str
    reason: str
    declared: int
    countersigned_by: str | None
    ended_by: str | None
    elevation_decided_by: str | None


_LINE = """
select s.id, s.rev, s.expires_at, s.engineer_id,
       json_extract(s.image, '$.beyond_scope') > 0
       or coalesce(json_extract(s.image, '$.elevation.state') = 'asked', 0)
  from session s
"""

_RUNNING = "s.ended_at is null and s.expires_at > :now"
_OWED = """(s.ended_at is null and s.expires_at <= :now)
        or s.id in (select json_extract(image, '$.owes_outcome') from standing)"""
_ENDED = """s.ended_at >= :since
        and s.id not in (select coalesce(json_extract(image, '$.owes_outcome'), '') from standing)"""

_GROUPS = (
    (Group.RUNNING, _RUNNING, "s.expires_at, s.id"),
    (Group.OWED, _OWED, "s.expires_at desc, s.id"),
    (Group.ENDED, _ENDED, "s.ended_at desc, s.id"),
)

_WORDS = """lower(printf('%s %s %s %s %s %s %s', s.id, s.ticket, s.tenant_id, json_extract(s.image, '$.mode'),
    (select name from tenant where id = s.tenant_id),
    (select email || ' ' || json_extract(image, '$.name') from staff where id = s.engineer_id),
    (select email || ' ' || json_extract(image, '$.name') from contact
      where id = json_extract(s.image, '$.target_id'))))"""


def board(connection: sqlite3.Connection, now: datetime, since: datetime, words: str = "") -> list[BoardLine]:
    """The board's lines: running (least time left first), outcome owed, ended from `since` on (newest first).
    `words` narrows it to sessions whose id, ticket, mode, tenant, engineer or target user hold every one of them."""
    bound: dict[str, str] = {"now": time_text(now), "since": time_text(since)}
    narrowed = ""
    for number, word in enumerate(words.lower().split()):
        bound[f"word{number}"] = word
        narrowed += f" and instr({_WORDS}, :word{number}) > 0"
    lines: list[BoardLine] = []
    for group, condition, order in _GROUPS:
        sql = f"{_LINE} where ({condition}){narrowed} order by {order}"
        lines += [
            BoardLine(key, rev, group, parse_time(deadline), engineer, bool(flagged))
            for key, rev, deadline, engineer, flagged in connection.execute(sql, bound)
        ]
    return lines


def running_count(connection: sqlite3.Connection, now: datetime) -> int:
    """How many sessions run at `now`."""
    row = connection.execute(
        "select count(*) from session where ended_at is null and expires_at > ?", (time_text(now),)
    ).fetchone()
    return int(row[0])


_CARD = """
select s.image, s.rev, json_extract(e.image, '$.name'), e.email, t.name, json_extract(c.image, '$.name'), c.email,
       r.image
  from session s
  left join staff e on e.id = s.engineer_id
  left join tenant t on t.id = s.tenant_id
  left join contact c on c.id = json_extract(s.image, '$.target_id')
  left join request r on r.id = s.request_id
 where s.id = ?
"""


def session_card(connection: sqlite3.Connection, session_id: str) -> SessionCard | None:
    """One session with its names, or None if there is no such session."""
    row = connection.execute(_CARD, (session_id,)).fetchone()
    if row is None:
        return None
    image, rev, engineer, engineer_email, tenant, target, target_email, request_image = row
    session = Session.from_image(image)
    request = Request.from_image(request_image) if request_image is not None else None
    elevation = session.elevation
    return SessionCard(
        session=session,
        rev=rev,
        engineer=engineer or session.engineer_id,
        engineer_email=engineer_email or "",
        tenant=tenant or session.tenant_id,
        target=target or session.target_id,
        target_email=target_email or "",
        scope=request.scope if request else "",
        reason=request.reason if request else "",
        declared=request.records if request else 0,
        countersigned_by=_name(connection, request.countersigned_by if request else None),
        ended_by=_name(connection, session.ended_by),
        elevation_decided_by=_name(connection, elevation.decided_by if elevation else None),
    )


def _name(connection: sqlite3.Connection, person_id: str | None) -> str | None:
    """The name of a staff member or a tenant's contact; the id itself where nobody of ours has it."""
    if person_id is None:
        return None
    for table in ("staff", "contact"):
        sql = f"select json_extract(image, '$.name') from {table} where id = ?"
        row = connection.execute(sql, (person_id,)).fetchone()
        if row is not None:
            return str(row[0])
    return person_id


def decisions_on(connection: sqlite3.Connection, request_id: str) -> list[Decision]:
    """Everything that was decided on a request, oldest first."""
    rows = connection.execute("select image from decision where request_id = ? order by rev, id", (request_id,))
    return [Decision.from_image(image) for (image,) in rows]


def view_ids(connection: sqlite3.Connection, session_id: str) -> list[str]:
    """The keys of everything viewed in a session, newest first."""
    rows = connection.execute("select id from session_view where session_id = ? order by rev desc, id", (session_id,))
    return [key for (key,) in rows]


def session_view(connection: sqlite3.Connection, view_id: str) -> SessionView | None:
    """One thing viewed, or None."""
    row = connection.execute("select image from session_view where id = ?", (view_id,)).fetchone()
    return None if row is None else SessionView.from_image(row[0])


def views_of(connection: sqlite3.Connection, session_id: str, limit: int = -1) -> list[SessionView]:
    """What was viewed in a session, oldest first; `limit` keeps the newest ones only (-1: all)."""
    rows = connection.execute(
        "select image from session_view where session_id = ? order by rev desc, id limit ?", (session_id, limit)
    ).fetchall()
    return [SessionView.from_image(image) for (image,) in reversed(rows)]
