"""What passes without anybody's doing: time, letters, and what time has ended, written down (REQ-203, P3, P9)."""

from __future__ import annotations

from datetime import datetime, timedelta

from app.policy.limits import DECLARABLE, EMERGENCY_OPEN
from app.services import expiry, mail
from app.services.command import CLOCK
from storage.models import Actor, Mail, MailState, Request, RequestState, Role, Session
from tests.guards.rules_off.choosing import Choosing, move
from tests.guards.rules_off.dice import Dice
from tests.services.world import POSTMAN, token

SECOND = timedelta(seconds=1)
RECORDED = (
    (expiry.record_request_expiry, RequestState.PENDING),
    (expiry.record_request_lapse, RequestState.APPROVED),
    (expiry.record_break_glass, RequestState.DECLARED, RequestState.COOLING),
    (expiry.record_emergency_lapse, *RequestState),
)


class Passing(Choosing):
    @move(3)
    def wait_a_while(self, dice: Dice) -> None:
        if dice.chance(0.4):
            ahead = [one for one in self.deadlines() if one > self.now + SECOND]
            if ahead:
                self.clock.set(dice.one(sorted(ahead)[:6]) - dice.number(0, 1) * SECOND)
                return
        self.clock.advance(dice.one((SECOND, 90 * SECOND, 5 * 60 * SECOND, 20 * 60 * SECOND, 3600 * SECOND)))

    def deadlines(self) -> set[datetime]:
        found: set[datetime | None] = set()
        for one in (self.row(Request, key) for key in self.requests):
            found |= {one.expires_at, one.expires_at + DECLARABLE, one.usable_until}
            found.add(one.break_glass.cooling_until if one.break_glass else None)
            found.add(one.emergency.declared_at + EMERGENCY_OPEN if one.emergency else None)
        found |= {self.row(Session, key).expires_at for key in self.sessions}
        return {one for one in found if one is not None}

    @move()
    def deliver(self, dice: Dice) -> None:
        """Letters that carry links, or begin a cooling, arrive."""
        waiting = self.rows(Mail, lambda one: (one.created_at, one.to_id, one.id), state=MailState.QUEUED.value)
        linked = [one for one in (self.row(Mail, key) for key in waiting) if one.links]
        for letter in linked[-4:]:
            who = POSTMAN if dice.right(0.9) else self.anyone(dice)
            links = tuple((kind, token(letter, kind)) for kind in letter.links)
            self.attempt(dice, mail.delivered, who, letter.id, links)

    def anyone(self, dice: Dice) -> Actor:
        return dice.one([CLOCK, *(self.world.actor(one) for one in self.staff())])

    @move()
    def record(self, dice: Dice) -> None:
        """What time has ended, or has not."""
        due = expiry.due(self.world.replica.reader, self.now)
        who = CLOCK if dice.chance(0.5) else self.who(dice, *self.present(Role.ENGINEER, Role.SUPER))
        if due and dice.right(0.6):
            one = dice.one(due)
            self.attempt(dice, one.command, who, one.key)
        elif dice.chance(0.3):
            self.attempt(dice, expiry.record_session_expiry, who, dice.one(self.sessions))
        else:
            command, *states = dice.one(RECORDED)
            request = self.a(
                dice,
                Request,
                self.requests,
                lambda one: one.state in states and (one.emergency is not None or len(states) < 3),
            )
            assert request is not None
            self.attempt(dice, command, who, request.id)
