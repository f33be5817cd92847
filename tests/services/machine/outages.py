"""What does not work for a while, and what time does meanwhile: the mail server, the way to the shared database, the
laptop's clock; clocks that jump to just before or after a deadline; a worker that comes by, or never does."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import strategies as st
from hypothesis.stateful import rule

from storage.errors import Offline
from storage.models import Contact
from storage.outbox import KeptState
from tests.services.machine.company import TwoConsoles, picks

BOXES = ("northwind/maria", "northwind/sec", "contoso/ines", "fabrikam/kim")
OFF = (-7200.0, -45.0, -1.0, 1.0, 45.0, 10800.0)
"""Seconds by which a laptop's clock may be wrong."""


class Outages(TwoConsoles):
    # ── mail ──

    @rule()
    def deliver(self) -> None:
        """The worker's round. The first urgent letter that a mail server takes starts the cooling (REQ-108)."""
        for letter in self.wait(self.post.round()):
            if letter.event != "break_glass.countersigned" or letter.request_id is None:
                continue
            case = self.model.cases[letter.request_id]
            if case.glass is not None and case.glass.accepted is None and case.now(self.now) == "cooling":
                case.glass.accepted = self.now
        self.post.none_is_lost()

    @rule(up=st.booleans())
    def mail_server(self, up: bool) -> None:
        self.post.up = up

    @rule(key=st.sampled_from(BOXES), how=st.integers(0, 2))
    def mailbox(self, key: str, how: int) -> None:
        """One address is refused, put off, or well again."""
        email = self.worlds[0].row(Contact, key).email
        self.post.refuses.discard(email)
        self.post.puts_off.discard(email)
        if how == 1:
            self.post.refuses.add(email)
            self.post.ever_refused.add(email)
        elif how == 2:
            self.post.puts_off.add(email)

    # ── the way to the shared database ──

    @rule()
    def pull_the_cable(self) -> None:
        if self.cable.cut:
            return
        self.cable.cut = True
        try:
            self.wait(self.worlds[1].sync.pull())
        except Offline:
            return
        raise AssertionError("the cable is out, and the laptop noticed nothing")

    @rule()
    def come_back(self) -> None:
        """REQ-802: sent in order, once, each decided anew; one that comes too late holds up none."""
        if not self.cable.cut:
            return
        self.cable.cut = False
        self.wait(self.worlds[1].sync.pull())
        self.at = self.now
        for one in self.wait(self.worlds[1].desk.send_queued()):
            kept = self.waiting.pop(one.id)
            allowed = kept.in_force or kept.may()
            assert (one.state is KeptState.SENT) is allowed, f"{kept.name}: {one.state}, {one.words}"
            if allowed and not kept.in_force:
                kept.then({})
        assert not self.waiting, "everything that was kept has an answer"
        assert self.wait(self.worlds[1].desk.send_queued()) == ()
        self.wait(self.worlds[0].sync.pull())

    # ── time ──

    @rule(seconds=st.sampled_from(OFF))
    def step_the_laptops_clock(self, seconds: float) -> None:
        self.laptop.off = timedelta(seconds=seconds)

    @rule(pick=picks, nudge=st.sampled_from([-1, 0, 1]))
    def jump_to_a_deadline(self, pick: int, nudge: int) -> None:
        """To a second before it, to the very moment, or to a second after."""
        case = self.case(pick)
        if case is None:
            return
        ahead = [one for one in case.deadlines() if one + timedelta(seconds=nudge) > self.now]
        if ahead:
            self.clock.set(ahead[pick % len(ahead)] + timedelta(seconds=nudge))

    @rule(seconds=st.integers(1, 45 * 60))
    def wait_a_while(self, seconds: int) -> None:
        self.clock.advance(seconds=seconds)

    @rule(hours=st.integers(4, 25))
    def wait_long(self, hours: int) -> None:
        self.clock.advance(hours=hours)

    @rule(which=st.integers(0, 1))
    def record_what_is_due(self, which: int) -> None:
        """By either console; nothing waits for it."""
        if not (which and self.cable.cut):
            self.wait(self.worlds[which].desk.record_due())
