"""A long history, or a long rest of one after days away: taken in at once, by processes of their own."""

from __future__ import annotations

from collections.abc import Callable

from storage.filling.near import brought_forward, filled
from storage.replica.engine import Replica
from storage.shared.interface import Position, SharedDatabase
from storage.sync_intake import Intake, InThread
from storage.witness import Witness

LONG = 10_000
"""From so many entries on a replica is filled, or brought forward, at once rather than pull by pull."""


async def take_in(
    shared: SharedDatabase,
    replica: Replica,
    witness: Witness,
    intake: Intake,
    in_thread: InThread,
    position: Position | None,
    note: Callable[[int, int], None],
) -> None:
    """What comes after `position`, if it is long, as far as it is sound; a pull then goes on from there. Calls
    `note(done, total)` as it goes. Raises Offline."""
    upto = (await shared.position()).head.seq
    if upto - (position.head.seq if position is not None else 0) < LONG:
        return
    await in_thread(lambda: witness.save(at_once=True))
    if position is not None:
        await brought_forward(shared.place, replica.path, witness.path, upto, note)
        await in_thread(intake.remember)
        return
    async with filled(shared.place, replica.path, witness.path, upto, note) as made:
        if made is not None:
            await in_thread(lambda: intake.adopt(made.path))
