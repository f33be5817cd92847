"""How rules speak of times, spans and names. UTC, because a verdict is read by people in different places; screens
draw their own countdowns."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta


def moment(at: datetime, now: datetime) -> str:
    """ "12:04 UTC", with the date when it is another day than `now`'s."""
    return at.strftime("%H:%M UTC") if at.date() == now.date() else at.strftime("%Y-%m-%d %H:%M UTC")


def span(length: timedelta) -> str:
    """ "19 h 12 m", "1 d", "4 min", "30 s": the two largest units that matter, never negative."""
    seconds = max(0, int(length.total_seconds()))
    if seconds >= 86_400:
        return f"{seconds // 86_400} d" + (f" {hours} h" if (hours := seconds % 86_400 // 3600) else "")
    if seconds >= 3600:
        return f"{seconds // 3600} h" + (f" {minutes} m" if (minutes := seconds % 3600 // 60) else "")
    return f"{seconds // 60} min" if seconds >= 60 else f"{seconds} s"


def listed(names: Iterable[str], joint: str = "or") -> str:
    """ "Maria", "Maria or Juan", "Maria, Juan or Eva"; "nobody" for none."""
    every = list(names)
    if len(every) < 2:
        return every[0] if every else "nobody"
    return ", ".join(every[:-1]) + f" {joint} {every[-1]}"
