"""A populated world on a real shared database and a real replica: staff, tenants with two admins each, and the short
words in which tests tell their stories."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from app.policy.limits import Limits
from app.policy.requests import RequestForm
from app.services import consent, mail, requests, sessions, staff, tenants
from app.services.desk import Desk
from app.services.tenants import ContactRecord, TenantRecord
from storage.models import (
    Actor,
    ActorKind,
    Alternative,
    Contact,
    ContactRole,
    LinkKind,
    Mail,
    MailState,
    Request,
    Role,
    Row,
    Session,
    Settings,
    Staff,
)
from storage.replica.engine import Replica
from storage.shared.change import Applied, Change
from storage.shared.sqlite import SqliteShared
from storage.shared.totp import recovery_hash
from storage.shared.vault import Vault
from storage.sync import Sync
from storage.witness import Witness
from tests.clock import ManualClock

R = TypeVar("R", bound=Row)

POSTMAN = Actor(ActorKind.SYSTEM, "mail", "mail", "")
PLATFORM = Actor(ActorKind.SYSTEM, "platform", "platform", "")
SPARE_CODES = 120

ADMIN = (ContactRole.TENANT_ADMIN,)
USER = (ContactRole.USER,)

NORTHWIND = TenantRecord(
    "northwind",
    "Northwind Travel",
    "business",
    contacts=(
        ContactRecord("maria", "Maria Santos", "maria@northwind.example", (*ADMIN, *USER)),
        ContactRecord("juan", "Juan Ortiz", "juan@northwind.example", ADMIN),
        ContactRecord("eva", "Eva Lind", "eva@northwind.example", USER),
        ContactRecord("sec", "Security", "security@northwind.example", (ContactRole.SECURITY_CONTACT,)),
    ),
)
CONTOSO = TenantRecord(
    "contoso",
    "Contoso Health",
    "enterprise",
    settings=Settings("contoso", max_minutes=45, standing_consent=True),
    contacts=(
        ContactRecord("ines", "Ines Prado", "ines@contoso.example", ADMIN),
        ContactRecord("omar", "Omar Haddad", "omar@contoso.example", (*ADMIN, *USER)),
    ),
)
FABRIKAM = TenantRecord(
    "fabrikam",
    "Fabrikam Toys",
    "starter",
    settings=Settings("fabrikam", max_minutes=15),
    contacts=(
        ContactRecord("kim", "Kim Larsen", "kim@fabrikam.example", (*ADMIN, *USER)),
        ContactRecord("paul", "Paul Berg", "paul@fabrikam.example", (*ADMIN, *USER)),
        ContactRecord("raj", "Raj Patel", "Raj+toys@OPS.example", USER),
    ),
)
"""Raj of the operator's staff buys here: the same person, under another spelling of his address (REQ-107)."""

REASON = "Refund 8841 shows completed but the card was never credited; must compare it with payment event 991."


class World:
    """Everything a story needs. People and places are attributes; rows are read from the replica."""

    def __init__(
        self, shared: SqliteShared, replica: Replica, sync: Sync, desk: Desk, clock: ManualClock, vault: Vault
    ) -> None:
        self.shared, self.replica, self.sync, self.desk, self.clock = shared, replica, sync, desk, clock
        self._sealed = vault.seal("JBSWY3DPEHPK3PXP")
        self._codes: dict[str, list[str]] = {}
        self._used: dict[str, str] = {}
        self.dana = self.ann = self.raj = self.lee = self.noor = Staff("", "", "", Role.SUPER, None, clock.now(), None)

    @classmethod
    async def made(
        cls, shared: SqliteShared, vault: Vault, clock: ManualClock, home: Path, limits: Limits | None = None
    ) -> World:
        """The world on a fresh shared database. `limits` are what the policy holds people to."""
        replica = Replica.open(home / "replica.db")
        sync = Sync(shared, replica, Witness(home / "witness.json"), clock)  # type: ignore[arg-type]  # any Clock will do where nothing is measured
        world = cls(shared, replica, sync, Desk(shared, replica, sync, clock, limits or Limits()), clock, vault)
        await sync.pull()
        secret = world._secret("dana")
        await world.desk.run(staff.found, staff.FOUNDER, "dana@ops.example", "Dana Weiss", *secret)
        world.dana = world.staff_of("dana@ops.example")
        world.ann = await world.add("ann", "Ann Lee", Role.ENGINEER)
        world.raj = await world.add("raj", "Raj Patel", Role.ENGINEER)
        world.lee = await world.add("lee", "Lee Chen", Role.SUPER)
        world.noor = await world.add("noor", "Noor Aziz", Role.AUDITOR)
        await world.desk.run(tenants.import_records, PLATFORM, [NORTHWIND, CONTOSO])
        return world

    @classmethod
    def reopened(cls, shared: SqliteShared, vault: Vault, clock: ManualClock, home: Path, limits: Limits) -> World:
        """A world that was made before, from a copy of its home: another console of the same company."""
        replica = Replica.open(home / "replica.db")
        sync = Sync(shared, replica, Witness(home / "witness.json"), clock)  # type: ignore[arg-type]  # as above
        world = cls(shared, replica, sync, Desk(shared, replica, sync, clock, limits), clock, vault)
        for name in ("dana", "ann", "raj", "lee", "noor"):
            world._secret(name)
            setattr(world, name, world.staff_of(f"{name}@ops.example"))
        return world

    def share_codes(self, other: World) -> None:
        """Two consoles, but everyone has only one list of codes."""
        self._codes, self._used = other._codes, other._used

    async def close(self) -> None:
        await self.sync.close()
        self.replica.close()

    def _secret(self, name: str) -> tuple[str, tuple[str, ...]]:
        """A sealed secret, and the hashes of as many recovery codes as a long story uses up."""
        codes = [f"{name.upper():0>6.6}".translate(_CODE_SIGNS) + f"{n:010d}" for n in range(SPARE_CODES)]
        self._codes[f"{name}@ops.example"] = codes
        return self._sealed, tuple(recovery_hash(code) for code in codes)

    async def add(self, name: str, full_name: str, role: Role, email: str = "") -> Staff:
        email = email or f"{name}@ops.example"
        secret = self._secret(name)
        self._codes[email] = self._codes[f"{name}@ops.example"]
        await self.desk.run(staff.add, self.actor(self.dana), email, full_name, role, None, *secret)
        return self.staff_of(email)

    def staff_of(self, email: str) -> Staff:
        return self.desk.view().find(Staff, email=email)[0]

    def code(self, person: Staff) -> str:
        """A fresh code of this person."""
        return self._codes[person.email].pop()

    def used_code(self, person: Staff) -> str | None:
        """A code that was given before."""
        return self._used.get(person.email)

    @staticmethod
    def actor(person: Staff) -> Actor:
        return Actor(ActorKind.STAFF, person.id, person.name, person.email)

    def admin(self, key: str) -> Actor:
        """A tenant admin by contact key, `northwind/maria`."""
        contact = self.row(Contact, key)
        return Actor(ActorKind.TENANT_ADMIN, contact.id, contact.name, contact.email)

    def row(self, kind: type[R], key: str) -> R:
        """A row as the replica has it."""
        found = self.desk.view().get(kind, key)
        assert found is not None, f"no {kind.__name__} {key}"
        return found

    async def run(self, command: Callable[..., Change], who: Staff | Actor, *args: object, **named: Any) -> Applied:
        """Run a command, with a code where one is needed."""
        actor = who if isinstance(who, Actor) else self.actor(who)
        otp = self.code(who) if isinstance(who, Staff) and self.desk.needs_code(command, actor) else None
        done = await self.desk.run(command, actor, *args, otp=otp, **named)
        if otp is not None:
            self._used[actor.email] = otp
        return done

    def form(self, **changes: object) -> RequestForm:
        form = RequestForm(
            tenant_id="northwind",
            target_id="northwind/eva",
            ticket="T-48271",
            reason=REASON,
            scope="refund 8841 and payment event 991",
            records=2,
            minutes=30,
            tried=(Alternative.LOGS,),
            why_not="The logs hold no card network answer for this refund.",
        )
        return replace(form, **changes)  # type: ignore[arg-type]  # tests name fields that exist

    async def ask(self, who: Staff | None = None, **changes: object) -> Request:
        """A request. Its reason is made unlike earlier ones unless the test gives one."""
        if "reason" not in changes and "again_of" not in changes:
            changes["reason"] = f"{REASON} Case {len(self.desk.view().find(Request))}."
        done = await self.run(requests.create, who or self.ann, self.form(**changes))
        return self.row(Request, done.answer["id"])

    def letters(self, event: str = "", request_id: str | None = None) -> list[Mail]:
        """Letters in the outbox, oldest first."""
        every = self.desk.view().find(Mail)
        return [
            one
            for one in sorted(every, key=lambda one: (one.created_at, one.id))
            if (not event or one.event == event) and (request_id is None or one.request_id == request_id)
        ]

    async def deliver(self) -> None:
        """Hand on every letter; a link's token is its letter's id and kind."""
        for letter in self.letters():
            if letter.state is MailState.QUEUED:
                links = tuple((kind, token(letter, kind)) for kind in letter.links)
                await self.desk.run(mail.delivered, POSTMAN, letter.id, links)

    async def link(self, request: Request, admin: str, kind: LinkKind) -> str:
        """The newest link of this kind that this admin was mailed, as the hash that names it."""
        await self.deliver()
        mailed = [one for one in self.letters(request_id=request.id) if one.to_id == admin and kind in one.links]
        return token(mailed[-1], kind)

    async def approve(self, request: Request, admin: str = "northwind/maria", minutes: int | None = None) -> Request:
        link = await self.link(request, admin, LinkKind.APPROVE)
        await self.run(consent.approve, self.admin(admin), link, minutes)
        return self.row(Request, request.id)

    async def deny(self, request: Request, admin: str = "northwind/maria", note: str = "") -> Request:
        link = await self.link(request, admin, LinkKind.DENY)
        await self.run(consent.deny, self.admin(admin), link, note)
        return self.row(Request, request.id)

    async def start(self, request: Request, who: Staff | None = None) -> Session:
        done = await self.run(sessions.start, who or self.ann, request.id)
        return self.row(Session, done.answer["id"])

    async def inside(self, who: Staff | None = None, **changes: object) -> Session:
        """A running session, by consent."""
        request = await self.ask(who, **changes)
        if request.decided_by is None:
            request = await self.approve(request)
        return await self.start(request, who)

    async def end(self, session: Session, who: Staff | None = None) -> Session:
        words = ("a webhook was lost", "nothing", "no", "")
        await self.run(sessions.end, who or self.ann, session.id, *words)
        return self.row(Session, session.id)


_CODE_SIGNS = str.maketrans({"I": "1", "L": "1", "O": "0", "U": "V"})


def token(letter: Mail, kind: LinkKind) -> str:
    return sha256(f"{letter.id}/{kind.value}".encode()).hexdigest()
