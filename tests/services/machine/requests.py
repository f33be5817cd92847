"""Asking, deciding, withdrawing, countersigning, and what the model believes comes of it."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import rule

from app.services import consent, requests
from storage.models import LinkKind, Mode, Request
from tests.services.machine.company import TwoConsoles, people, picks, places
from tests.services.machine.model import Case


class OnRequests(TwoConsoles):
    @rule(who=people, where=places, full=st.booleans(), minutes=st.integers(1, 90), lag=picks)
    def ask(self, who: str, where: str, full: bool, minutes: int, lag: int) -> None:
        person, place = self.model.people[who], self.model.places[where]
        self.count += 1
        form = self.worlds[0].form(
            tenant_id=where,
            target_id=place.admins[0],
            mode=Mode.FULL if full else Mode.READ_ONLY,
            minutes=minutes,
            reason=f"Refund {self.count} shows completed but the card was never credited; compare the event.",
        )
        allowed = self.model.may_ask(person, place) and not person.locked(self.now)
        done = self.do(lag, allowed, requests.create, person, form)
        if done is None:
            return
        case = Case(done.answer["id"], person, place, full, minutes, self.now)
        if place.standing and not full:
            case.state, case.granted, case.usable_until = "approved", minutes, self.now + timedelta(hours=8)
        self.model.cases[case.id] = case

    @rule(pick=picks, admin=st.integers(0, 1), fewer=st.none() | st.integers(0, 95), lag=picks, yes=st.booleans())
    def decide(self, pick: int, admin: int, fewer: int | None, lag: int, yes: bool) -> None:
        case = self.case(pick)
        if case is None or (case.place.standing and not case.full):
            return
        key = case.place.admins[admin]
        world = self.worlds[lag % 2]
        self.wait(self.pull())
        link = self.wait(world.link(world.row(Request, case.id), key, LinkKind.APPROVE if yes else LinkKind.DENY))
        if yes:
            allowed = self.model.may_approve(case, fewer, self.now)
            if self.do(lag, allowed, consent.approve, world.admin(key), link, fewer):
                case.state, case.granted = "approved", fewer or case.minutes
                case.usable_until = self.now + timedelta(hours=8)
        elif self.do(lag, case.now(self.now) == "pending", consent.deny, world.admin(key), link):
            case.state = "denied"

    @rule(who=people, pick=picks, lag=picks)
    def withdraw(self, who: str, pick: int, lag: int) -> None:
        case, person = self.case(pick), self.model.people[who]
        if case and self.do(lag, self.model.may_withdraw(person, case, self.now), requests.withdraw, person, case.id):
            case.state = "withdrawn"

    @rule(who=people, pick=picks, yes=st.booleans(), lag=picks)
    def countersign(self, who: str, pick: int, yes: bool, lag: int) -> None:
        case, person = self.case(pick), self.model.people[who]
        if case is None:
            return
        allowed = self.model.may_sign(person, case, self.now, yes=yes) and not (yes and person.locked(self.now))
        if self.do(lag, allowed, requests.countersign if yes else requests.decline, person, case.id):
            case.signed = yes
