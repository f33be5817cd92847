"""Starting, viewing, elevating, ending: what engineers and their colleagues do with sessions."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import rule

from app.services import sessions
from storage.models import ViewKind
from tests.services.machine.company import TwoConsoles, people, picks


class OnSessions(TwoConsoles):
    @rule(who=people, pick=picks, lag=picks, own=st.booleans())
    def start(self, who: str, pick: int, lag: int, own: bool) -> None:
        case, person = self.case(pick), self.model.people[who]
        if case is None:
            return
        if own:
            person = case.who
        world = self.worlds[lag % 2]
        covered = not world.desk.needs_code(sessions.start, world.actor(self.staff(world, person)))
        allowed = self.model.may_start(person, case, self.now) and (covered or not person.locked(self.now))
        done = self.do(lag, allowed, sessions.start, person, case.id)
        if done is None:
            return
        minutes = min(case.granted, case.place.maximum)
        case.state, case.session, case.started = "used", done.answer["id"], self.now
        case.planned = self.now + timedelta(minutes=minutes)
        case.full_now = case.full and case.signed is True
        person.starts.append((case.place.name, self.now))
        self.longest[case.session] = case.place.maximum

    @rule(who=people, pick=picks, lag=picks)
    def view(self, who: str, pick: int, lag: int) -> None:
        case, person = self.inside(pick), self.model.people[who]
        if case:
            allowed = person.acts() and person is case.who and case.running(self.now)
            self.do(lag, allowed, sessions.log_view, person, case.session, ViewKind.RECORD, "refund 8841", ("amount",))

    @rule(who=people, pick=picks, lag=picks)
    def elevate(self, who: str, pick: int, lag: int) -> None:
        case, person = self.inside(pick), self.model.people[who]
        if case is None:
            return
        allowed = self.model.may_elevate(person, case, self.now) and not person.locked(self.now)
        why = "The refund stays pending until its orphaned payment event 991 is deleted"
        if self.do(lag, allowed, sessions.ask_elevation, person, case.session, why):
            case.elevation = "asked"

    @rule(who=people, pick=picks, yes=st.booleans(), lag=picks)
    def sign_elevation(self, who: str, pick: int, yes: bool, lag: int) -> None:
        case, person = self.inside(pick), self.model.people[who]
        if case is None:
            return
        allowed = self.model.may_sign_elevation(person, case, self.now) and not (yes and person.locked(self.now))
        command = sessions.countersign_elevation if yes else sessions.decline_elevation
        if self.do(lag, allowed, command, person, case.session):
            case.elevation, case.full_now = ("granted", True) if yes else ("declined", case.full_now)

    @rule(who=people, pick=picks, lag=picks, own=st.booleans())
    def end(self, who: str, pick: int, lag: int, own: bool) -> None:
        """Ending, or giving the outcome that is owed: the same words."""
        case = self.inside(pick)
        if case is None:
            return
        person = case.who if own else self.model.people[who]
        allowed = person.acts() and person is case.who and not case.outcome
        if self.do(lag, allowed, sessions.end, person, case.session, "a lost webhook", "nothing", "no"):
            case.ended = case.outcome = True

    @rule(who=people, pick=picks, lag=picks)
    def force_end(self, who: str, pick: int, lag: int) -> None:
        case, person = self.inside(pick), self.model.people[who]
        if case is None:
            return
        allowed = person.acts() and person.role == "super" and case.running(self.now) and not person.locked(self.now)
        if self.do(lag, allowed, sessions.force_end, person, case.session, "looks at the wrong records"):
            case.ended = True
