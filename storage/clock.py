"""The one clock (design.md, "Time"): only the shared database's time decides; a console measures its offset to it."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Protocol

_MEASURE_EVERY = 15.0
_SLEPT_SECONDS = 0.5


class Clock(Protocol):
    """Always passed in, never reached for."""

    def now(self) -> datetime:
        """The best estimate of the shared clock, in UTC."""


class SystemClock:
    """This machine's clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)


class SharedClock:
    """The shared clock as estimated here: an anchor taken at the last measurement, carried on by the monotonic clock,
    so that neither a wrong nor a stepped local clock is ever seen (REQ-209). Until measured it is the local clock."""

    def __init__(self) -> None:
        self._anchor: tuple[datetime, float] | None = None
        self._measured_at: tuple[float, float] | None = None

    async def keep_right(self, read: Callable[[], Awaitable[datetime]]) -> None:
        """Have the shared clock read, if the last reading is old or this machine slept since."""
        began, wall = time.monotonic(), time.time()
        if self._measured_at is not None:
            at, wall_at = self._measured_at
            slept = abs((wall - wall_at) - (began - at)) > _SLEPT_SECONDS
            if began - at < _MEASURE_EVERY and not slept:
                return
        moment = await read()
        self.measured(moment, began, time.monotonic())
        self._measured_at = (began, wall)

    def measured(self, shared: datetime, began: float, ended: float) -> None:
        """Take a reading of the shared clock; `began` and `ended` are `time.monotonic()` around the round trip."""
        self._anchor = (shared, (began + ended) / 2)

    def now(self) -> datetime:
        if self._anchor is None:
            return datetime.now(UTC)
        moment, at = self._anchor
        return moment + timedelta(seconds=time.monotonic() - at)
