"""The desk: where a command is run. View, Change, apply, wait for the replica; the only way anything changes.

A code is asked for last: the command is decided without it first, so that what a rule refuses anyway costs no code.
When something the decision rests on has changed meanwhile, it is decided again, at most three times.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from app.policy import step_up
from app.policy.limits import DEFAULTS, Limits
from app.policy.verdict import Refused, rule
from app.services import expiry, tenants
from app.services import outbox as outboxes
from app.services.command import CLOCK, RefusedOnRecord, act_of, adds_privilege, queueable_of, shuts
from app.services.desk_words import who_was_faster, why_not_kept
from storage.clock import Clock, SharedClock
from storage.errors import (
    ClockSkew,
    Conflict,
    CountersignError,
    ForkedHistory,
    GuardRefused,
    Misconfigured,
    Offline,
    Stale,
)
from storage.log.entry import Head
from storage.models import Actor, StepUp
from storage.outbox import Kept, Outbox
from storage.replica.engine import Replica
from storage.shared.change import Applied, Change, new_change_id
from storage.shared.interface import SharedDatabase
from storage.sync import Sync
from storage.view import View

SKEW = timedelta(seconds=2)
SHUTTING_PATIENCE = timedelta(seconds=1)
"""How long whoever turns a switch on has for its entry before others write it."""
TRIES = 3
"""How often a command is decided again when it was too late."""


class StepUpNeeded(CountersignError):
    """The rules allow it; what is missing is a code of the person's second factor for `act`."""

    def __init__(self, act: str) -> None:
        super().__init__("a fresh second factor is needed", "give the six-digit code, or a recovery code")
        self.act = act


class Desk:
    """One per process. `limits` are those the policy explains with; the shared database guards its own. Without an
    `outbox` nothing is kept while the shared database is out of reach."""

    def __init__(
        self,
        shared: SharedDatabase,
        replica: Replica,
        sync: Sync,
        clock: Clock,
        limits: Limits = DEFAULTS,
        outbox: Outbox | None = None,
    ) -> None:
        self._shared = shared
        self._replica = replica
        self._sync = sync
        self._clock = clock
        self.limits = limits
        self.outbox = outbox

    def now(self) -> datetime:
        """The shared clock as estimated here."""
        return self._clock.now()

    def view(self) -> View:
        """A View for previews and explanations; nothing comes of what it reads."""
        return self._replica.view(new_change_id())

    def needs_code(self, command: Callable[..., Change], actor: Actor) -> bool:
        """Whether running this command takes a code now: it is of the kind, and no earlier code covers it."""
        act = act_of(command)
        return act is not None and self._covering(actor, act) is None

    async def run(
        self,
        command: Callable[..., Change],
        actor: Actor,
        *args: object,
        otp: str | None = None,
        change_id: str | None = None,
        **kwargs: object,
    ) -> Applied:
        """Run a command to its end: applied, and on this replica. Raises Refused, StepUpNeeded, Conflict, Offline,
        ForkedHistory, GuardRefused. With the `change_id` of an earlier run, it is applied at most once. Out of reach,
        what takes privilege away or adds words is kept: the answer is `Queued` then (REQ-802)."""
        key = change_id or new_change_id()
        how = queueable_of(command)
        try:
            return await self.carry_out(command, actor, *args, otp=otp, change_id=key, decided_at=None, **kwargs)
        except Offline:
            if self.outbox is None or how is None:
                raise
            # Under the same id: should it have been applied and only the answer be lost, it is not applied again.
            view, now = self._replica.view(key), self._clock.now()
            return outboxes.kept(self.outbox, how, view, actor, args, kwargs, now, self._rev())

    async def send_queued(self, mine: outboxes.Sends | None = None) -> tuple[Kept, ...]:
        """Send what the outbox keeps, on a server only `mine`, who is logged in: nobody acts for another there. What
        was settled here, with what came of it. Never raises for what one of them came to."""
        return await outboxes.send(self.outbox, self, mine) if self.outbox is not None else ()

    async def carry_out(
        self,
        command: Callable[..., Change],
        actor: Actor,
        *args: object,
        otp: str | None = None,
        change_id: str | None = None,
        decided_at: datetime | None = None,
        **kwargs: object,
    ) -> Applied:
        """`run` without an outbox. `decided_at`: when a command that was kept was decided; its entry says so."""
        if (shut := shuts(command, *args, **kwargs)) is not None:
            await self._shut(shut, command, actor, args, kwargs)
        await self._ready(command, sending=decided_at is not None)
        key = change_id or new_change_id()
        if self._replica.revision_of("command", key) is not None:  # a repeat: only the answer is wanted
            return await self._shared.apply(Change(key, self._clock.now(), actor, (), (), ()))
        act = act_of(command)
        if act is not None:
            kwargs = {**kwargs, "limits": self.limits}
            actor = replace(actor, step_up=actor.step_up or self._covering(actor, act))
        first: Change | None = None
        measured = False
        tries = 0
        while True:
            rev = self._rev()
            try:
                change, actor = await self._decided(command, actor, key, otp, args, kwargs)
                rev, first = self._rev(), first or change  # a code that was just given is no news
                if decided_at is not None:
                    change = outboxes.with_decision(change, decided_at)
                applied = await self._shared.apply(replace(change, seen=self._seen()))
                break
            except ClockSkew:
                if measured:
                    raise
                measured = True
                await self._measure()
            except (Stale, GuardRefused) as late:
                await self._sync.pull()
                if isinstance(late, GuardRefused) and self._rev() == rev and not measured:
                    measured = True  # the clock here may be a moment off: then the rules say it in words
                    await self._measure()
                    continue
                tries += 1
                if isinstance(late, GuardRefused) and (self._rev() == rev or tries > TRIES):
                    raise  # nothing new to decide on: the guard knows better than the rules here
                if tries > TRIES:
                    raise Conflict(self._who_was_faster(first), "look again, and decide again") from None
            except Refused as refused:
                if not tries:
                    raise
                raise Conflict(f"{self._who_was_faster(first)}; {refused}", "look again") from None
        await self._catch_up()
        return applied

    async def _decided(
        self,
        command: Callable[..., Change],
        actor: Actor,
        key: str,
        otp: str | None,
        args: tuple[object, ...],
        kwargs: dict[str, object],
    ) -> tuple[Change, Actor]:
        """The command's Change, and the actor with the code that it took. Raises Refused, StepUpNeeded."""
        act = act_of(command)
        try:
            return command(self._replica.view(key), actor, *args, now=self._clock.now(), **kwargs), actor
        except RefusedOnRecord as refused:
            with contextlib.suppress(Stale, GuardRefused):  # the refusal stands, whatever has changed meanwhile
                await self._shared.apply(replace(refused.change, seen=self._seen()))
            await self._catch_up()
            raise Refused(refused.verdict) from None
        except Refused as refused:
            if act is None or not step_up.only_this_is_missing(refused.verdict):
                raise
            actor = await self._proven(actor, act, otp, refused)
            return command(self._replica.view(key), actor, *args, now=self._clock.now(), **kwargs), actor

    async def _shut(
        self,
        tenant_id: str,
        command: Callable[..., Change],
        actor: Actor,
        args: tuple[object, ...],
        kwargs: dict[str, object],
    ) -> None:
        """Put a tenant's switch in force before the Change that records it waits for anything, or is even decided: with
        hundreds of sessions to end, that takes a while (REQ-110). The database itself holds it to the tenant's own
        administrators; whom it refuses is told why by the rules. Raises Refused, GuardRefused."""
        try:
            await self._shared.shut(tenant_id, actor)
        except (GuardRefused, Misconfigured):
            command(self.view(), actor, *args, now=self._clock.now(), **kwargs)
            raise
        await self._catch_up()  # the shared database has said yes: no copy that lags shall say no to the entry

    async def record_due(self, now: datetime | None = None) -> int:
        """Record what time has ended (REQ-203); how many were recorded here. Any process may, twice does no harm."""
        recorded = 0
        for one in expiry.due(self._replica.reader, now or self._clock.now()):
            try:
                await self.run(one.command, CLOCK, one.key)
                recorded += 1
            except (Refused, Conflict):  # another console has recorded it meanwhile
                continue
        return recorded

    async def record_shuttings(self, actor: Actor = CLOCK, patience: timedelta = SHUTTING_PATIENCE) -> int:
        """Write down every switch whose entry is overdue (REQ-110): the one who turned it on comes first, for
        `patience`. How many were written here."""
        recorded = 0
        for shutting in await self._shared.shuttings():
            if self._clock.now() - shutting.at < patience:
                continue
            with contextlib.suppress(Refused, Conflict):  # they were there after all, or another process was
                await self.carry_out(tenants.record_shutting, actor, shutting)
                recorded += 1
        return recorded

    async def _ready(self, command: Callable[..., Change], *, sending: bool) -> None:
        """The shared database is there; what adds privilege also needs a history that can be trusted (REQ-802). What
        can be kept is kept at once while sync says that it is out of reach: sync tries all the time, and a person who
        ends a session shall not wait for another connection to fail."""
        status = self._sync.status
        if not status.live:
            kept = self.outbox is not None and queueable_of(command) is not None and not sending
            if kept and status.offline_since is not None:
                raise Offline(f"not done: {status.offline_because}")
            try:
                await self._sync.pull()
            except Offline as error:
                raise Offline(f"not done: {error}", why_not_kept(command)) from error
            except ForkedHistory:
                if adds_privilege(command):
                    raise
        if self._sync.status.forked and adds_privilege(command):
            faults = "; ".join(str(fault) for fault in self._sync.status.faults[:3])
            raise ForkedHistory(
                f"the history cannot be trusted: {faults or 'it does not continue what was verified here'}",
                "what adds privilege is refused until that is cleared up; ending, denying and withdrawing still work",
            )

    def _covering(self, actor: Actor, act: str) -> str | None:
        """An accepted code of this person that covers `act` now: of the newest few, as codes age in minutes."""
        now = self._clock.now()
        newest = self._replica.view("").latest(StepUp, 8, staff_id=actor.id)
        covering = (one.id for one in newest if step_up.covers(one, actor.id, act, now, self.limits).allowed)
        return next(covering, None)

    async def _proven(self, actor: Actor, act: str, otp: str | None, refused: Refused) -> Actor:
        """The actor with an accepted code. Checked in a committed step of its own: a failed attempt stays (REQ-702)."""
        if otp is None:
            raise StepUpNeeded(act) if actor.step_up is None else refused
        answer = await self._shared.step_up(actor.id, otp, act, actor)
        await self._sync.pull()
        if answer.step_up is None:
            raise Refused(rule(step_up.RULE, False, "", answer.why, "the person themselves"))
        given = self._replica.view("").get(StepUp, answer.step_up)
        if given is not None and abs(given.at - self._clock.now()) > SKEW:
            await self._measure()  # it was given just now: the clock here is wrong
        return replace(actor, step_up=answer.step_up)

    async def _measure(self) -> None:
        """Read the shared clock again: this machine slept, or its clock was wrong."""
        began = time.monotonic()
        shared = await self._shared.now()
        if isinstance(self._clock, SharedClock):
            self._clock.measured(shared, began, time.monotonic())

    async def _catch_up(self) -> None:
        """What was applied comes back through sync like everyone's. It *is* applied: should the way back fail just
        now (the network again, a full disk here), sync says so itself and brings it later."""
        with contextlib.suppress(CountersignError):
            await self._sync.pull()

    def _rev(self) -> int:
        seen = self._seen()
        return seen.seq if seen is not None else 0

    def _seen(self) -> Head | None:
        position = self._replica.position()
        return position.head if position is not None else None

    def _who_was_faster(self, decided: Change | None) -> str:
        reads = decided.reads if decided is not None else ()
        return who_was_faster(self._replica.changed_since(reads), self._clock.now())
