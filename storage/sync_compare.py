"""What is stored in the shared database, held against what this console verified: heads, rows, entries.

Pure comparisons over one span each. Whatever differs is a finding, unless a pull is still to bring it; and before
anything is said of the shared database, the replica makes sure that it is not itself the damaged one.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence

from storage.evidence import Finding
from storage.log.chain import Fault, Link, check_entry, leaf
from storage.log.entry import OPERATOR, Head
from storage.replica.soundness import ReplicaDamaged, check_digest, check_heads
from storage.shared.interface import StoredEntry, StoredRow
from storage.sync_checked import image_digest, public_tables, row_words, text_digest


def compare_heads(mine: Mapping[str, Head], theirs: Mapping[str, Head]) -> list[Finding]:
    """Recorded heads against the last entries this console verified. A head may be further on, together with the
    operator log's, which every Change moves."""
    operator, recorded = mine.get(OPERATOR, Head()), theirs.get(OPERATOR, Head())
    moved = recorded.seq > operator.seq
    findings = []
    for log in sorted(mine.keys() | theirs.keys()):
        ours, found = mine.get(log, Head()), theirs.get(log, Head())
        words = ""
        if found.seq < ours.seq:
            words = f"this console saw number {ours.seq}, the recorded head is number {found.seq}"
            if log not in theirs:
                words = f"this console saw number {ours.seq}, but the log has no recorded head any more"
        elif found.seq > ours.seq and not moved:
            words = f"the recorded head is number {found.seq}, but the last entry is number {ours.seq}"
        elif found.seq == ours.seq and found.hash != ours.hash:
            words = "the recorded head's hash is not the last entry's hash"
        if words:
            fault = Fault(log, max(ours.seq, found.seq), words)
            findings.append(
                Finding(fault, {"seq": ours.seq, "hash": ours.hash}, {"seq": found.seq, "hash": found.hash})
            )
    return findings


def compare_rows(
    connection: sqlite3.Connection,
    span: tuple[str, str, str | None],
    rows: Sequence[StoredRow],
    ceiling: int,
    head: int,
) -> list[Finding]:
    """Rows of (table, after, up to) as stored, against what entries up to number `ceiling` vouch for. Revisions beyond
    it are the next pull's matter, unless they lie beyond the log's `head` too. Raises ReplicaDamaged."""
    table = span[0]
    copies = _copies(connection, span) if table in public_tables() else {}
    mine = {key: (rev, text_digest(image)) for key, (rev, image) in copies.items()} | _digests(connection, span)
    findings = []
    for row in rows:
        vouched = mine.pop(row.key, None)
        actual = image_digest(row)
        if vouched == (row.rev, actual):
            continue
        if ceiling < row.rev <= head or (vouched is not None and vouched[0] > ceiling):
            continue
        kept = vouched or (row.rev, None)
        check_digest(connection, table, row.key, *kept)
        if vouched is None:
            seq, words = row.rev, "no entry vouches for this row: it was put in behind the log's back"
        elif vouched[1] != actual:
            seq, words = (
                vouched[0],
                "its image is not the one this entry vouches for: it was changed behind the log's back",
            )
        else:
            seq, words = vouched[0], f"its revision was changed to {row.rev} behind the log's back"
        _, image = copies.get(row.key, (0, None))
        findings.append(
            Finding(
                Fault(OPERATOR, seq, row_words(table, row.key) + words),
                {"rev": vouched[0], "sha256": vouched[1].hex(), "image": image} if vouched else {},
                {"rev": row.rev, "sha256": actual.hex(), "image": row.image},
            )
        )
    for key, (rev, sha256) in mine.items():
        if rev <= ceiling:
            check_digest(connection, table, key, rev, sha256)
            words = "the row that this entry vouches for is gone: it was deleted behind the log's back"
            _, image = copies.get(key, (0, None))
            fault = Fault(OPERATOR, rev, row_words(table, key) + words)
            findings.append(Finding(fault, {"rev": rev, "sha256": sha256.hex(), "image": image}))
    return findings


def _copies(connection: sqlite3.Connection, span: tuple[str, str, str | None]) -> dict[str, tuple[int, str]]:
    """The replica's own rows: revision and image."""
    table, after, upto = span
    found = connection.execute(
        f'SELECT id, rev, image FROM "{table}" WHERE id > ? AND (? IS NULL OR id <= ?)', (after, upto, upto)
    )
    return {key: (rev, image) for key, rev, image in found}


def _digests(connection: sqlite3.Connection, span: tuple[str, str, str | None]) -> dict[str, tuple[int, bytes]]:
    """What entries vouch for that the replica does not hold, or not yet: revision and digest."""
    table, after, upto = span
    found = connection.execute(
        "SELECT key, rev, sha256 FROM digest WHERE table_name = ? AND key > ? AND (? IS NULL OR key <= ?)",
        (table, after, upto, upto),
    )
    return {key: (rev, sha256) for key, rev, sha256 in found}


def compare_entries(
    connection: sqlite3.Connection, span: tuple[str, int, int], entries: Sequence[StoredEntry]
) -> list[Finding]:
    """Entries of (log, after, up to) as stored, against this console's copies. Raises ReplicaDamaged."""
    log, after, upto = span
    source, key = ("operator_log", ()) if log == OPERATOR else ("tenant_log", (log.removeprefix("tenant:"),))
    where = "tenant_id = ? AND " if key else ""
    mine: dict[int, tuple[bytes, str]] = {
        seq: (entry_hash, body)
        for seq, entry_hash, body in connection.execute(
            f"SELECT seq, hash, body FROM {source} WHERE {where}seq > ? AND seq <= ? ORDER BY seq", (*key, after, upto)
        )
    }
    if len(mine) < upto - after:
        raise ReplicaDamaged(f"its copy of log {log} has lost entries")
    findings = []
    for entry in entries:
        ours = mine.pop(entry.seq, None)
        if ours is None or ours == (entry.hash, entry.body):
            continue
        if leaf(ours[1]) != ours[0]:
            raise ReplicaDamaged(f"its copy of log {log}, number {entry.seq} was damaged")
        words = check_entry(log, entry, Link(entry.seq - 1, _prev(ours[1])))[1]
        words = words or "it is not the entry that this console verified under this number: it was rewritten"
        findings.append(
            Finding(
                Fault(log, entry.seq, words),
                {"hash": ours[0].hex(), "body": ours[1]},
                {"hash": entry.hash.hex(), "body": entry.body},
            )
        )
    missing = _missing(log, upto, mine)
    if missing:
        check_heads(connection)
    return findings + missing


def _missing(log: str, upto: int, mine: dict[int, tuple[bytes, str]]) -> list[Finding]:
    """Entries this console has and the shared database has no longer. At the end of the log that is a cut tail."""
    findings = []
    tail = upto
    while tail in mine:
        tail -= 1
    for seq, (entry_hash, body) in mine.items():
        if seq > tail:
            continue
        expected: dict[str, str | int | None] = {"hash": entry_hash.hex(), "body": body}
        findings.append(Finding(Fault(log, seq, "the entry is missing"), expected))
    if tail < upto:
        entry_hash, body = mine[upto]
        words = f"this console saw number {upto}, the log now ends at {tail}"
        findings.append(Finding(Fault(log, upto, words), {"hash": entry_hash.hex(), "body": body}))
    return findings


def _prev(body: str) -> str:
    """The `prev` of one of our own, verified bodies."""
    return str(json.loads(body)["prev"])
