"""Nights when the office is shut, and days without mail: stories that single steps hardly ever come to (REQ-108,
REQ-111; issue 4, section 2)."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.services.machine.company import picks, places, supers
from tests.services.machine.duty import OnDuty
from tests.services.machine.model import COOLING, DAY
from tests.services.machine.stories import Stories, doers

PULLED = 4
"""A `lag`: the first console, which has pulled."""


class Hardships(Stories, OnDuty):
    @rule(signer=supers, office=st.sampled_from(["shut", "tokyo"]), called=st.booleans(), pick=picks, lag=picks)
    def at_night(self, signer: str, office: str, called: bool, pick: int, lag: int) -> None:
        """Whoever is on call signs what waits for a second person, and nobody else."""
        waiting = [
            one
            for one in self.model.cases.values()
            if one.now(self.now) == "declared" or (one.full and one.signed is None and one.open(self.now))
        ]
        if not waiting:
            return
        self.set_hours("dana", office, PULLED)
        if called:
            self.set_shift("dana", signer, 3, 24, PULLED)
        case = waiting[pick % len(waiting)]
        if case.now(self.now) == "declared":
            self.sign_glass(signer, self.exactly(case), lag)
        else:
            self.countersign(signer, self.exactly(case), True, lag)

    @rule(hours=st.lists(st.integers(1, 13), min_size=1, max_size=3))
    def without_mail(self, hours: list[int]) -> None:
        """A mail server that is down for hours, or for more than a day."""
        self.post.up = False
        for some in hours:
            self.deliver()
            self.clock.advance(hours=some)
        self.deliver()
        self.post.up = True
        self.clock.advance(minutes=10)
        self.deliver()

    @rule(who=doers, where=places, signer=supers, back=st.booleans(), lag=picks)
    def nobody_is_told(self, who: str, where: str, signer: str, back: bool, lag: int) -> None:
        """Undelivered mail starts no clock: two hours after the countersign, and a day after, nobody enters."""
        told = len(self.model.cases)
        self.open_up(self.model.places[where])
        self.ask(who, where, self.model.places[where].standing, True, 30, lag)
        case = self.newest(told)
        if case is None:
            return
        this, self.post.up = self.exactly(case), False
        self.clock.advance(DAY)
        self.declare(who, this, lag, own=True)
        self.sign_glass(signer, this, lag)
        self.deliver()
        for wait in (COOLING, DAY - COOLING):
            self.clock.advance(wait)
            self.start(who, this, PULLED, own=True)
            assert case.session is None
        self.post.up = back

    @rule(pick=picks, lag=picks, back=st.booleans())
    def consent_becomes_the_only_way(self, pick: int, lag: int, back: bool) -> None:
        """REQ-110: what break-glass or an emergency opened stays shut as long as the tenant says so."""
        opened = [
            one
            for one in self.model.cases.values()
            if one.layer != "consent" and one.now(self.now) == "approved" and one.place.mode == "default"
        ]
        if not opened:
            return
        case = opened[pick % len(opened)]
        place, who, this = case.place, case.who.name, self.exactly(case)
        self.change_settings(place.name, PULLED, "consent_only", place.standing, place.maximum)
        self.start(who, this, lag, own=True)
        if back:
            self.change_settings(place.name, PULLED, "default", place.standing, place.maximum)
            self.start(who, this, lag, own=True)
