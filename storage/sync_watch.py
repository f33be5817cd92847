"""What stands in the shared database against what this console verified: changes made behind the log's back.

A change by the program brings an entry. When the database says that something was committed and no entry came, all
that is stored is compared at once; and it is compared all the time, little by little, at a duty of a few percent.
Rows are held against the replica's digests (private tables too, by digest), entries byte by byte against the replica's
copies, heads against last entries. Where the replica's own copy turns out to be the damaged one, it is rebuilt.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

from storage.errors import CountersignError
from storage.evidence import Finding
from storage.log.chain import Fault
from storage.log.entry import OPERATOR, Head
from storage.replica.engine import TROUBLE, Replica, is_damage, position_of
from storage.replica.schema import PRIVATE
from storage.replica.soundness import ReplicaDamaged, check_heads
from storage.shared.interface import Pulled, SharedDatabase
from storage.sync_checked import public_tables
from storage.sync_compare import compare_entries, compare_heads, compare_rows
from storage.sync_intake import InThread

_CHUNK = 500
_DUTY = 100
"""Rest so many times as long as the last step took: 1 % of one core at most. A change without a new entry is looked
for at once; this finds the rest."""
_BRISK_SECONDS = 0.5
"""So much work is done at half a core after the start: what happened while nobody looked, in a database that is not
large, is told within a second or two. The rest of a large one waits for its turn."""
_OUTAGE_SECONDS = 5.0
_WHOLE_FILE_BYTES = 64 * 2**20


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
        self._guards = ""
        self._alarm = asyncio.Event()

    def alarm(self) -> None:
        """Something was done behind the log's back, or may have been: compare everything, now."""
        self._alarm.set()

    @property
    def alarmed(self) -> bool:
        """Whether an alarm is still to be followed."""
        return self._alarm.is_set()

    async def look(self, pulled: Pulled) -> list[Finding]:
        """What guards the data, if its mark changed: what does not stand any more is a fault at once. If all of it
        stands (again), something may have happened meanwhile: the background check compares everything, now."""
        if pulled.guards in ("", self._guards):
            return []
        before, self._guards = self._guards, pulled.guards
        if before:
            self.alarm()
        found: dict[str, str | int | None] = {"before": before, "now": pulled.guards}
        return [
            Finding(Fault(OPERATOR, pulled.head.seq, f"{words}: since then anything may be written"), {}, found)
            for words in await self._shared.loosened()
        ]

    async def run(self) -> None:
        """Go round and round until cancelled, whatever happens to the database, the network or the disk."""
        brisk = _BRISK_SECONDS
        while True:
            try:
                async for cost in self.steps():
                    brisk -= cost
                    await self._rest(cost if brisk > 0 else max(self._shared.rest_seconds, cost * _DUTY))
                brisk = 0.0
                await self._rest(self._shared.rest_seconds)
            except (CountersignError, OSError, *TROUBLE):
                # out of reach, damaged over there, or a disk in the way: the pull says so, nothing to compare
                await asyncio.sleep(_OUTAGE_SECONDS)

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
            tables, logs = [*public_tables(), *PRIVATE], [*{*ceilings, OPERATOR}]
            random.shuffle(tables)  # many consoles begin together, and need not look at the same things
            random.shuffle(logs)
            for table in tables:
                async for cost in self._table(table):
                    yield cost
            for log in logs:
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
