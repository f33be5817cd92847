"""A queue with something of everything, told once and kept still: a real replica, a desk that nobody runs, a clock that
stands. What is drawn from it is the same in every run."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path

from app.services.desk import Desk
from storage.models import LinkKind
from storage.replica.engine import Replica
from storage.shared.vault import Vault
from storage.sync import SyncStatus
from tests.clock import ManualClock
from tests.pilot.queue_app import QueueApp
from tests.pilot.queue_world import ANN, RAJ, QueueWorld, open_world

HOSTILE = (
    "Refund 8841 [bold]never[/bold] arrived, the payment event 991 says \u202eelse\u202c; "
    "e\u0301\u0301\u0301\u0301\u0301\u0301 名前 [@click=app.quit]here[/]"
)


@dataclasses.dataclass(frozen=True)
class StillQueue:
    """A world that has stopped; the ids of its requests by what they show."""

    world: QueueWorld
    ids: dict[str, str]

    def app(self, email: str, theme: str = "dark") -> QueueApp:
        app = QueueApp(self.world, email, theme)
        position = self.world.replica.position()
        assert position is not None
        status = SyncStatus(live=True, position=position, verified_rev=position.head.seq)
        app.context.sync_status = lambda: status
        return app


async def tell_queue(world: QueueWorld) -> dict[str, str]:
    """Requests in every state that layer 1 has."""
    ids: dict[str, str] = {}
    ids["denied"] = await world.ask(RAJ, "northwind", "wendy", "T-47901")
    await world.decide(ids["denied"], LinkKind.DENY, "we look into it ourselves first")
    ids["urgent"] = await world.ask(ANN, "northwind", "maria", "T-48271", urgent=True)
    ids["full"] = await world.ask(RAJ, "fabrikam", "lena", "T-48102", mode="full", minutes=60)
    world.clock.advance(hours=3)
    ids["approved"] = await world.ask(ANN, "contoso", "tom", "T-47990")
    ids["question"] = await world.ask(ANN, "fabrikam", "sam", "INC-1023")
    question = "Which refund do you mean exactly, and is a guided call really no way?"
    await world.decide(ids["question"], LinkKind.APPROVE, question, ask=True)
    ids["hostile"] = await world.ask(RAJ, "northwind", "wendy", "T-1[31m", reason=HOSTILE)
    ids["running"] = await world.ask(RAJ, "contoso", "tom", "T-48300")
    await world.start(RAJ, ids["running"])
    world.clock.advance(minutes=26)
    return ids


def keep_still(shared_path: Path, vault: Vault) -> StillQueue:
    """Tell the story, close the shared database, keep the replica."""

    async def tell() -> StillQueue:
        async with open_world(shared_path, vault, ManualClock()) as world:
            ids = await tell_queue(world)
            path = world.replica.path
        replica = Replica.open(path)
        desk = Desk(world.shared, replica, world.sync, world.still)
        return StillQueue(dataclasses.replace(world, replica=replica, desk=desk), ids)

    return asyncio.run(tell())
