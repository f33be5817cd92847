"""The chunks of one pull: each is verified and applied in the replica's thread, and the next is fetched meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from storage.evidence import Finding
from storage.log.entry import Head
from storage.shared.interface import Position, Pulled, SharedDatabase
from storage.sync_intake import Intake, InThread, Taken

_NAMED = 5000
"""More rows than that are not named one by one: whoever shows any reloads."""


class Chunk(NamedTuple):
    """What came after `after`, and what was made of it."""

    after: Head
    pulled: Pulled
    taken: Taken


@dataclass(slots=True)
class News:
    """What a pull has brought so far; `told` is the number up to which everybody has been told."""

    told: int
    entries: int = 0
    keys: frozenset[tuple[str, str]] = frozenset()
    wholesale: bool = False
    findings: list[Finding] = field(default_factory=list)

    def brought(self, entries: int, keys: frozenset[tuple[str, str]] | None) -> None:
        """So many entries more, and the rows they wrote (None: too many to name)."""
        self.entries += entries
        self.wholesale = self.wholesale or keys is None or len(self.keys) + len(keys) > _NAMED
        self.keys = frozenset() if self.wholesale or keys is None else self.keys | keys


async def chunks(shared: SharedDatabase, intake: Intake, in_thread: InThread, limit: int) -> AsyncGenerator[Chunk]:
    """Everything up to the shared head, `limit` entries at a time, until there is no more or the history breaks. Close
    it when leaving early (`contextlib.aclosing`). Raises Offline."""
    coming: asyncio.Task[Pulled] | None = None
    expected = Head()
    try:
        while True:
            position = await in_thread(intake.position)
            after = position.head if position is not None else Head()
            if after != expected:  # the replica was rebuilt, or another process of this home was faster
                await _given_up(coming)
                coming = None
            pulled = await (coming or shared.pull(after, limit))
            taking = asyncio.ensure_future(in_thread(_taking(intake, position, pulled)))
            coming = None
            if pulled.more and pulled.entries:
                expected = Head(pulled.entries[-1].seq, pulled.entries[-1].hash.hex())
                coming = asyncio.create_task(shared.pull(expected, limit))
            taken = await taking
            yield Chunk(after, pulled, taken)
            if taken.broken or not (pulled.more or taken.again):
                return
    finally:
        await _given_up(coming)


def _taking(intake: Intake, position: Position | None, pulled: Pulled) -> Callable[[], Taken]:
    return lambda: intake.take(position, pulled)


async def _given_up(coming: asyncio.Task[Pulled] | None) -> None:
    if coming is not None:
        coming.cancel()
        await asyncio.gather(coming, return_exceptions=True)
