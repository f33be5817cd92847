"""A small real world for the queue: real shared database, real replica, real codes, a clock moved by hand, and the
same ids every time. No process runs in it: a test pulls when it wants to see what came in.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from uuid import UUID

import pyotp

from app.policy.requests import RequestForm
from app.services import consent, mail, requests, sessions, staff, tenants
from app.services.command import CLOCK
from app.services.desk import Desk
from app.services.tenants import ContactRecord, TenantRecord
from screens.context import ConsoleContext
from storage.clock import SharedClock
from storage.models import (
    Actor,
    ActorKind,
    Alternative,
    ContactRole,
    LinkKind,
    Mail,
    Mode,
    Role,
    Settings,
    Staff,
    TenantMode,
)
from storage.replica.engine import Replica
from storage.shared.change import Applied, Change
from storage.shared.sqlite import SqliteShared
from storage.shared.vault import Vault
from storage.sync import Sync
from storage.witness import Witness
from tests.clock import ManualClock

ANN, DANA, RAJ, VERA = "ann@ops.example", "dana@ops.example", "raj@ops.example", "vera@ops.example"
LEGAL = "legal@ops.example"
REASON = (
    "Refund 8841 shows completed but the money never reached the customer; the payment event is missing from the "
    "masked view and only the live record shows its state"
)


class StillClock(SharedClock):
    """The shared clock, standing still with the manual one."""

    def __init__(self, manual: ManualClock) -> None:
        super().__init__()
        self.manual = manual

    def now(self) -> datetime:
        return self.manual.now()


@dataclass
class QueueWorld:
    """Four staff, four tenants; `ask` and the others run the real commands."""

    shared: SqliteShared
    replica: Replica
    sync: Sync
    desk: Desk
    clock: ManualClock
    vault: Vault
    still: StillClock
    secrets: dict[str, str] = field(default_factory=dict)
    changes: int = 0

    async def run(self, command: Callable[..., Change], actor: Actor, *args: object, **kwargs: object) -> Applied:
        """Run a command under the next of a fixed row of Change ids."""
        self.changes += 1
        key = str(UUID(int=0x7 << 76 | 0b10 << 62 | self.changes))
        return await self.desk.run(command, actor, *args, change_id=key, **kwargs)  # type: ignore[arg-type]

    def staff(self, email: str) -> Staff:
        found = self.replica.reader.execute("SELECT image FROM staff WHERE email = ?", (email,)).fetchone()
        return Staff.from_image(found[0])

    def actor(self, email: str) -> Actor:
        person = self.staff(email)
        return Actor(ActorKind.STAFF, person.id, person.name, person.email)

    def code(self, email: str) -> str:
        """The code that this person's authenticator shows now."""
        return pyotp.TOTP(self.secrets[email]).at(self.clock.now())

    def context(self, email: str) -> ConsoleContext:
        """What a console of this person would hand to its screens."""
        from datetime import UTC

        return ConsoleContext(
            self.still,
            zone=UTC,
            replica=self.replica,
            desk=self.desk,
            shared=self.shared,
            staff=self.staff(email),
            actor=self.actor(email),
            generation=1,
            sync_status=lambda: self.sync.status,
            legal_email=LEGAL,
        )

    async def ask(self, email: str, tenant: str, target: str, ticket: str, **parts: object) -> str:
        """A request, with the code it needs; answers its id. A minute passes, so that the next code is a new one."""
        form = RequestForm(
            tenant_id=tenant,
            target_id=f"{tenant}/{target}",
            ticket=ticket,
            reason=str(parts.get("reason", f"{REASON} ({ticket})")),
            scope=str(parts.get("scope", "refund 8841, payment event 991")),
            records=2,
            mode=Mode(str(parts.get("mode", "read_only"))),
            minutes=int(str(parts.get("minutes", 30))),
            urgent=bool(parts.get("urgent", False)),
            tried=(Alternative.LOGS, Alternative.MASKED_RECORD),
            why_not="the logs end at the gateway and the masked record hides the payment state",
        )
        applied = await self.run(requests.create, self.actor(email), form, otp=self.code(email))
        self.clock.advance(minutes=1)
        await self.deliver(applied.answer["id"])
        return applied.answer["id"]

    async def deliver(self, request_id: str) -> None:
        """Hand every waiting letter of a request to the mail system."""
        found = self.replica.reader.execute(
            "SELECT image FROM mail WHERE request_id = ? AND state = 'queued' ORDER BY id", (request_id,)
        ).fetchall()
        for (image,) in found:
            letter = Mail.from_image(image)
            links = [(kind, token_hash(letter.id, kind)) for kind in letter.links]
            await self.run(mail.delivered, mail.POSTMAN, letter.id, links)

    async def decide(self, request_id: str, kind: LinkKind, *words: object, ask: bool = False) -> None:
        """The first admin with a link presses it: approve, deny, or ask a question."""
        found = self.replica.reader.execute(
            "SELECT image FROM mail WHERE request_id = ? ORDER BY created_at DESC, id", (request_id,)
        ).fetchall()
        letter = next(one for one in (Mail.from_image(image) for (image,) in found) if one.links)
        hashed = token_hash(letter.id, kind)
        actor = consent.actor_of(self.replica.view("preview"), hashed)
        command = consent.ask if ask else consent.approve if kind is LinkKind.APPROVE else consent.deny
        await self.run(command, actor, hashed, *words)
        await self.deliver(request_id)

    async def shut(self, tenant: str) -> None:
        """The tenant turns its kill switch on."""
        await self.run(tenants.set_kill_switch, CLOCK, tenant, True)

    async def start(self, email: str, request_id: str) -> str:
        """Activate; answers the session's id."""
        applied = await self.run(sessions.start, self.actor(email), request_id, otp=self.code(email))
        self.clock.advance(minutes=1)
        return applied.answer["id"]


def token_hash(mail_id: str, kind: LinkKind) -> str:
    """A token's hash, the same in every run."""
    return hashlib.sha256(f"{mail_id}/{kind}".encode()).hexdigest()


def _people(tenant: str, *names: str) -> tuple[ContactRecord, ...]:
    """The first two are administrators, the others users."""
    people = []
    for number, name in enumerate(names):
        key = name.split()[0].lower()
        role = ContactRole.TENANT_ADMIN if number < 2 else ContactRole.USER
        people.append(ContactRecord(key, name, f"{key}@{tenant}.example", (role,)))
    return tuple(people)


TENANTS = (
    TenantRecord(
        "northwind",
        "Northwind Travel",
        "business",
        settings=Settings("northwind"),
        contacts=_people("northwind", "Maria Santos", "Juan Ortiz", "Wendy Park"),
    ),
    TenantRecord(
        "contoso",
        "Contoso Hotels",
        "enterprise",
        settings=Settings("contoso", standing_consent=True, max_minutes=120),
        contacts=_people("contoso", "Paula Meyer", "Ivo Kranz", "Tom Ellis"),
    ),
    TenantRecord(
        "fabrikam",
        "Fabrikam Cruises",
        "business",
        settings=Settings("fabrikam", mode=TenantMode.CONSENT_ONLY, max_minutes=15),
        contacts=_people("fabrikam", "Aiko Mori", "Sam Reed", "Lena Voss"),
    ),
    TenantRecord(
        "tailspin",
        "Tailspin Air",
        "starter",
        settings=Settings("tailspin", kill_switch=True),
        contacts=_people("tailspin", "Otto Bauer", "Nia Cole", "Pat Quinn"),
    ),
)


@asynccontextmanager
async def open_world(shared_path: Path, vault: Vault, clock: ManualClock) -> AsyncIterator[QueueWorld]:
    """Staff and tenants, nothing asked yet."""
    still = StillClock(clock)
    shared = await SqliteShared.open(shared_path, vault, still)
    replica = Replica.open(shared_path.parent / "replica" / "copy.db")
    sync = Sync(shared, replica, Witness(shared_path.parent / "witness.json"), still)
    world = QueueWorld(shared, replica, sync, Desk(shared, replica, sync, still), clock, vault, still)
    try:
        await sync.pull()
        await _staff(world)
        await world.run(tenants.import_records, CLOCK, TENANTS)
        yield world
    finally:
        await sync.close()
        await shared.close()
        replica.close()


async def _staff(world: QueueWorld) -> None:
    people = ((DANA, "Dana Wolf", Role.SUPER), (ANN, "Ann Lee", Role.ENGINEER), (RAJ, "Raj Patel", Role.ENGINEER))
    for number, (email, name, role) in enumerate((*people, (VERA, "Vera Lind", Role.AUDITOR))):
        secret = world.secrets[email] = ("JBSWY3DPEHPK3PX" + "PQRS"[number]) * 2
        sealed = world.vault.seal(secret)
        if number == 0:
            await world.run(staff.found, staff.FOUNDER, email, name, sealed, ())
        else:
            await world.run(staff.add, world.actor(DANA), email, name, role, None, sealed, ())
