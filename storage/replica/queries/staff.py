"""The operator's people, from the replica."""

from __future__ import annotations

import sqlite3

from storage.models import Staff


def all_staff(connection: sqlite3.Connection) -> list[Staff]:
    """Every account there ever was, those that left included, by e-mail address."""
    rows = connection.execute("SELECT image FROM staff ORDER BY email, id")
    return [Staff.from_image(image) for (image,) in rows]
