"""Whole stories in one step, told by the very rules of single steps: what hardly ever comes about by chance, as each
part of it wants the right person at the right time."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.services.machine.around import Around
from tests.services.machine.company import picks, places, supers
from tests.services.machine.model import COOLING, DAY, Case, Place
from tests.services.machine.outages import Outages
from tests.services.machine.reviews import OnReviews
from tests.services.machine.sessions import OnSessions
from tests.services.machine.urgent import OnBreakGlass, OnEmergencies

doers = st.sampled_from(["ann", "raj", "ann", "lee"])


class Stories(OnBreakGlass, OnEmergencies, OnSessions, OnReviews, Around, Outages):
    def exactly(self, case: Case) -> int:
        """The pick that picks this case."""
        return 4 * list(self.model.cases).index(case.id)

    def newest(self, told: int) -> Case | None:
        """The case that was opened since there were `told`."""
        return list(self.model.cases.values())[-1] if len(self.model.cases) > told else None

    @rule(who=doers, where=places, full=st.booleans(), signer=supers, pick=picks, lag=picks, steps=st.integers(2, 8))
    def go_on(self, who: str, where: str, full: bool, signer: str, pick: int, lag: int, steps: int) -> None:
        """What comes next in the life of a request, by whoever can do it: a new one, or one that is under way."""
        told, now = len(self.model.cases), self.now
        under_way = [one for one in self.model.cases.values() if one.open(now) or one.running(now) or one.owed(now)]
        if under_way and pick % 3:
            case: Case | None = under_way[pick % len(under_way)]
        else:
            self.open_up(self.model.places[where])
            self.ask(who, where, full, pick % 2 == 0, 30, lag)
            case = self.newest(told)
        for _ in range(steps if case else 0):
            assert case is not None
            self.next_step(case, signer, lag)

    def open_up(self, place: Place) -> None:
        if place.kill:
            self.kill(place.name, 0, 4, False)
        if place.mode == "forbidden":
            self.change_settings(place.name, 4, "default", place.standing, place.maximum)

    def next_step(self, case: Case, signer: str, lag: int) -> None:
        this, state, link = self.exactly(case), case.now(self.now), lag % 2
        if state == "pending":
            self.deliver()
            if case.urgent and lag % 5 == 0:
                self.clock.set(max(self.now, case.asked + DAY))
            elif case.question:
                self.answer(case.who.name, this, lag, own=True)
            elif lag % 5 == 1:
                self.ask_back(this, link, lag)
            else:
                self.decide(this, link, None, lag, yes=True)
        elif state == "expired" and case.urgent:
            self.declare(case.who.name, this, lag, own=True)
        elif state == "declared":
            self.sign_glass(signer, this, lag)
        elif state == "cooling":
            self.deliver()
            self.until_cooled(case)
        elif state == "approved" and case.full and case.signed is None and lag % 3:
            self.countersign(signer, this, True, lag)
        elif state == "approved":
            self.start(case.who.name, this, lag, own=True)
        elif case.running(self.now) and lag % 5 == 2:
            self.force_end(signer, self.place_inside(case), lag)
        elif case.running(self.now) and not case.full_now and case.elevation is None:
            self.elevate(case.who.name, self.place_inside(case), lag)
        elif case.running(self.now) and case.elevation == "asked":
            self.sign_elevation(signer, self.place_inside(case), lag % 5 > 0, lag)
        elif case.session is not None and not case.outcome:
            self.end(case.who.name, self.place_inside(case), lag, own=True)

    def place_inside(self, case: Case) -> int:
        return [one for one in self.model.cases.values() if one.session is not None].index(case)

    @rule(who=doers, where=places, full=st.booleans(), signer=supers, upto=st.integers(0, 5), lag=picks)
    def break_the_glass(self, who: str, where: str, full: bool, signer: str, upto: int, lag: int) -> None:
        """As far as `upto`: undecided, declared, countersigned, told, cooled, entered."""
        told = len(self.model.cases)
        self.ask(who, where, full or self.model.places[where].standing, True, 30, lag)
        case = self.newest(told)
        if case is None:
            return
        the, this = case, self.exactly(case)
        self.deliver()
        self.clock.advance(DAY)
        steps: tuple[Callable[[], None], ...] = (
            lambda: self.declare(who, this, lag, own=True),
            lambda: self.sign_glass(signer, this, lag),
            self.deliver,
            lambda: self.until_cooled(the),
            lambda: self.start(who, this, lag, own=True),
        )
        for step in steps[:upto]:
            step()

    def until_cooled(self, case: Case) -> None:
        """A second before the two hours are over nobody enters; then it can be used, by time alone, and not vetoed."""
        if case.glass is None or case.glass.accepted is None or case.now(self.now) != "cooling":
            return
        self.clock.set(case.glass.accepted + COOLING - timedelta(seconds=1))
        self.start(case.who.name, self.exactly(case), 4, own=True)
        assert case.session is None
        self.clock.advance(seconds=1)
        self.veto(self.exactly(case), 0, 4, early=False)
        assert case.now(self.now) == "approved", "a veto is too late now"

    @rule(first=supers, engineer=doers, second=supers, where=places, enter=st.booleans(), lag=picks)
    def raise_and_sign(self, first: str, engineer: str, second: str, where: str, enter: bool, lag: int) -> None:
        told = len(self.model.cases)
        self.raise_alarm_anew(first, engineer, where, True, lag)
        case = self.newest(told)
        if case is not None:
            self.sign_alarm(second, self.exactly(case), lag)
            if enter:
                self.start(engineer, self.exactly(case), lag, own=True)
            for signer in (engineer, first, second, "noor"):  # whoever was part of it signs no review of it
                self.sign_review(signer, len(self.model.papers) - 1, 4)
