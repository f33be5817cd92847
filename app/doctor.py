"""`countersign doctor`: looks at everything an installation stands on, and says of each part whether it is well.

Each check stands alone: one that cannot be made is a fault of its own, and the others still run.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.launch import Launch
from storage.errors import CountersignError
from storage.models import parse_time, time_text
from widgets.text import visible

LEAST_FREE = 64 * 1024 * 1024
"""Bytes below which a disk counts as full: a journal and a few letters still fit."""
MAIL_PATIENCE = timedelta(minutes=15)
CLOCK_PATIENCE = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Check:
    """One part: well or not, what was found, what to do."""

    name: str
    well: bool
    what: str
    advice: str = ""


def examine(launch: Launch) -> list[Check]:
    """Every check, in an order in which a fault explains those after it."""
    checks: list[tuple[str, Callable[[Launch], Iterator[Check]]]] = [
        ("config", _config),
        ("directories", _directories),
        ("key", _key),
        *([("server", _on_server)] if _names_server(launch) else [("shared database", _shared)]),
        ("replica", _replica),
        ("witness", _witness),
        *([] if _names_server(launch) else [("clock", _clock), ("mail", _mail), ("identity", _identity)]),
        ("mail server", _mail_server),
    ]
    found: list[Check] = []
    for name, look in checks:
        try:
            found += look(launch)
        except CountersignError as error:
            found.append(Check(name, False, str(error), error.advice))
        except (OSError, sqlite3.Error) as error:
            found.append(Check(name, False, f"cannot be checked: {error}"))
    return found


def _names_server(launch: Launch) -> bool:
    try:
        return launch.on_postgres
    except CountersignError:  # an unreadable config file: told by the check of that name
        return False


def _on_server(launch: Launch) -> Iterator[Check]:
    """Whose log-in it is, and whether the server holds what this version installs."""
    import asyncio

    from app.bootstrap import guarded
    from storage.shared.postgres.checks import examine as examine_server
    from storage.shared.postgres.logins import who_am_i

    login = asyncio.run(who_am_i(launch.database))
    yield Check("log-in", True, f"{login.role} at {launch.database_shown}: {login.kind} {login.id}")
    for found in examine_server(launch.database, guarded(launch.settings)):
        yield Check(found.name, found.well, found.what, found.advice)


def _config(launch: Launch) -> Iterator[Check]:
    assert launch.settings
    path = launch.paths.config_file
    yield Check("config", True, f"{path} is sound" if path.exists() else f"no {path}: every setting is the default")


def _directories(launch: Launch) -> Iterator[Check]:
    paths = launch.paths
    for name, place in (("config", paths.config), ("data", paths.data), ("state", paths.state), ("logs", paths.logs)):
        there = place if place.exists() else next(parent for parent in place.parents if parent.exists())
        if not os.access(there, os.W_OK | os.X_OK) or not there.is_dir():
            yield Check(f"{name} directory", False, f"{there} cannot be written", "check its owner and mode, or --home")
        elif shutil.disk_usage(there).free < LEAST_FREE:
            yield Check(f"{name} directory", False, f"the disk of {there} is full", "make room")
        else:
            yield Check(f"{name} directory", True, str(place) if place.exists() else f"{place} is made when needed")


def _key(launch: Launch) -> Iterator[Check]:
    path = launch.paths.key_file
    if not path.exists():
        yield Check("key", True, f"{path} is made when needed")
        return
    mode = stat.S_IMODE(path.stat().st_mode)
    well = mode & 0o077 == 0
    yield Check("key", well, f"{path} has mode {mode:04o}", "" if well else f"chmod 600 {path}")


def _shared(launch: Launch) -> Iterator[Check]:
    from storage.shared.connections import journal_mode
    from storage.shared.opening import inspect_file

    path = launch.database_path
    inspect_file(path)
    yield Check("shared database", True, f"{path}, schema as shipped, journal {journal_mode()}")
    with closing(_reading(path)) as connection:
        (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        yield Check("integrity", answer == "ok", f"SQLite says {answer}", "" if answer == "ok" else "restore a backup")
        yield _triggers(connection)


def _triggers(connection: sqlite3.Connection) -> Check:
    """Every trigger there, and in our words: somebody who wants to alter the log begins by dropping one."""
    from storage.models.tables import ROW_TABLES
    from storage.shared.triggers import trigger_statements

    shipped = {_squeezed(statement) for statement in trigger_statements(ROW_TABLES)}
    rows = connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").fetchall()
    found = {_squeezed(sql): name for name, sql in rows}
    missing, foreign = shipped - found.keys(), found.keys() - shipped
    if not missing and not foreign:
        return Check("guards", True, f"{len(shipped)} triggers, as shipped")
    names = sorted([sql.split()[2] for sql in missing] + [found[sql] for sql in foreign])
    what = f"triggers missing or altered: {', '.join(dict.fromkeys(names))}"
    return Check("guards", False, what, "somebody changed the database's schema: run `countersign audit verify --all`")


def _squeezed(sql: str) -> str:
    return " ".join(sql.split()).removesuffix(";")


def _replica(launch: Launch) -> Iterator[Check]:
    from storage.replica.engine import Replica

    path = launch.replica_path
    if not path.exists():
        yield Check("replica", True, f"{path} is made when needed")
        return
    with closing(Replica(path)) as replica:
        trouble = replica.usable()
        if trouble is not None:
            yield Check("replica", True, f"{path}: {trouble}; it is made anew when next opened")
            return
        position = replica.position()
    yield Check("replica", True, f"{path} stands at revision {position.head.seq if position else 0:,}")


def _witness(launch: Launch) -> Iterator[Check]:
    from storage.witness import Witness

    seen = Witness(launch.witness_path)
    kept = len(list(launch.paths.evidence.glob("*.json"))) if launch.paths.evidence.is_dir() else 0
    yield Check("witness", True, f"remembers the heads of {len(seen.heads):,} logs")
    if kept:
        advice = "have somebody look at it, then move it away"
        yield Check("evidence", False, f"{kept} findings of tampering or a fork in {launch.paths.evidence}", advice)


def _clock(launch: Launch) -> Iterator[Check]:
    with closing(_reading(launch.database_path)) as connection:
        row = connection.execute("SELECT at FROM operator_log ORDER BY seq DESC LIMIT 1").fetchone()
    now = datetime.now(UTC)
    ahead = parse_time(row[0]) - now if row else timedelta(0)
    well = ahead <= CLOCK_PATIENCE
    what = f"{now:%Y-%m-%d %H:%M:%S} UTC" if well else f"this clock is {ahead.total_seconds():.0f} s behind the log's"
    yield Check("clock", well, what, "" if well else "set the clock, preferably by NTP")


def _mail(launch: Launch) -> Iterator[Check]:
    with closing(_reading(launch.database_path)) as connection:
        count, oldest = connection.execute(
            "SELECT count(*), min(created_at) FROM mail WHERE state = 'queued'"
        ).fetchone()
        (failed,) = connection.execute(
            "SELECT count(*) FROM mail WHERE state = 'failed' AND json_extract(image, '$.failed_at') > ?",
            (time_text(datetime.now(UTC) - timedelta(days=7)),),
        ).fetchone()
        word = connection.execute(
            "SELECT json_extract(image, '$.last_error') FROM mail WHERE state IN ('queued', 'failed')"
            " AND json_extract(image, '$.last_error') IS NOT NULL ORDER BY rev DESC LIMIT 1"
        ).fetchone()
    why = visible(word[0]) if word else ""
    waits = datetime.now(UTC) - parse_time(oldest) if oldest else timedelta(0)
    well = waits <= MAIL_PATIENCE
    what = f"{count:,} letters wait" if count else "no letter waits"
    if not well:
        what += f", the oldest for {int(waits.total_seconds() // 60):,} minutes" + (f": {why}" if why else "")
    yield Check("mail", well, what, "" if well else "run `countersign worker`; `countersign mail list` says more")
    if failed:
        words = f"{failed:,} letters failed in the last week" + (f": {why}" if why else "")
        yield Check("failed mail", False, words, "`countersign mail list --state failed`, then `mail retry`")


def _mail_server(launch: Launch) -> Iterator[Check]:
    """Where letters go. Asked only where this machine would hand them on."""
    from app.mail.server import server_of

    server = server_of(launch.settings.mail)
    if server is None:
        yield Check("mail server", True, f"none: letters are written to {launch.paths.mailbox}")
        return
    server.context()
    loud = server.is_readable_on_the_way
    advice = "leave ?tls=none out of mail.smtp" if loud else ""
    yield Check("mail server", not loud, f"{server}{', readable by anybody on the way' if loud else ''}", advice)


def _identity(launch: Launch) -> Iterator[Check]:
    email = launch.identity
    if not email:
        yield Check("identity", True, "nobody is signed in here")
        return
    with closing(_reading(launch.database_path)) as connection:
        known = connection.execute("SELECT 1 FROM staff WHERE lower(email) = lower(?)", (email,)).fetchone()
    yield Check(
        "identity", bool(known), email if known else f"{email} has no account", "" if known else "say --as EMAIL"
    )


def _reading(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=10)
