"""Many rows into a table of a replica: several with each statement. To begin one — every index of the table is opened
anew — costs as much as to put a row into it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from itertools import chain
from typing import Any

ROWS_AT_ONCE = 8
"""More gain nothing."""
OPERATOR_LOG = "operator_log (seq, hash, body)"
TENANT_LOG = "tenant_log (tenant_id, seq, hash, body)"
DIGEST = "digest (table_name, key, rev, sha256)"
PENDING = "pending (table_name, key, rev)"
LOG_HEAD = "log_head (log, epoch, seq, hash)"
LATEST_ROW = "ON CONFLICT (id) DO UPDATE SET image = excluded.image, rev = excluded.rev"
LATEST_DIGEST = "ON CONFLICT (table_name, key) DO UPDATE SET rev = excluded.rev, sha256 = excluded.sha256"
LATEST_PENDING = "ON CONFLICT (table_name, key) DO UPDATE SET rev = excluded.rev"
LATEST_HEAD = "ON CONFLICT (log) DO UPDATE SET seq = excluded.seq, hash = excluded.hash"


def row_table(name: str) -> str:
    """What `insert` takes of a table of rows; the name is one of ours."""
    return f'"{name}" (id, image, rev)'


def insert(connection: sqlite3.Connection, into: str, rows: Iterable[tuple[Any, ...]], conflict: str = "") -> None:
    """`INSERT INTO {into} VALUES … {conflict}` for each row, in this order; `into` names the table and its columns. The
    caller holds the transaction."""
    found = list(rows)
    if not found:
        return
    one = f"({', '.join('?' * len(found[0]))})"
    whole = len(found) // ROWS_AT_ONCE * ROWS_AT_ONCE
    values = list(chain.from_iterable(found[:whole]))
    step = len(found[0]) * ROWS_AT_ONCE
    connection.executemany(
        f"INSERT INTO {into} VALUES {', '.join([one] * ROWS_AT_ONCE)} {conflict}",
        [values[place : place + step] for place in range(0, len(values), step)],
    )
    connection.executemany(f"INSERT INTO {into} VALUES {one} {conflict}", found[whole:])
