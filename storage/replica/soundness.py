"""Is it us? Before a console says that the shared database was falsified, it makes sure that its own copy is whole.

A verified entry proves itself by its hash; everything else a replica keeps to compare with (heads, digests) must follow
from such entries. Where it does not, the replica is the damaged one, and is rebuilt.
"""

from __future__ import annotations

import json
import sqlite3

from storage.log.chain import OPERATOR, leaf


class ReplicaDamaged(Exception):
    """The replica's own copy does not hold what it held when it was verified."""


def check_heads(connection: sqlite3.Connection) -> None:
    """Every head the replica keeps is its last entry's, and that entry is whole. Raises ReplicaDamaged."""
    heads = connection.execute("SELECT log, seq, hash FROM log_head").fetchall()
    if heads and OPERATOR not in {log for log, _, _ in heads}:
        raise ReplicaDamaged("it was damaged: it does not know its own position")
    for log, seq, entry_hash in heads:
        last = connection.execute(
            f"SELECT seq, hash, body FROM {_from(log)} ORDER BY seq DESC LIMIT 1", _key(log)
        ).fetchone()
        if last is None:
            if seq != 0:
                raise ReplicaDamaged(f"it was damaged: it has lost the log {log}")
        elif (seq, entry_hash) != (last[0], last[1]) or leaf(last[2]) != last[1]:
            raise ReplicaDamaged(f"it was damaged: the head it keeps of log {log} is not its last entry's")


def check_digest(connection: sqlite3.Connection, table: str, key: str, rev: int, kept: bytes | None) -> None:
    """The digest kept for a row (None: none is kept) is what our own copy of entry `rev` says, and that copy is whole.
    Raises ReplicaDamaged."""
    found = connection.execute("SELECT hash, body FROM operator_log WHERE seq = ?", (rev,)).fetchone()
    listed: bytes | None = None
    if found is not None:
        if leaf(found[1]) != found[0]:
            raise ReplicaDamaged(f"its copy of the operator log, number {rev} was damaged")
        rows = json.loads(found[1]).get("rows", ())
        listed = next((bytes.fromhex(sha256) for t, k, sha256 in rows if (t, k) == (table, key)), None)
    if listed != kept:
        raise ReplicaDamaged(f"its digest of table {table}, row {key} was damaged")


def _from(log: str) -> str:
    return "operator_log" if log == OPERATOR else "tenant_log WHERE tenant_id = ?"


def _key(log: str) -> tuple[str, ...]:
    return () if log == OPERATOR else (log.removeprefix("tenant:"),)
