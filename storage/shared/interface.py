"""The one interface of the shared database. SQLite implements it now; PostgreSQL will, with the same words."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import NamedTuple, Protocol

from storage.log.entry import Head
from storage.models.people import Actor, Credential
from storage.models.row import digest
from storage.models.switch import Admission, Shutting
from storage.shared.change import Applied, Change


@dataclass(frozen=True, slots=True)
class Position:
    """How far a console has verified the history: `(epoch, rev, hash)`. The epoch is drawn once, at creation."""

    epoch: str
    head: Head


class StoredEntry(NamedTuple):
    """An entry as stored: the log's name, number, 32-byte hash, exact body text. A tuple, because a new replica takes
    in two for every Change that ever was."""

    log: str
    seq: int
    hash: bytes
    body: str


class StoredRow(NamedTuple):
    """A row as stored. `image` is "" for private tables: their digests are checked, their content never copied."""

    table: str
    key: str
    rev: int
    image: str
    private_digest: str = ""
    """What the database says of a private row's image; "" for rows that are shown."""

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the image."""
        return self.private_digest or digest(self.image)


@dataclass(frozen=True, slots=True)
class Pulled:
    """Entries `after` a position and the rows they wrote, of one snapshot. `head` is the operator log's head in that
    snapshot, `more` says that entries up to it remain. `anchor` is the stored hash of the entry at the position asked
    from (None: no such entry), so that a history that does not continue is noticed."""

    epoch: str
    head: Head
    anchor: bytes | None
    entries: tuple[StoredEntry, ...]
    tenant_entries: tuple[StoredEntry, ...]
    rows: tuple[StoredRow, ...]
    more: bool
    guards: str = ""
    """A mark that changes when something is done to what guards the data; "" where it was not looked at."""


@dataclass(frozen=True, slots=True)
class StepUpAnswer:
    """What a second factor's check said: `step_up` is the id of the accepted proof, or None with `why` in words."""

    step_up: str | None
    why: str = ""
    rev: int = 0


class Hint(StrEnum):
    """Why `changes` woke its reader. MOVED: the log has grown, or the database is another one. SILENT: the database
    has changed but the log has not grown, so something was written behind the log's back. SLOW: nothing was seen, but
    time has passed (also the first hint, so that nothing between a pull and the first look is missed)."""

    MOVED = "moved"
    SILENT = "silent"
    SLOW = "slow"


class SharedDatabase(Protocol):
    """All methods raise `Offline` when the database cannot be reached, `Corrupt` when it is not ours or damaged."""

    rest_seconds: float
    """How long a console's background check rests between two looks: what all consoles ask together must be little."""

    pull_entries: int
    """How many entries a console asks for at a time when it has much to catch up with."""

    @property
    def place(self) -> str:
        """Where it is, for another process of the same person: `sqlite:///` and a path, or libpq's address. It may
        hold a password."""

    @property
    def listening(self) -> bool | None:
        """Whether changes are heard of at once; False: seen by polling alone (a pooler); None: not known yet."""

    async def position(self) -> Position:
        """Epoch and head of the operator log."""

    async def apply(self, change: Change) -> Applied:
        """The only write: all or nothing. Raises Stale, ClockSkew, GuardRefused."""

    async def shut(self, tenant_id: str, actor: Actor) -> None:
        """Turn a tenant's switch on, in force for everything that asks when this returns. It waits for nobody, whoever
        holds the log's head; the Change that records it must follow (REQ-110). Raises GuardRefused."""

    async def shuttings(self) -> list[Shutting]:
        """Switches that are on and whose entries have not been written yet, oldest first."""

    async def admission(self, session_id: str) -> Admission:
        """Whether a session may go on at this moment: what a gate asks for every step (REQ-203, REQ-301)."""

    async def step_up(self, staff_id: str, code: str, act: str, actor: Actor) -> StepUpAnswer:
        """Check a TOTP or recovery code in a committed step of its own (REQ-702). Each code once; five wrong ones
        lock for 15 minutes. Every outcome is an entry; an accepted one leaves a StepUp row."""

    async def credential(self, staff_id: str) -> Credential | None:
        """The private row, for enrolment: its rev is 0 or it is replaced as a whole."""

    async def pull(self, after: Head, limit: int = 5000) -> Pulled:
        """What happened after `after`, in one snapshot."""

    async def loosened(self) -> list[str]:
        """What guards the data and does not do so any more, in words. For whoever sees the mark change."""

    async def entries(self, log: str, after: int, limit: int = 5000) -> list[StoredEntry]:
        """Entries of one log with seq > after, in order: for verification and export."""

    async def logs(self) -> dict[str, Head]:
        """Every log's recorded head by log name."""

    async def rows(self, table: str, after: str, limit: int = 5000) -> list[StoredRow]:
        """Rows of one table with key > after, in key order: for verification."""

    def changes(self) -> AsyncIterator[Hint]:
        """Yields whenever the database may have changed (a hint only), and at least every slow-poll interval."""

    async def now(self) -> datetime:
        """The shared clock."""

    async def lease(self, name: str, holder: str, seconds: int) -> bool:
        """Whether `holder` may do what only one process may at a time, for so long by the shared clock: nobody else
        holds it, or its time has run out. 0 seconds give it back. On a server the worker's log-in alone may ask."""

    async def close(self) -> None:
        """Release every connection."""
