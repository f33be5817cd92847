"""Break-glass and emergencies: declared, countersigned, vetoed (REQ-108, REQ-109)."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import strategies as st
from hypothesis.stateful import rule

from app.services import break_glass, consent, emergency
from storage.models import EmergencyCategory, LinkKind
from tests.services.machine.company import people, picks, places, supers
from tests.services.machine.model import USABLE, Alarm, Case, Glass, Paper
from tests.services.machine.requests import OnRequests

LEGAL = "legal@ops.example"
SAFETY = EmergencyCategory.SAFETY


class OnBreakGlass(OnRequests):
    @rule(who=people, pick=picks, lag=picks, own=st.booleans())
    def declare(self, who: str, pick: int, lag: int, own: bool) -> None:
        case = self.case(pick, lambda case: case.urgent and case.now(self.now) == "expired")
        if case is None:
            return
        the, person = case, case.who if own else self.model.people[who]

        def declared(answer: Mapping[str, str]) -> None:
            the.state, the.glass = "declared", Glass(self.at)

        may = lambda: self.model.may_declare(person, the, self.now)  # noqa: E731
        self.act(lag, may, break_glass.declare, person, the.id, self.words("Dispute"), then=declared)

    @rule(who=people, pick=picks, lag=picks)
    def sign_glass(self, who: str, pick: int, lag: int) -> None:
        case, person = self.case(pick, lambda case: case.state == "declared"), self.model.people[who]
        if case is None:
            return
        the = case

        def signed(answer: Mapping[str, str]) -> None:
            assert the.glass is not None
            the.state, the.layer, the.granted, the.glass.signed = "cooling", "break_glass", the.minutes, self.at
            urgent = {one.to_id for one in self.worlds[0].letters("break_glass.countersigned", the.id) if one.urgent}
            assert urgent == {*the.place.admins, *self.security(the)}, "everybody who can veto is told, urgently"

        may = lambda: self.model.may_sign_glass(person, the, self.now)  # noqa: E731
        self.act(lag, may, break_glass.countersign, person, the.id, then=signed)

    @staticmethod
    def security(case: Case) -> set[str]:
        return {"northwind/sec"} if case.place.name == "northwind" else set()

    @rule(pick=picks, admin=st.integers(0, 1), lag=picks, early=st.booleans())
    def veto(self, pick: int, admin: int, lag: int, early: bool) -> None:
        """By the urgent letter's link, or the deny link of the letter before."""
        case = self.case(pick, lambda case: case.state in ("declared", "cooling"))
        key = case.place.admins[admin] if case else ""
        link = self.post.link(case.id, key, LinkKind.DENY if early else LinkKind.VETO) if case else None
        if case is None or link is None:
            return
        the = case

        def vetoed(answer: Mapping[str, str]) -> None:
            the.state = "vetoed"

        self.act(lag, lambda: the.stoppable(self.now), consent.veto, self.known(key), link, then=vetoed)


class OnEmergencies(OnRequests):
    @rule(who=supers, pick=picks, lag=picks)
    def raise_alarm(self, who: str, pick: int, lag: int) -> None:
        case, person = self.case(pick, lambda case: case.session is None), self.model.people[who]
        if case is None:
            return
        the = case

        def raised(answer: Mapping[str, str]) -> None:
            the.alarm = Alarm(person, self.at)

        may = lambda: self.model.may_raise_on(person, the, self.now)  # noqa: E731
        words = (SAFETY, self.words("Dosage"), LEGAL)
        self.act(lag, may, emergency.declare, person, the.id, *words, then=raised)

    @rule(who=supers, engineer=people, where=places, full=st.booleans(), lag=picks)
    def raise_alarm_anew(self, who: str, engineer: str, where: str, full: bool, lag: int) -> None:
        """On nothing that was asked before: asked and declared in one act."""
        person, inside, place = self.model.people[who], self.model.people[engineer], self.model.places[where]
        form = self.form_of(place, full, True, 30)

        def raised(answer: Mapping[str, str]) -> None:
            self.opened(answer["id"], inside, place, full, True, 30).alarm = Alarm(person, self.at)

        may = lambda: self.model.may_raise(person, inside, place)  # noqa: E731
        key = self.staff(self.worlds[0], inside).id
        words = (SAFETY, self.words("Dosage"), LEGAL)
        self.act(lag, may, emergency.declare_anew, person, key, form, *words, then=raised)

    @rule(who=people, pick=picks, lag=picks)
    def sign_alarm(self, who: str, pick: int, lag: int) -> None:
        case, person = self.case(pick, lambda case: case.emergency_waits(self.now)), self.model.people[who]
        if case is None:
            return
        the = case

        def signed(answer: Mapping[str, str]) -> None:
            assert the.alarm is not None
            the.state, the.layer, the.granted, the.alarm.signed = "approved", "emergency", the.minutes, self.at
            the.usable_until = self.at + USABLE
            part = frozenset({the.who.name, the.alarm.by.name, person.name})
            self.model.papers[answer["review"]] = Paper(the.place, part)
            told = {one.to_id for one in self.worlds[0].letters("emergency.countersigned", the.id)}
            assert told == {*the.place.admins, "operator/legal"}, "everybody is told at once"

        may = lambda: self.model.may_sign_alarm(person, the, self.now)  # noqa: E731
        self.act(lag, may, emergency.countersign, person, the.id, LEGAL, then=signed)
