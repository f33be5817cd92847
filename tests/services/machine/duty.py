"""Office hours and the rota: outside them, only whoever is on call countersigns (REQ-111)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import rule

from app.services import rota
from storage.models import OfficeSpan
from tests.services.machine.company import TwoConsoles, people, picks
from tests.services.machine.model import Turn

HOURS = {
    "open": ("UTC", tuple(OfficeSpan(day, "00:00", "24:00") for day in range(1, 8))),
    "shut": ("UTC", ()),
    "tokyo": ("Asia/Tokyo", tuple(OfficeSpan(day, "09:00", "18:00") for day in range(1, 8))),
}


class OnDuty(TwoConsoles):
    @rule(who=people, office=st.sampled_from(sorted(HOURS)), lag=picks)
    def set_hours(self, who: str, office: str, lag: int) -> None:
        person = self.model.people[who]

        def done(answer: Mapping[str, str]) -> None:
            self.model.office = office

        self.act(lag, person.leads, rota.set_hours, person, *HOURS[office], then=done)

    @rule(by=people, who=people, after=st.integers(0, 30), hours=st.integers(1, 48), lag=picks)
    def set_shift(self, by: str, who: str, after: int, hours: int, lag: int) -> None:
        person, called = self.model.people[by], self.model.people[who]
        begins = self.now + timedelta(hours=after - 3)
        ends = begins + timedelta(hours=hours)

        def done(answer: Mapping[str, str]) -> None:
            self.model.turns[answer["id"]] = Turn(called, begins, ends)

        may = lambda: person.leads() and called.acts() and ends > self.now  # noqa: E731
        key = self.staff(self.worlds[0], called).id
        self.act(lag, may, rota.set_shift, person, key, begins, ends, then=done)

    @rule(by=people, pick=picks, lag=picks)
    def cancel_shift(self, by: str, pick: int, lag: int) -> None:
        if not self.model.turns:
            return
        key = sorted(self.model.turns)[pick % len(self.model.turns)]
        person, turn = self.model.people[by], self.model.turns[key]

        def done(answer: Mapping[str, str]) -> None:
            turn.cancelled = True

        may = lambda: person.leads() and not turn.cancelled and turn.ends > self.now  # noqa: E731
        self.act(lag, may, rota.cancel_shift, person, key, then=done)
