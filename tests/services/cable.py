"""What stands between a console and the shared database: a cable that is pulled out, an answer that is lost on the way,
and a laptop whose clock is wrong."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from storage.clock import SharedClock
from storage.errors import Offline
from storage.shared.change import Applied, Change
from tests.clock import ManualClock

THROUGH_IT = (
    *("apply", "pull", "step_up", "now", "position", "shut", "shuttings", "admission", "lease"),
    *("entries", "logs", "rows"),
)
"""What needs the shared database; the rest is about the connection itself."""


class Cable:
    """The shared database, at the end of a cable. `cut` takes effect at once; `lose_answer` lets one Change through and
    loses what was answered."""

    def __init__(self, shared: Any) -> None:
        self._shared, self.cut, self.lose_answer = shared, False, False

    def __getattr__(self, name: str) -> Any:
        if self.cut and name in THROUGH_IT:
            raise Offline("the shared database is out of reach")
        return getattr(self._shared, name)

    async def apply(self, change: Change) -> Applied:
        if self.cut:
            raise Offline("the shared database is out of reach")
        applied: Applied = await self._shared.apply(change)
        if self.lose_answer:
            self.lose_answer, self.cut = False, True
            raise Offline("the connection was lost")
        return applied


class LaptopClock(SharedClock):
    """What a laptop takes for the shared clock: `off` by what it slept, or was stepped, since it last measured."""

    def __init__(self, shared: ManualClock) -> None:
        super().__init__()
        self._shared, self.off = shared, timedelta()

    def now(self) -> datetime:
        return self._shared.now() + self.off

    def measured(self, shared: datetime, began: float, ended: float) -> None:
        self.off = shared - self._shared.now()
