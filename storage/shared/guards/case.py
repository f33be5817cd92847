"""What a guard looks at: the whole Change, and every row around it as it stands under the lock.

`wanted` says which rows must be fetched beforehand, so that guards are plain functions without I/O: the same facts that
the PostgreSQL form reads with its own queries.
"""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, NoReturn, TypeVar

from storage.errors import GuardRefused
from storage.log.actions import Action
from storage.models import (
    OFFICE,
    Actor,
    ActorKind,
    ApiKey,
    Contact,
    Decision,
    OfficeHours,
    Request,
    Review,
    ReviewKind,
    Row,
    Session,
    Settings,
    Shift,
    Staff,
    Standing,
    StepUp,
    Tenant,
    TenantMode,
    TenantStatus,
)
from storage.shared.change import Change

R = TypeVar("R", bound=Row)
Key = tuple[str, str]
EntryKey = tuple[str, int]
"""A tenant, and a number in its own log."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The amounts that guards hold people to. They are the operator's settings; these are the defaults."""

    starts_per_hour: int = 5
    tenants_per_day: int = 10
    step_up_seconds: int = 300
    step_up_reuse_seconds: int = 120
    legal_email: str = ""
    """The operator's own address that is told of every emergency; "": not known to the guards."""


@dataclass(frozen=True)
class Case:
    """One Change before the guards. `found` holds, by table and key, the stored rows as (rev, image); `shut` the
    tenants whose kill switch is on though its entry has yet to come."""

    change: Change
    now: datetime
    limits: Limits
    found: Mapping[Key, tuple[int, str]]
    shut: frozenset[str] = frozenset()
    entries: Mapping[EntryKey, str] = field(default_factory=dict)
    """Bodies of the disputed entries that are there, by tenant and number in its own log."""

    def entry(self, tenant_id: str, seq: int | None) -> Mapping[str, Any] | None:
        """An entry of a tenant's own log that the Change opens a dispute about; None where there is none."""
        body = self.entries.get((tenant_id, seq)) if seq is not None else None
        return dict(json.loads(body)) if body is not None else None

    @property
    def actor(self) -> Actor:
        return self.change.actor

    @cached_property
    def actions(self) -> frozenset[Action]:
        """Every action code of the Change."""
        return frozenset(entry.action for entry in self.change.entries)

    @cached_property
    def _after(self) -> dict[Key, Row]:
        return {(write.row.TABLE, write.row.id): write.row for write in self.change.writes}

    def before(self, kind: type[R], key: str | None) -> R | None:
        """The row as stored."""
        stored = self.found.get((kind.TABLE, key)) if key is not None else None
        return kind.from_image(stored[1]) if stored else None

    def after(self, kind: type[R], key: str | None) -> R | None:
        """The row as it will stand: written by this Change, or as stored."""
        row = self._after.get((kind.TABLE, key)) if key is not None else None
        return row if isinstance(row, kind) else self.before(kind, key)

    def written(self, kind: type[R]) -> Iterator[tuple[R | None, R]]:
        """Each row of this kind that the Change writes, before and after."""
        for row in self._after.values():
            if isinstance(row, kind):
                yield self.before(kind, row.id), row

    def stored(self, kind: type[R]) -> Iterator[R]:
        """Every stored row of this kind that was fetched for the case."""
        for table, key in self.found:
            if table == kind.TABLE:
                row = self.before(kind, key)
                if row is not None:
                    yield row

    def contacts_of(self, tenant_id: str) -> list[Contact]:
        """The tenant's contacts, those that were removed left out."""
        return [c for c in self.stored(Contact) if c.tenant_id == tenant_id and not c.removed]

    def decisions_on(self, request_id: str) -> list[Decision]:
        """Decisions on a request, those of this Change included."""
        stored = [d for d in self.stored(Decision) if d.request_id == request_id]
        return stored + [after for before, after in self.written(Decision) if before is None]

    def is_staff(self) -> bool:
        return self.actor.kind is ActorKind.STAFF

    def records(self, action: Action, **where: str) -> bool:
        """Whether the Change has an entry of this action that names `where` (request=…, session=…)."""
        return any(
            entry.action is action and all(getattr(entry, name) == value for name, value in where.items())
            for entry in self.change.entries
        )


def refuse(promise: str, what: str) -> NoReturn:
    """Say which promise the Change would break, and how."""
    raise GuardRefused(promise, what)


def same_address(one: str, other: str) -> bool:
    """Whether two spellings are one e-mail address: what an entry says of its actor must be the actor's own."""
    return one.strip().casefold() == other.strip().casefold()


def same_person(one: str, other: str) -> bool:
    """Whether two e-mail addresses are one person's (REQ-107: the same person counts, not the same account)."""
    return _person(one) == _person(other)


def _person(email: str) -> str:
    """Case-folded, compatibility forms made one, without a `+tag`: as the policy compares, but by words of our own, so
    that a fault in one of the two does not open both."""
    local, at, domain = unicodedata.normalize("NFKC", email).strip().casefold().rpartition("@")
    return local.split("+", 1)[0] + at + domain


@dataclass(frozen=True, slots=True)
class Wanted:
    """Rows to fetch: by key; the contacts of `tenants`; the decisions on `requests`; the running sessions of the
    tenants that the Change leaves shut (`shut`); the break-glass under way where it closes that way (`closed`); the
    shifts that are not over at `on_call_at`; the entries of tenants' logs that are `disputed`."""

    keys: frozenset[Key]
    tenants: frozenset[str]
    requests: frozenset[str]
    shut: frozenset[str]
    closed: frozenset[str] = frozenset()
    on_call_at: datetime | None = None
    disputed: frozenset[EntryKey] = frozenset()


def wanted(change: Change) -> Wanted:
    """Everything that `apply` and the guards will look at for this Change."""
    keys: set[Key] = {(read.table, read.key) for read in change.reads}
    keys |= {(mail.TABLE, mail.id) for mail in change.mails}
    keys |= set(_around_actor(change.actor))
    tenants: set[str] = set()
    requests: set[str] = set()
    shut: set[str] = set()
    closed: set[str] = set()
    disputed: set[EntryKey] = set()
    for row in (write.row for write in change.writes):
        keys.add((row.TABLE, row.id))
        if isinstance(row, (Request, Session, Decision)):
            keys |= {(Tenant.TABLE, row.tenant_id), (Settings.TABLE, row.tenant_id)}
            tenants.add(row.tenant_id)
            request_id = row.id if isinstance(row, Request) else row.request_id
            keys.add((Request.TABLE, request_id))
            requests.add(request_id)
        keys |= set(_people_of(row))
        if is_shut(row):
            shut.add(row.id)
        if isinstance(row, Settings) and closes_other_ways(row):
            closed.add(row.id)
        if isinstance(row, Review) and row.kind is ReviewKind.DISPUTE and row.entry_seq is not None:
            disputed.add((row.tenant_id, row.entry_seq))
    if any(entry.action in COUNTERSIGNING for entry in change.entries):
        keys.add((OfficeHours.TABLE, OFFICE))
    signed_at = change.at if (OfficeHours.TABLE, OFFICE) in keys else None
    return Wanted(
        frozenset(keys),
        frozenset(tenants),
        frozenset(requests),
        frozenset(shut),
        frozenset(closed),
        signed_at,
        frozenset(disputed),
    )


def closes_other_ways(settings: Settings) -> bool:
    """Whether these settings leave neither break-glass nor emergency (REQ-110)."""
    return settings.kill_switch or settings.mode is not TenantMode.DEFAULT


def is_shut(row: Row) -> bool:
    """Whether this row of a tenant lets nobody in (REQ-110)."""
    match row:
        case Settings():
            return row.kill_switch or row.mode is TenantMode.FORBIDDEN
        case Tenant():
            return row.status is not TenantStatus.ACTIVE
    return False


COUNTERSIGNING = frozenset({Action.REQUEST_COUNTERSIGNED, Action.ELEVATION_GRANTED, Action.BREAK_GLASS_COUNTERSIGNED})
"""What only whoever is on call does outside office hours (REQ-111)."""


def _around_actor(actor: Actor) -> Iterable[Key]:
    if actor.kind is ActorKind.STAFF:
        yield Staff.TABLE, actor.id
    if actor.kind is ActorKind.TENANT_ADMIN:
        yield Contact.TABLE, actor.id
    if actor.kind is ActorKind.SYSTEM:
        yield ApiKey.TABLE, actor.id
    if actor.step_up is not None:
        yield StepUp.TABLE, actor.step_up


def _people_of(row: Row) -> Iterable[Key]:
    people: list[str | None] = []
    match row:
        case Review():
            people = [*row.barred, row.signed_by]
            yield Tenant.TABLE, row.tenant_id
            if row.request_id is not None:
                yield Request.TABLE, row.request_id
        case Shift():
            people = [row.staff_id]
        case Request():
            people = [row.engineer_id, row.countersigned_by]
            people += [row.emergency.declared_by] if row.emergency else []
        case Session():
            people = [row.engineer_id, row.elevation.decided_by if row.elevation else None]
            yield Standing.TABLE, row.engineer_id
        case Decision():
            people = [row.by]
            yield Contact.TABLE, row.by
        case Standing():
            people = [row.id]
    for person in people:
        if person is not None:
            yield Staff.TABLE, person
