"""A Change: everything one command wants, as data (design.md, "A command is a pure function")."""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from storage.log.entry import Draft, Head
from storage.models.mail import Mail
from storage.models.people import Actor
from storage.models.row import Row


@dataclass(frozen=True, slots=True)
class Read:
    """A row the decision rests on, at the revision it had; `rev` 0 means it did not exist."""

    table: str
    key: str
    rev: int


@dataclass(frozen=True, slots=True)
class Write:
    """A new row image, and which entry of the Change (by index) vouches for it."""

    row: Row
    entry: int = 0


@dataclass(frozen=True, slots=True)
class Change:
    """One command's whole effect: applied in one transaction or not at all. `at` is the console's estimate of the
    shared clock; `answer` is what the command says back, stored with the id so that a repeat gets the same words."""

    id: str
    at: datetime
    actor: Actor
    entries: tuple[Draft, ...]
    reads: tuple[Read, ...]
    writes: tuple[Write, ...]
    mails: tuple[Mail, ...] = ()
    answer: dict[str, str] = field(default_factory=dict)
    seen: Head | None = None


@dataclass(frozen=True, slots=True)
class Applied:
    """What `apply` did. `rev` is the last entry's number; `repeated` says the id had been applied before."""

    rev: int
    at: datetime
    answer: dict[str, str]
    repeated: bool = False


def new_change_id() -> str:
    """A UUIDv7 (RFC 9562): 48 bits of Unix milliseconds, then random bits; sorts by time."""
    value = int(time.time() * 1000) << 80 | 0x7 << 76 | secrets.randbits(12) << 64 | 0b10 << 62 | secrets.randbits(62)
    return str(UUID(int=value))
