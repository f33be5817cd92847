"""Who may do what, as the state machine believes: the requirements a second time, each rule in a line or two."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from tests.services.machine.model import DAY, HOUR, Case, Key, Paper, Person, Place, Turn


@dataclass
class Model:
    people: dict[str, Person]
    places: dict[str, Place]
    cases: dict[str, Case] = field(default_factory=dict)
    papers: dict[str, Paper] = field(default_factory=dict)
    keys: dict[str, Key] = field(default_factory=dict)
    turns: dict[str, Turn] = field(default_factory=dict)
    office: str = "open"
    per_hour: int = 3
    per_day: int = 2

    # ── requests: REQ-104 … 107, 110, 115 ──

    def may_ask(self, who: Person, place: Place) -> bool:
        return who.acts() and place.name not in who.own and place.open()

    def may_approve(self, case: Case, minutes: int | None, now: datetime) -> bool:
        fits = minutes is None or 1 <= minutes <= case.minutes
        return case.now(now) == "pending" and fits and case.place.open() and case.who.active

    def may_withdraw(self, who: Person, case: Case, now: datetime) -> bool:
        return who.acts() and who is case.who and case.open(now)

    def may_answer(self, who: Person, case: Case, now: datetime) -> bool:
        return who.acts() and who is case.who and case.question and case.now(now) == "pending"

    def may_sign(self, who: Person, case: Case, now: datetime, *, yes: bool) -> bool:
        second = self.is_second(who, case) and case.full and case.signed is None and case.open(now)
        return second and (not yes or (case.place.open() and self.on_duty(who, now)))

    def is_second(self, who: Person, case: Case) -> bool:
        """REQ-107: another person, who does not belong to the tenant."""
        return who.acts() and who is not case.who and case.place.name not in who.own

    # ── the rota: REQ-111 ──

    def on_duty(self, who: Person, now: datetime) -> bool:
        in_office = {"open": True, "shut": False, "tokyo": 9 <= (now.hour + 9) % 24 < 18}[self.office]
        return in_office or any(turn.who is who and turn.covers(now) for turn in self.turns.values())

    # ── break-glass: REQ-108 ──

    def may_declare(self, who: Person, case: Case, now: datetime) -> bool:
        undecided = case.now(now) == "expired" and now < case.asked + 2 * DAY
        return who.acts() and who is case.who and case.urgent and undecided and case.place.open_to_all_layers()

    def may_sign_glass(self, who: Person, case: Case, now: datetime) -> bool:
        second = who.leads() and self.is_second(who, case) and self.on_duty(who, now)
        return second and case.now(now) == "declared" and case.who.active and case.place.open_to_all_layers()

    # ── emergencies: REQ-109 ──

    def may_raise(self, who: Person, engineer: Person, place: Place) -> bool:
        outsiders = place.name not in who.own and place.name not in engineer.own
        return who.leads() and who is not engineer and engineer.acts() and outsiders and place.open_to_all_layers()

    def may_raise_on(self, who: Person, case: Case, now: datetime) -> bool:
        before = case.now(now) in ("pending", "expired", "declared", "cooling")
        return before and not case.emergency_waits(now) and self.may_raise(who, case.who, case.place)

    def may_sign_alarm(self, who: Person, case: Case, now: datetime) -> bool:
        other = case.alarm is not None and case.alarm.by is not who
        return case.emergency_waits(now) and other and self.may_raise(who, case.who, case.place)

    # ── reviews: REQ-502, REQ-504 ──

    def may_close(self, who: Person, paper: Paper) -> bool:
        fit = who.active and who.role in ("super", "auditor") and paper.place.name not in who.own
        return fit and who.name not in paper.part and not paper.signed

    def disputed(self, place: Place, seq: int) -> bool:
        return any(one.place is place and one.entry == seq and not one.signed for one in self.papers.values())

    # ── sessions: REQ-201 … 206, REQ-112 ──

    def over_the_rate(self, who: Person, place: Place, now: datetime) -> bool:
        hour = [at for _, at in who.starts if now - at < HOUR]
        day = {tenant for tenant, at in who.starts if now - at < DAY} | {place.name}
        return len(hour) >= self.per_hour or len(day) > self.per_day

    def may_start(self, who: Person, case: Case, now: datetime) -> bool:
        mine = [one for one in self.cases.values() if one.who is who]
        layer_open = case.place.open() if case.layer == "consent" else case.place.open_to_all_layers()
        return (
            who.acts()
            and who is case.who
            and layer_open
            and case.now(now) == "approved"
            and not any(one.running(now) or one.owed(now) for one in mine)
            and not self.over_the_rate(who, case.place, now)
        )

    def may_elevate(self, who: Person, case: Case, now: datetime) -> bool:
        free = case.elevation in (None, "declined") and not case.full_now
        return who.acts() and who is case.who and case.running(now) and free

    def may_sign_elevation(self, who: Person, case: Case, now: datetime, *, yes: bool) -> bool:
        waits = case.running(now) and case.elevation == "asked"
        return self.is_second(who, case) and waits and (not yes or self.on_duty(who, now))

    # ── what a tenant's own word does ──

    def shut(self, place: Place, now: datetime) -> None:
        """REQ-110: whoever is inside is out; and what is not usable yet of break-glass is vetoed by it (REQ-108)."""
        for case in self.cases.values():
            if case.place is not place:
                continue
            if not place.open() and case.running(now):
                case.ended = True
            if (place.kill or place.mode != "default") and case.stoppable(now):
                case.state = "vetoed"
