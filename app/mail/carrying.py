"""Handing one letter on, and what came of it. The postman (`app.mail.postman`) decides what follows from that."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from email.message import EmailMessage
from enum import Enum, auto
from typing import Protocol

from app.mail.gate import one_line
from app.mail.maildir import Maildir

WORDS_MAX = 300


class Outcome(Enum):
    """ACCEPTED: the mail server has the letter. REFUSED: it never will take it. DEFERRED: not now, this letter.
    BROKEN: the connection was lost or stalled over this letter, and whether it was taken is not known. UNREACHABLE: the
    server takes nothing from us now, whichever letter."""

    ACCEPTED = auto()
    REFUSED = auto()
    DEFERRED = auto()
    BROKEN = auto()
    UNREACHABLE = auto()


@dataclass(frozen=True, slots=True)
class Attempt:
    """`words` are harmless: the server's answer, or what went wrong."""

    outcome: Outcome
    words: str

    @classmethod
    def of(cls, outcome: Outcome, words: str) -> Attempt:
        return cls(outcome, one_line(words)[:WORDS_MAX] or outcome.name.lower())


class Carrier(Protocol):
    """Where letters go. `is_shared`: another process that hands on the same letter meanwhile would send it twice."""

    is_shared: bool

    async def hand_on(self, mail_id: str, to: str, message: EmailMessage) -> Attempt:
        """One attempt. Raises nothing that a server can cause."""

    async def rest(self) -> None:
        """The round is over: keep nobody's connection open."""


class MaildirCarrier:
    """The embedded default. A letter's file is there once, whoever wrote it (`app.mail.maildir`)."""

    is_shared = False

    def __init__(self, box: Maildir) -> None:
        self._box = box

    async def hand_on(self, mail_id: str, to: str, message: EmailMessage) -> Attempt:
        """Raises OSError where nothing can be written."""
        await asyncio.to_thread(
            self._box.deliver, mail_id, message
        )  # a console draws meanwhile: the disk may take long
        return Attempt(Outcome.ACCEPTED, "written to the Maildir")

    async def rest(self) -> None:
        return None
