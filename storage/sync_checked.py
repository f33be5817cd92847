"""What of a pulled chunk has been checked, and the checks of rows, which are the same whichever way its entries were
looked at. Pure: nothing here reads or writes a replica."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from functools import cache

from storage.evidence import Finding
from storage.log.chain import Fault, Link
from storage.log.entry import OPERATOR, Head
from storage.models.row import row_types
from storage.replica.schema import PRIVATE
from storage.shared.interface import StoredEntry, StoredRow

RowKey = tuple[str, str]
LinkOf = Callable[[str], Link]
"""Where a tenant's log stood before the chunk, by the log's name."""


@cache
def public_tables() -> frozenset[str]:
    """The row tables a replica has. Table names from outside reach SQL only if they are among these."""
    return frozenset(row_types()) - PRIVATE


@dataclass(slots=True)
class Checked:
    """What of a chunk may be applied, and what is wrong with the rest."""

    epoch: str
    link: Link
    entries: list[StoredEntry] = field(default_factory=list)
    twins: list[StoredEntry] = field(default_factory=list)
    tenant_links: dict[str, Link] = field(default_factory=dict)
    digests: dict[RowKey, tuple[int, bytes]] = field(default_factory=dict)
    rows: list[StoredRow] = field(default_factory=list)
    settled: set[RowKey] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)
    broken: bool = False
    """The history does not go on from here: no further pull can help."""

    def heads(self) -> dict[str, Head]:
        """The newest verified entries of the logs that this chunk moved."""
        moved = {OPERATOR: self.link, **self.tenant_links}
        return {log: Head(link.seq, link.hash) for log, link in moved.items()}


def check_rows(rows: Iterable[StoredRow], checked: Checked) -> None:
    """Each row against the digest in the entry whose number is its revision."""
    public, digests, last = public_tables(), checked.digests, checked.link.seq
    for row in rows:
        table, key, rev, _, _ = row
        if rev > last:
            continue  # behind a break, or written again since: its entry has not been verified here
        actual = image_digest(row)
        row_key = (table, key)
        vouched = digests.get(row_key)
        if vouched == (rev, actual):
            checked.settled.add(row_key)
            if table in public:
                checked.rows.append(row)
            continue
        words = "its image is not the one this entry vouches for"
        if vouched is None or vouched[0] != rev:
            words = "the row says it was written with this entry, but the entry does not list it"
        expected: dict[str, str | int | None] = {"sha256": vouched[1].hex(), "rev": vouched[0]} if vouched else {}
        fault = Fault(OPERATOR, rev, row_words(table, key) + words)
        checked.findings.append(Finding(fault, expected, {"rev": rev, "sha256": actual.hex(), "image": row.image}))


def image_digest(row: StoredRow) -> bytes:
    """SHA-256 of a row's image: of the image itself where it was sent, else (private tables) as the database says."""
    return text_digest(row.image) if row.image else bytes.fromhex(row.digest)


def text_digest(image: str) -> bytes:
    """SHA-256 of an image as it is stored; a lone surrogate stands for a byte that is no UTF-8."""
    return hashlib.sha256(image.encode("utf-8", "surrogateescape")).digest()


def row_words(table: str, key: str) -> str:
    """How a row is named in a fault."""
    return f"table {table}, row {key}: "
