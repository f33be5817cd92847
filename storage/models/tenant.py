"""Tenants, their settings and the people to write to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from storage.models.row import Row


class TenantMode(StrEnum):
    """Which layers a tenant leaves open (REQ-110)."""

    DEFAULT = "default"
    CONSENT_ONLY = "consent_only"
    FORBIDDEN = "forbidden"


class TenantStatus(StrEnum):
    ACTIVE = "active"
    SUSPENDED = "suspended"
    DEPROVISIONED = "deprovisioned"


class ContactRole(StrEnum):
    TENANT_ADMIN = "tenant_admin"
    USER = "user"
    SECURITY_CONTACT = "security_contact"
    LEGAL_CONTACT = "legal_contact"


@dataclass(frozen=True, slots=True)
class FeatureFlag:
    """A feature that the operator's platform switched for one tenant, against what its plan says (REQ-603)."""

    name: str
    value: str


@dataclass(frozen=True, slots=True)
class Tenant(Row):
    """A customer's account. `contacts` lists the keys of its contacts: whoever changes a contact writes this row too,
    so a decision that read the tenant has read who its people are. `flags` are the overrides, by name."""

    TABLE: ClassVar[str] = "tenant"

    name: str
    plan: str
    status: TenantStatus
    contacts: tuple[str, ...]
    flags: tuple[FeatureFlag, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings(Row):
    """The tenant's own settings; key: the tenant id. Only the tenant changes them (REQ-110, REQ-601)."""

    TABLE: ClassVar[str] = "settings"

    mode: TenantMode = TenantMode.DEFAULT
    kill_switch: bool = False
    max_minutes: int = 60
    standing_consent: bool = False
    notify_start_admins: bool = False
    notify_start_target: bool = False
    weekly_digest: bool = False
    changed_at: datetime | None = None
    changed_by: str | None = None


@dataclass(frozen=True, slots=True)
class Contact(Row):
    """A person of the tenant. Key: `<tenant id>/<contact id>`."""

    TABLE: ClassVar[str] = "contact"

    tenant_id: str
    name: str
    email: str
    roles: tuple[ContactRole, ...]
    removed: bool = False

    def has(self, role: ContactRole) -> bool:
        return not self.removed and role in self.roles
