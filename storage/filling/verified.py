"""What a long history comes to, chunk after chunk.

What is verified: that a chunk continues the one before (the stored hash of the entry asked from, the epoch); numbers,
links and hashes of the operator log; every twin in its place in its tenant's own chain, naming and named and telling
the same; every row's image against the digest in the entry of its revision, and that every digest has its row, here or
rewritten under a later entry, which is awaited; the heads that this console ever saw.
"""

from __future__ import annotations

import sqlite3

from storage.filling import frames
from storage.filling.frames import End, Part
from storage.log.chain import GENESIS, Link
from storage.log.entry import OPERATOR, Head
from storage.shared.columns import Columns, Mixed, pulled_of
from storage.sync_checked import RowKey, check_rows, public_tables
from storage.sync_chunk import check_entries
from storage.sync_quick import Digests, Seen, look, sound_rows
from storage.witness import Witness


class Filling:
    """What has been verified so far: the chains' ends, and the digests whose row is still to come."""

    def __init__(self, epoch: str | None, witness: Witness) -> None:
        self.epoch, self._witness = epoch, witness
        self.link = Link()
        self.tenants: dict[str, Link] = {}
        self.awaited: dict[RowKey, tuple[int, bytes]] = {}
        self._since, self._moved = self.link, set[str]()

    @classmethod
    def going_on(cls, replica: sqlite3.Connection, witness: Witness) -> Filling:
        """From where a replica stands."""
        heads = replica.execute("SELECT log, epoch, seq, hash FROM log_head").fetchall()
        links = {log: Link(seq, entry_hash.hex()) for log, _, seq, entry_hash in heads}
        filling = cls(next(epoch for log, epoch, _, _ in heads if log == OPERATOR), witness)
        filling.link = filling._since = links.pop(OPERATOR)
        filling.tenants = links
        awaited = replica.execute(
            "SELECT table_name, key, rev, sha256 FROM pending JOIN digest USING (table_name, key, rev)"
        )
        filling.awaited = {(table, key): (rev, digest) for table, key, rev, digest in awaited}
        return filling

    @property
    def unsent(self) -> int:
        """How many entries have been verified since the last `end`."""
        return self.link.seq - self._since.seq

    def take(self, columns: Columns) -> list[Part] | None:
        """Verify the next chunk: what to write, or None if anything in it is not as it should be."""
        if self.epoch is None:
            self.epoch = columns.epoch
        continues = self.link.seq == 0 or (columns.anchor is not None and columns.anchor.hex() == self.link.hash)
        if columns.epoch != self.epoch or not continues or not columns.entries.size:
            return None
        if any((rows.table in public_tables()) == bool(rows.digests) for rows in columns.rows):
            return None  # of private tables only digests come, of all others never
        seen = look(columns.entries, columns.twins, self.link, self._link_of, self._witness)
        came = sound_rows(columns.rows, seen.listed) if seen is not None else None
        if seen is None or came is None:
            worded = self._look_closely(columns)
            if worded is None:
                return None
            seen, came = worded
        self.link = seen.link
        self.tenants.update(seen.tenant_links)
        self._moved.update(seen.tenant_links)
        for key in self.awaited.keys() & came.keys():
            del self.awaited[key]
        for key in seen.listed.keys() - came.keys():
            seq, digest = seen.listed[key]
            self.awaited[key] = (seq, bytes.fromhex(digest))
        logs = (("operator_log", columns.entries), ("tenant_log", columns.twins))
        return [frames.log_part(*log) for log in logs if log[1].size] + list(map(frames.row_part, columns.rows))

    def _look_closely(self, columns: Columns) -> tuple[Seen, Digests] | None:
        """Entry by entry and row by row, what is not recognised at a glance; None if anything is wrong."""
        try:
            pulled = pulled_of(columns, Head(self.link.seq, self.link.hash))
        except Mixed:
            return None
        checked = check_entries(pulled, self.link, self._link_of, self._witness)
        check_rows(pulled.rows, checked)
        if checked.broken or checked.findings or len(checked.settled) != len(pulled.rows):
            return None
        listed = {key: (seq, digest.hex()) for key, (seq, digest) in checked.digests.items()}
        came = {key: listed[key] for key in checked.settled}
        return Seen(checked.link, checked.tenant_links, listed), came

    def _link_of(self, log: str) -> Link:
        return self.tenants.get(log, Link(0, GENESIS))

    def end(self) -> End:
        """What ends a transaction: the heads that moved since the last one, and all that is awaited now."""
        heads = {OPERATOR: self.link} | {log: self.tenants[log] for log in self._moved}
        end = End(
            self.epoch or "",
            tuple(self._since),
            [(log, self.epoch or "", link.seq, bytes.fromhex(link.hash)) for log, link in heads.items()],
            [(*key, *digest) for key, digest in self.awaited.items()],
        )
        self._since, self._moved = self.link, set()
        return end
