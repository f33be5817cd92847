"""The logs as the audit viewer reads them: by number when nothing is filtered, by a list of numbers when something is.

A search walks the log from its newest entry back in growing steps, so that the first finds show at once, it can be
stopped between two steps, and no step holds a connection for long. Names are resolved to ids first, action patterns to
codes, times to numbers (an entry's time never runs backwards), so each step is answered from an index.
"""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Any

from storage.log.actions import IMPERSONATION, Action
from storage.models import time_text
from storage.replica.queries.log_filter import LogFilter

OPERATOR = "operator"
FIRST_STEP = 20_000
LARGEST_STEP = 160_000
NOT_SEARCHED = frozenset({"prev", "rows", "seen", "ref", "v", "log", "change"})
"""Fields that free text does not look into: hashes and numbers that nobody reads for."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry: its number, its exact stored text, and that text as data."""

    seq: int
    body: str
    data: dict[str, Any]


def newest(connection: sqlite3.Connection, log: str = OPERATOR) -> int:
    """The number of the newest entry here; 0 for an empty log."""
    table, where, keys = _place(log)
    found = connection.execute(f"SELECT max(seq) FROM {table} WHERE {where}", keys).fetchone()
    return found[0] or 0


def bodies_between(connection: sqlite3.Connection, log: str, first: int, last: int) -> dict[int, str]:
    """The stored texts of entries first … last, by number: reading them into data is left to whoever looks at one."""
    table, where, keys = _place(log)
    sql = f"SELECT seq, body FROM {table} WHERE {where} AND seq BETWEEN ? AND ?"
    return dict(connection.execute(sql, (*keys, first, last)))


def bodies_of(connection: sqlite3.Connection, log: str, numbers: Sequence[int]) -> dict[int, str]:
    """The stored texts of these entries, by number."""
    table, where, keys = _place(log)
    sql = f"SELECT seq, body FROM {table} WHERE {where} AND seq IN ({','.join('?' * len(numbers))})"
    return dict(connection.execute(sql, (*keys, *numbers)))


def entries_between(connection: sqlite3.Connection, log: str, first: int, last: int) -> list[Entry]:
    """Entries first … last, newest first."""
    found = bodies_between(connection, log, first, last)
    return [entry_of(seq, found[seq]) for seq in sorted(found, reverse=True)]


def entries_by_number(connection: sqlite3.Connection, log: str, numbers: Sequence[int]) -> list[Entry]:
    """These entries, in this order; a number that is not there is left out."""
    found = bodies_of(connection, log, numbers)
    return [entry_of(seq, found[seq]) for seq in numbers if seq in found]


def entry_hash(connection: sqlite3.Connection, log: str, seq: int) -> str:
    """An entry's stored hash in hex; "" where there is none."""
    table, where, keys = _place(log)
    found = connection.execute(f"SELECT hash FROM {table} WHERE {where} AND seq = ?", (*keys, seq)).fetchone()
    return found[0].hex() if found else ""


def tenant_names(connection: sqlite3.Connection) -> dict[str, str]:
    """Every tenant's name by id."""
    return dict(connection.execute("SELECT id, name FROM tenant"))


def search(
    connection: sqlite3.Connection,
    log: str,
    wanted: LogFilter,
    *,
    after: int = 0,
    limit: int | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> Iterator[array[int]]:
    """Numbers of fitting entries above `after`, newest first, step by step; an empty step says that it goes on.
    Ends early once `limit` were found or `stopped` says so."""
    table, where, keys = _place(log)
    conditions = _conditions(connection, log, wanted)
    if conditions is None:
        return
    clauses, values = conditions
    low = max(after, _before(connection, log, wanted.since) if wanted.since else 0)
    high = _before(connection, log, wanted.until) if wanted.until else newest(connection, log)
    column = "body" if wanted.words else "NULL"
    sql = (
        f"SELECT seq, {column} FROM {table} WHERE "
        + " AND ".join([where, *clauses, "seq BETWEEN ? AND ?"])
        + " ORDER BY seq DESC"
    )
    lowered = tuple(word.casefold() for word in wanted.words)
    step, count = FIRST_STEP, 0
    while high > low and not stopped():
        start = max(low, high - step) + 1
        rows = connection.execute(sql, (*keys, *values, start, high))
        found = array("q", (seq for seq, body in rows if not lowered or _says(body, lowered)))
        if limit is not None and count + len(found) >= limit:
            yield found[: limit - count]
            return
        yield found
        count += len(found)
        high, step = start - 1, min(step * 2, LARGEST_STEP)


def _conditions(connection: sqlite3.Connection, log: str, wanted: LogFilter) -> tuple[list[str], list[str]] | None:
    """SQL conditions with their values; None if nothing can fit (a name that nobody has)."""
    clauses: list[str] = []
    values: list[str] = []
    sets: list[tuple[str, Sequence[str], bool]] = [
        ("tenant", _tenants(connection, wanted.tenant), bool(wanted.tenant)),
        ("actor_id", _people(connection, wanted.staff), bool(wanted.staff)),
        ("action", _codes(wanted.action), bool(wanted.action)),
        ("ticket", wanted.ticket, bool(wanted.ticket)),
        ("session", [one.upper() for one in wanted.session], bool(wanted.session)),
        ("request", [one.upper() for one in wanted.request], bool(wanted.request)),
    ]
    for column, options, asked in sets:
        if not asked:
            continue
        if not options:
            return None
        clauses.append(f"{_column(log, column)} IN ({','.join('?' * len(options))})")
        values += options
    if wanted.layer:
        marks = ",".join("?" * len(wanted.layer))
        clauses.append(
            f"{_column(log, 'request')} IN (SELECT id FROM request WHERE json_extract(image, '$.layer') IN ({marks}))"
        )
        values += wanted.layer
    for word in wanted.words:
        if word.isascii():  # LIKE folds the case of ASCII only; other words are looked for in Python alone
            escaped = json.dumps(word)[1:-1].replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
            clauses.append("body LIKE ? ESCAPE '\\'")
            values.append(f"%{escaped}%")
    return clauses, values


def _says(body: str, words: Sequence[str]) -> bool:
    """Whether each word occurs in some value of the entry."""
    data = json.loads(body)
    text = "\n".join(_texts({name: value for name, value in data.items() if name not in NOT_SEARCHED})).casefold()
    return all(word in text for word in words)


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    else:
        yield str(value)


def _tenants(connection: sqlite3.Connection, wanted: Sequence[str]) -> list[str]:
    """Ids of tenants with that id, or whose name has those letters."""
    found: list[str] = []
    for one in wanted:
        rows = connection.execute(
            "SELECT id FROM tenant WHERE instr(lower(id), lower(?1)) OR instr(lower(name), lower(?1)) LIMIT 500",
            (one,),
        )
        found += [id for (id,) in rows]
    return found


def _people(connection: sqlite3.Connection, wanted: Sequence[str]) -> list[str]:
    """Ids of people, staff first, with that id, address, or part of a name."""
    found: list[str] = []
    for one in wanted:
        rows = connection.execute(
            "SELECT id FROM staff WHERE id = ?1 OR instr(lower(email), lower(?1)) "
            "OR instr(lower(json_extract(image, '$.name')), lower(?1)) LIMIT 500",
            (one,),
        )
        found += [id for (id,) in rows]
        if one.lower() in ("clock", "system"):
            found.append("clock")
    return found


def _codes(patterns: Sequence[str]) -> list[str]:
    """Action codes that fit: exactly, by `*`, or without the prefix of acts inside a session."""
    return [
        action.value
        for action in Action
        if any(
            fnmatchcase(action.value, pattern) or fnmatchcase(action.value.removeprefix(IMPERSONATION), pattern)
            for pattern in (one.lower() for one in patterns)
        )
    ]


def _before(connection: sqlite3.Connection, log: str, moment: datetime) -> int:
    """The number of the last entry made before `moment`: numbers are in the order of time, so halving finds it."""
    table, where, keys = _place(log)
    low, high = 0, newest(connection, log)
    text = time_text(moment)
    while low < high:
        middle = (low + high + 1) // 2
        found = connection.execute(
            f"SELECT {_column(log, 'at')} FROM {table} WHERE {where} AND seq = ?", (*keys, middle)
        ).fetchone()
        if found is not None and found[0] < text:
            low = middle
        else:
            high = middle - 1
    return low


def _place(log: str) -> tuple[str, str, tuple[str, ...]]:
    """Table, condition and its values of a log by name."""
    if log == OPERATOR:
        return "operator_log", "1", ()
    return "tenant_log", "tenant_id = ?", (log.removeprefix("tenant:"),)


def _column(log: str, name: str) -> str:
    """A searchable field: a generated, indexed column of the operator log; taken from the text in a tenant's."""
    if log == OPERATOR:
        return name
    return f"json_extract(body, '$.{name.replace('actor_id', 'actor.id')}')"


def entry_of(seq: int, body: str) -> Entry:
    """An entry from its stored text; a text that holds no object has no data."""
    data = json.loads(body)
    return Entry(seq, body, data if isinstance(data, dict) else {})


def log_sizes(connection: sqlite3.Connection) -> dict[str, int]:
    """How many entries each log has, by log name."""
    sizes = {OPERATOR: newest(connection)}
    for tenant_id, last in connection.execute("SELECT tenant_id, max(seq) FROM tenant_log GROUP BY tenant_id"):
        sizes[f"tenant:{tenant_id}"] = last
    return sizes
