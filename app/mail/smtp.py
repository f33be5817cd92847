"""Letters by SMTP (aiosmtplib: alive, typed, one maintainer for years; the standard library's smtplib blocks).

One connection serves a round. What a server answers is told apart by whom it concerns: this letter for good (5xx on
the recipient or the content), this letter for now (4xx), or everything (no connection, no TLS, no log-in, the sender
refused, 421). A connection that breaks or stalls over a letter is told as such: the letter may have been taken, and is
sent again under the same Message-ID (at least once).
"""

from __future__ import annotations

import asyncio
import re
import ssl
from contextlib import suppress
from email.message import EmailMessage

import aiosmtplib

from app.mail.carrying import Attempt, Outcome
from app.mail.server import Server, Tls

ANSWER_SECONDS = 20.0
"""How long one answer of the server may take."""
LETTER_SECONDS = 60.0
"""How long one letter may take, connecting included: well below the postman's lease."""
_ADDRESS = re.compile(r"[^\s<>(),;:\x00-\x1f\x7f-\x9f]+@[^\s<>(),;:@\x00-\x1f\x7f-\x9f]+")


class SmtpCarrier:
    """One mail server. `answer_seconds`, `letter_seconds`: shorter in tests of a server that stalls."""

    is_shared = True

    def __init__(
        self,
        server: Server,
        sender: str,
        *,
        answer_seconds: float = ANSWER_SECONDS,
        letter_seconds: float = LETTER_SECONDS,
    ) -> None:
        self._server, self._sender = server, sender
        self._answer_seconds, self._letter_seconds = answer_seconds, letter_seconds
        self._context: ssl.SSLContext | None = server.context()
        self._line: aiosmtplib.SMTP | None = None

    async def hand_on(self, mail_id: str, to: str, message: EmailMessage) -> Attempt:
        if not _ADDRESS.fullmatch(to):
            return Attempt.of(Outcome.REFUSED, f"{to} is no address")
        try:
            async with asyncio.timeout(self._letter_seconds):
                return await self._hand_on(to, message)
        except TimeoutError:
            await self._drop()
            return Attempt.of(Outcome.BROKEN, f"no end after {self._letter_seconds:.0f} s")

    async def rest(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            with suppress(aiosmtplib.SMTPException, OSError, TimeoutError):
                await line.quit(timeout=2)
            line.close()

    async def _hand_on(self, to: str, message: EmailMessage) -> Attempt:
        try:
            line = await self._connected()
        except (aiosmtplib.SMTPException, OSError, TimeoutError, ValueError) as error:
            await self._drop()
            return Attempt.of(Outcome.UNREACHABLE, f"{self._server}: {_words(error)}")
        try:
            _, answer = await line.send_message(message, sender=self._sender, recipients=[to])
            return Attempt.of(Outcome.ACCEPTED, answer)
        except aiosmtplib.SMTPRecipientsRefused as error:
            return await self._answered(error.recipients[0])
        except aiosmtplib.SMTPSenderRefused as error:
            await self._drop()
            return Attempt.of(Outcome.UNREACHABLE, f"{self._sender} may not send: {_words(error)}")
        except aiosmtplib.SMTPResponseException as error:
            return await self._answered(error)
        except (aiosmtplib.SMTPNotSupported, ValueError) as error:
            return Attempt.of(Outcome.REFUSED, _words(error))
        except (aiosmtplib.SMTPException, OSError, TimeoutError) as error:
            await self._drop()
            return Attempt.of(Outcome.BROKEN, _words(error))

    async def _answered(self, error: aiosmtplib.SMTPResponseException) -> Attempt:
        words = f"{error.code} {_text(error.message)}"
        if error.code == 421 or not 400 <= error.code < 600:
            await self._drop()
            return Attempt.of(Outcome.UNREACHABLE, words)
        return Attempt.of(Outcome.REFUSED if error.code >= 500 else Outcome.DEFERRED, words)

    async def _connected(self) -> aiosmtplib.SMTP:
        if self._line is not None and self._line.is_connected:
            return self._line
        server = self._server
        self._line = aiosmtplib.SMTP(
            hostname=server.host,
            port=server.port,
            username=server.user or None,
            password=server.password or None,
            timeout=self._answer_seconds,
            use_tls=server.tls is Tls.IMPLICIT,
            start_tls=server.tls is Tls.STARTTLS,
            tls_context=self._context,
        )
        await self._line.connect()
        return self._line

    async def _drop(self) -> None:
        line, self._line = self._line, None
        if line is not None:
            line.close()


def _words(error: BaseException) -> str:
    if isinstance(error, aiosmtplib.SMTPResponseException):
        return f"{error.code} {_text(error.message)}"
    return _text(str(error)) or type(error).__name__


def _text(answer: object) -> str:
    """What a server said, in one piece; aiosmtplib decodes it as it comes."""
    return " ".join(str(answer).split())
