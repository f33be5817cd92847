"""What a review is judged by: the request and the session it is about, and what the tenant's own log says of them
(REQ-109, REQ-502, REQ-504)."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping
from dataclasses import dataclass

from storage.models import Request, Review
from storage.replica.queries.log import Entry, entries_by_number, search
from storage.replica.queries.log_filter import LogFilter
from storage.replica.queries.requests import names

ENTRIES_SHOWN = 40


@dataclass(frozen=True, slots=True)
class Evidence:
    """`disputed` is the entry that a tenant disputes; `entries` the tenant's log about the request, oldest first, the
    newest ENTRIES_SHOWN of them; `names` those of everybody who is named; `session_id` the session to look into."""

    request: Request | None
    session_id: str | None
    disputed: Entry | None
    entries: tuple[Entry, ...]
    names: Mapping[str, str]


def evidence(connection: sqlite3.Connection, review: Review) -> Evidence:
    """Everything that is known about what is to be judged."""
    log = f"tenant:{review.tenant_id}"
    row = connection.execute("SELECT image FROM request WHERE id = ?", (review.request_id,)).fetchone()
    request = Request.from_image(row[0]) if row else None
    numbers: list[int] = []
    if review.request_id is not None:
        numbers = sorted(n for step in search(connection, log, LogFilter(request=(review.request_id,))) for n in step)
    disputed = entries_by_number(connection, log, [review.entry_seq]) if review.entry_seq is not None else []
    people = {*review.barred, *((request.engineer_id, request.target_id) if request else ())}
    return Evidence(
        request,
        review.session_id or (request.session_id if request else None),
        disputed[0] if disputed else None,
        tuple(entries_by_number(connection, log, numbers[-ENTRIES_SHOWN:])),
        names(connection, people),
    )
