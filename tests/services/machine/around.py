"""What happens around requests and sessions: tenants shut and open, people leave, codes are guessed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import rule

from app.services import staff, tenants
from storage.models import TenantMode
from tests.services.machine.company import TwoConsoles, people, picks, places

modes = st.sampled_from(["default", "default", "consent_only", "forbidden"])


class Around(TwoConsoles):
    @rule(where=places, admin=st.integers(0, 1), lag=picks, same=st.integers(0, 4))
    def turn_the_switch(self, where: str, admin: int, lag: int, same: int) -> None:
        self.kill(where, admin, lag, on=self.model.places[where].kill is (same == 0))

    def kill(self, where: str, admin: int, lag: int, on: bool) -> None:
        place = self.model.places[where]
        key = self.known(place.admins[admin])

        def turned(answer: Mapping[str, str]) -> None:
            place.kill = on
            self.model.shut(place, self.now)

        self.act(lag, lambda: place.kill is not on, tenants.set_kill_switch, key, where, on, then=turned)

    @rule(where=places, lag=picks, mode=modes, standing=st.booleans(), maximum=st.integers(10, 250))
    def change_settings(self, where: str, lag: int, mode: str, standing: bool, maximum: int) -> None:
        place = self.model.places[where]
        key = self.known(place.admins[0])

        def changed(answer: Mapping[str, str]) -> None:
            place.mode, place.standing, place.maximum = mode, standing, maximum
            self.model.shut(place, self.now)

        def may() -> bool:
            differs = (mode, standing, maximum) != (place.mode, place.standing, place.maximum)
            return 15 <= maximum <= 240 and differs

        wanted = {"mode": TenantMode(mode), "standing_consent": standing, "max_minutes": maximum}
        self.act(lag, may, tenants.change_settings, key, where, then=changed, **wanted)

    @rule(by=people, who=st.sampled_from(["raj", "lee"]), lag=picks, really=st.integers(0, 6))
    def deactivate(self, by: str, who: str, lag: int, really: int) -> None:
        if really:  # seldom: nobody comes back
            return
        person, leaver = self.model.people[by], self.model.people[who]

        def left(answer: Mapping[str, str]) -> None:
            leaver.active = False
            for case in self.model.cases.values():
                if case.who is leaver and case.running(self.now):
                    case.ended = True

        key = self.staff(self.worlds[0], leaver).id
        self.act(lag, lambda: person.leads() and leaver.active, staff.deactivate, person, key, then=left)

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
