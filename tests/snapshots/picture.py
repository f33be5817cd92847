"""The README's picture: the queue of a super in the middle of a day, the same in every run.

`python -m tests.snapshots.picture docs/console.svg`
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from storage.models import LinkKind
from storage.shared.opening import create_file
from storage.shared.vault import Vault, new_key
from storage.sync import SyncStatus
from tests.clock import ManualClock
from tests.pilot.queue_app import QueueApp, settled
from tests.pilot.queue_world import ANN, DANA, RAJ, QueueWorld, open_world

SIZE = (120, 36)


@dataclass(frozen=True)
class Ask:
    """One request of the morning, and how many minutes pass after it."""

    who: str
    tenant: str
    user: str
    ticket: str
    mode: str = "read_only"
    urgent: bool = False
    minutes: int = 30
    later: int = 7


MORNING = (
    Ask(RAJ, "fabrikam", "sam", "T-48209", later=16),
    Ask(ANN, "contoso", "tom", "T-48214", later=11),
    Ask(RAJ, "northwind", "juan", "INC-1019", mode="full", later=13),
    Ask(ANN, "northwind", "wendy", "T-48266", later=9),
    Ask(RAJ, "contoso", "ivo", "T-48281", minutes=60, later=21),
    Ask(ANN, "fabrikam", "lena", "T-48290", later=12),
    Ask(ANN, "contoso", "paula", "T-48300", later=6),
    Ask(RAJ, "fabrikam", "aiko", "T-48322", urgent=True, later=14),
    Ask(ANN, "northwind", "juan", "INC-1023", later=8),
    Ask(RAJ, "northwind", "wendy", "T-48340"),
)


async def story(world: QueueWorld) -> str:
    """A morning's requests, what their tenants said, one session that runs; answers the request to look at."""
    ids: dict[str, str] = {}
    for ask in MORNING:
        ids[ask.ticket] = await world.ask(
            ask.who,
            ask.tenant,
            ask.user,
            ask.ticket,
            mode=ask.mode,
            urgent=ask.urgent,
            minutes=ask.minutes,
        )
        world.clock.advance(minutes=ask.later)
    await world.decide(ids["INC-1019"], LinkKind.APPROVE)
    await world.decide(ids["T-48290"], LinkKind.APPROVE, "Which of the four do you need?", ask=True)
    await world.decide(ids["INC-1023"], LinkKind.APPROVE)
    chosen = await world.ask(RAJ, "northwind", "maria", "T-48271", mode="full", urgent=True)
    await world.decide(chosen, LinkKind.APPROVE, 25, "Please only the refund of order 8841.")
    await world.start(ANN, ids["T-48300"])
    world.clock.advance(minutes=6)
    return chosen


async def draw(room: Path) -> str:
    """The picture as SVG."""
    path = room / "shared.db"
    create_file(path)
    async with open_world(path, Vault(new_key()), ManualClock()) as world:
        chosen = await story(world)
        await world.sync.pull()
        app = QueueApp(world, DANA)
        app.title = "countersign"
        position = world.replica.position()
        assert position is not None
        app.context.sync_status = lambda: SyncStatus(live=True, position=position, verified_rev=position.head.seq)
        async with app.run_test(size=SIZE) as pilot:
            await settled(pilot)
            app.queue.table.move_to(chosen)
            await settled(pilot)
            return app.export_screenshot(title="countersign")


def main(target: Path) -> None:
    with tempfile.TemporaryDirectory() as room:
        target.write_text(asyncio.run(draw(Path(room))), encoding="utf-8")
    print(f"drawn: {target}")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
