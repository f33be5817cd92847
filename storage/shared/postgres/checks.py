"""`doctor` on PostgreSQL: whether roles, tables, functions, triggers and rights are what this version installs.

Everything is read from the catalogs, which every log-in may read: so an engineer can look as well as the owner can. A
superuser can lie to all of it; what they cannot do is alter the log without a console noticing.
"""

from __future__ import annotations

import hashlib
import secrets
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from storage.models.row import row_types
from storage.shared.guards.case import Limits
from storage.shared.migrations import HEAD
from storage.shared.postgres import catalogs
from storage.shared.postgres.faults import in_our_words
from storage.shared.postgres.install import SCHEMA, Roles
from storage.shared.postgres.limits import compared
from storage.shared.postgres.room import MAKERS
from storage.shared.postgres.shipped import FREE, PRIVATE, Shipped, shipped

if TYPE_CHECKING:
    import psycopg

    Connection = psycopg.Connection[tuple[object, ...]]

CLOCK_PATIENCE = 2.0
"""Seconds."""
MAIL_PATIENCE = 15
"""Minutes."""
LOGS = ("operator_log", "tenant_log", "log_head")
REPAIR = "run `countersign audit verify --all`, find out who did it, then `countersign init --upgrade` as the owner"


@dataclass(frozen=True, slots=True)
class Finding:
    """One part: well or not, what was found, what to do."""

    name: str
    well: bool
    what: str
    advice: str = ""


def examine(url: str, limits: Limits | None = None) -> list[Finding]:
    """Every check; blocks. `limits`: what this machine's config says people are held to, to be
    compared. Raises Misconfigured or Offline when nothing can be looked at."""
    import psycopg

    with in_our_words(), psycopg.connect(url, autocommit=True, connect_timeout=5) as connection:
        owner = str(_one(connection, "select nspowner::regrole::text from pg_namespace where nspname = %s", SCHEMA))
        roles = Roles(owner.removesuffix("_owner"))
        expected = shipped(roles)
        checks = (
            _server,
            _schema,
            _roles,
            _members,
            _functions,
            _triggers,
            _rights,
            _room,
            _hints,
            _clock,
            _mail,
            _fingerprint,
        )
        found = [finding for check in checks for finding in check(connection, roles, expected)]
        if limits is not None:
            found.append(Finding("limits", *compared(connection, limits)))
        return found


def _server(connection: Connection, roles: Roles, expected: Shipped) -> Iterator[Finding]:
    major = connection.info.server_version // 10_000
    durable = _one(connection, catalogs.DURABLE)
    yield Finding("server", major >= 14, f"PostgreSQL {major}", "" if major >= 14 else "upgrade it: 14 is the oldest")
    advice = "set them on: an acknowledged command could be lost in a crash" if durable else ""
    yield Finding("durability", not durable, f"off: {durable}" if durable else "what is committed stays", advice)


def _schema(connection: Connection, roles: Roles, expected: Shipped) -> Iterator[Finding]:
    found = {
        str(name)
        for (name,) in connection.execute(
            "select relname from pg_class where relnamespace = %s::regnamespace and relkind in ('r', 'p', 'f')",
            (SCHEMA,),
        )
    }
    wanted = {*row_types(), *LOGS, *PRIVATE, *expected.tables}
    strange = sorted(found ^ wanted)
    what = f"tables missing or foreign: {', '.join(strange)}" if strange else f"{len(found)} tables, revision {HEAD}"
    yield Finding("schema", not strange, what, REPAIR if strange else "")
    heirs = _one(connection, catalogs.HEIRS, SCHEMA)
    if heirs:
        yield Finding("inheritance", False, f"rows are slipped in by child tables: {heirs}", REPAIR)
    foreign = _one(connection, catalogs.FOREIGN, SCHEMA, roles.owner)
    if foreign:
        yield Finding("owner", False, f"not {roles.owner}'s: {foreign}", REPAIR)


def _roles(connection: Connection, roles: Roles, expected: Shipped) -> Iterator[Finding]:
    wrong = []
    found = {str(row[0]): row[1:] for row in connection.execute(catalogs.ROLES)}
    for name in (roles.owner, roles.staff, *roles.services.values()):
        if name not in found:
            wrong.append(f"{name} is missing")
            continue
        may_log_in, mighty, makes_roles = found[name]
        if may_log_in and name in (roles.owner, roles.staff):
            wrong.append(f"{name} can log in")
        if mighty or (makes_roles and name != roles.owner):
            wrong.append(f"{name} can do more than its task")
    yield Finding("roles", not wrong, "; ".join(wrong) or f"{roles.owner} and {roles.staff} cannot log in", REPAIR)


def _members(connection: Connection, roles: Roles, expected: Shipped) -> Iterator[Finding]:
    """Who is in the staff group, and what more those can do; who can become the owner."""
    rows = connection.execute(catalogs.MEMBERS, (roles.owner, roles.staff, roles.owner)).fetchall()
    mighty = sorted(str(name) for name, more in rows if more)
    advice = "take these rights away from them: the database cannot hold them to anything" if mighty else ""
    what = f"staff log-ins that can do more: {', '.join(mighty)}" if mighty else f"{len({r[0] for r in rows})} of staff"
    yield Finding("log-ins", not mighty, what, advice)
    installers = _one(connection, catalogs.INSTALLERS, roles.owner)
    yield Finding("installers", True, f"besides superusers: {installers or 'nobody'}")


def _functions(connection: Connection, roles: Roles, expected: Shipped) -> Iterator[Finding]:
    rows = [tuple(str(part) for part in row) for row in connection.execute(catalogs.FUNCTIONS)]
    found = Counter((name, body) for name, body, *_ in rows if name not in FREE)
    wrong = [f"{name} is altered or missing" for name, _ in expected.functions - found]
    wrong += [f"{name} is foreign or altered" for name, _ in found - expected.functions]
    for name, body, definer, config, owner in rows:
        if name == "check_all" and body.split() != expected.check_all.split():
            wrong.append("check_all does not call every guard")
        if name in FREE and not any(words in body for words in FREE[name]):
            wrong.append(f"{name} is altered or missing")
        if (definer == "True") != (name in expected.definers):
            wrong.append(f"{name} runs with other rights than its own")
        if definer == "True" and "search_path=pg_catalog, pg_temp" not in config.replace('"', ""):
            wrong.append(f"{name} has another search path")
        if owner != roles.owner:
            wrong.append(f"{name} is not {roles.owner}'s")
    what = f"{len(rows)} functions, as shipped" if not wrong else "; ".join(dict.fromkeys(wrong))
    yield Finding("functions", not wrong, what, REPAIR if wrong else "")


def _triggers(connection: Connection, roles: Roles, expected: Shipped) -> Iterator[Finding]:
    rows = [tuple(str(part) for part in row) for row in connection.execute(catalogs.TRIGGERS)]
    wrong = [f"{trigger} on {table} is off" for table, trigger, enabled, *_ in rows if enabled != "A"]
    wrong += [f"{trigger} on {table} is foreign" for table, trigger, *_ in rows if trigger not in expected.triggers]
    there = {(table, trigger) for table, trigger, *_ in rows}
    for prefix, tables in (("p01_", LOGS), ("p02_", (*row_types(), "command"))):
        names = sorted(name for name in expected.triggers if name.startswith(prefix))
        wrong += [f"{name} on {table} is missing" for table in tables for name in names if (table, name) not in there]
    what = f"{len(rows)} triggers, all of them always on" if not wrong else "; ".join(wrong)
    yield Finding("guards", not wrong, what, REPAIR if wrong else "")


def _rights(connection: Connection, roles: Roles, expected: Shipped) -> Iterator[Finding]:
    ours = {roles.staff, *roles.services.values()}
    wrong = [
        f"{grantee} has {privilege} on {table}"
        for table, grantee, privilege in connection.execute(catalogs.TABLE_RIGHTS)
        if privilege != "SELECT" or table in PRIVATE - {"alembic_version"} or grantee not in ours
    ]
    calls = {(str(name), str(grantee)) for name, grantee in connection.execute(catalogs.FUNCTION_RIGHTS)}
    wrong += [f"{grantee} may call {name}" for name, grantee in sorted(calls - expected.executes)]
    wrong += [f"{grantee} may not call {name}" for name, grantee in sorted(expected.executes - calls)]
    makers = _one(connection, catalogs.MAKERS, SCHEMA)
    wrong += [f"{makers} may create in {SCHEMA}"] if makers else []
    what = "; ".join(wrong) or "staff may read and call apply; nobody reads secrets"
    yield Finding("rights", not wrong, what, REPAIR if wrong else "")


def _room(connection: Connection, roles: Roles, expected: Shipped) -> Iterator[Finding]:
    """Where a log-in could put things beside the log, until the server's disk is full (`room.keep`)."""
    temporary = _one(connection, catalogs.TEMPORARY)
    large = _one(connection, catalogs.LARGE_OBJECTS, [f"pg_catalog.{maker}" for maker in MAKERS])
    if temporary:
        advice = "`countersign init --upgrade` as the database's owner takes it away"
        yield Finding("room", False, "every log-in may fill the disk with temporary tables", advice)
    elif large:
        yield Finding("room", True, "no temporary tables; large objects only a superuser's `init` can forbid")
    else:
        yield Finding("room", True, "no log-in can keep anything here beside the log")


def _hints(connection: Connection, roles: Roles, expected: Shipped) -> Iterator[Finding]:
    """As `watching.Watcher` finds out: nobody stands between, or a notification from elsewhere gets through."""
    heard = _one(connection, "select pg_backend_pid()") == connection.info.backend_pid
    if not heard:
        name, info = f"countersign_trial_{secrets.token_hex(8)}", connection.info
        connection.execute(f"listen {name}".encode())
        with type(connection).connect(info.dsn, password=info.password or None, autocommit=True) as other:
            other.execute(f"notify {name}".encode())
        heard = bool(list(connection.notifies(timeout=1, stop_after=1)))
        connection.execute(f"unlisten {name}".encode())
    polled = "a pooler in transaction mode stands between: by polling alone, up to a second late"
    yield Finding("changes", True, "heard of at once (LISTEN)" if heard else polled)


def _clock(connection: Connection, roles: Roles, expected: Shipped) -> Iterator[Finding]:
    began = datetime.now(UTC)
    row = connection.execute("select clock_timestamp()").fetchone()
    moment = row[0] if row else None
    assert isinstance(moment, datetime)
    off = (moment - began).total_seconds()
    well = abs(off) <= CLOCK_PATIENCE
    what = f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC there, {off:+.1f} s from this machine's"
    yield Finding("clock", well, what, "" if well else "set both clocks, preferably by NTP")


def _mail(connection: Connection, roles: Roles, expected: Shipped) -> Iterator[Finding]:
    row = connection.execute(catalogs.WAITING).fetchone()
    count, minutes = row if row else (0, 0)
    well = int(str(minutes)) < MAIL_PATIENCE
    what = f"{count} letters wait, the oldest for {minutes} minutes" if count else "no letter waits"
    yield Finding("mail", well, what, "" if well else "is `countersign worker` running as countersign_worker?")
    row = connection.execute(catalogs.FAILED).fetchone()
    failed, why = row if row else (0, "")
    if failed:
        yield Finding(
            "failed mail", False, f"{failed} letters failed in the last week: {why}", "`countersign mail list`"
        )


def _fingerprint(connection: Connection, roles: Roles, expected: Shipped) -> Iterator[Finding]:
    """One number for columns, constraints, functions, triggers and rights: the same on every machine that looks."""
    lines = sorted(
        "\x1f".join(str(part) for part in row)
        for sql in (
            catalogs.COLUMNS,
            catalogs.CONSTRAINTS,
            catalogs.FUNCTIONS,
            catalogs.TRIGGERS,
            catalogs.TABLE_RIGHTS,
            catalogs.FUNCTION_RIGHTS,
        )
        for row in connection.execute(sql)
    )
    digest = hashlib.sha256("\n".join(lines).encode()).hexdigest()
    yield Finding("fingerprint", True, f"{digest[:32]} (PostgreSQL {connection.info.server_version // 10_000})")


def _one(connection: Connection, sql: str, *values: object) -> object:
    """The one value of a statement."""
    row = connection.execute(sql, values).fetchone()
    return row[0] if row else None
