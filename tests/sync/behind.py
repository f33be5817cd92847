"""What someone does who can write the shared file and knows sqlite3: the triggers go first."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path


class Intruder:
    """Changes the shared file behind the log's back."""

    def __init__(self, path: Path) -> None:
        self.path = path

    @contextmanager
    def connection(self) -> Iterator[sqlite3.Connection]:
        with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            yield connection

    def run(self, *statements: tuple[str, tuple[object, ...]] | str) -> None:
        """Drop every trigger and run the statements, in one commit."""
        with self.connection() as connection:
            connection.execute("BEGIN IMMEDIATE")
            for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'trigger'").fetchall():
                connection.execute(f"DROP TRIGGER {name}")
            for statement in statements:
                sql, values = (statement, ()) if isinstance(statement, str) else statement
                assert connection.execute(sql, values).rowcount != 0, sql
            connection.execute("COMMIT")

    def ask(self, sql: str, *values: object) -> list[tuple[object, ...]]:
        with self.connection() as connection:
            return connection.execute(sql, values).fetchall()
