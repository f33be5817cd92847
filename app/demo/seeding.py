"""Runs real commands against a new shared database on a clock that is moved by hand: weeks of history in seconds.

Every command goes through `app.services` and `apply` with its guards, every code through `prove`: only the waiting is
left out. All of it is one transaction of a file that nobody else has open, so it costs one sync instead of thousands.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path

from app.demo.populace import change_id, microseconds
from app.demo.scene import Move
from app.mail.letter import Postmark, compose
from app.mail.links import make_tokens, token_hash
from app.mail.maildir import Maildir
from app.policy.limits import DEFAULTS
from app.policy.verdict import Refused
from app.services import expiry
from app.services.command import CLOCK, RefusedOnRecord, act_of
from app.services.mail import POSTMAN, delivered
from storage.errors import GuardRefused
from storage.log.entry import OPERATOR, Head, tenant_log
from storage.models import Actor, Mail
from storage.models.row import row_types
from storage.replica.view import ReplicaView
from storage.shared.change import Applied, Change
from storage.shared.connections import Transaction
from storage.shared.guards.case import Limits
from storage.shared.proving import prove
from storage.shared.totp import STEP_SECONDS, code_at, step_of
from storage.shared.vault import Vault
from storage.shared.writing import apply_change
from storage.view import derived_id


class SharedView(ReplicaView):
    """A View on the shared database itself: its row tables are the replica's, only the digests are not there."""

    def fresh_id(self, prefix: str) -> str:
        while True:
            number = self._drawn.get(prefix, 0)
            self._drawn[prefix] = number + 1
            key = derived_id(self.change_id, prefix, number)
            taken = " UNION ALL ".join(f"SELECT 1 FROM {table} WHERE id = :key" for table in row_types())
            if self._connection.execute(taken, {"key": key}).fetchone() is None:
                return key


class Seeding:
    """One run over one file. `secrets` are the second factors of the demo's staff by id; move `now` on between acts.
    Letters younger than `keep` at the end are written to `box`; older ones count as read and thrown away."""

    def __init__(
        self, connection: sqlite3.Connection, vault: Vault, secrets: dict[str, str], rng: random.Random, now: datetime
    ) -> None:
        self.connection, self.secrets, self.now = connection, secrets, now
        self.acts = 0
        self._transaction = Transaction(connection)
        self._vault, self._rng = vault, rng
        self._key = vault.derived_key("mail links")
        self._steps: dict[str, int] = {}
        self._letters: list[tuple[Mail, Postmark]] = []

    def run(self, command: Callable[..., Change], actor: Actor, *args: object, **named: object) -> Applied:
        """A command, its code if it needs one, and the letters it causes. Raises Refused, GuardRefused."""
        act = act_of(command)
        if act is not None:
            named = {**named, "limits": DEFAULTS}
            actor = replace(actor, step_up=self._prove(actor, act))
        try:
            applied = self._apply(command, actor, *args, **named)
        except RefusedOnRecord as refused:
            apply_change(self._transaction, refused.change, self.now, Limits())
            raise Refused(refused.verdict) from None
        self.acts += 1
        self._deliver()
        return applied

    def try_move(self, move: Move) -> Applied | None:
        """A move somebody thought of; None if a rule refuses it."""
        try:
            return self.run(move.command, move.actor, *move.args, **move.named)
        except (Refused, GuardRefused):
            return None

    def advance(self, **parts: float) -> None:
        """Let time pass, and record what it ends."""
        self.now += timedelta(**parts)
        for one in expiry.due(self.connection, self.now):
            self._apply(one.command, CLOCK, one.key)
            self._deliver()

    def _apply(self, command: Callable[..., Change], actor: Actor, *args: object, **named: object) -> Applied:
        view = SharedView(self.connection, change_id(microseconds(self.now), self._rng))
        change = command(view, actor, *args, now=self.now, **named)
        return apply_change(self._transaction, change, self.now, Limits())

    def _prove(self, actor: Actor, act: str) -> str | None:
        """A code of that person, each once: if this half minute's is used up, the next one's comes later."""
        step = step_of(self.now)
        if self._steps.get(actor.id, 0) >= step:
            self.now += timedelta(seconds=STEP_SECONDS)
            step = step_of(self.now)
        self._steps[actor.id] = step
        code = code_at(self.secrets[actor.id], self.now)
        return prove(self._transaction, actor.id, code, act, actor, self.now, self._vault).step_up

    def _deliver(self) -> None:
        """What `app.upkeep` does every second."""
        queued = self.connection.execute("SELECT image FROM mail WHERE state = 'queued' ORDER BY id").fetchall()
        for (image,) in queued:
            mail = Mail.from_image(image)
            tokens = make_tokens(self._key, mail)
            links = tuple((kind, token_hash(token)) for kind, token in tokens.items())
            self._letters.append((mail, self._postmark(mail)))
            self._apply(delivered, POSTMAN, mail.id, links)

    def _postmark(self, mail: Mail) -> Postmark:
        log = tenant_log(mail.tenant_id) if mail.tenant_id is not None else OPERATOR
        query = "SELECT seq, lower(hex(hash)), (SELECT epoch FROM log_head WHERE log = ?) FROM log_head WHERE log = ?"
        seq, leaf, epoch = self.connection.execute(query, (OPERATOR, log)).fetchone()
        return Postmark("countersign@localhost", "http://localhost:8000", log, Head(seq, leaf), epoch)

    def post(self, box: Path, keep: timedelta) -> None:
        """Write the younger letters as the files they would be."""
        maildir = Maildir(box)
        for mail, mark in self._letters:
            if mail.created_at > self.now - keep:
                maildir.deliver(mail.id, compose(mail, make_tokens(self._key, mail), mark))
