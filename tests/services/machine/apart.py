"""A laptop on a train: it works on out of reach, the others do not wait for it, and then it comes back (REQ-802)."""

from __future__ import annotations

from hypothesis import strategies as st
from hypothesis.stateful import rule

from tests.services.machine.company import picks
from tests.services.machine.hardships import Hardships

LAPTOP, OFFICE = 5, 4
"""Consoles, as `lag` picks them: each has pulled where it can."""
THERE = st.lists(st.sampled_from(["withdraw", "view", "end", "deny", "decline", "start"]), min_size=1, max_size=5)
HERE = st.lists(st.sampled_from(["withdraw", "end", "force_end", "kill", "approve", "wait"]), max_size=3)


class Apart(Hardships):
    @rule(pick=picks, admin=st.integers(0, 1), there=THERE, here=HERE, back=st.booleans())
    def out_of_reach(self, pick: int, admin: int, there: list[str], here: list[str], back: bool) -> None:
        if not self.model.cases:
            return
        if not self.cable.cut:
            self.deliver()
            self.wait(self.worlds[1].sync.pull())
            self.pull_the_cable()
        for act in there:
            self.one_act(act, pick, admin, LAPTOP)
        for act in here:
            self.one_act(act, pick, admin, OFFICE)
        if back:
            self.come_back()

    def one_act(self, act: str, pick: int, admin: int, lag: int) -> None:
        """By the right person, on what is open or running."""
        alive = [one for one in self.model.cases.values() if one.open(self.now) or one.running(self.now)]
        if act in ("view", "end", "force_end"):
            alive = [one for one in self.model.cases.values() if one.running(self.now) or one.owed(self.now)] or alive
        every = alive or list(self.model.cases.values())
        case = every[pick % len(every)]
        this, who = self.exactly(case), case.who.name
        other = "dana" if who != "dana" else "lee"
        inside = self.place_inside(case) if case.session is not None else 0
        if act == "withdraw":
            self.withdraw(who, this, lag, own=True)
        elif act == "view":
            self.view(who, inside, lag)
        elif act == "end":
            self.end(who, inside, lag, own=True)
        elif act == "deny" or act == "approve":
            self.decide(this, admin, None, lag, yes=act == "approve")
        elif act == "decline":
            self.countersign(other, this, False, lag)
        elif act == "start":
            self.start(who, this, lag, own=True)
        elif act == "force_end":
            self.force_end(other, inside, lag)
        elif act == "kill":
            self.kill(case.place.name, admin, lag, True)
        elif act == "wait":
            self.clock.advance(minutes=20)
