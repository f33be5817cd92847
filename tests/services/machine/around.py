"""What happens around requests and sessions: tenants shut, people leave, codes are guessed, time passes."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import rule

from app.services import staff, tenants
from storage.models import TenantMode
from tests.services.machine.company import TwoConsoles, people, picks, places


class Around(TwoConsoles):
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
