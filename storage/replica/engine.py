"""The replica's file: opened in a millisecond, written by one process at a time, rebuilt by itself when damaged.

Everything in it came through `storage.sync` and can come again, so a file that is of another version or damaged is no
loss: it is set aside (`*.corrupt-<time>`) and a new one is made, saying so. WAL with `synchronous=NORMAL`: a crash may
lose the last pulls, never consistency. Writers queue on an `flock` beside the file; readers need no lock. A process
that finds another file under the name (somebody rebuilt it) opens that one.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import sqlite3
import time
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO

from storage.errors import Misconfigured
from storage.log.entry import OPERATOR, Head
from storage.replica import schema
from storage.replica.view import ReplicaView
from storage.shared.change import Read
from storage.shared.interface import Position
from storage.view import View

_SIDE_FILES = ("", "-wal", "-shm")
_WAL_BYTES = 4 * 2**20
_DAMAGE = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})


TROUBLE = (sqlite3.DatabaseError, UnicodeDecodeError)
"""What SQLite's module raises over a damaged file; the second when it cannot even decode its own message about it."""


def is_damage(error: Exception) -> bool:
    """Whether an error says that the file itself is broken, as opposed to full, locked or wrongly asked."""
    if isinstance(error, UnicodeDecodeError):
        return True
    if "Could not decode to UTF-8" in str(error) or "malformed" in str(error):  # text or JSON that nobody wrote
        return True
    code = getattr(error, "sqlite_errorcode", None)
    if code is None:
        return False
    return code & 0xFF in _DAMAGE or code == sqlite3.SQLITE_IOERR_SHORT_READ


class Replica:
    """One console's copy. Use `Replica.open`."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.rebuilt_because = ""
        """Why this process had to make the file anew; "" if it had not."""
        self.rebuilds = 0
        """How often this process made the file anew after it had opened it."""
        self._reader: tuple[int, sqlite3.Connection] | None = None
        self._writer: tuple[int, sqlite3.Connection] | None = None

    @classmethod
    def open(cls, path: Path) -> Replica:
        """Open the file, making it first where there is none or none that can be used. Raises Misconfigured if the
        directory does not let us."""
        replica = cls(path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            trouble = replica._trouble()
            if trouble is not None:
                with replica.locked():
                    trouble = replica._trouble()  # another process may have made it while we waited
                    if trouble is not None:
                        replica._make(*trouble)
        except OSError as error:
            raise Misconfigured(f"the replica {path} cannot be opened: {error}", "check the data directory") from error
        return replica

    def _trouble(self) -> tuple[str, bool] | None:
        """None if the file can be used; else why not ("" for no file yet) and whether it is worth keeping."""
        if not self.path.exists():
            return "", False
        try:
            with contextlib.closing(_connect(self.path)) as connection:
                stamp = connection.execute("PRAGMA user_version").fetchone()[0]
                if stamp != schema.version():
                    empty = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0] == 0
                    return ("the file was empty" if empty else "it was made by another version"), False
                position_of(connection)  # just as everybody will ask next: by the key's own index
        except TROUBLE as error:
            if isinstance(error, sqlite3.OperationalError) and not is_damage(error):
                raise OSError(str(error)) from error
            return f"it was damaged ({error})", True
        return None

    def _make(self, because: str, keep: bool) -> None:
        """Put a new, empty replica under the name in one step; the lock is held."""
        fresh = self.path.with_name(self.path.name + ".new")
        fresh.unlink(missing_ok=True)
        with contextlib.closing(sqlite3.connect(fresh, isolation_level=None)) as connection:
            connection.execute("BEGIN")
            schema.create(connection)
            connection.execute("COMMIT")
        self._discard(keep)  # as late as can be: for an instant there is no file under the name
        fresh.replace(self.path)
        with contextlib.closing(_connect(self.path)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")
        self.rebuilt_because = because

    def _discard(self, keep: bool) -> None:
        stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%S%f")
        for side in _SIDE_FILES:
            file = self.path.with_name(self.path.name + side)
            if not file.exists():
                continue
            if keep:
                file.replace(self.path.with_name(f"{self.path.name}.corrupt-{stamp}{side}"))
            else:
                file.unlink()

    def rebuild(self, because: str, *, keep: bool = True) -> None:
        """Begin anew with an empty file; the old one is set aside if `keep`. The caller holds the lock. Where another
        process did so while ours still had the old file open, its new one is taken."""
        superseded = self._writer is not None and self._inode() not in (0, self._writer[0])
        self._close_writer()
        if superseded:
            self.rebuilds += 1
            return
        self._make(because, keep)
        self.rebuilds += 1

    def adopt(self, filled: Path) -> None:
        """Put a complete file in the place of ours, which holds nothing yet. The caller holds the lock."""
        self._close_writer()
        self._discard(keep=False)
        filled.replace(self.path)
        with contextlib.closing(_connect(self.path)) as connection:
            connection.execute("PRAGMA journal_mode = WAL")

    @contextlib.contextmanager
    def locked(self, patience: float = 60.0) -> Iterator[None]:
        """Hold the right to write, across processes. Blocks: not for the UI thread. Raises Misconfigured when another
        process has held it for `patience` seconds."""
        handle: IO[bytes] = self.path.with_name(self.path.name + ".lock").open("ab")
        with handle:
            give_up = time.monotonic() + patience
            while True:
                try:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if time.monotonic() > give_up:
                        raise Misconfigured(f"another process holds the replica {self.path}") from None
                    time.sleep(0.005)
            yield

    @property
    def reader(self) -> sqlite3.Connection:
        """The connection of the UI thread: queries on it are synchronous and short. It follows a rebuild."""
        inode = self._inode()
        if self._reader is None or (self._reader[0] != inode and inode):
            if self._reader is not None:
                self._reader[1].close()
            self._reader = (inode, self.new_reader())
        return self._reader[1]

    def new_reader(self) -> sqlite3.Connection:
        """A connection for another thread; whoever asks closes it."""
        connection = _connect(self.path)
        connection.execute("PRAGMA query_only = ON")
        return connection

    def writer(self) -> sqlite3.Connection:
        """The writing connection; the caller holds the lock. Used from one thread at a time."""
        inode = self._inode()
        if self._writer is None or self._writer[0] != inode:
            self._close_writer()
            connection = _connect(self.path)
            connection.execute("PRAGMA synchronous = NORMAL")
            connection.execute("PRAGMA temp_store = MEMORY")
            connection.execute("PRAGMA wal_autocheckpoint = 0")  # `checkpoint` does it, when nobody waits
            connection.execute(f"PRAGMA journal_size_limit = {_WAL_BYTES // 2}")
            connection.execute("PRAGMA cache_size = -24576")  # KiB: keys come in no order
            # Damaged bytes must come out, to be compared: a lone surrogate stands for a byte that is no UTF-8.
            connection.text_factory = lambda data: data.decode("utf-8", "surrogateescape")
            self._writer = (inode, connection)
        return self._writer[1]

    def checkpoint(self) -> None:
        """Move what was written from the WAL into the file proper, once that is worth it. SQLite would do so within a
        commit: after a long pull a second in which everybody waits. What goes wrong here is tried again."""
        with contextlib.suppress(OSError, sqlite3.Error):
            if self.path.with_name(self.path.name + "-wal").stat().st_size > _WAL_BYTES:
                self.writer().execute("PRAGMA wal_checkpoint(PASSIVE)")

    def usable(self) -> str | None:
        """None if the file under the name is a whole replica of this version, as far as a look at its first pages
        tells; else why it is not. The caller holds the lock."""
        trouble = self._trouble()
        return None if trouble is None else trouble[0] or "the file was gone"

    def damage(self) -> str:
        """What SQLite's own integrity check says, indexes included; "" if the file is whole. Reads everything: not for
        the UI thread."""
        try:
            with contextlib.closing(self.new_reader()) as connection:
                (words,) = connection.execute("PRAGMA integrity_check(1)").fetchone()
        except TROUBLE as error:
            if is_damage(error):
                return str(error)
            raise
        return "" if words == "ok" else str(words)

    def position(self) -> Position | None:
        """How far this replica has verified the history; None before the first pull."""
        return position_of(self.reader)

    def revision_of(self, table: str, key: str) -> int | None:
        """The number of the newest entry that vouches for a row, private ones included; None: there is no such row."""
        query = "SELECT rev FROM digest WHERE table_name = ? AND key = ?"
        found = self.reader.execute(query, (table, key)).fetchone()
        if found is None and table not in schema.PRIVATE:
            found = self.reader.execute(f'SELECT rev FROM "{table}" WHERE id = ?', (key,)).fetchone()
        return None if found is None else int(found[0])

    def changed_since(self, reads: Iterable[Read]) -> tuple[Read, str | None] | None:
        """Of rows as they were read, the one that changed last since, and the body of the entry that changed it (None
        if it is not here); None: none changed."""
        changed = [
            (rev, read) for read in reads if (rev := self.revision_of(read.table, read.key)) not in (None, read.rev)
        ]
        if not changed:
            return None
        rev, read = max(changed, key=lambda pair: pair[0] or 0)
        row = self.reader.execute("SELECT body FROM operator_log WHERE seq = ?", (rev,)).fetchone()
        return read, row[0] if row is not None else None

    def view(self, change_id: str) -> View:
        """What a command reads through."""
        return ReplicaView(self.reader, change_id)

    def close(self) -> None:
        """Close every connection this object made."""
        if self._reader is not None:
            self._reader[1].close()
            self._reader = None
        self._close_writer()

    def _close_writer(self) -> None:
        if self._writer is not None:
            self._writer[1].close()
            self._writer = None

    def _inode(self) -> int:
        try:
            return os.stat(self.path).st_ino  # noqa: PTH116 - twice as fast as Path.stat, and asked at every query
        except FileNotFoundError:
            return 0


def position_of(connection: sqlite3.Connection) -> Position | None:
    """The position a replica stands at, as this connection sees it."""
    found = connection.execute("SELECT epoch, seq, hash FROM log_head WHERE log = ?", (OPERATOR,)).fetchone()
    return None if found is None else Position(found[0], Head(found[1], found[2].hex()))


def _connect(path: Path) -> sqlite3.Connection:
    """A connection in autocommit, usable from whichever thread holds the right to it."""
    # mode=rw: a file that vanished is to be noticed, not silently made anew without tables.
    uri = f"{path.absolute().as_uri()}?mode=rw"
    connection = sqlite3.connect(uri, uri=True, isolation_level=None, check_same_thread=False, timeout=5.0)
    return connection
