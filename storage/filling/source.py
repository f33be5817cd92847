"""Where a long history is read from: the shared database of either form, over a connection of the reader's own."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from storage.log.entry import Head
from storage.shared.columns import Columns, Mixed, columns_of

Pull = Callable[[Head, int], Columns | None]
"""The entries with so many numbers after a position; None if they cannot be had by columns."""


def source(place: str) -> closing[Any]:
    """A connection to the shared database: nothing but reads go over it."""
    if place.startswith("sqlite:///"):
        from storage.shared.connections import plain_reader

        return closing(plain_reader(Path(place.removeprefix("sqlite:///"))))
    import psycopg

    from storage.shared.postgres.line import options

    return closing(psycopg.connect(place, autocommit=True, prepare_threshold=None, **options(place)))


def pull_from(connection: Any) -> Pull:
    """What fetches the next chunk over it; blocks."""
    if isinstance(connection, sqlite3.Connection):
        from storage.shared.connections import Transaction
        from storage.shared.reading import read_pulled

        def chunk(after: Head, limit: int) -> Columns | None:
            connection.execute("BEGIN")
            try:
                return columns_of(read_pulled(Transaction(connection), after, limit))
            except Mixed:
                return None
            finally:
                connection.execute("COMMIT")

        return chunk
    from storage.shared.postgres.reading import read_columns

    return lambda after, limit: read_columns(connection, after, limit)
