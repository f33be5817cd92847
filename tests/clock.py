"""A clock that stands still until it is told to move: the one fake that tests may use beside a misbehaving network."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta


class ManualClock:
    """Implements storage.clock.Clock."""

    def __init__(self, start: datetime = datetime(2026, 3, 2, 9, 0, 0, tzinfo=UTC)) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def advance(self, delta: timedelta | None = None, **parts: float) -> datetime:
        """Move on by a timedelta, or by its parts (`minutes=5`)."""
        self._now += delta if delta is not None else timedelta(**parts)
        return self._now

    def set(self, moment: datetime) -> None:
        self._now = moment
