"""What goes over the JSON API, as the OpenAPI document describes it."""

from __future__ import annotations

import re
from datetime import date, datetime
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from app.policy import text
from app.policy.limits import MINUTES_MOST, TENANT_MAXIMUM_LEAST
from app.services.tenants import ContactRecord, TenantRecord
from storage.models import ContactRole, Settings, Tenant, TenantMode, TenantStatus

_CLEAN = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*$"
Id = Annotated[str, StringConstraints(min_length=1, max_length=text.TICKET_MAX, pattern=r"^[A-Za-z0-9._-]+$")]
Words = Annotated[str, StringConstraints(min_length=1, max_length=text.NAME_MAX, pattern=_CLEAN)]
Reason = Annotated[str, StringConstraints(min_length=1, max_length=text.NOTE_MAX, pattern=_CLEAN)]
Email = Annotated[str, StringConstraints(max_length=text.EMAIL_MAX, pattern=r"^[A-Za-z0-9._%+'-]+@[A-Za-z0-9.-]+$")]


def _dated(value: object) -> object:
    """A text that begins with a day; pydantic would also take seconds since 1970. Raises ValueError."""
    if isinstance(value, str) and not re.match(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", value):
        raise ValueError("give it as RFC 3339 says, such as 2026-03-01T12:00:00Z")
    return value


Moment = Annotated[datetime, BeforeValidator(_dated)]
Day = Annotated[date, BeforeValidator(_dated)]


class Strict(BaseModel):
    """A field that is not known is an error: nothing is ever ignored in silence."""

    model_config = ConfigDict(extra="forbid", strict=False)


class SettingsDocument(Strict):
    """A tenant's settings."""

    mode: TenantMode
    kill_switch: bool
    max_minutes: int = Field(ge=TENANT_MAXIMUM_LEAST, le=MINUTES_MOST, description="Minutes.")
    standing_consent: bool
    notify_start_admins: bool
    notify_start_target: bool
    weekly_digest: bool
    changed_at: datetime | None = None
    changed_by: str | None = Field(default=None, description="A contact's key, or an API key's id.")
    tenant: str


class SettingsChange(Strict):
    """What to change; what is left out stays."""

    mode: TenantMode | None = None
    kill_switch: Annotated[bool | None, Field(strict=True)] = None
    max_minutes: Annotated[int | None, Field(strict=True, ge=TENANT_MAXIMUM_LEAST, le=MINUTES_MOST)] = None
    standing_consent: Annotated[bool | None, Field(strict=True)] = None
    notify_start_admins: Annotated[bool | None, Field(strict=True)] = None
    notify_start_target: Annotated[bool | None, Field(strict=True)] = None
    weekly_digest: Annotated[bool | None, Field(strict=True)] = None


class SettingsChanged(BaseModel):
    settings: SettingsDocument
    sessions_ended: int = Field(description="How many running sessions ended by it.")


class EntryDocument(BaseModel):
    """An entry of the tenant's log as it stands there, and its hash."""

    model_config = ConfigDict(extra="allow")

    seq: int
    log: str
    at: datetime
    action: str
    hash: str = Field(pattern="^[0-9a-f]{64}$")
    prev: str
    actor: dict[str, Any]


class LogDocument(BaseModel):
    """Newest first. With `older`, ask again with `before` set to it."""

    tenant: str
    entries: list[EntryDocument]
    older: int | None = None


class FaultDocument(BaseModel):
    log: str
    seq: int
    what: str


class VerificationDocument(BaseModel):
    """What a verification read and found. `head` is the newest entry."""

    tenant: str
    verified: bool
    entries: int
    head: dict[str, Any]
    checked: list[str]
    faults: list[FaultDocument]
    further: int
    seconds: float


class ContactBody(Strict):
    id: Id
    name: Words
    email: Email
    roles: list[ContactRole] = Field(max_length=8)


class InitialSettings(Strict):
    """What a tenant begins with; what is left out has its default. Afterwards only the tenant changes them."""

    mode: TenantMode = TenantMode.DEFAULT
    max_minutes: Annotated[int, Field(strict=True, ge=TENANT_MAXIMUM_LEAST, le=MINUTES_MOST)] = 60
    standing_consent: Annotated[bool, Field(strict=True)] = False


class TenantBody(Strict):
    id: Id
    name: Words
    plan: Words
    settings: InitialSettings = InitialSettings()
    contacts: list[ContactBody] = Field(default=[], max_length=500)

    def record(self) -> TenantRecord:
        chosen = self.settings
        settings = Settings(
            self.id,
            mode=chosen.mode,
            max_minutes=chosen.max_minutes,
            standing_consent=chosen.standing_consent,
        )
        people = tuple(ContactRecord(one.id, one.name, one.email, tuple(one.roles)) for one in self.contacts)
        return TenantRecord(self.id, self.name, self.plan, TenantStatus.ACTIVE, settings, people)


class ReasonBody(Strict):
    reason: Reason


class PlanBody(Strict):
    plan: Words


class FlagsBody(Strict):
    """Overrides by name; null takes one away. Those that are not named stay."""

    flags: dict[Id, Annotated[str, StringConstraints(max_length=text.NAME_MAX, pattern=_CLEAN)] | None] = Field(
        min_length=1, max_length=100
    )


class TenantDocument(BaseModel):
    id: str
    name: str
    plan: str
    status: TenantStatus
    flags: dict[str, str]
    sessions_ended: int = Field(default=0, description="How many running sessions ended by this.")

    @classmethod
    def of(cls, tenant: Tenant, sessions_ended: int = 0) -> TenantDocument:
        return cls(
            id=tenant.id,
            name=tenant.name,
            plan=tenant.plan,
            status=tenant.status,
            flags={flag.name: flag.value for flag in tenant.flags},
            sessions_ended=sessions_ended,
        )


class HealthDocument(BaseModel):
    status: str = Field(description="ok, out of reach, or history in doubt")
    rev: int = Field(description="The newest entry of the operator log that this portal has verified.")
