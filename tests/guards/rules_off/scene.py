"""The company of the rules-off machine: requests and sessions in every state there is, in tenants of every kind, made
once on each form of the shared database through the services, and cloned for every run.

A run begins where something can be done wrong: by whom it is not for, in a tenant that has shut itself since, on a
declaration that nobody signed. The clock stands 26 hours after the first request.
"""

from __future__ import annotations

import copy
import shutil
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cache
from pathlib import Path

from app.services import api_keys, break_glass, consent, emergency, requests, rota, sessions, staff, tenants
from app.services.tenants import ContactRecord, TenantRecord
from storage.models import (
    EmergencyCategory,
    KeyRight,
    LinkKind,
    Mode,
    Request,
    Role,
    Session,
    Staff,
    TenantMode,
    TenantStatus,
)
from storage.shared.interface import SharedDatabase
from storage.shared.vault import Vault
from tests.clock import ManualClock
from tests.services.machine.grounds import LIMITS, Ground, OnPostgres, OnSqlite
from tests.services.world import ADMIN, FABRIKAM, PLATFORM, REASON, USER, World

HARM = EmergencyCategory.OUTAGE
LEGAL = "legal@ops.example"
STAFF = {
    "fay": ("Fay Ito", Role.SUPER),
    "sam": ("Sam Reed", Role.ENGINEER),
    "bob": ("Bob Hale", Role.ENGINEER),
    "kat": ("Kat Berg", Role.ENGINEER),
    "dee": ("Dee Moss", Role.ENGINEER),
    "max": ("Max Roth", Role.ENGINEER),
}
"""Bob has met the hourly limit, Kat the daily one; Dee and Max are deactivated, and Max is back at a second address."""
KINDS = ("globex", "initech", "umbrella", "hooli")
"""Tenants that shut a way in after it was asked for: consent only, forbidden, kill switch, suspended."""


def tenant(name: str, *more: ContactRecord) -> TenantRecord:
    """Two admins and a user."""
    people = (
        ContactRecord("ada", f"Ada of {name}", f"ada@{name}.example", (*ADMIN, *USER)),
        ContactRecord("ben", f"Ben of {name}", f"ben@{name}.example", ADMIN),
        ContactRecord("cleo", f"Cleo of {name}", f"cleo@{name}.example", USER),
    )
    return TenantRecord(name, name.title(), "business", contacts=(*people, *more))


ADATUM = tenant("adatum", ContactRecord("lee", "Lee Chen", "lee+adatum@ops.example", (*ADMIN, *USER)))
"""Its admin Lee is a super of the operator's (REQ-107)."""


@dataclass
class Scene:
    """What a run begins with: `codes` that each person has left, by address, and the moment."""

    now: datetime = field(default_factory=lambda: ManualClock().now())
    codes: dict[str, list[str]] = field(default_factory=dict)


class Setting:
    """Makes the scene, in the words of the services."""

    def __init__(self, world: World, clock: ManualClock) -> None:
        self.world, self.clock = world, clock
        self.people: dict[str, Staff] = {}
        self.tickets = 100

    async def make(self) -> None:
        world, clock = self.world, self.clock
        for name, (full_name, role) in STAFF.items():
            self.people[name] = await world.add(name, full_name, role)
        secret = world._secret("tess")
        until = clock.now() + timedelta(hours=27)
        await world.run(staff.add, world.dana, "tess@ops.example", "Tess Ong", Role.ENGINEER, until, *secret)
        self.people["tess"] = world.staff_of("tess@ops.example")
        kinds = [tenant(name) for name in KINDS]
        await world.desk.run(tenants.import_records, PLATFORM, [FABRIKAM, ADATUM, *kinds])
        urgent = await self.long_ago()
        clock.advance(hours=23)
        await self.limits_are_met()
        clock.advance(hours=1, minutes=20)
        await self.other_ways(urgent)
        await self.consented()
        await self.emergencies()
        await self.inside()
        await self.keys()
        await world.deliver()
        await world.run(break_glass.countersign, world.dana, urgent["signed"].id)  # nobody has heard of it yet
        await self.shut()

    async def ask(self, who: str, where: str = "northwind", **changes: object) -> Request:
        self.tickets += 1
        target = {"northwind": "northwind/eva", "contoso": "contoso/omar", "fabrikam": "fabrikam/kim"}
        named = {"tenant_id": where, "target_id": target.get(where, f"{where}/cleo"), "ticket": f"T-{self.tickets}"}
        return await self.world.ask(self.person(who), **(named | changes))

    def person(self, name: str) -> Staff:
        found: Staff = self.people.get(name) or getattr(self.world, name)
        return found

    async def long_ago(self) -> dict[str, Request]:
        """Urgent requests that nobody will decide; and one session whose outcome will be owed."""
        asked = {name: await self.ask("ann", urgent=True) for name in ("undecided", "declared", "signed", "cooling")}
        asked["full"] = await self.ask("sam", urgent=True, mode=Mode.FULL)
        asked["calm"] = await self.ask("ann")
        for name in KINDS:
            asked[name] = await self.ask("sam", name, urgent=True)
        asked["hooli2"] = await self.ask("sam", "hooli", urgent=True)
        asked["adatum"] = await self.ask("sam", "adatum", urgent=True)
        await self.world.deliver()
        owed = await self.ask("fay", "contoso")
        await self.world.run(sessions.start, self.person("fay"), owed.id)
        return asked

    async def limits_are_met(self) -> None:
        """Three sessions within the hour; two tenants within the day."""
        self.clock.advance(hours=1)
        for who, where in (("kat", "contoso"), ("kat", "northwind"), ("bob", "contoso"), ("bob", "contoso")):
            await self.in_and_out(who, where)

    async def in_and_out(self, who: str, where: str) -> None:
        request = await self.ask(who, where)
        if request.decided_by is None:
            request = await self.world.approve(request)
        session = await self.world.start(request, self.person(who))
        await self.world.end(session, self.person(who))

    async def other_ways(self, urgent: dict[str, Request]) -> None:
        """REQ-108: break-glass at every step of its way, and in a tenant that will be suspended."""
        for name in ("declared", "signed", "cooling", "full", "hooli", "adatum"):
            one = urgent[name]
            who = self.person("ann" if name in ("declared", "signed", "cooling") else "sam")
            words = f"{REASON} The dispute window of {one.ticket} closes tonight."
            await self.world.run(break_glass.declare, who, one.id, words)
        for name in ("cooling", "full"):
            await self.world.run(break_glass.countersign, self.world.dana, urgent[name].id)
        await self.world.deliver()
        self.clock.advance(minutes=40)

    async def consented(self) -> None:
        """REQ-105: pending, approved, denied, countersigned, asked about; into tenants that will shut, too."""
        world = self.world
        await self.ask("ann")
        await self.ask("sam", mode=Mode.FULL)
        await self.ask("ann", "contoso", mode=Mode.FULL)
        await self.ask("ann", "contoso")
        await world.approve(await self.ask("ann"))
        await world.approve(await self.ask("sam", mode=Mode.FULL), minutes=20)
        signed = await world.approve(await self.ask("ann", mode=Mode.FULL))
        await world.run(requests.countersign, world.lee, signed.id)
        await world.deny(await self.ask("sam"))
        await world.run(requests.withdraw, world.ann, (await self.ask("ann")).id)
        link = await world.link(await self.ask("ann"), "northwind/maria", LinkKind.APPROVE)
        await world.run(consent.ask, world.admin("northwind/maria"), link, "Which of the two refunds is meant?")
        await world.approve(await self.ask("dee"))
        await world.approve(await self.ask("max", mode=Mode.FULL))
        await self.ask("max", mode=Mode.FULL)
        await world.approve(await self.ask("bob"))
        await self.in_and_out("bob", "contoso")
        for name in KINDS:
            await self.ask("ann", name, mode=Mode.FULL)
            await world.approve(await self.ask("ann", name, mode=Mode.FULL), f"{name}/ada")
            await world.approve(await self.ask("kat", name), f"{name}/ben")
        await self.ask("ann", "adatum")
        await self.ask("sam", "adatum", mode=Mode.FULL)
        await self.ask("sam", "fabrikam", mode=Mode.FULL)
        await world.approve(await self.ask("sam", "fabrikam"), "fabrikam/paul")
        await world.approve(await self.ask("tess"))

    async def emergencies(self) -> None:
        """REQ-109: declared, in tenants of every kind; and one that two supers signed."""
        world = self.world
        done = await self.ask("sam")
        await self.alarm(done)
        await world.run(emergency.countersign, world.lee, done.id, LEGAL)
        await self.alarm(await self.ask("ann"))
        for name in KINDS:
            await self.alarm(await self.ask("sam", name))

    async def alarm(self, request: Request) -> None:
        words = f"{REASON} The whole shop of {request.ticket} stands still."
        await self.world.run(emergency.declare, self.world.dana, request.id, HARM, words, LEGAL)

    async def inside(self) -> None:
        """REQ-201, REQ-202: running, one waiting for full mode, one full."""
        world = self.world
        asked = await self.running("raj", "northwind")
        await world.run(sessions.ask_elevation, world.raj, asked.id, f"{REASON} It must be set right by hand.")
        full = await self.running("lee", "contoso")
        await world.run(sessions.ask_elevation, world.lee, full.id, f"{REASON} The key must be set by hand.")
        await world.run(sessions.countersign_elevation, world.dana, full.id)
        await self.running("tess", "contoso")

    async def running(self, who: str, where: str) -> Session:
        request = await self.ask(who, where)
        if request.decided_by is None:
            request = await self.world.approve(request)
        return await self.world.start(request, self.person(who))

    async def keys(self) -> None:
        """REQ-603: the platform's, one that northwind accepted, one that it did not, one that was revoked."""
        world = self.world
        for number, where in enumerate((None, "northwind", "northwind", "contoso")):
            right = KeyRight.SETTINGS if where else KeyRight.PLATFORM
            done = await world.run(api_keys.create, world.dana, "nightly job", right, where, f"{number:064x}")
            if number == 1:
                await world.run(api_keys.accept, world.admin("northwind/maria"), done.answer["id"])
            elif number == 3:
                await world.run(api_keys.revoke, world.dana, done.answer["id"])
        now = self.clock.now()
        await world.run(rota.set_shift, world.dana, self.person("sam").id, now, now + timedelta(hours=40))

    async def shut(self) -> None:
        """Some tenants think again; some people leave, and one comes back."""
        world = self.world
        await world.run(tenants.change_settings, world.admin("globex/ada"), "globex", mode=TenantMode.CONSENT_ONLY)
        await world.run(tenants.change_settings, world.admin("initech/ada"), "initech", mode=TenantMode.FORBIDDEN)
        await world.run(tenants.set_kill_switch, world.admin("umbrella/ada"), "umbrella", True)
        hooli = tenant("hooli")
        gone = TenantRecord(hooli.id, hooli.name, hooli.plan, TenantStatus.SUSPENDED, None, hooli.contacts)
        await world.desk.run(tenants.import_records, PLATFORM, [gone])
        for name in ("dee", "max"):
            await world.run(staff.deactivate, world.dana, self.person(name).id)
        await world.add("max2", "Max Roth", Role.ENGINEER, "max+back@ops.example")


async def populate(shared: SharedDatabase, vault: Vault, clock: ManualClock, home: Path, scene: Scene) -> None:
    """The scene, and one console that has seen it all."""
    world = await World.made(shared, vault, clock, home / "one", LIMITS)  # type: ignore[arg-type]  # either form
    await Setting(world, clock).make()
    scene.now, scene.codes = clock.now(), copy.deepcopy(world._codes)
    await world.close()
    await shared.close()
    shutil.copytree(home / "one", home / "two")


@cache
def staged(form: str) -> tuple[Ground, Scene]:
    """The scene on this form, made when somebody first asks."""
    scene = Scene()

    async def made(shared: SharedDatabase, vault: Vault, clock: ManualClock, home: Path) -> None:
        await populate(shared, vault, clock, home, scene)

    return (OnPostgres(made) if form == "postgres" else OnSqlite(made)), scene
