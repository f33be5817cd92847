"""What SQLite complains about, in our words and with advice (design.md; issue 2, section 5)."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from storage.errors import Corrupt, CountersignError, GuardRefused, Misconfigured, Offline

_PROMISE = re.compile(r"(P\d+): (.*)", re.DOTALL)
NOTHING_CHANGED = "nothing was changed"


def translated(error: BaseException, path: Path) -> CountersignError | None:
    """Our error for one of SQLite's (also wrapped in SQLAlchemy's), or None if it is none."""
    origin = getattr(error, "orig", None)
    cause = origin if isinstance(origin, sqlite3.Error) else error
    if not isinstance(cause, sqlite3.Error):
        return None
    words = str(cause)
    refusal = _PROMISE.match(words)
    if refusal:
        return GuardRefused(refusal[1], refusal[2])
    if "locked" in words or "busy" in words:
        return Offline(f"{path} has been locked by another program for too long", "see who has it open, then try again")
    if "full" in words:
        return Misconfigured(f"the disk that holds {path} is full", f"free some space; {NOTHING_CHANGED}")
    if "readonly" in words:
        return Misconfigured(
            f"{path} cannot be written", f"check owner and mode of it and its directory; {NOTHING_CHANGED}"
        )
    if "not a database" in words:
        return Corrupt(f"{path} is not a database", "point --database at the shared database")
    if "malformed" in words or "decode" in words:
        return Corrupt(
            f"{path} is damaged: {words}", "run `countersign doctor`, and restore from a backup if it agrees"
        )
    if isinstance(cause, sqlite3.OperationalError):
        return Offline(f"{path} cannot be used: {words}", "check the file, its directory and the disk")
    return Corrupt(f"{path} refused: {words}", "run `countersign doctor`")


@contextmanager
def in_our_words(path: Path, *wrappers: type[Exception]) -> Iterator[None]:
    """Run a block; SQLite's errors leave it as ours, also out of these wrappers (SQLAlchemy's DBAPIError: it is
    passed in, not imported, since whoever only looks at a file needs none of it)."""
    kinds: tuple[type[Exception], ...] = (sqlite3.Error, *wrappers)
    try:
        yield
    except kinds as error:
        ours = translated(error, path)
        if ours is None:
            raise
        raise ours from error
