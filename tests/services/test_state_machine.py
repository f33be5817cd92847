"""Whatever anyone does in whatever order, from two consoles that may lag behind each other: the promises hold.

Hypothesis drives the real services on a real shared database with two real replicas, and compares every answer with a
model of its own (`model`). A console that has not pulled may refuse what is allowed by now, never allow what is not.
"""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import invariant, rule, run_state_machine_as_test

from app.policy.requests import state_at
from app.services import consent, requests, sessions, staff, tenants
from storage.models import (
    Decision,
    DecisionKind,
    LinkKind,
    Mode,
    Request,
    Session,
    Settings,
    StepUp,
    TenantMode,
    ViewKind,
)
from tests.services.company import PEOPLE, TwoConsoles
from tests.services.model import Case

people = st.sampled_from(sorted(PEOPLE))
places = st.sampled_from(["northwind", "contoso", "fabrikam"])
picks = st.integers(0, 10**6)


class Company(TwoConsoles):
    """Five staff, three tenants, two consoles, one clock."""

    # ── what people do ──

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

    @rule(where=places, admin=st.integers(0, 1), lag=picks, on=st.booleans())
    def kill(self, where: str, admin: int, lag: int, on: bool) -> None:
        place = self.model.places[where]
        key = self.worlds[0].admin(place.admins[admin])
        if self.do(lag, place.kill is not on, tenants.set_kill_switch, key, where, on):
            place.kill = on
            if on:
                self.model.shut(place, self.now)

    @rule(where=places, lag=picks, forbidden=st.booleans(), maximum=st.integers(10, 250))
    def change_settings(self, where: str, lag: int, forbidden: bool, maximum: int) -> None:
        place = self.model.places[where]
        wanted = {"mode": TenantMode.FORBIDDEN if forbidden else TenantMode.DEFAULT, "max_minutes": maximum}
        differs = (forbidden, maximum) != (place.forbidden, place.maximum)
        allowed = 15 <= maximum <= 240 and differs
        key = self.worlds[0].admin(place.admins[0])
        if self.do(lag, allowed, tenants.change_settings, key, where, **wanted):
            place.forbidden, place.maximum = forbidden, maximum
            if not place.open():
                self.model.shut(place, self.now)

    @rule(by=people, who=st.sampled_from(["raj", "lee"]), lag=picks, really=st.integers(0, 4))
    def deactivate(self, by: str, who: str, lag: int, really: int) -> None:
        if really:  # seldom: nobody comes back
            return
        person, leaver = self.model.people[by], self.model.people[who]
        allowed = person.acts() and person.role == "super" and leaver.active
        key = self.staff(self.worlds[0], leaver).id
        if self.do(lag, allowed, staff.deactivate, person, key):
            leaver.active = False
            for case in self.model.cases.values():
                if case.who is leaver and case.running(self.now):
                    case.ended = True

    @rule(seconds=st.integers(1, 45 * 60))
    def wait_a_while(self, seconds: int) -> None:
        self.clock.advance(seconds=seconds)

    @rule(hours=st.integers(4, 25))
    def wait_long(self, hours: int) -> None:
        self.clock.advance(hours=hours)

    @rule(which=st.integers(0, 1))
    def record_what_is_due(self, which: int) -> None:
        self.wait(self.worlds[which].desk.record_due())

    @rule(who=people, reuse=st.booleans())
    def give_a_wrong_code(self, who: str, reuse: bool) -> None:
        """A wrong code, or one that was used before: never accepted, and the fifth in a row locks."""
        person = self.model.people[who]
        if not person.active:
            return
        world = self.worlds[0]
        member = self.staff(world, person)
        code = world.used_code(member) if reuse else None
        answer = self.wait(
            self.shared.step_up(member.id, code or "ZZZZ-ZZZZ-ZZZZ-ZZZZ", "sign_in", world.actor(member))
        )
        assert answer.step_up is None
        if person.locked(self.now):
            return
        if person.locked_until is not None:
            person.failures, person.locked_until = 0, None
        person.failures += 1
        if person.failures >= 5:
            person.locked_until = self.now + timedelta(minutes=15)

    # ── what must hold ──

    @invariant()
    def promises_hold(self) -> None:
        if not hasattr(self, "worlds"):
            return
        self.wait(self.pull())
        view = self.worlds[0].desk.view()
        asked = {one.id: one for one in view.find(Request)}
        shut = {one.id for one in view.find(Settings) if one.kill_switch or one.mode is TenantMode.FORBIDDEN}
        decisions = view.find(Decision)
        for decision in decisions:
            assert decision.by != asked[decision.request_id].engineer_id, "nobody decides their own"
        signed = {one.request_id for one in decisions if one.kind is DecisionKind.COUNTERSIGN}
        inside: set[str] = set()
        for session in view.find(Session):
            self._holds(session, signed, shut)
            if session.is_active(self.now):
                assert session.engineer_id not in inside, "one active session per engineer"
                inside.add(session.engineer_id)
        for step in view.find(StepUp):
            assert len(step.used_by) <= (2 if step.act == "request.create" else 1), "each code used once"
        self._as_modelled(asked)

    def _holds(self, session: Session, signed: set[str], shut: set[str]) -> None:
        length = session.expires_at - session.started_at
        assert length <= timedelta(minutes=self.longest[session.id]), "no session past its tenant's maximum"
        assert not (session.is_active(self.now) and session.tenant_id in shut), "nothing active in a shut tenant"
        if session.mode is Mode.FULL:
            elevated = session.elevation is not None and session.elevation.decided_by not in (None, session.engineer_id)
            assert session.request_id in signed or elevated, "no full without a countersign"

    def _as_modelled(self, asked: dict[str, Request]) -> None:
        """The real state, by time, is the one the model believes in."""
        for case in self.model.cases.values():
            assert state_at(asked[case.id], self.now).value == case.now(self.now)
            if case.session is not None:
                session = self.worlds[0].row(Session, case.session)
                assert session.is_active(self.now) is case.running(self.now)
                assert (session.mode is Mode.FULL) is case.full_now


def run(examples: int, steps: int) -> None:
    run_state_machine_as_test(
        Company,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
            database=None,
        ),
    )


def test_the_promises_hold_whatever_anyone_does() -> None:
    """REQ-101 … 209: a short run."""
    run(20, 30)


@pytest.mark.long
def test_the_promises_hold_for_a_thousand_companies() -> None:
    """Issue 2, "must show" 5: 1,000 runs of 50 steps."""
    run(1000, 50)
