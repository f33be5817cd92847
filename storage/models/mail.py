"""Letters waiting to be sent, what became of them, and the links in them.

A letter's row says *what* it says: the event, and its facts as data. The words around them are the event's template
(`app/mail/templates`), put on at delivery; the entry that records the delivery names the digest of the text that went
out, so that what was mailed can be proved from row, template and log.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from storage.models.row import Row


class MailState(StrEnum):
    """`delivered` means accepted by a mail server (or written to the Maildir where none is configured); `failed` that
    it was refused for good, or given up after a day."""

    QUEUED = "queued"
    DELIVERED = "delivered"
    FAILED = "failed"


class LinkKind(StrEnum):
    """A link is bound to one decision (REQ-105); or it signs its bearer in (REQ-602)."""

    APPROVE = "approve"
    DENY = "deny"
    VETO = "veto"
    SIGN_IN = "sign_in"


@dataclass(frozen=True, slots=True)
class Mail(Row):
    """A letter in the outbox. `facts` is a JSON object, as canonical text: everything the letter says, in the words of
    those who said it. Link tokens are made by whoever delivers, so that no staff console ever holds one; `links` lists
    the kinds it asks for. `attempts`, `tried_at` and `last_error` are those of the newest attempt on record; `answer`
    is what the mail server said when it took the letter. `text` is what letters had before they had facts."""

    TABLE: ClassVar[str] = "mail"

    event: str
    to_id: str
    to_name: str
    to_email: str
    tenant_id: str | None
    request_id: str | None
    session_id: str | None
    subject: str
    links: tuple[LinkKind, ...]
    created_at: datetime
    facts: str = field(default="{}", kw_only=True)
    text: str = field(default="", kw_only=True)
    urgent: bool = False
    state: MailState = MailState.QUEUED
    attempts: int = 0
    tried_at: datetime | None = None
    last_error: str | None = None
    delivered_at: datetime | None = None
    failed_at: datetime | None = None
    answer: str | None = None

    def said(self) -> dict[str, Any]:
        """The facts as data."""
        found = json.loads(self.facts)
        return found if isinstance(found, dict) else {}


@dataclass(frozen=True, slots=True)
class ConsentLink(Row):
    """A link that was mailed. Key: the SHA-256 of its token in hex; the token itself is stored nowhere."""

    TABLE: ClassVar[str] = "consent_link"

    kind: LinkKind
    request_id: str
    contact_id: str
    content_digest: str
    expires_at: datetime
    used_at: datetime | None = None
