"""Office hours and the on-call rota: who may countersign now (REQ-111).

In office hours any second person may; outside them only whoever is on call. Where no office hours are set the office is
always open. An emergency's second super is exempt: two supers at once are hard enough to find at night, and it is
reported and reviewed whoever they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from app.policy import text
from app.policy.people import is_super
from app.policy.verdict import Verdict, rule
from app.policy.words import listed, moment
from storage.models import OfficeHours, OfficeSpan, Role, Shift, Staff

RULE = "REQ-111"
SHIFT_MOST = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Duty:
    """The office hours, the shifts and the staff they name."""

    hours: OfficeHours | None = None
    shifts: tuple[Shift, ...] = ()
    staff: tuple[Staff, ...] = ()

    def on_call(self, now: datetime) -> tuple[Staff, ...]:
        """Whoever is on call now and can act."""
        named = {shift.staff_id for shift in self.shifts if shift.covers(now)}
        return tuple(one for one in self.staff if one.id in named and one.is_active(now))

    def who_could(self, now: datetime) -> str:
        """ "on call now: Dana", and outside office hours that there is nobody; "" where anybody may."""
        names = [one.name for one in self.on_call(now)]
        if names:
            return f"on call now: {listed(names)}"
        return "" if in_office(self.hours, now) else "on call now: nobody"


def in_office(hours: OfficeHours | None, now: datetime) -> bool:
    """Whether the office is open, by its own local time."""
    if hours is None:
        return True
    there = now.astimezone(zone_of(hours.zone))
    clock = there.strftime("%H:%M")
    return any(span.weekday == there.isoweekday() and span.opens <= clock < span.closes for span in hours.spans)


def zone_of(name: str) -> tzinfo:
    """The time zone of that name. Loaded on use: few consoles ever need it before the first frame."""
    from zoneinfo import ZoneInfo

    return ZoneInfo(name)


def is_on_duty(duty: Duty, staff: Staff, now: datetime) -> Verdict:
    """REQ-111: in office hours anybody, outside them only whoever is on call."""
    if in_office(duty.hours, now):
        return rule(RULE, True, "the office is open: any second person may countersign", "")
    called = duty.on_call(now)
    return rule(
        RULE,
        staff.id in {one.id for one in called},
        f"{staff.name} is on call",
        f"outside office hours only the on-call approver countersigns, and {staff.name} is not on call",
        duty.who_could(now) if called else "nobody is on call now: a super can put somebody on the rota",
    )


def may_set_rota(staff: Staff, now: datetime) -> Verdict:
    return is_super(staff, now, "sets office hours and the rota")


def are_hours(zone: str, spans: tuple[OfficeSpan, ...]) -> Verdict:
    """A zone that every machine knows, and for each weekday times that follow one another."""
    verdict = rule(RULE, _is_zone(zone), f"time zone {zone}", f"{zone!r} is no time zone: say one like Europe/Berlin")
    for span in spans:
        verdict &= rule(
            RULE,
            1 <= span.weekday <= 7 and _is_time(span.opens) and _is_time(span.closes) and span.opens < span.closes,
            f"open {span.opens} to {span.closes}",
            f"{span.opens!r} to {span.closes!r} is no stretch of a day: say two times like 09:00 and 17:30",
        )
    return verdict


def is_shift(member: Staff, starts_at: datetime, ends_at: datetime, now: datetime) -> Verdict:
    """Somebody who could countersign, for a stretch of time that is not over."""
    return (
        rule(
            RULE,
            member.is_active(now) and member.role is not Role.AUDITOR,
            f"{member.name} can countersign",
            f"{member.name} cannot be on call: only an active engineer or super countersigns",
            "an engineer or super",
        )
        & rule(
            RULE,
            starts_at < ends_at and ends_at - starts_at <= SHIFT_MOST,
            f"from {moment(starts_at, now)} to {moment(ends_at, now)}",
            f"a shift ends after it starts, at most {SHIFT_MOST.days} days later",
        )
        & rule(RULE, ends_at > now, "it is not over", "that time is over already")
    )


def _is_zone(zone: str) -> bool:
    if text.odd_characters(zone, several_lines=False) or not zone[:1].isalpha():
        return False
    try:
        zone_of(zone)
    except (KeyError, ValueError, OSError):
        return False
    return True


def _is_time(clock: str) -> bool:
    hours, _, minutes = clock.partition(":")
    whole = len(clock) == 5 and (hours + minutes).isascii() and (hours + minutes).isdigit()
    return clock == "24:00" or (whole and int(hours) < 24 and int(minutes) < 60)
