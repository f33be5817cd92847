"""Reviews as the replica has them: what waits, oldest due first, what was signed, and a disputed entry."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from typing import Any

from storage.models import Incident, Review

_NAMED = """
SELECT v.image, coalesce(t.name, v.tenant_id), s.image ->> '$.name', i.image
FROM review v
LEFT JOIN tenant t ON t.id = v.tenant_id
LEFT JOIN staff s ON s.id = v.image ->> '$.signed_by'
LEFT JOIN incident i ON i.request_id = v.request_id AND i.image ->> '$.review_id' = v.id
"""


@dataclass(frozen=True, slots=True)
class ReviewLine:
    """A review with the names around it; `incident` is the emergency it is about."""

    review: Review
    tenant_name: str
    signed_by_name: str
    incident: Incident | None


def reviews(connection: sqlite3.Connection, *, signed: bool, limit: int = 500) -> list[ReviewLine]:
    """Those that wait, the one that is due first before the others; with `signed` those that do not wait any more,
    the newest first."""
    which = "NOT NULL ORDER BY v.signed_at DESC" if signed else "NULL ORDER BY v.image ->> '$.due_at', v.id"
    found = connection.execute(f"{_NAMED} WHERE v.signed_at IS {which} LIMIT ?", (limit,))
    return [_line(row) for row in found]


def review_line(connection: sqlite3.Connection, review_id: str) -> ReviewLine | None:
    """One review, or None."""
    row = connection.execute(f"{_NAMED} WHERE v.id = ?", (review_id,)).fetchone()
    return None if row is None else _line(row)


def reviews_of_entry(connection: sqlite3.Connection, tenant_id: str, seq: int) -> list[ReviewLine]:
    """What the tenant said of that entry of its own log, the latest first."""
    about = "v.tenant_id = ? AND v.image ->> '$.entry_seq' = ? ORDER BY v.image ->> '$.opened_at' DESC, v.id"
    return [_line(row) for row in connection.execute(f"{_NAMED} WHERE {about}", (tenant_id, seq))]


def tenant_entry(connection: sqlite3.Connection, tenant_id: str, seq: int) -> dict[str, Any] | None:
    """The entry of that number in a tenant's own log, as data."""
    row = connection.execute("SELECT body FROM tenant_log WHERE tenant_id = ? AND seq = ?", (tenant_id, seq)).fetchone()
    return None if row is None else json.loads(row[0])


def _line(row: tuple[str, str, str | None, str | None]) -> ReviewLine:
    image, tenant, signer, incident = row
    review = Review.from_image(image)
    return ReviewLine(
        review, tenant, signer or review.signed_by or "", None if incident is None else Incident.from_image(incident)
    )
