"""A queued letter as an e-mail: stable Message-ID, marked as automatic, with the log's head as witness (REQ-405), a
plain part that says everything and an HTML part that says the same. Links are filled in only here."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime

from app.mail.gate import one_line
from app.mail.links import address_of
from app.mail.rendering import Postmark, render
from storage.models import LinkKind, Mail

__all__ = ["Postmark", "compose", "message_id", "text_digest"]

_POLICY = SMTP.clone(max_line_length=998)
"""The longest line RFC 5322 allows: the head and the links stay whole for whoever greps a mailbox."""


def message_id(mail_id: str, mark: Postmark) -> str:
    """The same at every attempt, so that a mailbox which got a letter twice can tell."""
    return f"<{mail_id}.{mark.epoch[:12]}@{mark.sender.rpartition('@')[2]}>"


def compose(mail: Mail, tokens: Mapping[LinkKind, str], mark: Postmark) -> EmailMessage:
    """The e-mail. Header injection is impossible: the policy refuses line breaks, and controls are marked before."""
    said = render(mail, {kind: address_of(mark.portal_url, kind, token) for kind, token in tokens.items()}, mark)
    message = EmailMessage(policy=_POLICY)
    message["From"] = Address("Countersign", addr_spec=mark.sender)
    message["To"] = _address(mail.to_name, mail.to_email)
    message["Subject"] = one_line(mail.subject)
    message["Date"] = format_datetime(mail.created_at)
    message["Message-ID"] = message_id(mail.id, mark)
    message["Auto-Submitted"] = "auto-generated"
    if mail.urgent:
        message["Importance"] = "high"
        message["X-Priority"] = "1"
    message["X-Countersign-Head"] = f"{_ascii(mark.log)} {mark.head.seq} {mark.head.hash}"
    message["X-Countersign-Event"] = _ascii(mail.event)
    message.set_content(said.plain)
    message.add_alternative(said.html, subtype="html")
    return message


def text_digest(message: EmailMessage) -> str:
    """SHA-256 (hex) of the plain part as its reader sees it, lines ended by a line feed: recorded at delivery, so that
    a letter in a mailbox can be held against the log."""
    body = message.get_body(("plain",))
    text = str(body.get_content()) if body is not None else ""
    return hashlib.sha256(text.replace("\r\n", "\n").encode()).hexdigest()


def _address(name: str, email: str) -> Address | str:
    """The recipient. An address that is none goes out as the bare, harmless text it is."""
    try:
        return Address(one_line(name), addr_spec=email)
    except (ValueError, IndexError):
        return _ascii(email)


def _ascii(text: str) -> str:
    """Text for a structured header: anything but plain ASCII letters and signs becomes `?`."""
    return re.sub(r"[^\x21-\x7e]", "?", text)
