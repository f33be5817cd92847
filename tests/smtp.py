"""A real mail server that behaves as mail servers do: it takes letters, refuses, greylists, stalls, hangs up in the
middle, wants TLS and a log-in."""

from __future__ import annotations

import asyncio
import datetime as dt
import email
import email.policy
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from ipaddress import ip_address
from pathlib import Path

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

HOST = "127.0.0.1"
DROP_IN_DATA, DROP_AFTER_DATA, STALL = "drop in data", "drop after data", "stall"


@dataclass
class MailServer:
    """`answers`: by recipient, what it gets at each attempt until one is left, which stays: an SMTP answer such as
    "550 no such user", or one of the three misdeeds above. `letters`: what was taken, in order."""

    port: int = 0
    answers: dict[str, list[str]] = field(default_factory=dict)
    sender_answer: str = ""
    letters: list[EmailMessage] = field(default_factory=list)
    seen: list[EmailMessage] = field(default_factory=list)
    attempts: list[str] = field(default_factory=list)
    encrypted: list[bool] = field(default_factory=list)
    tls: ssl.SSLContext | None = None
    implicit: bool = False
    password: str = ""
    _server: asyncio.Server | None = None
    _stalled: asyncio.Event = field(default_factory=asyncio.Event)
    _open: list[SMTP] = field(default_factory=list)

    async def __aenter__(self) -> MailServer:
        await self.start()
        return self

    async def __aexit__(self, *why: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """On a port of its own; started again, on the same."""
        context = self.tls if self.implicit else None
        self._server = await asyncio.get_running_loop().create_server(self._line, HOST, self.port, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Down: whoever comes is refused by the system."""
        self._stalled.set()
        if self._server is not None:
            self._server.close()
            for one in self._open:
                if one.transport is not None:
                    one.transport.abort()
            self._server = None

    def to(self, recipient: str) -> list[EmailMessage]:
        return [one for one in self.letters if recipient in str(one["To"])]

    def _line(self) -> SMTP:
        upgrade = self.tls if self.tls is not None and not self.implicit else None
        line = _Line(
            self,
            hostname="mail.test",
            tls_context=upgrade,
            require_starttls=upgrade is not None,
            auth_required=bool(self.password),
            authenticator=self._authenticate,
            auth_require_tls=False,
            enable_SMTPUTF8=False,
        )
        line.mail_server = self
        self._open.append(line)
        return line

    def _authenticate(self, server: SMTP, session: Session, envelope: Envelope, how: str, given: object) -> AuthResult:
        right = isinstance(given, LoginPassword) and given.password == self.password.encode()
        return AuthResult(success=right, handled=right)

    def next_answer(self, recipient: str) -> str:
        answers = self.answers.get(recipient, ["250 OK"])
        return answers.pop(0) if len(answers) > 1 else answers[0]

    async def handle_MAIL(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.sender_answer:
            return self.sender_answer
        envelope.mail_from = address
        return "250 OK"

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        self.attempts.append(address)
        answer = self.next_answer(address)
        if answer == STALL:
            await self._stalled.wait()
        if answer in (DROP_IN_DATA, DROP_AFTER_DATA) or answer.startswith("data "):
            session.misdeed = answer
            answer = "250 OK"
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        assert isinstance(envelope.content, bytes)
        letter = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(letter, EmailMessage)
        self.seen.append(letter)
        misdeed, session.misdeed = getattr(session, "misdeed", ""), ""
        if misdeed == DROP_AFTER_DATA:
            assert server.transport is not None
            server.transport.abort()
        elif misdeed.startswith("data "):
            return misdeed.removeprefix("data ")
        self.letters.append(letter)
        self.encrypted.append(session.ssl is not None or self.implicit)
        return f"250 2.0.0 queued as {len(self.letters)}"


class _Line(SMTP):
    """One connection. aiosmtpd itself has no way to hang up inside DATA."""

    mail_server: MailServer

    async def smtp_DATA(self, arg: str) -> None:
        if getattr(self.session, "misdeed", "") == DROP_IN_DATA:
            self.session.misdeed = ""
            await self.push("354 End data with <CR><LF>.<CR><LF>")
            await self._reader.readline()
            assert self.transport is not None
            self.transport.abort()
            return
        await super().smtp_DATA(arg)


def certificate(place: Path, name: str = HOST) -> tuple[ssl.SSLContext, Path]:
    """A server's TLS with a certificate of our own making, and the file by which it can be verified."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "mail.test")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(name))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    pem, secret = place / "mail.pem", place / "mail.key"
    pem.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    form = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    secret.write_bytes(key.private_bytes(serialization.Encoding.PEM, *form))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem, secret)
    return context, pem


@contextmanager
def beside(server: MailServer) -> Iterator[MailServer]:
    """The server in a thread of its own: for tests whose own thread has no loop to give."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, name="mail server", daemon=True)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(server.start(), loop).result(10)
        yield server
    finally:
        asyncio.run_coroutine_threadsafe(server.stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()
