"""A company on PostgreSQL with something worth attacking, made once through the services and cloned for every attack."""

# ruff: noqa: E501  (what an attacker types stays as typed)

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import psycopg

from app.services import break_glass, emergency, sessions, staff
from storage.models import EmergencyCategory, LinkKind, Mode, Role
from storage.shared.vault import OpenVault, new_key
from tests.clock import ManualClock
from tests.postgres import cluster, template
from tests.services.world import REASON, World
from tests.team import TeamShared


@dataclass(frozen=True)
class Company:
    """Where it is, who is who (name → staff id), codes that still work, and what lies about: requests of Ann that are
    pending, approved and approved for full; urgent ones that are undecided, declared, countersigned with no letter out,
    and cooling; one with a declared emergency, one whose emergency is void, one opened by one; Raj's running session, whose elevation waits; a review that waits."""

    database: str
    people: dict[str, str]
    codes: dict[str, list[str]]
    pending: str
    ready: str
    full: str
    running: str
    link: str
    undecided: str
    declared: str
    signed: str
    cooling: str
    alarmed: str
    review: str
    veto_link: str
    void: str
    armed: str

    def role(self, name: str) -> str:
        """The database log-in of one of the people, or of a program."""
        if name in self.people:
            return "cs_" + self.people[name].lower().replace("-", "_")
        return name if name == "postgres" else f"countersign_{name}"


@cache
def company() -> Company:
    """The company; its database is a template that nobody is connected to."""
    name = cluster().fresh(template(), "company")
    return asyncio.run(_made(name))


async def _made(database: str) -> Company:
    clock = ManualClock(datetime.now(UTC) - timedelta(hours=25))
    shared = TeamShared(cluster(), database, clock)
    world = await World.made(shared, OpenVault(new_key()), clock, Path(mkdtemp(prefix="cs-company-")))  # type: ignore[arg-type]  # the other form of the same interface
    try:
        dee = await world.add("dee", "Dee Moss", Role.ENGINEER)
        await world.run(staff.deactivate, world.dana, dee.id)
        urgent = [await world.ask(world.ann, ticket=f"T-1{n}", urgent=True) for n in range(4)]
        void = await world.ask(world.ann, ticket="T-22")
        await world.deliver()
        clock.advance(hours=21)
        harm = (EmergencyCategory.OUTAGE, f"{REASON} The first shop stands still.", "legal@ops.example")
        await world.run(emergency.declare, world.dana, void.id, *harm)
        clock.advance(hours=3, minutes=10)
        undecided, declared, signed, cooling = urgent
        for n, one in enumerate((declared, signed, cooling)):
            await world.run(break_glass.declare, world.ann, one.id, f"{REASON} The dispute window {n} closes tonight.")
        await world.run(break_glass.countersign, world.dana, cooling.id)
        veto_link = await world.link(cooling, "northwind/maria", LinkKind.VETO)
        clock.advance(minutes=50)
        harm = (EmergencyCategory.OUTAGE, f"{REASON} The whole shop stands still.", "legal@ops.example")
        done = await world.ask(world.ann, ticket="T-20")
        await world.run(emergency.declare, world.dana, done.id, *harm)
        opened = await world.run(emergency.countersign, world.lee, done.id, "legal@ops.example")
        alarmed = await world.ask(world.ann, ticket="T-21")
        harm = (EmergencyCategory.OUTAGE, f"{REASON} The second shop stands still.", "legal@ops.example")
        await world.run(emergency.declare, world.dana, alarmed.id, *harm)
        running = await world.inside(world.raj, ticket="T-1")
        await world.run(sessions.ask_elevation, world.raj, running.id, f"{REASON} It must be set right by hand.")
        ready = await world.approve(await world.ask(world.ann, ticket="T-2"))
        full = await world.approve(await world.ask(world.ann, ticket="T-3", mode=Mode.FULL))
        pending = await world.ask(world.ann, ticket="T-4")
        link = await world.link(pending, "northwind/maria", LinkKind.APPROVE)
        await world.run(break_glass.countersign, world.dana, signed.id)
        people = {
            one.email.split("@")[0]: one.id for one in (world.dana, world.ann, world.raj, world.lee, world.noor, dee)
        }
        codes = {email.split("@")[0]: list(left) for email, left in world._codes.items()}
    finally:
        await world.close()
        await shared.close()
    made = Company(database, people, codes, pending.id, ready.id, full.id, running.id, link, undecided.id, declared.id, signed.id, cooling.id, alarmed.id, opened.answer["review"], veto_link, void.id, done.id)  # fmt: skip
    with psycopg.connect(cluster().url(database), autocommit=True) as connection:
        for name, key in people.items():
            role = made.role(name)
            there = connection.execute("select 1 from pg_roles where rolname = %s", (role,)).fetchone()
            if there is None:
                connection.execute(f'create role "{role}" login in role countersign_staff')
            connection.execute(
                "insert into countersign.login values (%s, 'staff', %s) on conflict do nothing", (role, key)
            )
    return made
