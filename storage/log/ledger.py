"""What an operator log vouches for, put down while the verifier streams through it: which digest each row must have,
and which twin each entry names. A temporary SQLite database holds it, so a million entries need no million objects."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from storage.log.chain import Body

_SCHEMA = (
    "PRAGMA cache_size = -16384",
    "CREATE TABLE vouched (table_name TEXT, key TEXT, rev INTEGER, sha256 BLOB, PRIMARY KEY (table_name, key))"
    " WITHOUT ROWID",
    "CREATE TABLE twin (log TEXT, seq INTEGER, hash TEXT, operator INTEGER, tale BLOB, PRIMARY KEY (log, seq))"
    " WITHOUT ROWID",
)


@dataclass(frozen=True, slots=True)
class Named:
    """A twin as the operator log names it: by hash, from number `operator`, telling the same `tale`."""

    hash: str
    operator: int
    tale: bytes


class Ledger:
    """Filled in order of the operator log. Close it when done."""

    def __init__(self) -> None:
        # "" is a temporary file of SQLite's own: it spills to disk beyond the cache and vanishes with the connection.
        self._connection = sqlite3.connect("", isolation_level=None, check_same_thread=False)
        for statement in _SCHEMA:
            self._connection.execute(statement)

    def close(self) -> None:
        self._connection.close()

    def enter(
        self, rows: Sequence[tuple[str, str, int, bytes]], twins: Sequence[tuple[str, int, str, int, bytes]]
    ) -> None:
        """Put down row digests (table, key, number, sha256), later ones over earlier ones, and twins (log, number,
        hash, operator number, tale). Of twins named twice the first stays; `named` then shows the other one's lie."""
        self._connection.execute("BEGIN")
        self._connection.executemany("INSERT OR REPLACE INTO vouched VALUES (?, ?, ?, ?)", rows)
        self._connection.executemany("INSERT OR IGNORE INTO twin VALUES (?, ?, ?, ?, ?)", twins)
        self._connection.execute("COMMIT")

    def vouched(self, table: str, after: str, upto: str | None) -> dict[str, tuple[int, bytes]]:
        """Digests of the rows of a table with after < key ≤ upto (None: to the end), with the numbers behind them."""
        found = self._connection.execute(
            "SELECT key, rev, sha256 FROM vouched WHERE table_name = ? AND key > ? AND (? IS NULL OR key <= ?)",
            (table, after, upto, upto),
        )
        return {key: (rev, sha256) for key, rev, sha256 in found}

    def vouched_row(self, table: str, key: str) -> tuple[int, bytes] | None:
        """The digest of one row."""
        found: tuple[int, bytes] | None = self._connection.execute(
            "SELECT rev, sha256 FROM vouched WHERE table_name = ? AND key = ?", (table, key)
        ).fetchone()
        return found

    def named(self, log: str, after: int, upto: int) -> dict[int, Named]:
        """The twins that should stand in a log at after < number ≤ upto."""
        found = self._connection.execute(
            "SELECT seq, hash, operator, tale FROM twin WHERE log = ? AND seq > ? AND seq <= ?", (log, after, upto)
        )
        return {seq: Named(entry_hash, operator, tale) for seq, entry_hash, operator, tale in found}

    def named_beyond(self, log: str, last: int) -> tuple[int, int] | None:
        """The first twin named after a log's last entry, with its operator number."""
        found: tuple[int, int] | None = self._connection.execute(
            "SELECT seq, operator FROM twin WHERE log = ? AND seq > ? ORDER BY seq LIMIT 1", (log, last)
        ).fetchone()
        return found

    def logs(self) -> set[str]:
        """Every log that a twin is named in."""
        return {log for (log,) in self._connection.execute("SELECT DISTINCT log FROM twin")}

    def tables(self) -> set[str]:
        """Every table that a row is vouched for in."""
        return {table for (table,) in self._connection.execute("SELECT DISTINCT table_name FROM vouched")}


def tale(body: Body) -> bytes:
    """What twins must tell alike, boiled down to 16 bytes."""
    told = [body.get(name) for name in ("action", "actor", "at", "change", "tenant")]
    return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).digest()[:16]
