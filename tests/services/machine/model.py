"""What the state machine believes of people, tenants, requests and sessions: what state each is in at any moment, by
time alone, said a second time, short and from memory, without looking at the policy. Who may do what stands in
`beliefs`. Where model and code disagree, one of them is wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

MINUTE, HOUR, DAY = timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
COOLING, USABLE, FRESH = 2 * HOUR, 8 * HOUR, 2 * HOUR
"""REQ-108, REQ-201, REQ-109: the veto's time, the approval's, and a declared emergency's."""


@dataclass
class Person:
    """A staff member. `own` are tenants whose contact this very person is."""

    name: str
    role: str
    own: frozenset[str] = frozenset()
    active: bool = True
    starts: list[tuple[str, datetime]] = field(default_factory=list)
    failures: int = 0
    locked_until: datetime | None = None

    def acts(self) -> bool:
        return self.active and self.role != "auditor"

    def leads(self) -> bool:
        return self.active and self.role == "super"

    def locked(self, now: datetime) -> bool:
        return self.locked_until is not None and now < self.locked_until


@dataclass
class Place:
    """A tenant."""

    name: str
    admins: tuple[str, ...]
    maximum: int = 60
    standing: bool = False
    kill: bool = False
    mode: str = "default"
    status: str = "active"

    def open(self) -> bool:
        return not self.kill and self.mode != "forbidden" and self.status == "active"

    def open_to_all_layers(self) -> bool:
        return self.open() and self.mode == "default"


@dataclass
class Glass:
    """Break-glass: declared, countersigned, and when a mail server first took an urgent letter."""

    declared: datetime
    signed: datetime | None = None
    accepted: datetime | None = None


@dataclass
class Alarm:
    """An emergency: who declared it when, and when a second super agreed."""

    by: Person
    declared: datetime
    signed: datetime | None = None

    def waits(self, now: datetime) -> bool:
        return self.signed is None and now < self.declared + FRESH


@dataclass
class Case:
    """A request and, once started, its session."""

    id: str
    who: Person
    place: Place
    full: bool
    minutes: int
    asked: datetime
    urgent: bool = False
    state: str = "pending"
    layer: str = "consent"
    granted: int = 0
    usable_until: datetime | None = None
    signed: bool | None = None
    question: bool = False
    glass: Glass | None = None
    alarm: Alarm | None = None
    session: str | None = None
    planned: datetime | None = None
    ended: bool = False
    full_now: bool = False
    elevation: str | None = None
    outcome: bool = False

    def now(self, now: datetime) -> str:
        """Its state, whether or not anybody recorded that time has passed."""
        if self.state == "pending":
            return "expired" if now >= self.asked + DAY else "pending"
        if self.state == "declared":
            return "lapsed" if now >= self.asked + 2 * DAY else "declared"
        if self.state == "cooling":
            return self._cooling(now)
        if self.state == "approved" and self.usable_until is not None and now >= self.usable_until:
            return "lapsed"
        return self.state

    def _cooling(self, now: datetime) -> str:
        assert self.glass is not None and self.glass.signed is not None
        if self.glass.accepted is None:  # undelivered mail starts no clock
            return "lapsed" if now >= self.glass.signed + DAY else "cooling"
        if now < self.glass.accepted + COOLING:
            return "cooling"
        return "approved" if now < self.glass.accepted + COOLING + USABLE else "lapsed"

    def open(self, now: datetime) -> bool:
        return self.now(now) in ("pending", "declared", "cooling", "approved")

    def stoppable(self, now: datetime) -> bool:
        return self.now(now) in ("declared", "cooling")

    def emergency_waits(self, now: datetime) -> bool:
        before = self.now(now) in ("pending", "expired", "declared", "cooling")
        return self.alarm is not None and self.alarm.waits(now) and before

    def running(self, now: datetime) -> bool:
        return self.session is not None and not self.ended and self.planned is not None and now < self.planned

    def owed(self, now: datetime) -> bool:
        return self.session is not None and not self.running(now) and not self.outcome

    def deadlines(self) -> list[datetime]:
        """Every moment at which time alone changes something about it."""
        glass, alarm = self.glass, self.alarm
        moments = [self.asked + DAY, self.asked + 2 * DAY, self.usable_until, self.planned]
        if glass is not None:
            moments.append(glass.signed + DAY if glass.signed else None)
            moments += [glass.accepted + COOLING, glass.accepted + COOLING + USABLE] if glass.accepted else []
        if alarm is not None:
            moments.append(alarm.declared + FRESH)
        return [one for one in moments if one is not None]


@dataclass
class Paper:
    """A review. `part` are who was part of it."""

    place: Place
    part: frozenset[str]
    entry: int | None = None
    signed: bool = False


@dataclass
class Turn:
    """A shift on call."""

    who: Person
    begins: datetime
    ends: datetime
    cancelled: bool = False

    def covers(self, now: datetime) -> bool:
        return not self.cancelled and self.begins <= now < self.ends


@dataclass
class Key:
    """An API key: the platform's, where it has no place, or a tenant's for its settings."""

    place: Place | None
    accepted: bool = False
    revoked: bool = False
