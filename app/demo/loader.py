"""Loads rows into a new SQLite file, in a process of its own: SQLite's work and the making of the rows take about the
same time, and this way they run side by side. Run as `python -m app.demo.loader FILE`; batches come on stdin.
"""

from __future__ import annotations

import marshal
import sqlite3
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import IO, Any

from storage.errors import Offline

_LENGTH = struct.Struct("<Q")


class Loader:
    """The near end: hands batches to the process."""

    def __init__(self, pipe: IO[bytes]) -> None:
        self._pipe = pipe

    def put(self, sql: str, rows: list[tuple[Any, ...]]) -> None:
        """Have `executemany(sql, rows)` done over there."""
        frame = marshal.dumps((sql, rows))
        self._pipe.write(_LENGTH.pack(len(frame)))
        self._pipe.write(frame)


@contextmanager
def loading(path: Path) -> Iterator[Loader]:
    """A loader for one bulk load; at the end of the block the file is complete. Raises Offline if it could not be
    written (a full disk, say). Nobody else may have the file open."""
    command = [sys.executable, "-m", "app.demo.loader", str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdin is not None and process.stderr is not None
        try:
            yield Loader(process.stdin)
            process.stdin.write(_LENGTH.pack(0))
            process.stdin.close()
        except BrokenPipeError:
            pass  # it has ended: its words are on stderr
        except BaseException:
            process.kill()
            raise
        words = process.stderr.read().decode().strip()
        if process.wait() != 0:
            raise Offline(f"{path} could not be written: {words}", "look for space and rights on that disk")


def load(path: Path, stream: IO[bytes]) -> None:
    """The far end. Triggers and indexes are taken off for the load and put back after it; a new file that can be made
    again needs neither journal nor sync."""
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in ("journal_mode = OFF", "synchronous = OFF", "cache_size = -131072", "secure_delete = ON"):
            connection.execute(f"PRAGMA {pragma}")
        taken_off = connection.execute(
            "SELECT type, name, sql FROM sqlite_master"
            " WHERE type IN ('trigger', 'index') AND sql IS NOT NULL ORDER BY type, name"
        ).fetchall()
        for kind, name, _ in taken_off:
            connection.execute(f'DROP {kind} "{name}"')
        connection.execute("VACUUM")  # SQLAlchemy makes indexes in any order: now the pages are the same each time
        connection.execute("BEGIN")
        while length := _LENGTH.unpack(_exactly(stream, _LENGTH.size))[0]:
            sql, rows = marshal.loads(_exactly(stream, length))
            connection.executemany(sql, rows)
        for _, _, sql in taken_off:
            connection.execute(sql)
        connection.execute("COMMIT")


def _exactly(stream: IO[bytes], length: int) -> bytes:
    data = stream.read(length)
    if len(data) != length:
        raise SystemExit("the other end is gone")
    return data


if __name__ == "__main__":
    try:
        load(Path(sys.argv[1]), sys.stdin.buffer)
    except sqlite3.Error as error:
        raise SystemExit(str(error)) from error
