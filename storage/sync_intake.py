"""The replica's side of a pull: verify a chunk, apply it in one transaction, remember the heads; mend what is damaged.

Everything here blocks and runs in the replica's own thread.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeVar

from storage import sync_chunk
from storage.errors import Misconfigured
from storage.evidence import Finding
from storage.log.entry import Head
from storage.replica.engine import TROUBLE, Replica, is_damage, position_of
from storage.replica.soundness import ReplicaDamaged
from storage.shared.interface import Position, Pulled
from storage.sync_checked import public_tables
from storage.witness import Witness

T = TypeVar("T")
_NAMED = 1000


class InThread(Protocol):
    """Runs work in the replica's thread."""

    def __call__(self, work: Callable[[], T]) -> Awaitable[T]: ...


@dataclass(frozen=True, slots=True)
class Taken:
    """What one chunk came to, as the replica's side reports it."""

    position: Position | None
    entries: int
    keys: frozenset[tuple[str, str]]
    findings: tuple[Finding, ...]
    broken: bool = False
    again: bool = False
    """The replica moved or was rebuilt meanwhile: pull from where it stands now."""


class Intake:
    """One per Sync."""

    def __init__(self, replica: Replica, witness: Witness) -> None:
        self._replica = replica
        self._witness = witness

    def position(self) -> Position | None:
        """Where the replica stands. One that cannot say is rebuilt."""
        try:
            return position_of(self._replica.writer())
        except TROUBLE as error:
            self._mend(error)
            return None

    def take(self, position: Position | None, pulled: Pulled) -> Taken:
        """Verify one chunk and apply it, under the lock of the file. Raises Misconfigured if the disk is in the way."""
        try:
            with self._replica.locked():
                connection = self._replica.writer()
                connection.execute("BEGIN IMMEDIATE")
                try:
                    if position_of(connection) != position:  # another process of this home was faster
                        return Taken(position, 0, frozenset(), (), again=True)
                    checked = sync_chunk.check(connection, position, pulled, self._witness)
                    if checked.broken and not checked.entries:
                        return Taken(position, 0, frozenset(), tuple(checked.findings), broken=True)
                    sync_chunk.apply(connection, checked)
                    findings = list(checked.findings)
                    at_head = checked.link.seq == pulled.head.seq
                    if at_head and not checked.broken:
                        findings += sync_chunk.missing_rows(connection)
                    connection.execute("COMMIT")
                finally:
                    if connection.in_transaction:
                        connection.execute("ROLLBACK")
                self._witness.saw(checked.epoch, checked.heads())
                self._witness.save()
            moved = Position(checked.epoch, Head(checked.link.seq, checked.link.hash))
            keys = frozenset((row.table, row.key) for row in checked.rows)
            return Taken(moved, len(checked.entries), keys, tuple(findings), checked.broken)
        except (*TROUBLE, ReplicaDamaged) as error:
            self._mend(error)
            return Taken(None, 0, frozenset(), (), again=True)
        except OSError as error:
            raise Misconfigured(f"what was pulled cannot be kept: {error}", "check the disk of the home") from error

    def adopt(self, filled: Path) -> None:
        """Take a file that `storage.filling` made, unless another process of this home was faster."""
        with self._replica.locked():
            if self._replica.usable() is None and position_of(self._replica.writer()) is not None:
                return
            self._replica.adopt(filled)
            self._remember()

    def remember(self) -> None:
        """Note the heads of a replica that `storage.filling` brought forward."""
        try:
            self._remember()
        except TROUBLE as error:
            self._mend(error)

    def _remember(self) -> None:
        found = self._replica.writer().execute("SELECT log, epoch, seq, hash FROM log_head").fetchall()
        for log, epoch, seq, entry_hash in found:
            self._witness.saw(epoch, {log: Head(seq, entry_hash.hex())})
        self._witness.save(at_once=True)

    def between(self, after: int, upto: int) -> frozenset[tuple[str, str]] | None:
        """The rows that entries in (after, upto] wrote, as the replica has it: what another process of this home, or a
        pull that was cut short, brought without telling. None: too many to name."""
        if upto - after > _NAMED:
            return None
        try:
            found = self._replica.writer().execute(
                "SELECT body FROM operator_log WHERE seq > ? AND seq <= ?", (after, upto)
            )
            rows = [row for (body,) in found for row in json.loads(body).get("rows", ())]
        except (*TROUBLE, ValueError):  # a damaged copy: whoever compares will find it, here everything is reloaded
            return None
        return frozenset((table, key) for table, key, _ in rows if table in public_tables())

    def _mend(self, error: Exception) -> None:
        """Rebuild a damaged replica. A disk that is full, or read-only, is no damage: raises Misconfigured, and what
        was to be written comes with a later pull."""
        try:
            with self._replica.locked():
                because = str(error)
                if not isinstance(error, ReplicaDamaged):
                    trouble = self._replica.usable()
                    if trouble is None and not is_damage(error):
                        raise self._unusable(error) from error
                    because = trouble or f"it was damaged ({error})"
                self._replica.rebuild(because)
        except (OSError, sqlite3.Error) as worse:
            raise self._unusable(worse) from error

    def _unusable(self, error: Exception) -> Misconfigured:
        return Misconfigured(f"the replica {self._replica.path} cannot be used: {error}", "check the disk it is on")
