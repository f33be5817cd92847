"""The postman: takes queued letters to the mail system, in order for each recipient, and records what became of them
(issue 4, section 2).

Of all processes that could, one at a time hands letters on (a lease in the shared database), so no letter is sent twice
at once; it sends at least once, always under the same Message-ID. What stands between two entries — how often a letter
was tried, when it is tried next — is this process's memory: another that takes over begins anew.
A letter that waits for its next attempt holds back the later ones to the same recipient; a server that takes nothing
holds back all, and is tried with one letter at a time.
"""

from __future__ import annotations

import random
import secrets
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from email.message import EmailMessage

from app.mail.carrying import Attempt, Carrier, Outcome
from app.mail.letter import compose, text_digest
from app.mail.links import make_tokens, token_hash
from app.mail.rendering import Postmark
from app.policy.verdict import Refused
from app.services import mail as record
from app.services.desk import Desk
from storage.errors import Conflict, Stale
from storage.models import Mail
from storage.shared.interface import SharedDatabase

GIVE_UP = timedelta(hours=24)
"""A letter that could not be handed on for so long has failed, visibly."""
TOLD_EVERY = timedelta(hours=6)
"""How often at most an entry says that a letter still cannot be handed on."""
LETTER_WAITS = (timedelta(minutes=1), timedelta(hours=1))
SERVER_WAITS = (timedelta(seconds=5), timedelta(minutes=5))
"""The first pause and the longest; each is twice the one before, give or take a fifth."""
BROKEN_MAX = 3
"""So many letters in a row over which the connection broke: the server is at fault, not they."""
LEASE, LEASE_LEFT = timedelta(seconds=120), timedelta(seconds=75)
"""How long the lease lasts, and how much of it must be left for a letter to be begun: more than a letter may take."""
ASK_AGAIN = timedelta(seconds=10)
BATCH = 20
OTHERS_DID = (Conflict, Stale, Refused)
"""How it shows that another process recorded the same a moment earlier."""


@dataclass(slots=True)
class _Pause:
    """A backoff: how often it failed in a row, and until when to wait."""

    first: timedelta
    longest: timedelta
    tries: int = 0
    until: datetime | None = None

    def failed(self, now: datetime, chance: random.Random) -> None:
        wait = min(self.longest, self.first * 2 ** min(self.tries, 20))
        self.tries += 1
        self.until = now + wait * chance.uniform(0.8, 1.2)

    def over(self, now: datetime) -> bool:
        return self.until is None or now >= self.until


@dataclass(slots=True)
class Round:
    """What one round did. `trouble`: why the server takes nothing."""

    delivered: int = 0
    failed: int = 0
    deferred: int = 0
    trouble: str = ""
    standing_by: bool = False


@dataclass(slots=True)
class Postman:
    """One a process. `queue` reads the letters that wait, oldest first; `mark` says what a letter carries besides."""

    desk: Desk
    shared: SharedDatabase
    carrier: Carrier
    key: bytes
    queue: Callable[[], list[Mail]]
    mark: Callable[[Mail], Postmark]
    chance: random.Random = field(default_factory=random.Random)
    name: str = field(default_factory=lambda: secrets.token_hex(8))
    _server: _Pause = field(default_factory=lambda: _Pause(*SERVER_WAITS))
    _letters: dict[str, _Pause] = field(default_factory=dict)
    _told: dict[str, datetime] = field(default_factory=dict)
    _accepted: dict[str, tuple[Attempt, str]] = field(default_factory=dict)
    _held_until: datetime | None = None
    _asked_at: datetime | None = None

    async def round(self) -> Round:
        """Hand on whatever is due. Raises what the desk raises where recording fails: the next round goes on from
        there, and sends nothing that was accepted again."""
        done, waiting = Round(), self.queue()
        self._forget(waiting)
        now = self.desk.now()
        if not waiting or not self._server.over(now):
            return done
        if not await self._is_ours(now):
            done.standing_by = True
            return done
        failures: list[record.Failure] = []
        try:
            await self._through(waiting, done, failures)
        finally:
            await self.carrier.rest()
            await self._record_failures(failures, done)
        return done

    async def close(self) -> None:
        """Give the lease back, so that another need not wait for its end."""
        if self._held_until is not None:
            self._held_until = None
            await self.shared.lease("mail", self.name, 0)

    async def _through(self, waiting: Sequence[Mail], done: Round, failures: list[record.Failure]) -> None:
        held: set[str] = set()  # recipients whose next letter is not due
        broken = 0
        for mail in _in_order(waiting):
            to, now = mail.to_email.casefold(), self.desk.now()
            pause = self._letters.get(mail.id)
            if to in held or (pause is not None and not pause.over(now)):
                held.add(to)
                continue
            if not await self._is_ours(now):
                done.standing_by = True
                return
            attempt, digest = self._accepted.get(mail.id) or await self._attempt(mail)
            now = self.desk.now()
            if attempt.outcome is Outcome.ACCEPTED:
                self._server, broken = _Pause(*SERVER_WAITS), 0
                await self._record_delivery(mail, attempt, digest, done)
                continue
            if attempt.outcome is Outcome.REFUSED:
                broken = 0
                failures.append(record.Failure(mail.id, attempt.words, self._tries(mail) + 1))
                continue
            held.add(to)
            broken = broken + 1 if attempt.outcome is Outcome.BROKEN else 0
            await self._put_off(mail, attempt, now, done, failures)
            if attempt.outcome is Outcome.UNREACHABLE or broken >= BROKEN_MAX:
                self._server.failed(now, self.chance)
                done.trouble = attempt.words
                self._give_up_old(waiting, attempt, now, failures)
                return

    async def _attempt(self, mail: Mail) -> tuple[Attempt, str]:
        message = self._composed(mail)
        attempt = await self.carrier.hand_on(mail.id, mail.to_email, message)
        digest = text_digest(message)
        if attempt.outcome is Outcome.ACCEPTED:
            self._accepted[mail.id] = attempt, digest
        return attempt, digest

    def _composed(self, mail: Mail) -> EmailMessage:
        return compose(mail, make_tokens(self.key, mail), self.mark(mail))

    async def _record_delivery(self, mail: Mail, attempt: Attempt, digest: str, done: Round) -> None:
        links = tuple((kind, token_hash(token)) for kind, token in make_tokens(self.key, mail).items())
        with suppress(*OTHERS_DID):
            await self.desk.run(
                record.delivered, record.POSTMAN, mail.id, links, attempt.words, self._tries(mail) + 1, digest
            )
            done.delivered += 1

    async def _put_off(
        self, mail: Mail, attempt: Attempt, now: datetime, done: Round, failures: list[record.Failure]
    ) -> None:
        """Try later; say so in the log the first time, then every six hours; fail what is a day old."""
        pause = self._letters.setdefault(mail.id, _Pause(*LETTER_WAITS, mail.attempts))
        if attempt.outcome is Outcome.UNREACHABLE:
            pause.tries += 1  # the server's own pause holds it back
        else:
            pause.failed(now, self.chance)
        if now - mail.created_at >= GIVE_UP:
            failures.append(record.Failure(mail.id, attempt.words, pause.tries))
            return
        done.deferred += 1
        told = self._told.get(mail.id, mail.tried_at)
        if told is None or now - told >= TOLD_EVERY:
            with suppress(*OTHERS_DID):
                await self.desk.run(record.deferred, record.POSTMAN, mail.id, attempt.words, pause.tries)
                self._told[mail.id] = now

    def _give_up_old(
        self, waiting: Iterable[Mail], attempt: Attempt, now: datetime, failures: list[record.Failure]
    ) -> None:
        """The server took nothing: that was the attempt of every letter that is a day old."""
        known = {one.mail_id for one in failures}
        failures += [
            record.Failure(mail.id, attempt.words, self._tries(mail))
            for mail in waiting
            if now - mail.created_at >= GIVE_UP and mail.id not in known and mail.id not in self._accepted
        ]

    async def _record_failures(self, failures: Sequence[record.Failure], done: Round) -> None:
        for start in range(0, len(failures), BATCH):
            some = failures[start : start + BATCH]
            with suppress(*OTHERS_DID):
                await self.desk.run(record.failed, record.POSTMAN, some)
                done.failed += len(some)

    async def _is_ours(self, now: datetime) -> bool:
        """Whether this process may hand on letters for as long as one takes."""
        if not self.carrier.is_shared:
            return True
        if self._held_until is not None and self._held_until - now >= LEASE_LEFT:
            return True
        if self._held_until is None and self._asked_at is not None and now - self._asked_at < ASK_AGAIN:
            return False
        self._asked_at = now
        ours = await self.shared.lease("mail", self.name, int(LEASE.total_seconds()))
        self._held_until = now + LEASE if ours else None
        return ours

    def _tries(self, mail: Mail) -> int:
        pause = self._letters.get(mail.id)
        return pause.tries if pause is not None else mail.attempts

    def _forget(self, waiting: Sequence[Mail]) -> None:
        """What is no longer queued needs no memory."""
        here = {mail.id for mail in waiting}
        for memory in (self._letters, self._told, self._accepted):
            for key in memory.keys() - here:
                del memory[key]


def _in_order(waiting: Sequence[Mail]) -> list[Mail]:
    """Oldest first for each recipient; recipients with something urgent before the others."""
    pressing = {mail.to_email.casefold() for mail in waiting if mail.urgent}
    return sorted(waiting, key=lambda mail: (mail.to_email.casefold() not in pressing, mail.created_at, mail.id))
