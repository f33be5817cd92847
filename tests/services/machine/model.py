"""What the state machine believes: the rules of layer 1 said a second time, short and from memory, without looking at
the policy. Where the two disagree, one of them is wrong."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


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
    forbidden: bool = False

    def open(self) -> bool:
        return not (self.kill or self.forbidden)


@dataclass
class Case:
    """A request and, once started, its session."""

    id: str
    who: Person
    place: Place
    full: bool
    minutes: int
    asked: datetime
    state: str = "pending"
    granted: int = 0
    usable_until: datetime | None = None
    signed: bool | None = None
    session: str | None = None
    started: datetime | None = None
    planned: datetime | None = None
    ended: bool = False
    full_now: bool = False
    elevation: str | None = None
    outcome: bool = False

    def now(self, now: datetime) -> str:
        if self.state == "pending" and now >= self.asked + DAY:
            return "expired"
        if self.state == "approved" and self.usable_until is not None and now >= self.usable_until:
            return "lapsed"
        return self.state

    def running(self, now: datetime) -> bool:
        return self.session is not None and not self.ended and self.planned is not None and now < self.planned

    def owed(self, now: datetime) -> bool:
        return self.session is not None and not self.running(now) and not self.outcome


@dataclass
class Model:
    people: dict[str, Person]
    places: dict[str, Place]
    cases: dict[str, Case] = field(default_factory=dict)
    per_hour: int = 3
    per_day: int = 2

    def may_ask(self, who: Person, place: Place) -> bool:
        return who.acts() and place.name not in who.own and place.open()

    def may_approve(self, case: Case, minutes: int | None, now: datetime) -> bool:
        fits = minutes is None or 1 <= minutes <= case.minutes
        return case.now(now) == "pending" and fits and case.place.open() and case.who.active

    def may_withdraw(self, who: Person, case: Case, now: datetime) -> bool:
        return who.acts() and who is case.who and case.now(now) in ("pending", "approved")

    def may_sign(self, who: Person, case: Case, now: datetime, *, yes: bool) -> bool:
        return (
            who.acts()
            and who is not case.who
            and case.place.name not in who.own
            and case.full
            and case.signed is None
            and case.now(now) in ("pending", "approved")
            and (case.place.open() or not yes)
        )

    def over_the_rate(self, who: Person, place: Place, now: datetime) -> bool:
        hour = [at for _, at in who.starts if now - at < HOUR]
        day = {tenant for tenant, at in who.starts if now - at < DAY} | {place.name}
        return len(hour) >= self.per_hour or len(day) > self.per_day

    def may_start(self, who: Person, case: Case, now: datetime) -> bool:
        mine = [one for one in self.cases.values() if one.who is who]
        return (
            who.acts()
            and who is case.who
            and case.place.open()
            and case.now(now) == "approved"
            and not any(one.running(now) or one.owed(now) for one in mine)
            and not self.over_the_rate(who, case.place, now)
        )

    def may_elevate(self, who: Person, case: Case, now: datetime) -> bool:
        free = case.elevation in (None, "declined") and not case.full_now
        return who.acts() and who is case.who and case.running(now) and free

    def may_sign_elevation(self, who: Person, case: Case, now: datetime) -> bool:
        other = who is not case.who and case.place.name not in who.own
        return who.acts() and other and case.running(now) and case.elevation == "asked"

    def shut(self, place: Place, now: datetime) -> None:
        for case in self.cases.values():
            if case.place is place and case.running(now):
                case.ended = True
