"""The tenant's door: links to sign in, sessions of a browser, and keys of programs. What opens anything is stored as
its SHA-256 only."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from storage.models.row import Row


@dataclass(frozen=True, slots=True)
class SignInLink(Row):
    """A link to sign in that was mailed. Key: the SHA-256 of its token in hex. Good once, for 15 minutes."""

    TABLE: ClassVar[str] = "sign_in_link"

    contact_id: str
    tenant_id: str
    expires_at: datetime
    used_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class PortalSession(Row):
    """A tenant admin signed in with a browser. Key: the SHA-256 of the cookie's token in hex."""

    TABLE: ClassVar[str] = "portal_session"

    contact_id: str
    tenant_id: str
    created_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None

    def is_open(self, now: datetime) -> bool:
        return self.ended_at is None and now < self.expires_at


class KeyRight(StrEnum):
    """What an API key may do. `read`: a tenant's settings and log; `settings`: change them, too; `platform`: the life
    cycle of every tenant."""

    READ = "read"
    SETTINGS = "settings"
    PLATFORM = "platform"


@dataclass(frozen=True, slots=True)
class ApiKey(Row):
    """A key for a program. `tenant_id` is None for a platform key alone. A super makes keys, and could so reach into a
    tenant: a `settings` key therefore does nothing until an administrator of that tenant has accepted it (P5)."""

    TABLE: ClassVar[str] = "api_key"

    name: str
    tenant_id: str | None
    right: KeyRight
    secret_hash: str
    created_at: datetime
    created_by: str
    accepted_at: datetime | None = None
    accepted_by: str | None = None
    revoked_at: datetime | None = None
    revoked_by: str | None = None

    @property
    def works(self) -> bool:
        return self.revoked_at is None and (self.right is not KeyRight.SETTINGS or self.accepted_at is not None)
