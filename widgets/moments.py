"""The one place that writes moments: local time or UTC, as the person chose, always saying which."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo


def clock_text(at: datetime, zone: tzinfo | None) -> str:
    """`14:03:07`; `zone` None is local time."""
    return at.astimezone(zone).strftime("%H:%M:%S")


def day_text(at: datetime, zone: tzinfo | None) -> str:
    """`2026-03-02`."""
    return at.astimezone(zone).strftime("%Y-%m-%d")


def short_text(at: datetime, zone: tzinfo | None) -> str:
    """`03-02 14:03:07`, for lists."""
    return at.astimezone(zone).strftime("%m-%d %H:%M:%S")


def full_text(at: datetime, zone: tzinfo | None) -> str:
    """`2026-03-02 14:03:07 UTC`, or with the local zone's name."""
    return f"{at.astimezone(zone).strftime('%Y-%m-%d %H:%M:%S')} {zone_text(at, zone)}"


def near_text(at: datetime, now: datetime, zone: tzinfo | None) -> str:
    """As much as is needed beside `now`: `14:03` today, `Mon 14:03` this week, `2026-03-02 14:03` else."""
    there, here = at.astimezone(zone), now.astimezone(zone)
    if there.date() == here.date():
        return there.strftime("%H:%M")
    if abs(here - there) < timedelta(days=6):
        return there.strftime("%a %H:%M")
    return there.strftime("%Y-%m-%d %H:%M")


def zone_text(at: datetime, zone: tzinfo | None) -> str:
    """`UTC`, or the local zone's abbreviation or offset."""
    return "UTC" if zone is UTC else at.astimezone(zone).tzname() or at.astimezone(zone).strftime("%z")


def parse_utc(text: str) -> datetime | None:
    """A stored RFC 3339 time; None for what is none."""
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        return None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)
