"""Who a log-in is, and the making and taking away of people's own (sql/037_staff_logins.sql).

A password is drawn here, shown once and kept nowhere; the server is sent its SCRAM verifier only.
"""

from __future__ import annotations

import asyncio
import secrets
from dataclasses import dataclass
from typing import Any

from storage.errors import GuardRefused, Misconfigured, Offline
from storage.shared.postgres.faults import in_our_words
from storage.shared.postgres.line import CONNECT_SECONDS, connect

OLDEST = 14
"""The oldest major version of PostgreSQL that is known to keep the promises."""
_ADVICE = "a super adds people with `countersign staff add`, which prints their own address for --database"


@dataclass(frozen=True, slots=True)
class Login:
    """Whom a connection's role stands for. `kind`: staff, portal, gate, worker, or owner for an installer; `id`: the
    staff member's."""

    role: str
    kind: str
    id: str


@dataclass(frozen=True, slots=True)
class NewLogin:
    """A log-in just made. `password` is None for a role that was there before and keeps its own."""

    role: str
    password: str | None


async def check_server(url: str) -> None:
    """Log in, whatever is there. Raises Offline, or Misconfigured with words: before a database is made."""
    await _asked(url, "select 1")


async def who_am_i(url: str) -> Login:
    """Log in and be told who one is. Raises Offline, or Misconfigured: no such database, no rights, wrong password, too
    old a server, nobody's log-in."""
    found: Any = await _asked(url, "select countersign.whoami()")
    return Login(found["role"], found["kind"], found["id"])


async def add_login(url: str, staff_id: str, existing: str | None = None) -> NewLogin:
    """The person's log-in: a new role with a password, or an existing role that is theirs."""
    password = None if existing else secrets.token_urlsafe(24)
    with in_our_words():
        async with asyncio.timeout(_patience()), await connect(url) as connection:
            verifier = None
            if password is not None:
                name = "cs_" + staff_id.lower().replace("-", "_")
                verifier = connection.pgconn.encrypt_password(
                    password.encode(), name.encode(), b"scram-sha-256"
                ).decode()
            found: Any = await (
                await connection.execute(
                    "select countersign.staff_login_add(%s, %s, %s)", (staff_id, verifier, existing)
                )
            ).fetchone()
    return NewLogin(found[0], password)


async def remove_login(url: str, staff_id: str) -> tuple[str | None, int]:
    """Take away the log-in of somebody who left; its role (None: none was there), how many connections were ended."""
    found: Any = await _asked(url, "select countersign.staff_login_remove(%s)", staff_id)
    return found["role"], int(found["ended"])


async def remove_departed(url: str) -> int:
    """As the worker: take away what a console left half done, and the log-ins of those whose end date has come."""
    async with asyncio.timeout(_patience()):
        with in_our_words():
            async with await connect(url) as connection:
                gone = await (await connection.execute("select countersign.departed()")).fetchall()
                for (staff_id,) in gone:
                    await connection.execute("select countersign.staff_login_remove(%s)", (staff_id,))
    return len(gone)


async def watchdog(url: str) -> list[str]:
    """As the worker: cut off whoever sits on the log's head while others wait; their roles."""
    found: Any = await _asked(url, "select countersign.watchdog()")
    return [str(role) for role in found]


def _patience() -> float:
    return CONNECT_SECONDS + 10.0


async def _asked(url: str, sql: str, *values: object) -> object:
    """One value of one statement on a connection of its own."""
    import psycopg
    from psycopg.conninfo import conninfo_to_dict

    try:
        conninfo_to_dict(url)
    except psycopg.ProgrammingError as error:
        raise Misconfigured(f"not a database URL: {str(error).strip()}", "use postgresql://user@host/name") from error
    try:
        with in_our_words():
            async with asyncio.timeout(_patience()), await connect(url) as connection:
                major = connection.info.server_version // 10_000
                if major < OLDEST:
                    raise Misconfigured(f"the server is PostgreSQL {major}; {OLDEST} is the oldest that will do")
                try:
                    found = await (await connection.execute(sql, values)).fetchone()
                except psycopg.errors.InsufficientPrivilege as error:
                    role = connection.info.user
                    raise Misconfigured(f"the log-in {role} may do nothing here", _ADVICE) from error
    except TimeoutError as error:
        raise Offline("the shared database does not answer", "it is tried again by itself") from error
    except GuardRefused as refused:
        if "stands for nobody" not in str(refused):
            raise
        raise Misconfigured(str(refused).removeprefix("P1: "), _ADVICE) from refused
    assert found is not None
    return found[0]
