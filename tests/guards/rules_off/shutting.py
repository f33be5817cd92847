"""Moves on a tenant's own settings (REQ-110, REQ-201, P5)."""

from __future__ import annotations

from app.services import tenants
from storage.models import TenantMode
from tests.guards.rules_off.choosing import Choosing, move
from tests.guards.rules_off.dice import Dice


class Shutting(Choosing):
    @move(1)
    def turn_the_switch(self, dice: Dice) -> None:
        on = dice.chance(0.3)  # more seldom than off, or every tenant is shut before long
        tenant = self.tenant(dice, lambda place: place.settings.kill_switch is not on)
        self.attempt(dice, tenants.set_kill_switch, self.admin(dice, tenant), tenant, on)

    @move()
    def change_settings(self, dice: Dice) -> None:
        tenant = self.tenant(dice)
        wanted: dict[str, TenantMode | bool | int] = {}
        if dice.chance(0.4):
            wanted["mode"] = dice.one([TenantMode.DEFAULT, TenantMode.DEFAULT, *TenantMode])
        if dice.chance(0.4):
            wanted["standing_consent"] = dice.chance(0.5)
        if dice.chance(0.6):
            wanted["max_minutes"] = dice.number(15, 240) if dice.right(0.8) else dice.one((0, 14, 241, -1))
        self.attempt(dice, tenants.change_settings, self.admin(dice, tenant), tenant, **wanted)
