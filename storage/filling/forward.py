"""Brings a replica forward by what was verified, in large transactions and under its lock. Run as
`python -m storage.filling.forward REPLICA`.

Frames: as the writer of a new replica gets them (`frames.Part`); each end (`frames.End`) commits what came before it.
What is cut off in between, or does not continue where the replica stands because another process of the home was
faster, is rolled back; whatever was committed is whole.
"""

from __future__ import annotations

import gc
import os
import sqlite3
import sys
from pathlib import Path
from typing import IO, Any

from storage.errors import Misconfigured
from storage.filling.frames import INTO, Cut, End, receive, rows
from storage.log.entry import Head
from storage.replica.bulk import (
    DIGEST,
    LATEST_DIGEST,
    LATEST_HEAD,
    LATEST_PENDING,
    LATEST_ROW,
    LOG_HEAD,
    PENDING,
    insert,
    row_table,
)
from storage.replica.engine import Replica, position_of
from storage.replica.schema import PRIVATE
from storage.shared.interface import Position

_CACHE_KIB = 65536
"""Keys come in no order: what fits in here is written once a transaction."""


class Overtaken(Exception):
    """The replica does not stand where the frames begin."""


def bring_forward(replica: Replica, stream: IO[bytes]) -> None:
    """All that comes. Raises Cut in the middle of a transaction, Overtaken, sqlite3.Error; nothing of the transaction
    is left then."""
    while (frame := _first(stream)) is not None:
        with replica.locked():
            connection = replica.writer()
            connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            connection.execute("BEGIN IMMEDIATE")
            try:
                while isinstance(frame, list):
                    _put(connection, frame)
                    frame = receive(stream)
                _end(connection, End(*frame))
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")


def _first(stream: IO[bytes]) -> Any:
    """The frame that begins a transaction; None if there is no more."""
    try:
        return receive(stream)
    except Cut:
        return None


def _put(connection: sqlite3.Connection, frame: list[Any]) -> None:
    for table, columns in frame:
        if table in INTO:
            insert(connection, INTO[table], rows(columns), LATEST_DIGEST if table == "digest" else "")
        else:
            insert(connection, row_table(table), sorted(rows(columns)), LATEST_ROW)


def _end(connection: sqlite3.Connection, end: End) -> None:
    """What had been awaited and has come is no longer; what is awaited now is everything else that is."""
    if position_of(connection) != Position(end.epoch, Head(*end.before)):
        raise Overtaken
    pending = set(connection.execute("SELECT table_name, key FROM pending"))
    arrived = sorted(pending - {(table, key) for table, key, _, _ in end.awaited})
    connection.executemany("DELETE FROM pending WHERE table_name = ? AND key = ?", arrived)
    connection.executemany(
        "DELETE FROM digest WHERE table_name = ? AND key = ?", [key for key in arrived if key[0] not in PRIVATE]
    )
    insert(connection, DIGEST, end.awaited, LATEST_DIGEST)
    insert(connection, PENDING, [one[:3] for one in end.awaited], LATEST_PENDING)
    insert(connection, LOG_HEAD, end.heads, LATEST_HEAD)


if __name__ == "__main__":
    os.nice(5)  # whoever draws comes first
    gc.disable()
    try:
        bring_forward(Replica(Path(sys.argv[1])), sys.stdin.buffer)
    except (sqlite3.Error, OSError, Cut, Overtaken, Misconfigured) as error:
        raise SystemExit(f"{type(error).__name__}: {error}") from error
