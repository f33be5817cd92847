"""A lease on an SQLite file: which process is the postman (`SharedDatabase.lease`). A small file beside the database
says who holds it and until when; it is read and replaced under a lock of the system's. Nothing is decided by it, so it
is no row and needs no entry. A process that died or hangs loses it when its time runs out."""

from __future__ import annotations

import fcntl
import json
import os
from datetime import datetime, timedelta
from pathlib import Path

from storage.errors import Misconfigured
from storage.models.row import parse_time, time_text


class Leases:
    """Those of one database, by name."""

    def __init__(self, database: Path) -> None:
        self._database = database

    def take(self, name: str, holder: str, seconds: int, now: datetime) -> bool:
        """Hold `name` for so long; whether it is ours. 0 seconds give it back. Blocks for a moment at most."""
        path = self._database.with_name(f"{self._database.name}.{name}-lease")
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o660)
        except OSError as error:
            raise Misconfigured(f"{path} cannot be written: {error.strerror}", "check its owner and mode") from error
        with os.fdopen(handle, "r+") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            other, until = _read(file.read())
            if other != holder and until is not None and now < until:
                return False
            file.seek(0)
            file.truncate()
            json.dump({"holder": holder, "until": time_text(now + timedelta(seconds=seconds))}, file)
        return True


def _read(text: str) -> tuple[str, datetime | None]:
    """Holder and end; one that cannot be read is nobody's."""
    try:
        found = json.loads(text)
        return str(found["holder"]), parse_time(found["until"])
    except (ValueError, KeyError, TypeError):
        return "", None
