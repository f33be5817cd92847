"""Moves on break-glass and emergencies (REQ-108, REQ-109)."""

from __future__ import annotations

from app.policy.break_glass import is_way_open
from app.policy.request_state import BEFORE_EMERGENCY, emergency_waits
from app.services import break_glass, emergency
from storage.models import EmergencyCategory, RequestState, Role
from tests.guards.rules_off.asking import Asking
from tests.guards.rules_off.choosing import move
from tests.guards.rules_off.dice import Dice
from tests.guards.rules_off.scene import LEGAL


class OtherWays(Asking):
    @move(3)
    def declare_break_glass(self, dice: Dice) -> None:
        states = [RequestState.EXPIRED] if dice.right(0.8) else [RequestState.PENDING, RequestState.DENIED]
        request = self.request(dice, *states, fits=lambda one: one.urgent or dice.chance(0.2))
        words = self.words("Dispute") if dice.right(0.95) else "troubleshooting"
        self.attempt(dice, break_glass.declare, self.who(dice, self.engineer(request)), request.id, words)

    @move(3)
    def countersign_break_glass(self, dice: Dice) -> None:
        request = self.request(dice, RequestState.DECLARED)
        who = self.who(dice, *self.supers(request.engineer_id))
        self.attempt(dice, break_glass.countersign, who, request.id)

    @move()
    def declare_emergency(self, dice: Dice) -> None:
        request = self.request(
            dice,
            *BEFORE_EMERGENCY,
            fits=lambda one: not one.emergency and is_way_open(self.place(one.tenant_id)).allowed,
        )
        who = self.who(dice, *self.supers(request.engineer_id))
        self.attempt(dice, emergency.declare, who, request.id, self.harm(dice), *self.why(dice))

    @move()
    def declare_emergency_anew(self, dice: Dice) -> None:
        tenant = self.tenant(dice, lambda place: is_way_open(place).allowed)
        engineer = self.who(dice, *self.present(Role.ENGINEER, Role.SUPER))
        who = self.who(dice, *self.supers(engineer.id))
        args = (engineer.id, self.filled_in(dice, tenant), self.harm(dice), *self.why(dice))
        self.attempt(dice, emergency.declare_anew, who, *args)
        self.look_for_new_requests()

    @move(4)
    def countersign_emergency(self, dice: Dice) -> None:
        request = self.request(dice, *BEFORE_EMERGENCY, fits=lambda one: emergency_waits(one, self.now))
        but = [request.engineer_id, *([request.emergency.declared_by] if request.emergency else [])]
        who = self.who(dice, *self.supers(*but))
        self.attempt(dice, emergency.countersign, who, request.id, LEGAL if dice.right(0.95) else "")

    @staticmethod
    def harm(dice: Dice) -> EmergencyCategory:
        return dice.one(list(EmergencyCategory))

    def why(self, dice: Dice) -> tuple[str, str]:
        """The reason, and whom the operator tells."""
        return self.words("Dosage"), LEGAL if dice.right(0.95) else ""
