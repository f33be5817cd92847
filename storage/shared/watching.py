"""Noticing that the shared SQLite file has changed: `PRAGMA data_version`, polled (design.md, "The core idea").

It costs some microseconds, so it runs on the event loop, on a connection of its own that only reads. Beside the
version it reads the operator log's head: a file that changed while the log did not grow was changed behind the log's
back.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from storage.log.entry import OPERATOR
from storage.shared.connections import file_identity
from storage.shared.interface import Hint

POLL_SECONDS = 0.05
CALM_SECONDS = 0.1
"""Where nothing has come for `CALM_AFTER_SECONDS`: every look wakes the processor."""
CALM_AFTER_SECONDS = 5.0
BUSY_SECONDS = 0.005
"""A writer is committing: look again soon, it takes milliseconds."""
SLOW_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class _Look:
    """What one look saw."""

    file: tuple[int, int] | None
    version: int
    seq: int


async def watch(path: Path, slow_seconds: float = SLOW_SECONDS) -> AsyncIterator[Hint]:
    """Yields a hint at once, whenever the file has changed, and at least every `slow_seconds`."""
    watcher = _Watcher(path)
    try:
        last = watcher.look()
        yield Hint.SLOW
        told = moved = time.monotonic()
        while True:
            calm = time.monotonic() - moved > CALM_AFTER_SECONDS
            await asyncio.sleep(BUSY_SECONDS if last is None else CALM_SECONDS if calm else POLL_SECONDS)
            seen = watcher.look()
            hint = _hint(last, seen)
            last = seen or last
            if hint is not None:
                moved = time.monotonic()
            if hint is None and time.monotonic() - told >= slow_seconds:
                hint = Hint.SLOW
            if hint is not None:
                yield hint
                told = time.monotonic()
    finally:
        watcher.close()


def _hint(last: _Look | None, seen: _Look | None) -> Hint | None:
    if seen is None or seen == last:
        return None
    if last is not None and seen.file == last.file and seen.seq == last.seq:
        return Hint.SILENT
    return Hint.MOVED


class _Watcher:
    """The connection that looks; opened again whenever another file stands at the path."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: tuple[int, int] | None = None
        self._connection: sqlite3.Connection | None = None
        self._seen: _Look | None = None

    def look(self) -> _Look | None:
        """The file as it is now; None while a writer commits. A file that is gone or unreadable is a look too."""
        file = file_identity(self._path)
        if file is None or file != self._file:
            self.close()
            self._file = file
        if file is None:
            return _Look(None, 0, 0)
        try:
            if self._connection is None:
                self._connection = self._opened()
            (version,) = self._connection.execute("PRAGMA data_version").fetchone()
            if self._seen is not None and (self._seen.file, self._seen.version) == (file, version):
                return self._seen
            head = self._connection.execute("SELECT seq FROM log_head WHERE log = ?", (OPERATOR,)).fetchone()
        except sqlite3.OperationalError as error:
            if "locked" in str(error) or "busy" in str(error):
                return None
            self.close()
            return _Look(file, -1, -1)
        except sqlite3.DatabaseError:  # damaged: the pull that follows says so in words
            self.close()
            return _Look(file, -1, -1)
        self._seen = _Look(file, version, head[0] if head else 0)
        return self._seen

    def _opened(self) -> sqlite3.Connection:
        # not mode=ro: after a writer was killed in mid-commit the first to read must be able to roll its journal back
        connection = sqlite3.connect(f"{self._path.absolute().as_uri()}?mode=rw", uri=True, timeout=0)
        connection.isolation_level = None
        connection.execute("PRAGMA query_only = ON")
        return connection

    def close(self) -> None:
        if self._connection is not None:
            with suppress(sqlite3.Error):
                self._connection.close()
            self._connection = None
            self._seen = None  # another connection counts anew
