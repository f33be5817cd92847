"""What was decided while the shared database was out of reach (REQ-802): commands kept in a file of its own.

One row a command, in the order in which they were given, each under the id that its Change will carry: the shared
database applies an id once, so sending again after a sudden death does no harm. What came back from sending stays, with
words for the person, until it has been seen. The file is never the replica's: that one may be thrown away and rebuilt,
a person's decision may not.

A small file that several processes of one home write at times: a rollback journal (WAL shared by processes wants a
newer SQLite than some machines have) and `synchronous=FULL`, a connection for each act. Nothing is made before the
first command is kept.
"""

from __future__ import annotations

import fcntl
import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Any

from storage.errors import Corrupt, Misconfigured, Offline
from storage.models.people import Actor, ActorKind
from storage.models.row import Json, canonical, encode, parse_time, time_text

_VERSION = 1
_SCHEMA = """
CREATE TABLE kept (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE,
    command TEXT NOT NULL,
    subjects TEXT NOT NULL,
    actor TEXT NOT NULL,
    arguments TEXT NOT NULL,
    rev INTEGER NOT NULL,
    queued_at TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('queued', 'sent', 'refused', 'conflict')),
    words TEXT NOT NULL,
    settled_at TEXT,
    seen INTEGER NOT NULL DEFAULT 0
) STRICT
"""
_COLUMNS = "id, command, subjects, actor, arguments, rev, queued_at, state, words, settled_at, seen"
_BUSY_SECONDS = 5.0
_SEEN_IS_KEPT = timedelta(days=7)


class KeptState(StrEnum):
    """QUEUED: not in force. SENT: applied. REFUSED: a rule or a guard said no. CONFLICT: someone was faster."""

    QUEUED = "queued"
    SENT = "sent"
    REFUSED = "refused"
    CONFLICT = "conflict"


@dataclass(frozen=True, slots=True)
class Kept:
    """One command. `subjects` are the ids it is about, the nearest first; `arguments` are by parameter name; `rev` is
    the revision it was decided on. `words` say what came of it, or why sending failed the last time."""

    id: str
    command: str
    subjects: tuple[str, ...]
    actor: Actor
    arguments: dict[str, Json]
    rev: int
    queued_at: datetime
    state: KeptState = KeptState.QUEUED
    words: str = ""
    settled_at: datetime | None = None
    seen: bool = False

    @property
    def waits(self) -> bool:
        """Whether it is still to be sent."""
        return self.state is KeptState.QUEUED


class Outbox:
    """The outbox of one home for one shared database. Raises Corrupt for a file that cannot be read, Offline where
    nothing can be written: then nothing was kept, and the person is told so."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._stamp: tuple[int, int] | None = None
        self._items: tuple[Kept, ...] = ()

    def items(self) -> tuple[Kept, ...]:
        """Everything kept, in order. Cheap to ask again and again: the file is read when it has changed."""
        stamp = self._look()
        if stamp is None:
            self._items = ()
        elif stamp != self._stamp:
            with self._open() as connection:
                rows = connection.execute(f"SELECT {_COLUMNS} FROM kept ORDER BY position").fetchall()
            try:
                self._items = tuple(_kept(row) for row in rows)
            except (ValueError, KeyError, TypeError) as error:
                raise self._damaged(error) from error
        self._stamp = stamp
        return self._items

    def waiting(self) -> tuple[Kept, ...]:
        """What is still to be sent, in order."""
        return tuple(one for one in self.items() if one.waits)

    def keep(self, one: Kept) -> None:
        """Keep a command; on disk when this returns. The same id again changes nothing."""
        values = (
            one.id,
            one.command,
            canonical(list(one.subjects)),
            canonical(encode(one.actor)),
            canonical(one.arguments),
            one.rev,
            time_text(one.queued_at),
            one.state.value,
            one.words,
        )
        with self._writing(make=True) as connection:
            connection.execute(
                "INSERT INTO kept (id, command, subjects, actor, arguments, rev, queued_at, state, words)"
                " VALUES (?,?,?,?,?,?,?,?,?) ON CONFLICT (id) DO NOTHING",
                values,
            )

    def settle(self, id: str, state: KeptState, words: str, at: datetime) -> None:
        """What came of sending. What is settled stays so: a second answer changes nothing."""
        with self._writing() as connection:
            connection.execute(
                "UPDATE kept SET state = ?, words = ?, settled_at = ? WHERE id = ? AND state = 'queued'",
                (state.value, words, time_text(at), id),
            )
            connection.execute(
                "DELETE FROM kept WHERE seen AND state <> 'queued' AND settled_at < ?", (time_text(at - _SEEN_IS_KEPT),)
            )

    def waits_because(self, id: str, words: str) -> None:
        """Sending failed for a reason that may pass; it stays queued."""
        with self._writing() as connection:
            connection.execute(
                "UPDATE kept SET words = ? WHERE id = ? AND state = 'queued' AND words <> ?", (words, id, words)
            )

    def saw(self, ids: tuple[str, ...]) -> None:
        """The person has seen what came of these."""
        if ids:
            with self._writing() as connection:
                marks = ",".join("?" * len(ids))
                connection.execute(f"UPDATE kept SET seen = 1 WHERE id IN ({marks}) AND state <> 'queued'", ids)

    @contextmanager
    def sending(self) -> Iterator[bool]:
        """Whether this process is the one that sends now; of those of a home only one does. A killed process gives the
        right back at once."""
        if self._look() is None:
            yield False
            return
        lock = os.open(self.path.with_name(self.path.name + ".sending"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                yield False
                return
            yield True
        finally:
            os.close(lock)

    def _look(self) -> tuple[int, int] | None:
        """Which file it is, and SQLite's own change counter in it; None: there is none, or it is still empty."""
        try:
            with self.path.open("rb") as file:
                inode, header = os.fstat(file.fileno()).st_ino, file.read(28)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise Corrupt(f"the outbox {self.path} cannot be read: {error.strerror}") from error
        return (inode, int.from_bytes(header[24:28])) if len(header) == 28 else None

    @contextmanager
    def _writing(self, *, make: bool = False) -> Iterator[sqlite3.Connection]:
        """A transaction of its own; the right to write is taken first."""
        if make:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with self._open() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                if connection.execute("PRAGMA user_version").fetchone()[0] == 0:
                    connection.execute(_SCHEMA)
                    connection.execute(f"PRAGMA user_version = {_VERSION}")
                yield connection
                connection.execute("COMMIT")
            except BaseException:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")
                raise

    @contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A connection, its errors in words."""
        try:
            with closing(sqlite3.connect(self.path, timeout=_BUSY_SECONDS, isolation_level=None)) as connection:
                connection.execute("PRAGMA synchronous = FULL")
                version = connection.execute("PRAGMA user_version").fetchone()[0]
                if version > _VERSION:
                    raise Misconfigured(
                        f"the outbox {self.path} was written by a newer Countersign", "use that version here too"
                    )
                yield connection
        except sqlite3.OperationalError as error:
            raise Offline(
                f"the outbox {self.path} cannot be written: {error}", "is the disk full, or read-only? nothing was kept"
            ) from error
        except sqlite3.DatabaseError as error:
            raise self._damaged(error) from error

    def _damaged(self, error: Exception) -> Corrupt:
        return Corrupt(
            f"the outbox {self.path} is damaged: {error}",
            "have somebody look at it: it may hold decisions not sent yet; moved away, a new one is begun",
        )


def already_waiting(items: tuple[Kept, ...], actor: Actor, subject: str) -> Kept | None:
    """What this person has waiting on `subject`, the newest, or None."""
    mine = (one for one in reversed(items) if one.waits and one.actor.id == actor.id)
    return next((one for one in mine if one.subjects and one.subjects[0] == subject), None)


def _kept(row: tuple[Any, ...]) -> Kept:
    id, command, subjects, actor, arguments, rev, queued_at, state, words, settled_at, seen = row
    who = json.loads(actor)
    return Kept(
        id,
        command,
        tuple(json.loads(subjects)),
        Actor(ActorKind(who["kind"]), who["id"], who["name"], who["email"], who["ip"]),
        json.loads(arguments),
        rev,
        parse_time(queued_at),
        KeptState(state),
        words,
        parse_time(settled_at) if settled_at else None,
        bool(seen),
    )
