"""Simulated colleagues and tenant admins that act while one watches: an act every few seconds, through the Desk, under
every rule. Of all consoles in the world one runs them, whichever holds the lock; it passes on when that one closes.

Whom a person plays, they leave alone; and they leave that person's requests to the mailbox pane.
"""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from app.demo.home import DemoHome, locked
from app.demo.moves import next_move
from app.demo.scene import LIVE, Move, Pace
from app.policy.verdict import Refused
from app.services.command import act_of
from storage.errors import Conflict, CountersignError, GuardRefused, Offline
from storage.models import Staff
from storage.shared.totp import STEP_SECONDS, code_at, step_of

if TYPE_CHECKING:
    from app.bootstrap import Workplace

CALM = (3.0, 10.0)
"""Seconds between two acts."""
ELECTION_SECONDS = 2.0


class Colleagues:
    """The simulated people of one world, acting through one console's workplace."""

    def __init__(
        self,
        place: Workplace,
        home: DemoHome,
        *,
        rng: random.Random | None = None,
        calm: tuple[float, float] = CALM,
        pace: Pace = LIVE,
    ) -> None:
        self._place, self._home, self._calm, self._pace = place, home, calm, pace
        self._rng = rng or random.Random()
        self._secrets = home.secrets()
        self.acted = 0

    async def run(self) -> None:
        """Wait until no other console does it, then act until cancelled."""
        while True:
            try:
                with locked(self._lock, waiting=None):
                    while True:
                        await asyncio.sleep(self._rng.uniform(*self._calm))
                        await self._calmly()
            except BlockingIOError:
                await asyncio.sleep(ELECTION_SECONDS)

    @property
    def _lock(self) -> Path:
        return self._home.root / "colleagues.lock"

    async def _calmly(self) -> None:
        """An act; whatever keeps it from happening is no reason to stop: the next one may work."""
        from app.logfile import note

        try:
            await self.act()
        except CountersignError as error:
            note(self._place.launch, "a simulated colleague", error)

    async def act(self) -> Move | None:
        """The next act, if there is one and no rule refuses it. Raises Offline, Corrupt."""
        status = self._place.sync.status
        if not status.live or status.forked:
            return None
        move = next_move(self._place.replica.reader, self._place.clock.now(), self._rng, self._played(), self._pace)
        if move is None:
            return None
        try:
            code = await self._code(move)
            if code is None and act_of(move.command) is not None:
                return None
            await self._place.desk.run(move.command, move.actor, *move.args, otp=code, **move.named)
        except (Refused, GuardRefused, Conflict, Offline):
            return None
        self.acted += 1
        return move

    def _played(self) -> frozenset[str]:
        """The ids of staff whom a person plays."""
        from storage.replica.queries.staff import all_staff

        emails = self._home.played()
        return frozenset(one.id for one in all_staff(self._place.replica.reader) if one.email in emails)

    async def _code(self, move: Move) -> str | None:
        """A code of the acting colleague that has not been used; None if they need none, or must wait for the next."""
        if act_of(move.command) is None:
            return None
        staff = self._place.replica.view("").get(Staff, move.actor.id)
        return await fresh_code(self._place, self._secrets, staff) if staff is not None else None


async def fresh_code(place: Workplace, secrets: dict[str, str], staff: Staff) -> str | None:
    """A code of that person which is right now and has not been used; None while there is none, or no second factor
    of the demo's own (they may have enrolled a real one)."""
    credential = await place.shared.credential(staff.id)
    secret = secrets.get(staff.email)
    if credential is None or secret is None or place.vault.unseal(credential.sealed_secret) != secret:
        return None
    now = place.clock.now()
    ahead = max(0, credential.last_step + 1 - step_of(now))
    return code_at(secret, now + timedelta(seconds=ahead * STEP_SECONDS)) if ahead <= 1 else None
