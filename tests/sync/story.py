"""A small true history, made through the services: every row table has rows, two tenants have logs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path

import pyotp

from app.policy.requests import RequestForm
from app.services import api_keys, consent, emergency, mail, requests, rota, sessions, sign_in, staff, tenants
from storage.clock import SharedClock
from storage.models import (
    Actor,
    ActorKind,
    Alternative,
    ContactRole,
    EmergencyCategory,
    KeyRight,
    LinkKind,
    Mail,
    OfficeSpan,
    Request,
    Role,
    Staff,
    ViewKind,
)
from storage.replica.engine import Replica
from storage.shared.change import Applied, Change, new_change_id
from storage.shared.interface import SharedDatabase
from storage.shared.sqlite import SqliteShared
from storage.shared.vault import Vault
from storage.sync import Sync
from storage.witness import Witness
from tests.clock import ManualClock

SYSTEM = Actor(ActorKind.SYSTEM, "worker", "worker", "")
CLERK = Actor(ActorKind.SYSTEM, "platform", "platform", "")
REASONS = {
    "acme": "Invoice 4711 shows a negative total after the currency migration, only the live ledger tells why",
    "zeta": "Seats of the Gothenburg branch stay blocked since Tuesday although nobody booked any of them",
}
URGENT = "The exporter deletes a production volume every quarter of an hour, what is gone by noon stays gone"
LEGAL = "legal@op.example"


@dataclass
class Console:
    """A console of one person's: a replica and its sync, no screen."""

    shared: SqliteShared
    replica: Replica
    sync: Sync
    clock: ManualClock

    async def do(self, command: Callable[..., Change], actor: Actor, *args: object, **kwargs: object) -> Applied:
        """Run one command and see it arrive."""
        await self.sync.pull()
        view = self.replica.view(new_change_id())
        applied = await self.shared.apply(command(view, actor, *args, now=self.clock.now(), **kwargs))
        await self.sync.pull()
        return applied

    def actor(self, email: str) -> Actor:
        (person,) = self.replica.view("look").find(Staff, email=email)
        return Actor(ActorKind.STAFF, person.id, person.name, person.email)

    async def close(self) -> None:
        await self.sync.close()
        self.replica.close()


def console(shared: SqliteShared, home: Path, clock: ManualClock, name: str = "console", chunk: int = 2000) -> Console:
    """A console with its files under `home`/`name`."""
    replica = Replica.open(home / name / "replica.db")
    witness = Witness(home / name / "state" / "witness.json")
    return Console(shared, replica, Sync(shared, replica, witness, SharedClock(), chunk=chunk), clock)


def record(tenant: str) -> tenants.TenantRecord:
    admins = (ContactRole.TENANT_ADMIN,)
    people = (("ada", "Ada", admins), ("bob", "Bob", admins), ("cy", "Cyrill Gödel", (ContactRole.USER,)))
    contacts = tuple(tenants.ContactRecord(key, name, f"{key}@{tenant}.example", roles) for key, name, roles in people)
    return tenants.TenantRecord(tenant, tenant.title(), "business", contacts=contacts)


async def tell(story: Console, vault: Vault) -> None:
    """Found, import, ask, be on call, sign in, declare, consent, start, view: some 40 entries."""
    secret = pyotp.random_base32()
    await story.do(staff.found, staff.FOUNDER, "sue@op.example", "Sue", vault.seal(secret), ("0" * 64,))
    sue = story.actor("sue@op.example")
    await story.do(staff.add, sue, "eve@op.example", "Eve", Role.ENGINEER, None, vault.seal(secret), ("1" * 64,))
    eve = story.actor("eve@op.example")
    await story.do(tenants.import_records, sue, [record("acme"), record("zeta")])
    for tenant in REASONS:
        proved = await prove(story, eve, secret, "request.create")
        form = RequestForm(
            tenant, f"{tenant}/cy", f"T-{tenant}", REASONS[tenant], "ledger of invoice 4711", 3,
            tried=(Alternative.LOGS, Alternative.METRICS), why_not="the logs hold no amounts, the metrics no invoice",
        )  # fmt: skip
        await story.do(requests.create, proved, form)
    await deliver(story)
    await be_on_call(story, sue, eve)
    await open_the_door(story, sue)
    await declare_an_emergency(story, vault, secret)
    (letter, *_) = [
        m for m in story.replica.view("look").find(Mail) if m.tenant_id == "acme" and LinkKind.APPROVE in m.links
    ]
    link = token_hash(letter.id, LinkKind.APPROVE)
    await story.do(consent.approve, consent.actor_of(story.replica.view("look"), link), link)
    proved = await prove(story, eve, secret, "session.start")
    started = await story.do(sessions.start, proved, letter.request_id)
    session = story.replica.reader.execute("SELECT id FROM session").fetchone()[0]
    assert started.rev
    for number in range(5):
        await story.do(sessions.log_view, eve, session, ViewKind.RECORD, f"invoice/{number}", ("total", "currency"))


async def deliver(story: Console) -> None:
    for letter in story.replica.view("look").find(Mail, state="queued"):
        links = [(kind, token_hash(letter.id, kind)) for kind in letter.links]
        await story.do(mail.delivered, SYSTEM, letter.id, links)


async def be_on_call(story: Console, sue: Actor, eve: Actor) -> None:
    """Office hours round the clock, and a shift of Eve's."""
    await story.do(
        rota.set_hours, sue, "Europe/Vienna", tuple(OfficeSpan(day, "00:00", "24:00") for day in range(1, 8))
    )
    now = story.clock.now()
    await story.do(rota.set_shift, sue, eve.id, now, now + timedelta(hours=8))


async def open_the_door(story: Console, sue: Actor) -> None:
    """A key for a program of acme's; Bob signs in to the portal by a mailed link."""
    await story.do(api_keys.create, sue, "billing", KeyRight.READ, "acme", "2" * 64)
    await story.do(sign_in.ask, sign_in.door("203.0.113.9"), "acme/bob")
    await deliver(story)
    (letter,) = [one for one in story.replica.view("look").find(Mail) if LinkKind.SIGN_IN in one.links]
    bob = Actor(ActorKind.TENANT_ADMIN, "acme/bob", "Bob", "bob@acme.example")
    await story.do(sign_in.enter, bob, token_hash(letter.id, LinkKind.SIGN_IN), "3" * 64)


async def declare_an_emergency(story: Console, vault: Vault, secret: str) -> None:
    """Two supers let Eve into zeta: an incident, and a review of it."""
    sue = story.actor("sue@op.example")
    await story.do(staff.add, sue, "max@op.example", "Max", Role.SUPER, None, vault.seal(secret), ("4" * 64,))
    (asked,) = story.replica.view("look").find(Request, tenant_id="zeta")
    proved = await prove(story, sue, secret, "emergency.declare")
    await story.do(emergency.declare, proved, asked.id, EmergencyCategory.DATA_LOSS, URGENT, LEGAL)
    proved = await prove(story, story.actor("max@op.example"), secret, "emergency.countersign")
    await story.do(emergency.countersign, proved, asked.id, LEGAL)


async def length(shared: SharedDatabase) -> int:
    """How many entries the operator log has by now."""
    return (await shared.position()).head.seq


async def one_more(story: Console) -> None:
    """One more view: one entry, one new row, one changed."""
    await story.sync.pull()
    session = story.replica.reader.execute("SELECT id FROM session").fetchone()[0]
    eve = story.actor("eve@op.example")
    await story.do(sessions.log_view, eve, session, ViewKind.RECORD, "invoice/9", ())


async def prove(story: Console, actor: Actor, secret: str, act: str) -> Actor:
    story.clock.advance(seconds=31)
    answer = await story.shared.step_up(actor.id, pyotp.TOTP(secret).at(story.clock.now()), act, actor)
    assert answer.step_up is not None, answer.why
    await story.sync.pull()
    return replace(actor, step_up=answer.step_up)


def token_hash(mail_id: str, kind: LinkKind) -> str:
    return hashlib.sha256(f"{mail_id}/{kind}".encode()).hexdigest()
