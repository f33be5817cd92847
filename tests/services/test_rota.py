"""Outside office hours only the on-call approver countersigns (REQ-111): full mode, elevation, break-glass."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from app.policy.duty import Duty, in_office
from app.policy.verdict import Refused
from app.services import break_glass, emergency, reading, requests, rota, sessions
from storage.models import OFFICE, EmergencyCategory, Mode, OfficeHours, OfficeSpan, Shift
from tests.services.world import World

BERLIN = "Europe/Berlin"
WEEK = tuple(OfficeSpan(day, "09:00", "17:30") for day in range(1, 6))
CANNOT_WAIT = "The card network closes disputes for refund 8841 tonight, after that the money is lost to the traveller."


async def at_night(world: World) -> None:
    """Office hours are set, and it is Monday, 22:00 in Berlin."""
    await world.run(rota.set_hours, world.dana, BERLIN, WEEK)
    world.clock.advance(hours=12)


async def on_call(world: World, *people: object) -> None:
    for person in people:
        now = world.clock.now()
        await world.run(rota.set_shift, world.dana, person.id, now, now + timedelta(hours=8))  # type: ignore[attr-defined]  # staff


async def test_in_office_hours_any_second_person_countersigns(world: World) -> None:
    """REQ-111: it is Monday, 10:00 in Berlin."""
    await world.run(rota.set_hours, world.dana, BERLIN, WEEK)
    request = await world.ask(mode=Mode.FULL)
    await world.run(requests.countersign, world.raj, request.id)


async def test_at_night_only_whoever_is_on_call(world: World) -> None:
    """REQ-111: the refusal names who it is; a shift that ended, began not yet or was cancelled does not count."""
    await at_night(world)
    request = await world.ask(mode=Mode.FULL)
    with pytest.raises(Refused, match="nobody is on call now"):
        await world.run(requests.countersign, world.raj, request.id)
    await on_call(world, world.raj, world.lee)
    shift = next(one for one in world.desk.view().find(Shift) if one.staff_id == world.raj.id)
    await world.run(rota.cancel_shift, world.dana, shift.id)
    with pytest.raises(Refused, match="Raj Patel is not on call — on call now: Lee Chen"):
        await world.run(requests.countersign, world.raj, request.id)
    await world.run(requests.countersign, world.lee, request.id)


async def test_an_elevation_at_night(world: World) -> None:
    """REQ-111, REQ-202."""
    await at_night(world)
    session = await world.inside()
    await world.run(sessions.ask_elevation, world.ann, session.id, "Refund 8841 must be set to failed by hand now.")
    with pytest.raises(Refused, match="on-call approver"):
        await world.run(sessions.countersign_elevation, world.raj, session.id)
    await on_call(world, world.raj)
    await world.run(sessions.countersign_elevation, world.raj, session.id)


async def test_break_glass_at_night_takes_a_super_who_is_on_call(world: World) -> None:
    """REQ-108, REQ-111."""
    await at_night(world)
    request = await world.ask(urgent=True)
    world.clock.advance(hours=24)
    await world.run(break_glass.declare, world.ann, request.id, CANNOT_WAIT)
    await on_call(world, world.raj)
    with pytest.raises(Refused, match="on call now: Raj Patel"):
        await world.run(break_glass.countersign, world.dana, request.id)
    with pytest.raises(Refused, match="only a super"):
        await world.run(break_glass.countersign, world.raj, request.id)
    await on_call(world, world.dana)
    await world.run(break_glass.countersign, world.dana, request.id)


async def test_an_emergency_asks_nobody_for_the_rota(world: World) -> None:
    """REQ-109, REQ-111: two supers at once are hard enough to find at night; it is reported and reviewed."""
    await at_night(world)
    request = await world.ask()
    harm = (
        EmergencyCategory.OUTAGE,
        "Bookings of 2026 vanish every minute, travellers are stranded.",
        "law@ops.example",
    )
    await world.run(emergency.declare, world.dana, request.id, *harm)
    await world.run(emergency.countersign, world.lee, request.id, "law@ops.example")


async def test_declining_needs_no_duty(world: World) -> None:
    """REQ-111: it takes nobody in."""
    await at_night(world)
    request = await world.ask(mode=Mode.FULL)
    await world.run(requests.decline, world.raj, request.id, "not at this hour")


async def test_only_supers_set_it_and_only_what_makes_sense(world: World) -> None:
    """REQ-111: and every change stands in the log."""
    now = world.clock.now()
    for command, words in (
        (rota.set_hours, (BERLIN, WEEK)),
        (rota.set_shift, (world.raj.id, now, now + timedelta(hours=8))),
    ):
        with pytest.raises(Refused, match="only a super sets"):
            await world.run(command, world.ann, *words)  # type: ignore[arg-type]  # one of two commands
    with pytest.raises(Refused, match="is no time zone"):
        await world.run(rota.set_hours, world.dana, "Middle/Earth", WEEK)
    with pytest.raises(Refused, match="no stretch of a day"):
        await world.run(rota.set_hours, world.dana, BERLIN, (OfficeSpan(1, "18:00", "09:00"),))
    with pytest.raises(Refused, match="cannot be on call"):
        await world.run(rota.set_shift, world.dana, world.noor.id, now, now + timedelta(hours=8))
    with pytest.raises(Refused, match="ends after it starts"):
        await world.run(rota.set_shift, world.dana, world.raj.id, now + timedelta(hours=2), now + timedelta(hours=1))
    with pytest.raises(Refused, match="over already"):
        await world.run(rota.set_shift, world.dana, world.raj.id, now - timedelta(hours=2), now - timedelta(hours=1))


async def test_somebody_who_left_is_on_call_no_more(world: World) -> None:
    """REQ-701."""
    from app.services import staff

    await on_call(world, world.raj)
    assert [one.id for one in reading.duty(world.desk.view()).on_call(world.clock.now())] == [world.raj.id]
    await world.run(staff.deactivate, world.dana, world.raj.id)
    assert reading.duty(world.desk.view()).on_call(world.clock.now()) == ()


@pytest.mark.parametrize(
    ("local", "is_open"),
    [
        ("2026-03-02T08:59", False), ("2026-03-02T09:00", True), ("2026-03-02T17:29", True),
        ("2026-03-02T17:30", False),
        ("2026-03-07T12:00", False), ("2026-07-06T09:00", True), ("2026-07-06T08:59", False),
    ],
)  # fmt: skip
def test_office_hours_are_local_time_summer_and_winter(local: str, is_open: bool) -> None:
    """REQ-111: the office opens at nine by its own clock."""
    hours = OfficeHours(OFFICE, BERLIN, WEEK, "U-DANA", datetime(2026, 1, 1, tzinfo=ZoneInfo("UTC")))
    assert in_office(hours, datetime.fromisoformat(local).replace(tzinfo=ZoneInfo(BERLIN))) is is_open


def test_without_office_hours_it_is_always_open() -> None:
    assert (
        in_office(None, datetime(2026, 3, 2, 3, tzinfo=ZoneInfo("UTC")))
        and Duty().who_could(datetime(2026, 3, 2, 3, tzinfo=ZoneInfo("UTC"))) == ""
    )
