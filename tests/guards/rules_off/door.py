"""Moves at the tenant's door and by programs: signing in, API keys, the platform, imports (REQ-601 … 603)."""

from __future__ import annotations

from dataclasses import replace

from app.services import api_keys, platform, sign_in, tenants
from app.services.command import CLOCK
from app.services.tenants import ContactRecord, TenantRecord
from storage.models import (
    Actor,
    ApiKey,
    Contact,
    ContactRole,
    KeyRight,
    PortalSession,
    Settings,
    SignInLink,
    TenantMode,
    TenantStatus,
)
from tests.guards.rules_off.choosing import move
from tests.guards.rules_off.dice import Dice
from tests.guards.rules_off.passing import Passing
from tests.services.world import POSTMAN


class Door(Passing):
    @move(1)
    def ask_for_a_link(self, dice: Dice) -> None:
        tenant = self.tenant(dice)
        admins = [one for one in self.contacts(tenant) if one.has(ContactRole.TENANT_ADMIN)]
        contact = dice.one(admins) if admins and dice.right() else dice.one(self.contacts(tenant))
        who: Actor = sign_in.door("198.51.100.7") if dice.right() else dice.one((CLOCK, POSTMAN, self.bearer(contact)))
        if self.attempt(dice, sign_in.ask, who, contact.id):
            self.deliver(dice)
            self.sign_in(dice)

    @move()
    def sign_in(self, dice: Dice) -> None:
        every = self.rows(SignInLink, lambda one: (one.expires_at, one.contact_id, one.id))
        link = self.a(dice, SignInLink, every, lambda one: one.used_at is None and one.expires_at > self.now)
        if link is None:
            return
        self.count += 1
        bearer = self.bearer(self.row(Contact, link.contact_id))
        who = bearer if dice.right() else self.admin(dice, link.tenant_id)
        if self.attempt(dice, sign_in.enter, who, link.id, f"{self.count:064x}") and dice.chance(0.5):
            self.sign_out(dice)

    @move(1)
    def sign_out(self, dice: Dice) -> None:
        every = self.rows(PortalSession, lambda one: (one.expires_at, one.contact_id, one.id))
        session = self.a(dice, PortalSession, every, lambda one: one.ended_at is None)
        if session is not None:
            own = self.bearer(self.row(Contact, session.contact_id))
            self.attempt(dice, sign_in.leave, own if dice.right() else self.admin(dice, session.tenant_id), session.id)

    # ── API keys ──

    def key(self, dice: Dice, *rights: KeyRight) -> ApiKey | None:
        """One in force, of these rights, mostly."""
        every = self.rows(ApiKey, lambda one: (one.created_at, one.tenant_id or "", one.secret_hash))
        return self.a(dice, ApiKey, every, lambda one: one.revoked_at is None and one.right in rights)

    @staticmethod
    def program(key: ApiKey) -> Actor:
        return api_keys.actor_of(key, "198.51.100.9")

    @move(1)
    def make_key(self, dice: Dice) -> None:
        self.count += 1
        right = dice.one(list(KeyRight))
        tenant = self.tenant(dice) if (right is not KeyRight.PLATFORM) is dice.right(0.85) else None
        args = ("nightly job", right, tenant, f"{self.count:064x}")
        self.attempt(dice, api_keys.create, self.who(dice, *self.supers()), *args)

    @move(1)
    def accept_key(self, dice: Dice) -> None:
        key = self.key(dice, KeyRight.SETTINGS)
        if key is not None:
            where = key.tenant_id or self.tenant(dice)
            self.attempt(dice, api_keys.accept, self.admin(dice, where), key.id)

    @move(1)
    def revoke_key(self, dice: Dice) -> None:
        key = self.key(dice, *KeyRight)
        if key is None:
            return
        by_staff = key.tenant_id is None or dice.chance(0.5)
        who = self.who(dice, *self.supers()) if by_staff else self.admin(dice, key.tenant_id or "")
        self.attempt(dice, api_keys.revoke, who, key.id)

    @move()
    def settings_by_program(self, dice: Dice) -> None:
        key = self.key(dice, KeyRight.SETTINGS)
        if key is None:
            return
        where = key.tenant_id if key.tenant_id and dice.right() else self.tenant(dice)
        wanted = {"standing_consent": dice.chance(0.5), "mode": dice.one((TenantMode.DEFAULT, TenantMode.CONSENT_ONLY))}
        self.attempt(dice, api_keys.change_settings, self.program(key), where, **wanted)

    # ── the platform ──

    def by_platform(self, dice: Dice) -> Actor:
        key = self.key(dice, KeyRight.PLATFORM)
        return self.program(key) if key is not None and dice.right(0.9) else dice.one((CLOCK, POSTMAN))

    @move()
    def move_tenant(self, dice: Dice) -> None:
        becomes = dice.one((TenantStatus.ACTIVE, TenantStatus.ACTIVE, TenantStatus.SUSPENDED))
        shut = TenantStatus.SUSPENDED if becomes is TenantStatus.ACTIVE else TenantStatus.ACTIVE
        tenant = self.tenant(dice, lambda place: place.tenant.status is shut)
        self.attempt(dice, platform.move_tenant, self.by_platform(dice), tenant, becomes, "the invoice is open")

    @move(1)
    def change_plan(self, dice: Dice) -> None:
        tenant = self.tenant(dice)
        plan = "business" if dice.chance(0.3) else f"plan {self.count}"
        self.attempt(dice, platform.change_plan, self.by_platform(dice), tenant, plan)

    @move(1)
    def change_flags(self, dice: Dice) -> None:
        flags = {dice.one(("beta", "dark")): dice.one(("on", "off", None))}
        self.attempt(dice, platform.change_flags, self.by_platform(dice), self.tenant(dice), flags)

    @move(1)
    def create_tenant(self, dice: Dice) -> None:
        self.count += 1
        record = self.as_imported(dice, f"tenant{self.count}" if dice.right(0.8) else self.tenant(dice))
        self.attempt(dice, platform.create_tenant, self.by_platform(dice), record)

    @move(1)
    def import_tenants(self, dice: Dice) -> None:
        """A new one, or other people of one that is there."""
        self.count += 1
        known = self.as_imported(dice, self.tenant(dice))
        record = self.as_imported(dice, f"tenant{self.count}") if dice.chance(0.4) else known
        self.attempt(dice, tenants.import_records, self.who(dice, *self.supers()), [record])

    def as_imported(self, dice: Dice, name: str) -> TenantRecord:
        """As it is, where there is such a tenant, with one person more or fewer."""
        people = [
            ContactRecord(one.id.partition("/")[2], one.name, one.email, one.roles)
            for one in self.contacts(name)
            if not one.removed
        ]
        if len(people) > 3 and dice.chance(0.4):
            people.remove(dice.one(people))
        else:
            role = ContactRole.TENANT_ADMIN if not people else dice.one(list(ContactRole))
            people.append(ContactRecord(f"p{self.count}", "Pat", f"pat{self.count}@{name}.example", (role,)))
        record = TenantRecord(name, name.title(), "business", contacts=tuple(people))
        if self.contacts(name):
            return record  # whose settings stay its own, whatever an import says
        return replace(record, settings=Settings(name, max_minutes=60 if dice.right(0.8) else dice.one((14, 241))))
