"""Letters waiting to be sent, and the links in them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from storage.models.row import Row


class MailState(StrEnum):
    QUEUED = "queued"
    DELIVERED = "delivered"


class LinkKind(StrEnum):
    """A link is bound to one decision (REQ-105)."""

    APPROVE = "approve"
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class Mail(Row):
    """A letter in the outbox. `text` holds `{approve_link}` and `{deny_link}` where links go: the tokens themselves are
    made by whoever delivers, so that no staff console ever holds one. `links` lists the kinds the text asks for."""

    TABLE: ClassVar[str] = "mail"

    event: str
    to_id: str
    to_name: str
    to_email: str
    tenant_id: str | None
    request_id: str | None
    session_id: str | None
    subject: str
    text: str
    links: tuple[LinkKind, ...]
    created_at: datetime
    state: MailState = MailState.QUEUED
    delivered_at: datetime | None = None


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
