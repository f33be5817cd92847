"""Writes what was verified into a new replica file: tables first, most indexes at the end, no journal: if anything
fails the file is thrown away. Run as `python -m storage.filling.writer EMPTY NEW`; EMPTY is a replica whose tables are
copied.

Frames: lists of what goes into which table (`frames.Part`), any number of them; then the end (`frames.End`). The
process ends with 0 when NEW is complete and on the disk.
"""

from __future__ import annotations

import gc
import os
import sqlite3
import sys
from contextlib import closing
from pathlib import Path
from typing import IO

from storage.filling.frames import INTO, Cut, End, receive, rows
from storage.replica.bulk import DIGEST, LATEST_DIGEST, LOG_HEAD, PENDING, insert, row_table

_PAGE_BYTES = 8192
_CACHE_KIB = 16384
_KEPT_UP = frozenset(
    {"ix_operator_log_at", "ix_operator_log_action", "ix_operator_log_tenant", "ix_operator_log_actor_id",
     "key_of_digest"}
)  # fmt: skip
"""Indexes whose keys come in order, or have few values: kept up as rows come they cost little, while the other process
is the slower one anyway. Keys in no order are sorted at the end."""


def write(empty: Path, new: Path, stream: IO[bytes]) -> None:
    """All of it. Raises sqlite3.Error or Cut."""
    with closing(sqlite3.connect(f"{empty.absolute().as_uri()}?mode=ro", uri=True)) as model:
        (version,) = model.execute("PRAGMA user_version").fetchone()
        shape = model.execute("SELECT type, name, sql FROM sqlite_schema WHERE sql IS NOT NULL").fetchall()
    with closing(sqlite3.connect(new, isolation_level=None)) as connection:
        for pragma in (
            f"page_size = {_PAGE_BYTES}", "journal_mode = OFF", "synchronous = OFF", f"cache_size = -{_CACHE_KIB}",
            "threads = 2", "locking_mode = EXCLUSIVE",
        ):  # fmt: skip
            connection.execute(f"PRAGMA {pragma}")
        connection.execute("BEGIN")
        for _, _, sql in [one for one in shape if one[0] == "table"]:
            connection.execute(sql)
        indexes = {name: sql for kind, name, sql in shape if kind == "index"}
        for name in [name for name in indexes if name in _KEPT_UP or name.endswith("_rev")]:
            connection.execute(indexes.pop(name))
        _take(connection, stream, list(indexes.values()))
        connection.execute(f"PRAGMA user_version = {version}")
        connection.execute("COMMIT")
    with new.open("rb") as handle:
        os.fsync(handle.fileno())


def _take(connection: sqlite3.Connection, stream: IO[bytes], indexes: list[str]) -> None:
    while isinstance(frame := receive(stream), list):
        for table, columns in frame:
            insert(connection, INTO.get(table) or row_table(table), rows(columns))
    for sql in indexes:
        connection.execute(sql)
    end = End(*frame)
    insert(connection, DIGEST, end.awaited, LATEST_DIGEST)
    insert(connection, PENDING, [one[:3] for one in end.awaited])
    insert(connection, LOG_HEAD, end.heads)


if __name__ == "__main__":
    os.nice(5)  # whoever draws comes first
    gc.disable()
    try:
        write(Path(sys.argv[1]), Path(sys.argv[2]), sys.stdin.buffer)
    except (sqlite3.Error, OSError, Cut) as error:
        Path(sys.argv[2]).unlink(missing_ok=True)
        raise SystemExit(f"{type(error).__name__}: {error}") from error
