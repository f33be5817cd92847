"""The mail server to use, as the settings name it: `smtp://user@host:587` speaks STARTTLS and insists on it,
`smtps://user@host:465` TLS from the first byte, `smtp://host:25?tls=none` neither, and says so loudly."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from enum import StrEnum
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, unquote, urlsplit

from storage.errors import Misconfigured

if TYPE_CHECKING:
    from app.settings import Mailing


class Tls(StrEnum):
    STARTTLS = "starttls"
    IMPLICIT = "implicit"
    NONE = "none"


PORTS = {Tls.STARTTLS: 587, Tls.IMPLICIT: 465, Tls.NONE: 25}


@dataclass(frozen=True, slots=True)
class Server:
    """Where letters are handed on. The password never appears in its text."""

    host: str
    port: int
    tls: Tls
    user: str = ""
    password: str = field(default="", repr=False)
    ca_file: str = ""

    def __str__(self) -> str:
        how = {Tls.STARTTLS: "STARTTLS", Tls.IMPLICIT: "TLS", Tls.NONE: "WITHOUT TLS"}[self.tls]
        return f"{self.host}:{self.port} ({how}{f', as {self.user}' if self.user else ''})"

    @property
    def is_readable_on_the_way(self) -> bool:
        """Whether letters, with their links, cross a network unencrypted."""
        return self.tls is Tls.NONE and not _is_here(self.host)

    def context(self) -> ssl.SSLContext | None:
        """How the server proves who it is: always, by the system's authorities or by those of `ca_file`."""
        if self.tls is Tls.NONE:
            return None
        try:
            return ssl.create_default_context(cafile=self.ca_file or None)
        except (OSError, ssl.SSLError) as error:
            raise Misconfigured(
                f"mail.ca_file: {self.ca_file} cannot be used: {error}", "name a file of PEM certificates"
            ) from error


def parse(address: str) -> Server:
    """The server that an address names. Raises ValueError, in words that repeat no password."""
    parts = urlsplit(address)
    options = parse_qs(parts.query)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or parts.path not in ("", "/"):
        raise ValueError("expected smtp://user@host:587 or smtps://user@host:465")
    if parts.password is not None:
        raise ValueError("the password does not belong in the address: give mail.password_file, or mail.password")
    wish = options.pop("tls", [""])[-1]
    if options or wish not in ("", "none", "starttls"):
        raise ValueError("the only option is ?tls=none")
    if parts.scheme == "smtps" and wish:
        raise ValueError("smtps:// speaks TLS from the first byte: leave ?tls out")
    tls = Tls.IMPLICIT if parts.scheme == "smtps" else Tls.NONE if wish == "none" else Tls.STARTTLS
    return Server(parts.hostname, parts.port or PORTS[tls], tls, unquote(parts.username or ""))


def server_of(settings: Mailing) -> Server | None:
    """The server with its password, or None where a Maildir is used. Raises Misconfigured."""
    if not settings.smtp:
        return None
    named = parse(settings.smtp)
    password = settings.password.get_secret_value()
    if settings.password_file:
        try:
            password = Path(settings.password_file).expanduser().read_text().rstrip("\r\n")
        except (OSError, UnicodeDecodeError) as error:
            what = f"mail.password_file: {settings.password_file} cannot be read"
            raise Misconfigured(what, "name a file that holds the password alone") from error
    if named.user and not password:
        raise Misconfigured(
            f"mail.smtp names the user {named.user}, but no password is given",
            "give mail.password_file, or COUNTERSIGN_MAIL__PASSWORD in the environment",
        )
    return Server(named.host, named.port, named.tls, named.user, password, settings.ca_file)


def _is_here(host: str) -> bool:
    """This very machine."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
