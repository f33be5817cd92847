"""The desk of the rules-off machine: each command is decided by the policy, and sent without it; the database must let
through exactly what the policy allows.

The Change goes over the log-in of whoever it says acts, or, now and then, of somebody else.
"""

from __future__ import annotations

import asyncio
import copy
import shutil
import tempfile
from collections import Counter
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, ClassVar, TypeVar
from uuid import UUID

import psycopg
from hypothesis.stateful import RuleBasedStateMachine, initialize

from app.policy.verdict import Refused
from app.services.command import CLOCK, act_of
from storage.errors import CountersignError, GuardRefused, Stale
from storage.models import Actor, ActorKind, Contact, Request, Row, Session, Staff, StepUp
from storage.shared.change import Change
from storage.shared.interface import SharedDatabase
from tests.clock import ManualClock
from tests.guards.rules_off.dice import Dice, seeds
from tests.guards.rules_off.excused import EXCUSED
from tests.guards.rules_off.scene import LEGAL, staged
from tests.guards.rules_off.switch import Rule, RuledOff, without_rules
from tests.postgres import cluster
from tests.services.machine.company import named_in_full
from tests.services.machine.grounds import LIMITS
from tests.services.world import World
from tests.team import TeamShared

T = TypeVar("T")
R = TypeVar("R", bound=Row)


class LetThrough(AssertionError):
    """The database let through what policy refuses."""


class KeptOut(AssertionError):
    """The database refuses what policy allows."""


@dataclass
class Tally:
    """What was seen over all runs. `alone`: a rule was the only one that refused, and the database refused by this
    promise. `excused`: a rule that the database promises nothing of was the only kind that refused."""

    done: Counter[tuple[str, str]] = field(default_factory=Counter)
    alone: Counter[tuple[Rule, str]] = field(default_factory=Counter)
    excused: Counter[Rule] = field(default_factory=Counter)
    runs: int = 0
    moves: int = 0
    found: tuple[int, int] | None = None
    """In which run, after how many moves of all of them, the first difference was met."""

    def commands(self, came_to: str) -> set[str]:
        return {command for command, what in self.done if what == came_to}

    def rules(self) -> set[Rule]:
        """Rules that the database kept all by itself."""
        return {rule for rule, _ in self.alone}

    def table(self) -> str:
        """Every command with what it came to, and every rule that stood alone, with the promises that kept it."""
        lines = []
        for command in sorted({name for name, _ in self.done}):
            what = ", ".join(f"{how} {n}" for (name, how), n in sorted(self.done.items()) if name == command)
            lines.append(f"{command:36} {what}")
        for rule in sorted(self.rules()):
            by = ", ".join(f"{promise} {n}" for (one, promise), n in sorted(self.alone.items()) if one == rule)
            lines.append(f"{rule!s:50.50} {by}")
        return "\n".join([*lines, *(f"{rule!s:50.50} let through {n}" for rule, n in sorted(self.excused.items()))])


class OverAnotherLine(TeamShared):
    """`over`: over whose log-in the next Change goes, in place of its actor's own."""

    over: Actor | None = None

    async def role(self, actor: Actor) -> str:
        return await super()._role(actor)

    async def _role(self, actor: Actor) -> str:
        return await super()._role(self.over or actor)


class RulesOff(RuleBasedStateMachine):
    """One console, one clock; `form` of the shared database. `loosened` is run on the clone first, by its superuser."""

    form = "sqlite"
    loosened: ClassVar[str] = ""
    tally: ClassVar[Tally] = Tally()

    @initialize(luck=seeds)
    def open(self, luck: int) -> None:
        self.tally.runs += 1
        self.luck = luck
        self.loop = asyncio.new_event_loop()
        self.ground, self.scene = staged(self.form)
        self.home = Path(tempfile.mkdtemp(prefix="run-", dir=self.ground.home))
        shutil.copytree(self.ground.home / "one", self.home / "one")
        self.clock = ManualClock(self.scene.now)
        self.shared: SharedDatabase = self.wait(self.ground.opened(self.clock, self.home))
        if isinstance(self.shared, TeamShared):
            self.shared.__class__ = OverAnotherLine
            if self.loosened:
                with psycopg.connect(cluster().url(self.shared.database), autocommit=True) as god:
                    god.execute(self.loosened)
        self.world = World.reopened(self.shared, self.ground.vault, self.clock, self.home / "one", LIMITS)  # type: ignore[arg-type]  # either form
        self.codes = copy.deepcopy(self.scene.codes)
        self.count = self.moves = 0
        self.pull()
        self.requests = self.rows(Request, lambda one: (one.created_at, one.ticket))
        self.sessions = self.rows(Session, lambda one: (one.started_at, one.ticket))

    def teardown(self) -> None:
        if hasattr(self, "world"):
            self.wait(self.world.close())
            self.wait(self.ground.gone(self.shared))
            shutil.rmtree(self.home, ignore_errors=True)
            self.loop.close()

    def wait(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    def pull(self) -> None:
        self.wait(self.world.sync.pull())

    @property
    def now(self) -> datetime:
        return self.clock.now()

    def dice(self, seed: int) -> Dice:
        """For one move: the same seed draws another one later in the story, and in another story."""
        self.moves += 1
        self.tally.moves += 1
        return Dice((self.luck * 31 + seed) * 1009 + self.moves)

    # ── what is there ──

    def rows(self, kind: type[R], order: Callable[[R], Any], **where: Any) -> list[str]:
        """Keys in an order that is the same in every run."""
        return [one.id for one in sorted(self.world.desk.view().find(kind, **where), key=order)]

    def row(self, kind: type[R], key: str) -> R:
        return self.world.row(kind, key)

    def staff(self) -> list[Staff]:
        return sorted(self.world.desk.view().find(Staff), key=lambda one: one.email)

    def named(self, name: str) -> Staff:
        return next(one for one in self.staff() if one.email.startswith(f"{name}@"))

    def contacts(self, tenant: str) -> list[Contact]:
        return sorted(self.world.desk.view().find(Contact, tenant_id=tenant), key=lambda one: one.id)

    def words(self, what: str = "Refund") -> str:
        """A reason like no other."""
        self.count += 1
        return f"{what} {self.count} shows completed but the card was never credited; compare the event."

    # ── how things are done ──

    def attempt(self, dice: Dice, command: Callable[..., Change], who: Staff | Actor, *args: Any, **named: Any) -> bool:
        """Decide it with the policy, send it without; whether the policy allows it (and so it was done)."""
        self.pull()
        actor = who if isinstance(who, Actor) else self.world.actor(who)
        act = act_of(command)
        if act is not None:
            named["limits"] = LIMITS
            if isinstance(who, Staff):
                actor = replace(actor, step_up=self.proof(dice, who, act))
        key = self.fresh_change()
        over = self.another_line(dice, actor)
        run = lambda: command(self.world.replica.view(key), actor, *args, now=self.now, **named)  # noqa: E731
        try:
            decided: Change | None = run()
        except Refused:
            decided = None
        off = without_rules(run, dice.one(("mode", "minutes")) if not dice.right(0.85) else "")
        told = f"{named_in_full(command)} by {actor.kind} {actor.name}, with {args} {named}"
        if decided is not None and not off.refusals:
            assert off.change == decided, f"the rules change what {told} does"
        if off.change is None:
            assert decided is None
            self.tally.done[named_in_full(command), "nothing to send"] += 1
            return False
        refused = self.sent(off.change, over)
        self.judge(named_in_full(command), told, decided is not None and not off.refusals, off, refused, over)
        self.pull()
        return refused is None

    def sent(self, change: Change, over: Actor | None) -> CountersignError | None:
        """Over that line; what the database says against it."""
        position = self.world.replica.position()
        assert position is not None
        if isinstance(self.shared, OverAnotherLine):
            self.shared.over = over
        try:
            self.wait(self.shared.apply(replace(change, seen=position.head)))
        except (GuardRefused, Stale) as error:
            return error
        finally:
            if isinstance(self.shared, OverAnotherLine):
                self.shared.over = None
        return None

    def judge(
        self, name: str, told: str, allowed: bool, off: RuledOff, refused: CountersignError | None, over: Actor | None
    ) -> None:
        refusals = dict(off.refusals)
        if over is not None:
            refusals[Rule("REQ-701", "another's log-in")] = f"it is sent over the log-in of {over.kind} {over.name}"
        ours = {rule: why for rule, why in refusals.items() if rule not in EXCUSED}
        if refused is None:
            if ours:
                self.tally.found = self.tally.found or (self.tally.runs, self.tally.moves)
                raise LetThrough(f"the database let through what policy refuses ({_listed(ours)}): {told}")
            if refusals:
                for rule in refusals:
                    self.tally.excused[rule] += 1
            self.tally.done[name, "allowed" if allowed else "excused"] += 1
            return
        if not refusals:
            self.tally.found = self.tally.found or (self.tally.runs, self.tally.moves)
            raise KeptOut(f"the database refuses what policy allows: {told}: {refused}")
        promise = refused.promise if isinstance(refused, GuardRefused) else "stale"
        self.tally.done[name, "refused"] += 1
        if len(ours) == 1 and len(refusals) == 1:
            self.tally.alone[next(iter(ours)), promise] += 1

    def fresh_change(self) -> str:
        """A UUIDv7 that is the same in every run, so that ids that follow from it are."""
        self.count += 1
        return str(UUID(int=int(self.now.timestamp() * 1000) << 80 | 0x7 << 76 | 0b10 << 62 | self.count))

    def proof(self, dice: Dice, who: Staff, act: str) -> str | None:
        """Mostly a fresh code for this very act; else none, or one that was given before, for whatever, by whomever."""
        if dice.right(0.8):
            return self.code(who, act)
        if dice.chance(0.25):
            return None
        if dice.chance(0.2):
            return self.code(who, dice.one(("request.create", "session.start", "session.elevate", "staff.enrol")))
        own = {"staff_id": who.id} if dice.chance(0.7) else {}
        given = self.rows(StepUp, lambda one: (one.at, one.staff_id, one.act), **own)
        return dice.one(given[-12:]) if given else None

    def code(self, who: Staff, act: str) -> str | None:
        """A fresh code of this person, accepted; None where none of theirs is accepted any more."""
        if not self.codes.get(who.email):
            return None
        try:
            answer = self.wait(self.shared.step_up(who.id, self.codes[who.email].pop(), act, self.world.actor(who)))
        except GuardRefused:  # P12: whoever has left gets none
            return None
        self.pull()
        return answer.step_up

    def another_line(self, dice: Dice, actor: Actor) -> Actor | None:
        """Now and then another's: a colleague's, a program's."""
        if self.form == "sqlite" or dice.right(0.95):
            return None
        staff = [one for one in self.staff() if actor.id != CLOCK.id or not one.is_active(self.now)]
        lines = [self.world.actor(one) for one in staff]  # what the clock has decided, any colleague may write down
        lines += [
            Actor(ActorKind.SYSTEM, "clock", "", ""),
            Actor(ActorKind.GATE, "", "", ""),
            Actor(ActorKind.TENANT_ADMIN, "", "", ""),
        ]
        shared = self.shared
        assert isinstance(shared, OverAnotherLine)
        own = self.wait(shared.role(actor))
        return dice.one([one for one in lines if self.wait(shared.role(one)) != own])


def _listed(refusals: dict[Rule, str]) -> str:
    return "; ".join(f"{rule}: {why}" for rule, why in refusals.items())


__all__ = ["LEGAL", "KeptOut", "LetThrough", "RulesOff", "Tally"]
