"""Moves on sessions (REQ-201 … 206, 112)."""

from __future__ import annotations

from app.services import sessions
from storage.models import ElevationState, Mode, Request, RequestState, Role, Session, ViewKind
from tests.guards.rules_off.choosing import Choosing, move
from tests.guards.rules_off.dice import Dice

OUTCOME = ("a webhook was lost", "nothing", "no")


class Inside(Choosing):
    @move(4)
    def start(self, dice: Dice) -> None:
        states = RequestState.APPROVED, *([] if dice.right(0.85) else [RequestState.COOLING])
        request = self.request(dice, *states, fits=lambda one: self.free(one.engineer_id))
        self.enter(dice, request.id)

    def enter(self, dice: Dice, request_id: str) -> bool:
        request = self.row(Request, request_id)
        done = self.attempt(dice, sessions.start, self.who(dice, self.engineer(request)), request.id)
        self.sessions += [key for key in self.rows(Session, lambda one: one.started_at) if key not in self.sessions]
        return done

    @move(1)
    def view(self, dice: Dice) -> None:
        session = self.session(dice)
        count = 1 if dice.right(0.9) else dice.one((0, -1, 5000))
        args = (dice.one(list(ViewKind)), "refund 8841", (), count, dice.chance(0.8))
        self.attempt(dice, sessions.log_view, self.who(dice, self.engineer(session)), session.id, *args)

    @move(3)
    def ask_elevation(self, dice: Dice) -> None:
        session = self.session(dice, lambda one: one.is_active(self.now) and one.mode is Mode.READ_ONLY)
        self.elevate(dice, session)

    def elevate(self, dice: Dice, session: Session) -> bool:
        return self.attempt(
            dice, sessions.ask_elevation, self.who(dice, self.engineer(session)), session.id, self.words("Entry")
        )

    def asked(self, session: Session) -> bool:
        waits = session.elevation is not None and session.elevation.state is ElevationState.ASKED
        return waits and session.is_active(self.now)

    @move(3)
    def countersign_elevation(self, dice: Dice) -> None:
        session = self.session(dice, self.asked)
        self.attempt(dice, sessions.countersign_elevation, self.second(dice, session), session.id)

    @move()
    def decline_elevation(self, dice: Dice) -> None:
        session = self.session(dice, self.asked)
        self.attempt(dice, sessions.decline_elevation, self.second(dice, session), session.id)

    @move()
    def end(self, dice: Dice) -> None:
        session = self.session(dice)
        self.attempt(dice, sessions.end, self.who(dice, self.engineer(session)), session.id, *OUTCOME)

    @move()
    def give_outcome(self, dice: Dice) -> None:
        session = self.session(dice, lambda one: not one.is_active(self.now) and one.outcome is None)
        self.attempt(dice, sessions.give_outcome, self.who(dice, self.engineer(session)), session.id, *OUTCOME)

    @move()
    def force_end(self, dice: Dice) -> None:
        session = self.session(dice)
        who = self.who(dice, *self.present(Role.SUPER))
        self.attempt(dice, sessions.force_end, who, session.id, "looks at the wrong records")
