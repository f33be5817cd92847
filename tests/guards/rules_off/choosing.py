"""Whom and what a move takes: mostly what fits, else anybody and anything."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import TypeVar

from hypothesis import note
from hypothesis.stateful import rule

from app.policy.people import Place
from app.policy.request_state import OPEN, state_at
from app.policy.sessions import is_free
from app.services import reading
from storage.models import (
    Actor,
    ActorKind,
    Contact,
    ContactRole,
    Request,
    RequestState,
    Role,
    Row,
    Session,
    Staff,
    Tenant,
)
from tests.guards.rules_off.desk import RulesOff
from tests.guards.rules_off.dice import Dice, seeds

R = TypeVar("R", bound=Row)


M = TypeVar("M", bound=Callable[..., None])


def move(often: int = 2) -> Callable[[M], M]:
    """Put a method on the list of moves; `often` is its share."""

    def listed(method: M) -> M:
        method.often = often  # type: ignore[attr-defined]  # functions carry attributes; typing has no word for it
        return method

    return listed


class Choosing(RulesOff):
    @rule(seed=seeds)
    def step(self, seed: int) -> None:
        """One move of all there are. Hypothesis draws a number, not the move: left to itself it likes to repeat one."""
        dice = self.dice(seed)
        name = dice.one(self.every_move())
        note(name)
        getattr(self, name)(dice)

    @classmethod
    @cache
    def every_move(cls) -> tuple[str, ...]:
        return tuple(name for name in sorted(dir(cls)) for _ in range(getattr(getattr(cls, name), "often", 0)))

    def a(self, dice: Dice, kind: type[R], of: list[str], fits: Callable[[R], bool] = lambda row: True) -> R | None:
        """A row: of those that fit, mostly, where there are any."""
        every = [self.row(kind, key) for key in of]
        some = [one for one in every if fits(one)] if dice.right(0.8) else every
        return dice.one(some or every) if every else None

    def request(self, dice: Dice, *states: RequestState, fits: Callable[[Request], bool] = lambda row: True) -> Request:
        """A request, in one of these states by time, or, without any, open."""
        wanted = frozenset(states) or OPEN
        found = self.a(dice, Request, self.requests, lambda one: state_at(one, self.now) in wanted and fits(one))
        assert found is not None
        return found

    def session(self, dice: Dice, fits: Callable[[Session], bool] | None = None) -> Session:
        """A session; a running one, unless told otherwise."""
        found = self.a(dice, Session, self.sessions, fits or (lambda one: one.is_active(self.now)))
        assert found is not None
        return found

    def place(self, tenant: str) -> Place:
        return reading.place(self.world.desk.view(), tenant)

    def tenant(self, dice: Dice, fits: Callable[[Place], bool] = lambda place: True) -> str:
        """One that fits, mostly."""
        every = self.rows(Tenant, lambda one: one.id)
        some = [one for one in every if fits(self.place(one))] if dice.right() else every
        return dice.one(some or every)

    def free(self, engineer_id: str) -> bool:
        """Whether this engineer could enter somewhere: in no session, owing nothing."""
        standing = reading.standing(self.world.desk.view(), engineer_id)
        current = reading.current_session(self.world.desk.view(), standing)
        return is_free(standing, current, self.now).allowed and self.row(Staff, engineer_id).is_active(self.now)

    # ── people ──

    def who(self, dice: Dice, *right: Staff) -> Staff:
        """One of these, mostly; else any of the staff, whoever they are."""
        return dice.one(right) if right and dice.right(0.7) else dice.one(self.staff())

    def engineer(self, row: Request | Session) -> Staff:
        return self.row(Staff, row.engineer_id)

    def present(self, *roles: Role) -> list[Staff]:
        return [one for one in self.staff() if one.is_active(self.now) and one.role in roles]

    def supers(self, *but: str) -> list[Staff]:
        return [one for one in self.present(Role.SUPER) if one.id not in but]

    def second(self, dice: Dice, row: Request | Session) -> Staff:
        """For what takes another person: anybody else who may act, mostly."""
        others = [one for one in self.present(Role.SUPER, Role.ENGINEER) if one.id != row.engineer_id]
        return self.who(dice, *others)

    def admin(self, dice: Dice, tenant: str) -> Actor:
        """A tenant admin of this tenant, mostly; else anyone of any tenant's, or one of the staff, as one."""
        admins = [one for one in self.contacts(tenant) if one.has(ContactRole.TENANT_ADMIN)]
        if admins and dice.right(0.75):
            return self.bearer(dice.one(admins))
        if dice.chance(0.15):
            member = dice.one(self.staff())
            return self.world.actor(member)
        return self.bearer(dice.one(self.contacts(tenant if dice.chance(0.5) else self.tenant(dice))))

    @staticmethod
    def bearer(contact: Contact) -> Actor:
        return Actor(ActorKind.TENANT_ADMIN, contact.id, contact.name, contact.email)
