"""A night with every other way in, told once and kept still: break-glass at each of its stages, an emergency that runs,
and what the fastest way in is where nobody has taken one yet (REQ-108, REQ-109)."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path

from app.services import break_glass, consent, emergency, staff
from app.services.desk import Desk
from storage.models import EmergencyCategory, LinkKind, Mail, Role
from storage.replica.engine import Replica
from storage.shared.vault import Vault
from tests.clock import ManualClock
from tests.pilot.queue_world import ANN, DANA, LEGAL, RAJ, QueueWorld, open_world, token_hash
from tests.snapshots.queue_still import StillQueue

LEE = "lee@ops.example"
TONIGHT = "The card network closes the dispute of booking {} tonight; after that the money is lost to the traveller."
HARM = "A runaway import deletes bookings of 2026 every minute, each deleted trip strands travellers at the airport."


async def as_staff(world: QueueWorld, email: str, command: object, *args: object) -> None:
    """A command of weight, with a code of its own."""
    await world.run(command, world.actor(email), *args, otp=world.code(email))  # type: ignore[arg-type]  # any command
    world.clock.advance(minutes=1)


async def veto(world: QueueWorld, request: str) -> None:
    rows = world.replica.reader.execute(
        "SELECT image FROM mail WHERE request_id = ? ORDER BY id", (request,)
    ).fetchall()
    letters = (Mail.from_image(image) for (image,) in rows)
    link = next(token_hash(one.id, LinkKind.VETO) for one in letters if LinkKind.VETO in one.links)
    actor = consent.actor_of(world.replica.view("preview"), link)
    await world.run(consent.veto, actor, link, "We are awake: call us, do not enter.")
    await world.deliver(request)


async def tell_night(world: QueueWorld) -> dict[str, str]:
    """The requests by what became of each."""
    secret = world.secrets[LEE] = "JBSWY3DPEHPK3PXT" * 2
    await world.run(staff.add, world.actor(DANA), LEE, "Lee Chen", Role.SUPER, None, world.vault.seal(secret), ())
    stages = ("usable", "cooling", "vetoed", "unmailed", "declared", "undecided")
    tenants = (("northwind", "wendy"), ("contoso", "tom"))
    ids = {
        stage: await world.ask(
            (ANN, RAJ)[number % 2], *tenants[number % 2], f"T-5020{number}", urgent=True, mode="full", minutes=45
        )
        for number, stage in enumerate(stages)
    }
    world.clock.advance(hours=24)
    for number, stage in enumerate(stages[:5]):
        await as_staff(world, (ANN, RAJ)[number % 2], break_glass.declare, ids[stage], TONIGHT.format(7730 + number))
    await as_staff(world, DANA, break_glass.countersign, ids["usable"], "The ticket says the same.")
    await world.deliver(ids["usable"])
    world.clock.advance(hours=1, minutes=5)
    for stage in ("cooling", "vetoed", "unmailed"):
        await as_staff(world, DANA, break_glass.countersign, ids[stage])
        if stage != "unmailed":
            await world.deliver(ids[stage])
    await veto(world, ids["vetoed"])
    world.clock.advance(minutes=35)
    ids["waiting"] = await world.ask(ANN, "northwind", "juan", "T-50310", urgent=True)
    ids["alarmed"] = await world.ask(RAJ, "northwind", "maria", "INC-1040", mode="full")
    await as_staff(world, DANA, emergency.declare, ids["alarmed"], EmergencyCategory.DATA_LOSS, HARM, LEGAL)
    ids["emergency"] = await world.ask(ANN, "contoso", "ivo", "INC-1041", mode="full")
    again = HARM.replace("bookings", "invoices")
    await as_staff(world, DANA, emergency.declare, ids["emergency"], EmergencyCategory.OUTAGE, again, LEGAL)
    await as_staff(world, LEE, emergency.countersign, ids["emergency"], LEGAL)
    await world.deliver(ids["emergency"])
    await world.start(ANN, ids["emergency"])
    world.clock.advance(minutes=11)
    return ids


def keep_night_still(shared_path: Path, vault: Vault) -> StillQueue:
    """Tell the story, close the shared database, keep the replica."""

    async def tell() -> StillQueue:
        async with open_world(shared_path, vault, ManualClock()) as world:
            ids = await tell_night(world)
            path = world.replica.path
        replica = Replica.open(path)
        desk = Desk(world.shared, replica, world.sync, world.still)
        return StillQueue(dataclasses.replace(world, replica=replica, desk=desk), ids)

    return asyncio.run(tell())
