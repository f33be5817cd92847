"""What stands in the shared database against what this console verified: changes made behind the log's back.

A change by the program brings an entry. When the database says that something was committed and no entry came, all
that is stored is compared at once; and it is compared all the time, little by little, at a duty of a few percent.
Rows are held against the replica's digests (private tables too, by digest), entries byte by byte against the replica's
copies, heads against last entries. Where the replica's own copy turns out to be the damaged one, it is rebuilt.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Protocol, TypeVar

from storage.errors import CountersignError
from storage.evidence import Finding
from storage.log.entry import OPERATOR, Head
from storage.log.verify import Fault, Link, check_entry, leaf
from storage.replica.engine import TROUBLE, Replica, is_damage, position_of
from storage.replica.schema import PRIVATE
from storage.replica.soundness import ReplicaDamaged, check_digest, check_heads
from storage.shared.interface import SharedDatabase, StoredEntry, StoredRow
from storage.sync_chunk import image_digest, public_tables, row_words

T = TypeVar("T")

_CHUNK = 250
_REST_SECONDS = 0.5
_DUTY = 25
"""Rest so many times as long as the last step took: 4 % of one core at most."""
_OUTAGE_SECONDS = 5.0
_WHOLE_FILE_BYTES = 64 * 2**20


class InThread(Protocol):
    """Runs work in the replica's thread."""

    def __call__(self, work: Callable[[], T]) -> Awaitable[T]: ...


class Watch:
    """Compares, and reports to `found`; `damaged` is told when the replica must be rebuilt, and does it; `went_round`
    hears of every round that was finished."""

    def __init__(
        self,
        shared: SharedDatabase,
        replica: Replica,
        in_thread: InThread,
        found: Callable[[Sequence[Finding]], None],
        damaged: Callable[[str], Awaitable[None]],
        went_round: Callable[[], None],
    ) -> None:
        self._shared = shared
        self._replica = replica
        self._in_thread = in_thread
        self._found = found
        self._damaged = damaged
        self._went_round = went_round
        self._looked_into: int | None = None
        self._alarm = asyncio.Event()

    def alarm(self) -> None:
        """Something was committed and no entry came: compare everything, now."""
        self._alarm.set()

    async def run(self) -> None:
        """Go round and round until cancelled."""
        while True:
            try:
                async for cost in self.steps():
                    await self._rest(max(_REST_SECONDS, cost * _DUTY))
            except CountersignError:  # out of reach, or damaged over there: the pull says so, nothing to compare
                await asyncio.sleep(_OUTAGE_SECONDS)
            await self._rest(_REST_SECONDS)

    async def round(self) -> None:
        """Compare everything, now."""
        async for _ in self.steps():
            pass

    async def _rest(self, seconds: float) -> None:
        """Wait; on an alarm compare everything from the beginning first, at half a core."""
        try:
            await asyncio.wait_for(self._alarm.wait(), seconds)
        except TimeoutError:
            return
        self._alarm.clear()
        async for cost in self.steps():
            await asyncio.sleep(min(cost, 0.02))

    async def steps(self) -> AsyncIterator[float]:
        """One round in bounded steps, each giving the seconds it took: heads, rows, tenants' logs, operator log."""
        try:
            began = time.monotonic()
            await self._integrity()
            ceilings = await self._heads()
            yield time.monotonic() - began
            for table in (*sorted(public_tables()), *sorted(PRIVATE, reverse=True)):
                async for cost in self._table(table):
                    yield cost
            for log in (*sorted(ceilings.keys() - {OPERATOR}), OPERATOR):
                async for cost in self._log(log):
                    yield cost
            self._went_round()
        except ReplicaDamaged as damage:
            await self._damaged(str(damage))
        except TROUBLE as error:
            if not is_damage(error):
                raise
            await self._damaged(f"it was damaged ({error})")

    async def _integrity(self) -> None:
        """Once for each replica file: is it whole, indexes included? A large one would cost too much for too little:
        what it holds is compared anyway, and `countersign doctor` looks at the rest."""
        if self._looked_into == self._replica.rebuilds or self._replica.path.stat().st_size > _WHOLE_FILE_BYTES:
            return
        self._looked_into = self._replica.rebuilds
        words = await asyncio.to_thread(self._replica.damage)
        if words:
            raise ReplicaDamaged(f"it was damaged ({words})")

    def _ceilings(self) -> dict[str, Head]:
        """How far the replica has each log; in its thread."""
        found = self._replica.writer().execute("SELECT log, seq, hash FROM log_head")
        return {log: Head(seq, entry_hash.hex()) for log, seq, entry_hash in found}

    async def _heads(self) -> Mapping[str, Head]:
        mine = await self._in_thread(self._ceilings)
        theirs = await self._shared.logs()
        findings = compare_heads(mine, theirs)
        if findings and await self._in_thread(self._ceilings) == mine:
            await self._in_thread(lambda: check_heads(self._replica.writer()))
            self._found(findings)
        return {**theirs, **mine}

    async def _table(self, table: str) -> AsyncIterator[float]:
        after = ""
        while True:
            began = time.monotonic()
            position = await self._in_thread(lambda: position_of(self._replica.writer()))
            if position is None:
                return
            rebuilds, ceiling = self._replica.rebuilds, position.head.seq
            rows = await self._shared.rows(table, after, _CHUNK)
            upto = rows[-1].key if len(rows) == _CHUNK else None
            head = ceiling
            if any(row.rev > ceiling for row in rows):
                head = (await self._shared.position()).head.seq
            span = (table, after, upto)
            findings = await self._in_thread(
                lambda: compare_rows(self._replica.writer(), span, rows, ceiling, head)  # noqa: B023 - awaited right here
            )
            if findings and rebuilds == self._replica.rebuilds:
                self._found(findings)
            yield time.monotonic() - began
            if upto is None:
                return
            after = upto

    async def _log(self, log: str) -> AsyncIterator[float]:
        after = 0
        while True:
            began = time.monotonic()
            mine = await self._in_thread(self._ceilings)
            ceiling = mine.get(log, Head()).seq
            rebuilds = self._replica.rebuilds
            entries = await self._shared.entries(log, after, _CHUNK)
            upto = min(entries[-1].seq, ceiling) if len(entries) == _CHUNK else ceiling
            beyond = [entry for entry in entries if entry.seq > ceiling]
            if beyond and (await self._shared.position()).head == mine.get(OPERATOR):
                words = (
                    "no entry of the operator log names it" if log != OPERATOR else "it stands beyond the recorded head"
                )
                self._found([Finding(Fault(log, entry.seq, words), {}, {"body": entry.body}) for entry in beyond])
            span = (log, after, upto)
            findings = await self._in_thread(
                lambda: compare_entries(self._replica.writer(), span, entries)  # noqa: B023 - awaited right here
            )
            if findings and rebuilds == self._replica.rebuilds:
                self._found(findings)
            yield time.monotonic() - began
            if upto >= ceiling:
                return
            after = upto


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
    """Rows of (table, after, up to) as stored, against the digests of entries up to number `ceiling`. Revisions beyond
    it are the next pull's matter, unless they lie beyond the log's `head` too. Raises ReplicaDamaged."""
    table, after, upto = span
    limits = (table, after, upto, upto)
    mine: dict[str, tuple[int, bytes]] = {
        key: (rev, sha256)
        for key, rev, sha256 in connection.execute(
            "SELECT key, rev, sha256 FROM digest WHERE table_name = ? AND key > ? AND (? IS NULL OR key <= ?)", limits
        )
    }
    images = _images(connection, span) if table in public_tables() else None
    findings = []
    for row in rows:
        vouched = mine.pop(row.key, None)
        actual = image_digest(row)
        if vouched == (row.rev, actual):
            if images is not None and images.get(row.key) != row.image:
                raise ReplicaDamaged(f"its copy of table {table}, row {row.key} was damaged")
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
        image = images.get(row.key) if images else None
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
            image = images.get(key) if images else None
            fault = Fault(OPERATOR, rev, row_words(table, key) + words)
            findings.append(Finding(fault, {"rev": rev, "sha256": sha256.hex(), "image": image}))
    return findings


def _images(connection: sqlite3.Connection, span: tuple[str, str, str | None]) -> dict[str, str]:
    table, after, upto = span
    return dict(
        connection.execute(
            f"SELECT id, image FROM {table} WHERE id > ? AND (? IS NULL OR id <= ?)", (after, upto, upto)
        ).fetchall()
    )


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
