"""A log, or a stretch of it, as a file: a pack that verifies offline, JSON Lines of the exact bodies, or CSV (REQ-407).

Entries are read from the shared database, not from the copy, and checked on the way out.
"""

from __future__ import annotations

import csv
import io
import json
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from storage.errors import Misconfigured
from storage.log.chain import Fault, Link, check_entry, check_gap
from storage.log.pack import write_pack
from storage.models import time_text
from storage.shared.interface import SharedDatabase, StoredEntry

COLUMNS = ("seq", "at", "action", "actor", "email", "ip", "tenant", "target", "request", "session", "ticket", "reason",
           "data", "hash")  # fmt: skip
_CHUNK = 5000


class Form(StrEnum):
    PACK = "pack"
    JSONL = "jsonl"
    CSV = "csv"


@dataclass(frozen=True, slots=True)
class Stretch:
    """Entries of one log without a gap, what they follow on, and what was found wrong on the way."""

    log: str
    before: Link
    entries: tuple[StoredEntry, ...]
    faults: tuple[Fault, ...]

    @property
    def first(self) -> int:
        return self.before.seq + 1

    @property
    def last(self) -> int:
        return self.entries[-1].seq if self.entries else self.before.seq


def form_of(path: Path) -> Form:
    """By the file's name: `.csv`, `.jsonl`, anything else is a pack."""
    return {".csv": Form.CSV, ".jsonl": Form.JSONL}.get(path.suffix.lower(), Form.PACK)


async def read_stretch(
    shared: SharedDatabase, log: str, since: datetime | None = None, until: datetime | None = None
) -> Stretch:
    """The log's entries made at `since` or later and before `until`. The entries before them are read too: the
    stretch is anchored on a chain that was checked from its beginning."""
    low, high = time_text(since) if since else "", time_text(until) if until else "~"
    before, link, taken, faults = Link(), Link(), list[StoredEntry](), list[Fault]()
    while True:
        entries = await shared.entries(log, link.seq, _CHUNK)
        for entry in entries:
            gap = check_gap(log, entry, link)
            body, wrong = check_entry(log, entry, link)
            faults += [fault for fault in (gap, Fault(log, entry.seq, wrong) if wrong else None) if fault]
            link = Link(entry.seq, entry.hash.hex())
            at = str(body.get("at", ""))
            if at < low:
                before = link
            elif at < high:
                taken.append(entry)
        if len(entries) < _CHUNK:
            return Stretch(log, before, tuple(taken), tuple(faults))


def write(path: Path, form: Form, stretch: Stretch, made: dict[str, str]) -> None:
    """Write the file, whole or not at all. Raises Misconfigured where that cannot be."""
    try:
        if form is Form.PACK:
            write_pack(path, stretch.log, stretch.entries, stretch.before, made)
            return
        lines = [entry.body + "\n" for entry in stretch.entries]
        text = "".join(lines) if form is Form.JSONL else _as_csv(stretch.entries)
        fresh = path.with_name(f".{path.name}.new")
        try:
            fresh.write_bytes(text.encode("utf-8", "surrogateescape"))
            fresh.replace(path)
        finally:
            fresh.unlink(missing_ok=True)
    except OSError as error:
        raise Misconfigured(f"cannot write {path}: {error.strerror or error}") from error


def _as_csv(entries: tuple[StoredEntry, ...]) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    for entry in entries:
        body = json.loads(entry.body)
        actor = body.get("actor", {})
        found = {**body, "actor": actor.get("name"), "email": actor.get("email"), "hash": entry.hash.hex()}
        details = {name: body[name] for name in ("before", "after", "data") if name in body}
        found["data"] = json.dumps(details, ensure_ascii=True) if details else ""
        writer.writerow([_cell(found.get(name)) for name in COLUMNS])
    return out.getvalue()


def _cell(value: object) -> object:
    """Text that a spreadsheet would take for a formula, or a terminal for a command, is made harmless."""
    if not isinstance(value, str):
        return value
    from app.mail.gate import harmless

    value = harmless(value)
    return "'" + value if value[:1] in ("=", "+", "-", "@", "\t") else value
