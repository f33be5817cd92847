"""Verify everything that is stored: chains, heads, twins, rows, and what a witness saw.

The verifier reads bytes and hashes; it shares no code with the writer and imports no model. An entry's hash is
SHA-256(0x00 ‖ body); its body holds its log's name, its number and `prev`, the hash of the entry before it (64 zeros at
the start). An operator entry lists the digests of the rows written with it and names its twin in a tenant's log by
number and hash; the twin names it back. Nothing is re-serialised. It streams: memory does not grow with the logs.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Collection, Iterable, Sequence

from storage.log.chain import (
    OPERATOR,
    Body,
    EntryLike,
    Fault,
    HeadLike,
    Link,
    check_entry,
    check_gap,
    head_words,
    log_words,
)
from storage.log.ledger import Ledger, Named, tale
from storage.log.source import Report, RowLike, Seen, Source

__all__ = ["Fault", "Link", "Progress", "Report", "verify_all", "verify_chain"]

_CHUNK = 2000
_FAULTS_KEPT = 1000
Progress = Callable[[str, int, int], None]
"""Called as (what is being read, how far, of how many)."""


def verify_chain(log: str, entries: Iterable[EntryLike], expected_head: HeadLike | None = None) -> list[Fault]:
    """A whole log from its first entry: every fault, in order. After a fault the chain is taken up from what is
    stored, so that one changed entry is reported once."""
    faults: list[Fault] = []
    link = Link()
    for entry in entries:
        gap = check_gap(log, entry, link)
        if gap is not None:
            faults.append(gap)
        _, wrong = check_entry(log, entry, link)
        if wrong:
            faults.append(Fault(log, entry.seq, wrong))
        link = Link(entry.seq, entry.hash.hex())
    if expected_head is not None:
        wrong = head_words(link, expected_head)
        if wrong:
            faults.append(Fault(log, max(link.seq, expected_head.seq), wrong))
    return faults


async def verify_all(
    source: Source,
    tables: Collection[str],
    *,
    seen: Seen | None = None,
    logs: Collection[str] | None = None,
    progress: Progress | None = None,
) -> Report:
    """Verify every log, every twin and every row of `tables`; or, with `logs`, the chains of these logs alone. `seen`
    is what a console remembers. The database may be written meanwhile: what is newer than the verification's beginning
    is held against the entries that came with it."""
    run = _Run(source, seen, progress)
    try:
        if logs is None:
            await run.everything(tables)
        else:
            await run.chains(logs)
        return run.report()
    finally:
        run.ledger.close()


class _Run:
    """One verification under way."""

    def __init__(self, source: Source, seen: Seen | None, progress: Progress | None) -> None:
        self.source, self.seen, self.progress = source, seen, progress
        self.ledger = Ledger()
        self.faults: dict[Fault, None] = {}
        self.further = 0
        self.entries = 0
        self.rows = 0
        self.links: dict[str, Link] = {}
        self.marks: dict[str, HeadLike] = {}
        self.began = time.monotonic()
        self.late_rows: list[tuple[str, RowLike]] = []
        self.late_twins: list[tuple[str, EntryLike, Body]] = []

    def report(self) -> Report:
        faults = tuple(sorted(self.faults, key=lambda fault: (fault.log != OPERATOR, fault.log, fault.seq)))
        seconds = time.monotonic() - self.began
        return Report(len(self.links), self.entries, self.rows, faults, self.further, seconds, dict(self.links))

    def fault(self, log: str, seq: int, what: str) -> None:
        if len(self.faults) >= _FAULTS_KEPT:
            self.further += 1
        else:
            self.faults[Fault(log, seq, what)] = None

    async def everything(self, tables: Collection[str]) -> None:
        await self._epoch()
        heads = await self.source.logs()
        await self._log(OPERATOR, heads.get(OPERATOR, Link()))
        upto = self.links[OPERATOR].seq
        for log in sorted((heads.keys() | self.ledger.logs()) - {OPERATOR}):
            await self._log(log, heads.get(log, Link()))
        for table in sorted(tables):
            await self._table(table, upto)
        for table in sorted(self.ledger.tables() - set(tables)):
            self.fault(OPERATOR, 0, f"rows of a table {table} are vouched for, and there is no such table")
        await self._late()

    async def chains(self, logs: Collection[str]) -> None:
        """Chains, heads and what was seen; nothing that needs the other logs."""
        await self._epoch()
        heads = await self.source.logs()
        for log in logs:
            await self._log(log, heads.get(log, Link()), twins=False)

    async def _epoch(self) -> None:
        epoch = (await self.source.position()).epoch
        if self.seen is not None and self.seen.epoch is not None and self.seen.epoch != epoch:
            words = (
                f"this console follows the history {self.seen.epoch}, the shared database holds another one, {epoch}"
            )
            self.fault(OPERATOR, 0, words)

    async def _log(self, log: str, head: HeadLike, *, twins: bool = True) -> None:
        """One log from its first entry to its last, then its last entry against its head. Of a log that grew meanwhile
        the entry under the head's number was compared on the way; the head as it is now must not lie behind."""
        self.marks[log] = head
        link = await self._stream(log, Link(), head, twins=twins)
        if link.seq > head.seq:
            head = (await self.source.logs()).get(log, Link())
        told = head == self.marks[log] and head.seq == link.seq
        grown = head != self.marks[log] and head.seq > link.seq
        wrong = head_words(link, head)
        if wrong and not told and not grown:
            self.fault(log, max(link.seq, head.seq), wrong)
        known = self.seen.heads.get(log) if self.seen is not None else None
        if known is not None and known.seq > link.seq:
            self.fault(log, known.seq, f"this console saw number {known.seq}, the log now ends at {link.seq}")
        self.links[log] = link

    async def _stream(self, log: str, link: Link, head: HeadLike, *, twins: bool) -> Link:
        while True:
            entries = await self.source.entries(log, link.seq, _CHUNK)
            if not entries:
                return link
            link = await asyncio.to_thread(self._entries, log, entries, link, twins)
            self.entries += len(entries)
            if self.progress is not None:
                self.progress(log_words(log), link.seq, max(head.seq, link.seq))
            if len(entries) < _CHUNK:
                return link

    def _entries(self, log: str, entries: Sequence[EntryLike], link: Link, twins: bool) -> Link:
        """One chunk of a log; in a thread."""
        known = self.seen.heads.get(log) if self.seen is not None else None
        named = self.ledger.named(log, link.seq, entries[-1].seq) if twins and log != OPERATOR else {}
        digests: list[tuple[str, str, int, bytes]] = []
        refs: list[tuple[str, int, str, int, bytes]] = []
        for entry in entries:
            gap = check_gap(log, entry, link)
            if gap is not None:
                self.fault(gap.log, gap.seq, gap.what)
            body, wrong = check_entry(log, entry, link)
            link = Link(entry.seq, entry.hash.hex())
            if known is not None and known.seq == entry.seq and known.hash != link.hash:
                wrong = "; ".join(filter(None, (wrong, "this console has seen another entry under this number")))
            mark = self.marks[log]
            if mark.seq == entry.seq and mark.hash != link.hash:
                wrong = "; ".join(filter(None, (wrong, "the recorded head's hash is not this entry's hash")))
            if wrong:
                self.fault(log, entry.seq, wrong)
            if not twins or not body:
                continue
            if log == OPERATOR:
                self._vouched(entry, body, digests, refs)
            else:
                self._twin(log, entry, body, named.pop(entry.seq, None))
        self.ledger.enter(digests, refs)
        return link

    def _vouched(
        self,
        entry: EntryLike,
        body: Body,
        digests: list[tuple[str, str, int, bytes]],
        refs: list[tuple[str, int, str, int, bytes]],
    ) -> None:
        """Put down what an operator entry says of rows and of its twin."""
        try:
            digests += [(str(t), str(key), entry.seq, bytes.fromhex(sha256)) for t, key, sha256 in body.get("rows", ())]
            ref, tenant = body.get("ref"), body.get("tenant")
            if ref is not None:
                if ref["log"] != f"tenant:{tenant}":
                    self.fault(
                        OPERATOR, entry.seq, f"it concerns tenant {tenant}, its twin is said to be in {ref['log']}"
                    )
                refs.append((str(ref["log"]), int(ref["seq"]), str(ref["hash"]), entry.seq, tale(body)))
            elif tenant is not None:
                self.fault(OPERATOR, entry.seq, f"it concerns tenant {tenant}, but names no entry of that tenant's log")
        except (KeyError, TypeError, ValueError):
            self.fault(OPERATOR, entry.seq, "its `rows` or its `ref` cannot be read")

    def _twin(self, log: str, entry: EntryLike, body: Body, named: Named | None) -> None:
        """A tenant's entry against what the operator log says of it."""
        if named is None:
            self.late_twins.append((log, entry, body))
            return
        wrong = []
        if named.hash != entry.hash.hex():
            wrong.append(f"it is not the entry that operator number {named.operator} names by hash")
        if body.get("ref") != {"log": OPERATOR, "seq": named.operator}:
            wrong.append(f"it does not name operator number {named.operator} as its twin")
        if named.tale != tale(body):
            wrong.append(f"it tells another story than operator number {named.operator}")
        if wrong:
            self.fault(log, entry.seq, "; ".join(wrong))

    async def _table(self, table: str, upto: int) -> None:
        after = ""
        while True:
            rows = await self.source.rows(table, after, _CHUNK)
            last = rows[-1].key if len(rows) == _CHUNK else None
            await asyncio.to_thread(self._rows, table, after, last, rows, upto)
            self.rows += len(rows)
            if self.progress is not None:
                self.progress(f"table {table}", self.rows, self.rows)
            if last is None:
                return
            after = last

    def _rows(self, table: str, after: str, last: str | None, rows: Sequence[RowLike], upto: int) -> None:
        """One chunk of a table against the ledger, both ways; in a thread."""
        vouched = self.ledger.vouched(table, after, last)
        for row in rows:
            expected = vouched.pop(row.key, None)
            if expected != (row.rev, bytes.fromhex(row.digest)):
                if row.rev > upto:
                    self.late_rows.append((table, row))
                else:
                    self._row_fault(table, row, expected)
        for key, (rev, _) in vouched.items():
            self.fault(OPERATOR, rev, f"table {table}, row {key}: the row that this entry vouches for is not there")

    def _row_fault(self, table: str, row: RowLike, expected: tuple[int, bytes] | None) -> None:
        if expected is None:
            self.fault(OPERATOR, row.rev, f"table {table}, row {row.key}: no entry vouches for this row")
        elif expected[1] != bytes.fromhex(row.digest):
            words = f"table {table}, row {row.key}: its image is not the one this entry vouches for"
            self.fault(OPERATOR, expected[0], words)
        else:
            words = f"table {table}, row {row.key}: its revision is {row.rev}, this entry wrote it"
            self.fault(OPERATOR, expected[0], words)

    async def _late(self) -> None:
        """What was written while we read: the operator log's new tail vouches for it, or nothing does."""
        head = (await self.source.logs()).get(OPERATOR, Link())
        if head.seq > self.links[OPERATOR].seq:
            self.links[OPERATOR] = await self._stream(OPERATOR, self.links[OPERATOR], head, twins=True)
        for table, row in self.late_rows:
            expected = self.ledger.vouched_row(table, row.key)
            if expected is None or (expected[0] <= row.rev and expected != (row.rev, bytes.fromhex(row.digest))):
                self._row_fault(table, row, expected)
        for log, entry, body in self.late_twins:
            named = self.ledger.named(log, entry.seq - 1, entry.seq).get(entry.seq)
            if named is None:
                self.fault(log, entry.seq, "no entry of the operator log names it as its twin")
            else:
                self._twin(log, entry, body, named)
        for log in sorted(self.ledger.logs()):
            missing = self.ledger.named_beyond(log, self.links.get(log, Link()).seq)
            if missing is not None and missing[1] <= self.links[OPERATOR].seq:
                await self._missing_twin(log, *missing)

    async def _missing_twin(self, log: str, seq: int, operator: int) -> None:
        """A twin that is named but was not there when its log was read; it may have come since."""
        if not await self.source.entries(log, seq - 1, 1):
            self.fault(log, seq, f"the entry is missing; operator number {operator} names it as its twin")
