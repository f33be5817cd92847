"""Connections to the shared SQLite file: SQLAlchemy's async engine over aiosqlite, with transactions that are what they
say (design.md, "Known traps").

aiosqlite's own transactions lose updates silently: here the driver starts none (`isolation_level=None`), and
SQLAlchemy's `begin` event emits BEGIN IMMEDIATE for the writer, BEGIN for readers.

What a transaction does is a plain function of a `Transaction`, and runs as a whole in aiosqlite's thread. Statement by
statement, a Change needed thirty hops between the threads, 3.6 ms; now it takes three, and the event loop, which draws
the screen, is free meanwhile.
"""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, cast

from storage.errors import Offline
from storage.shared.faults import in_our_words

if TYPE_CHECKING:
    import aiosqlite
    from sqlalchemy.ext.asyncio import AsyncEngine

BUSY_MILLISECONDS = 10_000
READERS = 3
WAL_IS_SAFE_FROM = (3, 51, 3)
"""Before this version SQLite can corrupt a WAL file that several processes share."""

WORK = "-- work"
"""Stands for "call the parameter" where a statement would stand: to SQLite itself it is a comment."""

T = TypeVar("T")
Values = Sequence[str | int | bytes | None]


def journal_mode(version: tuple[int, int, int] = sqlite3.sqlite_version_info[:3]) -> str:
    """WAL where it is safe, else a rollback journal (truncated, not deleted: one directory sync less)."""
    return "WAL" if version >= WAL_IS_SAFE_FROM else "TRUNCATE"


class Transaction:
    """What may be done between BEGIN and COMMIT, in the connection's own thread."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def rows(self, sql: str, values: Values = ()) -> list[Any]:
        """All rows of a query, as tuples."""
        try:
            return self._connection.execute(sql, values).fetchall()
        except (sqlite3.OperationalError, UnicodeDecodeError) as error:
            if "decode" not in str(error):
                raise
        self._connection.text_factory = _text  # ten times as slow as the built-in decoder, and hardly ever needed
        try:
            return self._connection.execute(sql, values).fetchall()
        finally:
            self._connection.text_factory = str

    def write(self, sql: str, many: Iterable[Values]) -> None:
        """Run a statement once for each group of values."""
        self._connection.executemany(sql, many)


class _WorkingConnection(sqlite3.Connection):
    """A connection that also executes functions: `execute(WORK, function)`. It reaches aiosqlite's thread by the doors
    that sqlite3 (`factory`) and aiosqlite (`execute_fetchall`) leave open, no private ones."""

    def execute(self, sql: str, parameters: Any = (), /) -> Any:
        if sql == WORK:
            return _Done(parameters(Transaction(self)))
        return super().execute(sql, parameters)


class _Done:
    """A function's result, fetched like rows."""

    def __init__(self, result: object) -> None:
        self._result = result

    def fetchall(self) -> list[object]:
        return [self._result]


class Connections:
    """One writing connection and a few reading ones to one file, opened when first needed."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writer = _engine(path, writes=True)
        self._reader = _engine(path, writes=False)
        self._file = file_identity(path)

    @property
    def file_is_ours(self) -> bool:
        """False once another file (a restored backup, say) stands where ours was, or none."""
        return file_identity(self._path) == self._file

    async def write(self, work: Callable[[Transaction], T]) -> T:
        """Run a function in a write transaction: committed when it returns, rolled back if it raises."""
        return await self._run(self._writer, work)

    async def read(self, work: Callable[[Transaction], T]) -> T:
        """Run a function on a snapshot."""
        return await self._run(self._reader, work)

    async def _run(self, engine: AsyncEngine, work: Callable[[Transaction], T]) -> T:
        if self._file is None:
            raise Offline(f"{self._path} is gone", "bring the file back, or point --database at another")
        from sqlalchemy.exc import DBAPIError  # loaded already, by the engine

        with in_our_words(self._path, DBAPIError):
            async with engine.begin() as connection:
                raw = await connection.get_raw_connection()
                driver: aiosqlite.Connection = raw.driver_connection  # type: ignore[assignment]  # typed as Any | None
                # the function stands where parameters would: see WORK
                (result,) = await driver.execute_fetchall(WORK, work)
                return cast(T, result)

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


def _engine(path: Path, *, writes: bool) -> AsyncEngine:
    # heavy, and only needed by whoever talks to the shared database
    from sqlalchemy import URL, event
    from sqlalchemy.ext.asyncio import create_async_engine

    begin = "BEGIN IMMEDIATE" if writes else "BEGIN"
    uri = f"{path.absolute().as_uri()}?mode=rw"  # never makes a file: that is `create`'s business
    engine = create_async_engine(
        URL.create("sqlite+aiosqlite", database=uri, query={"uri": "true"}),
        pool_size=1 if writes else READERS,
        max_overflow=0,
        # the hop is worth it: a COMMIT that fails leaves the transaction open, and so may a read that is cancelled
        pool_reset_on_return="rollback",
        connect_args={
            "isolation_level": None,
            "timeout": BUSY_MILLISECONDS / 1000,
            "cached_statements": 256,
            "factory": _WorkingConnection,
        },
    )

    @event.listens_for(engine.sync_engine, "connect")
    def prepare(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        for pragma in pragmas():
            cursor.execute(pragma)
        cursor.close()
        connection.create_function("digest", 1, _digest, deterministic=True)

    @event.listens_for(engine.sync_engine, "begin")
    def start(connection: Any) -> None:
        connection.connection.dbapi_connection.run_async(lambda driver: driver.execute_fetchall(begin))

    return engine


def plain_reader(path: Path) -> sqlite3.Connection:
    """A reading connection without any engine, for a process that only reads; any of its threads may use it."""
    uri = f"{path.absolute().as_uri()}?mode=rw"  # not ro: the first reader after a kill rolls back
    patience = BUSY_MILLISECONDS / 1000
    connection = sqlite3.connect(uri, uri=True, timeout=patience, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA query_only = ON")
    connection.create_function("digest", 1, _digest, deterministic=True)
    return connection


def _digest(image: bytes) -> str:
    """SHA-256 for statements, so that images of private rows need not leave the connection."""
    return hashlib.sha256(image).hexdigest()


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
