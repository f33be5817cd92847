"""The console in demo mode: the same application, with colleagues behind it."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from app.console import CountersignApp
from app.demo.home import DemoHome

if TYPE_CHECKING:
    from app.bootstrap import Workplace
    from app.launch import Launch
    from storage.models import Staff


class DemoConsole(CountersignApp):
    """`number` is this console's place in the demo's world."""

    def __init__(self, launch: Launch, home: DemoHome, number: int) -> None:
        super().__init__(launch, on_ready=self._world_is_open)
        self._home, self._number = home, number

    def signed_in(self, staff: Staff, *, remember: bool = True) -> None:
        super().signed_in(staff, remember=remember)
        self._home.plays(self._number, staff.email)

    def _world_is_open(self, app: CountersignApp, place: Workplace) -> None:
        from app.demo.colleagues import Colleagues

        colleagues = Colleagues(place, self._home, rng=random.Random())
        self.run_worker(colleagues.run(), name="simulated colleagues", group="colleagues")
