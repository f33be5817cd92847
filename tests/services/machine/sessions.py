"""Starting, viewing, elevating, ending: what engineers and their colleagues do with sessions."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import rule

from app.services import sessions
from storage.models import ViewKind
from tests.services.machine.company import TwoConsoles, people, picks


class OnSessions(TwoConsoles):
    @rule(who=people, pick=picks, lag=picks, own=st.booleans())
    def start(self, who: str, pick: int, lag: int, own: bool) -> None:
        case = self.case(pick, lambda case: case.now(self.now) == "approved")
        if case is None:
            return
        the, person = case, case.who if own else self.model.people[who]

        def started(answer: Mapping[str, str]) -> None:
            minutes = min(the.granted, the.place.maximum)
            the.state, the.session, the.planned = "used", answer["id"], self.at + timedelta(minutes=minutes)
            the.full_now = the.full and the.signed is True
            person.starts.append((the.place.name, self.at))
            self.longest[the.session] = the.place.maximum
            self.reached[f"entered by {the.layer}"] += 1

        self.act(lag, lambda: self.model.may_start(person, the, self.now), sessions.start, person, the.id, then=started)

    @rule(who=people, pick=picks, lag=picks)
    def view(self, who: str, pick: int, lag: int) -> None:
        case, person = self.inside(pick), self.model.people[who]
        if case is None:
            return
        the = case
        may = lambda: person.acts() and person is the.who and the.running(self.now)  # noqa: E731
        self.act(lag, may, sessions.log_view, person, the.session, ViewKind.RECORD, "refund 8841", ("amount",))

    @rule(who=people, pick=picks, lag=picks)
    def elevate(self, who: str, pick: int, lag: int) -> None:
        case, person = self.inside(pick), self.model.people[who]
        if case is None:
            return
        the = case

        def asked(answer: Mapping[str, str]) -> None:
            the.elevation = "asked"

        may = lambda: self.model.may_elevate(person, the, self.now)  # noqa: E731
        why = "The refund stays pending until its orphaned payment event 991 is deleted"
        self.act(lag, may, sessions.ask_elevation, person, the.session, why, then=asked)

    @rule(who=people, pick=picks, yes=st.booleans(), lag=picks)
    def sign_elevation(self, who: str, pick: int, yes: bool, lag: int) -> None:
        case, person = self.inside(pick), self.model.people[who]
        if case is None:
            return
        the = case

        def decided(answer: Mapping[str, str]) -> None:
            the.elevation, the.full_now = ("granted", True) if yes else ("declined", the.full_now)

        may = lambda: self.model.may_sign_elevation(person, the, self.now, yes=yes)  # noqa: E731
        command = sessions.countersign_elevation if yes else sessions.decline_elevation
        self.act(lag, may, command, person, the.session, then=decided)

    @rule(who=people, pick=picks, lag=picks, own=st.booleans())
    def end(self, who: str, pick: int, lag: int, own: bool) -> None:
        """Ending, or giving the outcome that is owed: the same words."""
        case = self.inside(pick)
        if case is None:
            return
        the, person = case, case.who if own else self.model.people[who]

        def ended(answer: Mapping[str, str]) -> None:
            the.ended = the.outcome = True

        may = lambda: person.acts() and person is the.who and not the.outcome  # noqa: E731
        self.act(lag, may, sessions.end, person, the.session, "a lost webhook", "nothing", "no", then=ended)

    @rule(who=people, pick=picks, lag=picks)
    def force_end(self, who: str, pick: int, lag: int) -> None:
        case, person = self.inside(pick), self.model.people[who]
        if case is None:
            return
        the = case

        def ended(answer: Mapping[str, str]) -> None:
            the.ended = True

        may = lambda: person.leads() and the.running(self.now)  # noqa: E731
        self.act(lag, may, sessions.force_end, person, the.session, "looks at the wrong records", then=ended)
