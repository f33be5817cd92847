"""Moves on the operator's people: accounts, second factors, office hours, the rota, reviews (REQ-111, 502, 504, 701,
702)."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from app.services import reviews, rota, staff
from storage.models import OfficeSpan, Review, Role, Shift
from tests.guards.rules_off.choosing import Choosing, move
from tests.guards.rules_off.dice import Dice

ALWAYS = tuple(OfficeSpan(day, "00:00", "24:00") for day in range(1, 8))
HOURS = (ALWAYS, ALWAYS, (), tuple(OfficeSpan(day, "09:00", "18:00") for day in range(1, 8)))
BARE = (OfficeSpan(8, "09:00", "18:00"),), (OfficeSpan(1, "18:00", "09:00"),), (OfficeSpan(1, "9:00", "later"),)


class People(Choosing):
    @move(1)
    def add_staff(self, dice: Dice) -> None:
        self.count += 1
        email = f"new{self.count}@ops.example" if dice.right() else self.spelling(dice)
        until: datetime | None = self.now + timedelta(hours=9) if dice.chance(0.3) else None
        if until is not None and not dice.right(0.8):
            until = self.now - timedelta(hours=1)
        args = (email, "New Person", dice.one(list(Role)), until, *self.secret())
        self.attempt(dice, staff.add, self.who(dice, *self.supers()), *args)

    def spelling(self, dice: Dice) -> str:
        """Somebody's address, spelled another way."""
        local, _, domain = dice.one(self.staff()).email.partition("@")
        return f"{local.partition('+')[0].title()}+x{self.count}@{domain.upper()}"

    def secret(self) -> tuple[str, tuple[str, ...]]:
        return self.world._sealed, (f"{self.count:064x}",)

    @move(1)
    def renew_second_factor(self, dice: Dice) -> None:
        """One's own; or, as a super, a colleague's. Codes that are replaced are used up."""
        whose = dice.one(self.staff())
        who = self.who(dice, whose, *self.supers())
        if self.attempt(dice, staff.enrol, who, whose.id, *self.secret()):
            self.codes[whose.email] = []

    @move(1)
    def deactivate(self, dice: Dice) -> None:
        leaver = dice.one(
            [one for one in self.staff() if dice.chance(0.3) or one.role is not Role.SUPER] or self.staff()
        )
        self.attempt(dice, staff.deactivate, self.who(dice, *self.supers()), leaver.id)

    # ── on call ──

    @move(2)
    def set_hours(self, dice: Dice) -> None:
        spans = dice.one(HOURS) if dice.right(0.9) else dice.one(BARE)
        zone = dice.one(("UTC", "Asia/Tokyo")) if dice.right(0.9) else "Mars/Olympus"
        self.attempt(dice, rota.set_hours, self.who(dice, *self.supers()), zone, spans)

    @move(1)
    def set_shift(self, dice: Dice) -> None:
        member = self.who(dice, *self.present(Role.ENGINEER, Role.SUPER))
        begins = self.now + timedelta(hours=dice.number(-3, 8))
        ends = (
            begins + timedelta(hours=dice.number(4, 40))
            if dice.right(0.85)
            else begins + timedelta(days=dice.one((-1, 32)))
        )
        self.attempt(dice, rota.set_shift, self.who(dice, *self.supers()), member.id, begins, ends)

    @move(1)
    def cancel_shift(self, dice: Dice) -> None:
        shifts = self.rows(Shift, lambda one: (one.starts_at, one.set_at, one.ends_at))
        shift = self.a(dice, Shift, shifts, lambda one: not one.cancelled and one.ends_at > self.now)
        if shift is not None:
            self.attempt(dice, rota.cancel_shift, self.who(dice, *self.supers()), shift.id)

    # ── reviews ──

    @move(2)
    def sign_review(self, dice: Dice) -> None:
        every = self.rows(Review, lambda one: (one.opened_at, one.tenant_id, one.entry_seq or 0))
        review = self.a(dice, Review, every, lambda one: one.signed_at is None)
        if review is None:
            return
        fit = [one for one in self.present(Role.SUPER, Role.AUDITOR) if one.id not in review.barred]
        words = "Read every entry: the access was needed." if dice.right(0.95) else "ok"
        self.attempt(dice, reviews.sign, self.who(dice, *fit), review.id, words)

    @move(2)
    def dispute(self, dice: Dice) -> None:
        """An entry of the tenant's own log, mostly."""
        tenant = self.tenant(dice)
        sql = "SELECT seq, body FROM tenant_log WHERE tenant_id = ? ORDER BY seq"
        rows = self.world.replica.reader.execute(sql, (tenant,)).fetchall()
        seq, body = dice.one(rows[-8:])
        entry = reviews.disputed(tenant, seq, json.loads(body))
        self.attempt(dice, reviews.dispute, self.admin(dice, tenant), entry, "Nobody of ours asked for this.")
