"""A queued letter as an e-mail: stable Message-ID, marked as automatic, with the log's head as witness (REQ-405), a
plain part that says everything and a simple HTML part that says the same. Links are filled in only here."""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from html import escape

from storage.log.entry import Head
from storage.models import LinkKind, Mail

_CONTROLS = {code: 0x2400 + code for code in range(32) if code not in (9, 10)} | {0x7F: 0x2421}
_POLICY = SMTP.clone(max_line_length=998)
"""The longest line RFC 5322 allows: the head and the links stay whole for whoever greps a mailbox."""
_UNSAFE = re.compile("[\x80-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
"""C1, zero-width, bidi and separator controls, lone surrogates: a reader in a terminal would obey them."""


@dataclass(frozen=True, slots=True)
class Postmark:
    """What a letter carries that is not its own: who sends, where the portal is, which log and head it witnesses."""

    sender: str
    portal_url: str
    log: str
    head: Head
    epoch: str


def make_tokens(key: bytes, mail: Mail) -> dict[LinkKind, str]:
    """The letter's link tokens: unguessable without the key, and the same again at every retry."""
    return {kind: _token(hmac.digest(key, f"{mail.id}/{kind.value}".encode(), "sha256")) for kind in mail.links}


def _token(secret: bytes) -> str:
    """A letter stands first: on a command line, what begins with "-" is an option (one base64url text in 64)."""
    return "c" + urlsafe_b64encode(secret).rstrip(b"=").decode()


def token_hash(token: str) -> str:
    """The key of the ConsentLink row: the token itself is stored nowhere."""
    return hashlib.sha256(token.encode()).hexdigest()


def compose(mail: Mail, tokens: Mapping[LinkKind, str], mark: Postmark) -> EmailMessage:
    """The e-mail. Header injection is impossible: the policy refuses line breaks, and controls are marked before."""
    message = EmailMessage(policy=_POLICY)
    domain = mark.sender.rpartition("@")[2]
    message["From"] = Address("Countersign", addr_spec=mark.sender)
    message["To"] = _address(mail.to_name, mail.to_email)
    message["Subject"] = harmless(mail.subject).replace("\n", " ").replace("\t", " ")
    message["Date"] = format_datetime(mail.created_at)
    message["Message-ID"] = f"<{mail.id}.{mark.epoch[:12]}@{domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message["X-Countersign-Head"] = f"{_ascii(mark.log)} {mark.head.seq} {mark.head.hash}"
    links = {f"{{{kind.value}_link}}": f"{mark.portal_url}/consent/{token}" for kind, token in tokens.items()}
    lines = harmless(mail.text).split("\n")
    message.set_content("\n".join(links.get(line, line) for line in lines) + "\n")
    message.add_alternative(_as_html(lines, links), subtype="html")
    return message


def harmless(text: str) -> str:
    """`text` with every control but line feed and tab as a visible mark."""
    return _UNSAFE.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text.translate(_CONTROLS))


def _as_html(lines: list[str], links: Mapping[str, str]) -> str:
    """The same words, escaped; only our own link lines become links."""
    body = []
    for line in lines:
        link = links.get(line)
        shown = f'<a href="{escape(link)}">{escape(link)}</a>' if link else escape(line)
        body.append(shown + "<br>")
    paragraphs = "\n".join(body)
    return f'<!doctype html><html><body style="font-family: sans-serif">\n{paragraphs}\n</body></html>\n'


def _address(name: str, email: str) -> Address | str:
    """The recipient. An address that is none goes out as the bare, harmless text it is."""
    try:
        return Address(harmless(name).replace("\n", " "), addr_spec=email)
    except (ValueError, IndexError):
        return _ascii(email)


def _ascii(text: str) -> str:
    """Text for a structured header: anything but plain ASCII letters and signs becomes `?`."""
    return re.sub(r"[^\x21-\x7e]", "?", text)
