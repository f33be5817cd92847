"""Connections to the shared SQLite file: SQLAlchemy's async engine over aiosqlite, with transactions that are what they
say (design.md, "Known traps").

aiosqlite's own transactions lose updates silently: here the driver starts none (`isolation_level=None`), and
SQLAlchemy's `begin` event emits BEGIN IMMEDIATE for the writer, BEGIN for readers. Statements go to the driver in one
hop each (`Transaction`): through SQLAlchemy's cursor a statement costs four hops to aiosqlite's thread.
"""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from storage.errors import Offline
from storage.shared.faults import in_our_words

if TYPE_CHECKING:
    import aiosqlite
    from sqlalchemy.ext.asyncio import AsyncEngine

BUSY_MILLISECONDS = 10_000
WAL_IS_SAFE_FROM = (3, 51, 3)
"""Before this version SQLite can corrupt a WAL file that several processes share."""

Values = Sequence[str | int | bytes | None]


def journal_mode(version: tuple[int, int, int] = sqlite3.sqlite_version_info[:3]) -> str:
    """WAL where it is safe, else a rollback journal (truncated, not deleted: one directory sync less)."""
    return "WAL" if version >= WAL_IS_SAFE_FROM else "TRUNCATE"


class Transaction:
    """What may be done between BEGIN and COMMIT."""

    def __init__(self, driver: aiosqlite.Connection) -> None:
        self._driver = driver

    async def rows(self, sql: str, values: Values = ()) -> list[Any]:
        """All rows of a query, as tuples."""
        return list(await self._driver.execute_fetchall(sql, values))

    async def write(self, sql: str, many: Iterable[Values]) -> int:
        """Run a statement once for each group of values; returns how many rows it touched."""
        cursor = await self._driver.executemany(sql, many)
        return cursor.rowcount


class Connections:
    """One writing connection and a few reading ones to one file, opened when first needed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer = _engine(path, "BEGIN IMMEDIATE", size=1)
        self._reader = _engine(path, "BEGIN", size=3)
        self._file = file_identity(path)

    @property
    def file_is_ours(self) -> bool:
        """False once another file (a restored backup, say) stands where ours was, or none."""
        return file_identity(self._path) == self._file

    @asynccontextmanager
    async def writing(self) -> AsyncIterator[Transaction]:
        """A write transaction: committed at the end of the block, rolled back if it raises."""
        async with self._begun(self._writer) as transaction:
            yield transaction

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Transaction]:
        """A snapshot."""
        async with self._begun(self._reader) as transaction:
            yield transaction

    @asynccontextmanager
    async def _begun(self, engine: AsyncEngine) -> AsyncIterator[Transaction]:
        if self._file is None:
            raise Offline(f"{self._path} is gone", "bring the file back, or point --database at another")
        from sqlalchemy.exc import DBAPIError  # loaded already, by the engine

        with in_our_words(self._path, DBAPIError):
            async with engine.begin() as connection:
                raw = await connection.get_raw_connection()
                driver: aiosqlite.Connection = raw.driver_connection  # type: ignore[assignment]  # typed as Any | None
                yield Transaction(driver)

    async def close(self) -> None:
        await self._writer.dispose()
        await self._reader.dispose()


def file_identity(path: Path) -> tuple[int, int] | None:
    """Device and inode of the file at this path; None if there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _engine(path: Path, begin: str, size: int) -> AsyncEngine:
    # heavy, and only needed by whoever talks to the shared database
    from sqlalchemy import URL, event
    from sqlalchemy.ext.asyncio import create_async_engine

    uri = f"{path.absolute().as_uri()}?mode=rw"  # never makes a file: that is `create`'s business
    engine = create_async_engine(
        URL.create("sqlite+aiosqlite", database=uri, query={"uri": "true"}),
        pool_size=size,
        max_overflow=0,
        connect_args={"isolation_level": None, "timeout": BUSY_MILLISECONDS / 1000, "cached_statements": 256},
    )

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        for pragma in pragmas():
            cursor.execute(pragma)
        cursor.close()
        connection.driver_connection.text_factory = _text

    @event.listens_for(engine.sync_engine, "begin")
    def start(connection: Any) -> None:
        connection.exec_driver_sql(begin)

    return engine


def _text(stored: bytes) -> str:
    """A byte changed behind our back need not be UTF-8 any more: read it so that its digest tells where."""
    return stored.decode("utf-8", "replace")


def pragmas() -> tuple[str, ...]:
    """What every connection to the shared file sets."""
    return (
        f"PRAGMA journal_mode = {journal_mode()}",
        "PRAGMA synchronous = FULL",
        "PRAGMA recursive_triggers = ON",
        "PRAGMA temp_store = MEMORY",
    )
