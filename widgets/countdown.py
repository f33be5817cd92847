"""Time left, as words, as a bar, and as a level of urgency (REQ-209: warnings at five minutes and at one)."""

from __future__ import annotations

from enum import Enum

SOON_SECONDS = 300
LAST_SECONDS = 60


class Level(Enum):
    """What is left: calm, under five minutes, under one, nothing. `sign` tells it without colour."""

    CALM = ""
    SOON = "!"
    LAST = "!!"
    OVER = "✕"

    @property
    def sign(self) -> str:
        return self.value


def level_of(seconds: float) -> Level:
    """The level of `seconds` left."""
    if seconds <= 0:
        return Level.OVER
    if seconds <= LAST_SECONDS:
        return Level.LAST
    return Level.SOON if seconds <= SOON_SECONDS else Level.CALM


def bar(fraction: float, width: int) -> str:
    """A bar of `width` cells, filled by `fraction` (0 … 1). Anything left shows at least one filled cell."""
    fraction = min(1.0, max(0.0, fraction))
    filled = round(fraction * width)
    if fraction > 0 and width > 0:
        filled = max(1, filled)
    return "▓" * filled + "░" * (width - filled)


def left_text(seconds: float, *, coarse: bool = False, over: str = "over") -> str:
    """A duration in at most seven characters: `2d 3h`, `19h 12m`, `47:09`, `0:42`. `coarse` rounds down to one unit
    (`19h`, `47m`, `42s`), for ages. What has passed is `over`."""
    whole = int(seconds)
    if whole <= 0:
        return over if not coarse else "now"
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    if coarse:
        return f"{days}d" if days else f"{hours}h" if hours else f"{minutes}m" if minutes else f"{second}s"
    if days:
        return f"{days}d {hour}h"
    return f"{hours}h {minute:02}m" if hours else f"{minutes}:{second:02}"
