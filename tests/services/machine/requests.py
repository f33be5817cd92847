"""Asking, deciding, questions and answers, withdrawing, countersigning, and what the model believes comes of it."""

from __future__ import annotations

from collections.abc import Mapping

from hypothesis import strategies as st
from hypothesis.stateful import rule

from app.policy.requests import RequestForm
from app.services import consent, requests
from storage.models import LinkKind, Mode
from tests.services.machine.company import TwoConsoles, people, picks, places
from tests.services.machine.model import USABLE, Case, Person, Place


class OnRequests(TwoConsoles):
    @rule(
        who=people, where=places, full=st.booleans(), urgent=st.booleans(), minutes=st.integers(1, 90), lag=picks,
    )  # fmt: skip
    def ask(self, who: str, where: str, full: bool, urgent: bool, minutes: int, lag: int) -> None:
        person, place = self.model.people[who], self.model.places[where]
        form = self.form_of(place, full, urgent, minutes)

        def asked(answer: Mapping[str, str]) -> None:
            case = self.opened(answer["id"], person, place, full, urgent, minutes)
            if place.standing and not full:
                case.state, case.granted, case.usable_until = "approved", minutes, self.at + USABLE

        self.act(lag, lambda: self.model.may_ask(person, place), requests.create, person, form, then=asked)

    def form_of(self, place: Place, full: bool, urgent: bool, minutes: int) -> RequestForm:
        return self.worlds[0].form(
            tenant_id=place.name,
            target_id=place.admins[0],
            mode=Mode.FULL if full else Mode.READ_ONLY,
            minutes=minutes,
            urgent=urgent,
            reason=self.words("Refund"),
        )

    def opened(self, key: str, who: Person, place: Place, full: bool, urgent: bool, minutes: int) -> Case:
        case = Case(key, who, place, full, minutes, self.at, urgent)
        self.model.cases[key] = case
        return case

    @rule(pick=picks, admin=st.integers(0, 1), fewer=st.none() | st.integers(0, 95), lag=picks, yes=st.booleans())
    def decide(self, pick: int, admin: int, fewer: int | None, lag: int, yes: bool) -> None:
        """By a link, which only a letter brings that was taken."""
        case = self.case(pick, lambda case: case.now(self.now) == "pending")
        key = case.place.admins[admin] if case else ""
        link = self.post.link(case.id, key, LinkKind.APPROVE if yes else LinkKind.DENY) if case else None
        if case is None or link is None:
            return
        the = case

        def approved(answer: Mapping[str, str]) -> None:
            the.state, the.granted, the.usable_until = "approved", fewer or the.minutes, self.at + USABLE

        if yes:
            may = lambda: self.model.may_approve(the, fewer, self.now)  # noqa: E731 (as the others, in one line)
            self.act(lag, may, consent.approve, self.known(key), link, fewer, then=approved)
        else:
            self.deny(the, key, link, lag)

    def deny(self, case: Case, key: str, link: str, lag: int) -> None:
        """REQ-108: too late for the request, but in time for the break-glass that followed, it is a veto."""

        def denied(answer: Mapping[str, str]) -> None:
            case.state = "vetoed" if case.stoppable(self.now) else "denied"

        may = lambda: case.now(self.now) == "pending" or case.stoppable(self.now)  # noqa: E731
        self.act(lag, may, consent.deny, self.known(key), link, then=denied)

    @rule(pick=picks, admin=st.integers(0, 1), lag=picks)
    def ask_back(self, pick: int, admin: int, lag: int) -> None:
        case = self.case(pick, lambda case: case.now(self.now) == "pending")
        key = case.place.admins[admin] if case else ""
        link = self.post.link(case.id, key, LinkKind.DENY, LinkKind.APPROVE) if case else None
        if case is None or link is None:
            return
        the = case

        def asked(answer: Mapping[str, str]) -> None:
            the.question = True

        may = lambda: the.now(self.now) == "pending"  # noqa: E731
        self.act(lag, may, consent.ask, self.known(key), link, "Which records exactly?", then=asked)

    @rule(who=people, pick=picks, lag=picks, own=st.booleans())
    def answer(self, who: str, pick: int, lag: int, own: bool) -> None:
        case = self.case(pick, lambda case: case.question)
        if case is None:
            return
        the, person = case, case.who if own else self.model.people[who]

        def answered(answer: Mapping[str, str]) -> None:
            the.question = False

        may = lambda: self.model.may_answer(person, the, self.now)  # noqa: E731
        self.act(lag, may, requests.answer, person, the.id, "Refund 8841 and payment event 991.", then=answered)

    @rule(who=people, pick=picks, lag=picks, own=st.booleans())
    def withdraw(self, who: str, pick: int, lag: int, own: bool) -> None:
        case = self.case(pick)
        if case is None:
            return
        the, person = case, case.who if own else self.model.people[who]

        def withdrawn(answer: Mapping[str, str]) -> None:
            the.state = "withdrawn"

        may = lambda: self.model.may_withdraw(person, the, self.now)  # noqa: E731
        self.act(lag, may, requests.withdraw, person, the.id, then=withdrawn)

    @rule(who=people, pick=picks, yes=st.booleans(), lag=picks)
    def countersign(self, who: str, pick: int, yes: bool, lag: int) -> None:
        case, person = self.case(pick, lambda case: case.full and case.signed is None), self.model.people[who]
        if case is None:
            return
        the = case

        def signed(answer: Mapping[str, str]) -> None:
            the.signed = yes

        may = lambda: self.model.may_sign(person, the, self.now, yes=yes)  # noqa: E731
        self.act(lag, may, requests.countersign if yes else requests.decline, person, the.id, then=signed)
