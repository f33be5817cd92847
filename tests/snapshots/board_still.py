"""The morning of `tests.pilot.board_story`, told once and kept still: a real replica, a desk that nobody runs, a clock
that stands. What is drawn from it is the same in every run."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path

from app.services import sessions, tenants
from app.services.command import CLOCK
from app.services.desk import Desk
from storage.models import TenantMode
from storage.replica.engine import Replica
from storage.shared.vault import Vault
from storage.sync import SyncStatus
from tests.clock import ManualClock
from tests.pilot.board_story import BoardApp, Morning, tell_morning
from tests.pilot.queue_world import RAJ, QueueWorld, open_world

SIZES = {"80x24": (80, 24), "120x36": (120, 36), "200x50": (200, 50)}


@dataclasses.dataclass(frozen=True)
class Still:
    """A world that has stopped, and the ids of its sessions."""

    world: QueueWorld
    morning: Morning

    def app(self, email: str, screen: str = "sessions") -> BoardApp:
        app = BoardApp(self.world, email, screen)
        position = self.world.replica.position()
        assert position is not None
        status = SyncStatus(live=True, position=position, verified_rev=position.head.seq)
        app.context.sync_status = lambda: status
        return app


def keep_still(shared_path: Path, vault: Vault) -> Still:
    """Tell the story, close the shared database, keep the replica."""

    async def tell() -> Still:
        async with open_world(shared_path, vault, ManualClock()) as world:
            morning = await tell_morning(world)
            reason = "payout flag of refund 8841 stuck, needs a manual reset in the live record"
            await world.run(sessions.ask_elevation, world.actor(RAJ), morning.raj, reason, otp=world.code(RAJ))
            await world.run(tenants.change_settings, CLOCK, "northwind", mode=TenantMode.CONSENT_ONLY, max_minutes=90)
            path = world.replica.path
        replica = Replica.open(path)
        desk = Desk(world.shared, replica, world.sync, world.still)
        return Still(dataclasses.replace(world, replica=replica, desk=desk), morning)

    return asyncio.run(tell())
