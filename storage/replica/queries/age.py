"""How old the copy is: what is read offline must say of when it is (REQ-802)."""

from __future__ import annotations

import json
import sqlite3
from datetime import datetime

from storage.models.row import parse_time


def newest_entry_at(connection: sqlite3.Connection) -> datetime | None:
    """When the newest entry that the copy has verified was made; None for an empty copy."""
    found = connection.execute("SELECT body FROM operator_log ORDER BY seq DESC LIMIT 1").fetchone()
    return parse_time(json.loads(found[0])["at"]) if found is not None else None
