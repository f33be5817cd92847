"""Making the shared SQLite file, and looking at one before it is trusted: every way it can be wrong has its words
(issue 2, section 5)."""

from __future__ import annotations

import os
import secrets
import sqlite3
import tempfile
from pathlib import Path

from storage.errors import Corrupt, Misconfigured
from storage.log.entry import GENESIS, OPERATOR
from storage.shared.connections import BUSY_MILLISECONDS, pragmas
from storage.shared.faults import in_our_words
from storage.shared.migrations import HEAD, REVISIONS

APPLICATION_ID = int.from_bytes(b"Csgn")
"""Stands in the file's header, so that anyone (`file(1)` too) can tell whose it is."""


def create_file(path: Path) -> None:
    """Make the shared database: schema, an empty operator log, a fresh epoch. Whole or not at all: it is built beside
    and linked into place, so of two that start together one wins and the other learns it. Blocks."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=path.parent, prefix=".making-") as directory:
            draft = Path(directory) / path.name
            _build(draft, path)
            draft.chmod(0o660)
            os.link(draft, path)
    except FileExistsError as error:
        raise Misconfigured(f"{path} exists already", "leave out `init`, or choose another --database") from error
    except OSError as error:
        raise Misconfigured(
            f"{path} cannot be made: {error.strerror}", "choose a directory on a local disk that you can write"
        ) from error


def _build(draft: Path, path: Path) -> None:
    """The file with its schema at HEAD. Alembic and SQLModel are imported here only."""
    from sqlalchemy import create_engine
    from sqlalchemy.exc import DBAPIError

    from storage.shared.migrations import upgrade

    engine = create_engine(f"sqlite:///{draft}")
    try:
        with in_our_words(path, DBAPIError), engine.begin() as connection:
            for pragma in pragmas():
                connection.exec_driver_sql(pragma)
            connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
            upgrade(connection)
            connection.exec_driver_sql(
                "INSERT INTO log_head (log, epoch, seq, hash) VALUES (?, ?, 0, ?)",
                (OPERATOR, secrets.token_hex(16), bytes.fromhex(GENESIS)),
            )
    finally:
        engine.dispose()


def inspect_file(path: Path) -> None:
    """Refuse whatever is not a shared database of ours that this version can use, in words; migrate an older one.
    Blocks. Asks SQLite only: opening the file in any other way would drop this process's locks on it."""
    if not path.exists():
        raise Misconfigured(f"there is no shared database at {path}", "run `countersign init` to make one")
    if not path.is_file():
        raise Misconfigured(f"{path} is not a file", "point --database at the shared database")
    for place in (path, path.parent):
        if not os.access(place, os.W_OK):
            raise Misconfigured(
                f"{place} cannot be written",
                "whoever uses the shared SQLite file must be able to write it and its directory",
            )
    with in_our_words(path):
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw", uri=True, timeout=BUSY_MILLISECONDS / 1000, isolation_level=None
        )
        try:
            revision = _revision(connection, path)
        finally:
            connection.close()
    if revision not in REVISIONS:
        raise Misconfigured(
            f"{path} was made by a newer Countersign (schema {revision}; this version knows up to {HEAD})",
            "update Countersign on this machine",
        )
    if revision != HEAD:
        _migrate(path)


def _revision(connection: sqlite3.Connection, path: Path) -> str:
    (application_id,) = connection.execute("PRAGMA application_id").fetchone()
    if application_id != APPLICATION_ID:
        raise Misconfigured(
            f"{path} is an SQLite file, but not a Countersign database",
            "point --database at the shared database, or run `countersign init` with another path",
        )
    try:
        found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    except sqlite3.OperationalError as error:
        if "no such table" not in str(error):
            raise
        found = None
    if found is None:
        raise Corrupt(f"{path} does not say which schema it has", "restore it from a backup")
    return str(found[0])


def _migrate(path: Path) -> None:
    from sqlalchemy import create_engine
    from sqlalchemy.exc import DBAPIError

    from storage.shared.migrations import upgrade

    engine = create_engine(f"sqlite:///{path}")
    try:
        with in_our_words(path, DBAPIError), engine.begin() as connection:
            upgrade(connection)
    finally:
        engine.dispose()
