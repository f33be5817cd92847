"""An emergency that nobody countersigned within two hours is void by time alone; that it was goes on record as soon as
anybody is up, dated at its deadline, whatever became of the request meanwhile (REQ-109, REQ-401, REQ-402)."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from app.policy.verdict import Refused
from app.reports.transparency import collect
from app.services import break_glass, consent, emergency, expiry, requests, staff, tenants
from app.services.command import CLOCK
from storage.log.entry import Head
from storage.models import EmergencyCategory, LinkKind, Request, RequestState, time_text
from tests.services.test_emergency import AGAIN, HARM, LEGAL, MARIA, WORDS, countersigned, declared
from tests.services.world import World

FRESH = timedelta(hours=2)


async def log(world: World, name: str = "operator") -> list[dict[str, Any]]:
    return [json.loads(one.body) for one in await world.shared.entries(name, 0)]


async def lapses(world: World, name: str = "operator") -> list[dict[str, Any]]:
    return [one for one in await log(world, name) if one["action"] == "emergency.lapsed"]


def void_at(request: Request) -> str:
    assert request.emergency is not None
    return time_text(request.emergency.declared_at + FRESH)


async def counts(world: World) -> dict[str, int]:
    now = world.clock.now()
    report = collect(world.replica.reader, now - timedelta(days=9), now + FRESH, now, Head())
    found: dict[str, int] = report["emergencies"]
    return found


async def test_it_is_recorded_once_dated_at_its_deadline_in_both_logs(world: World) -> None:
    """REQ-109, REQ-401, REQ-402: by the clock, however late anybody is up; the request itself waits on."""
    request = await declared(world)
    world.clock.advance(hours=1, minutes=59, seconds=59)
    assert expiry.due(world.replica.reader, world.clock.now()) == []
    world.clock.advance(hours=5)
    assert await world.desk.record_due() == 1
    assert await world.desk.record_due() == 0
    now = world.row(Request, request.id)
    assert now.state is RequestState.PENDING and now.emergency is not None
    assert now.emergency.lapsed_at == now.emergency.declared_at + FRESH
    for name in ("operator", "tenant:northwind"):
        (entry,) = await lapses(world, name)
        assert (entry["actor"]["kind"], entry["request"], entry["reason"]) == ("system", request.id, HARM)
        assert entry["data"] == {
            "category": "data_loss", "declared_by": world.dana.id, "effective_at": void_at(request),
        }  # fmt: skip
    assert (await world.approve(now)).state is RequestState.APPROVED


async def test_declared_again_the_void_one_goes_on_record_first(world: World) -> None:
    """REQ-109, REQ-401: in the same Change, where nobody was up to record it before."""
    request = await declared(world)
    world.clock.advance(hours=3)
    await world.run(emergency.declare, world.lee, request.id, EmergencyCategory.DATA_LOSS, AGAIN, LEGAL)
    lapsed, again = (await log(world))[-2:]
    assert (lapsed["action"], again["action"]) == ("emergency.lapsed", "emergency.declared")
    assert (lapsed["reason"], again["reason"]) == (HARM, AGAIN) and lapsed["change"] == again["change"]
    assert lapsed["data"]["effective_at"] == void_at(request)
    assert await world.desk.record_due() == 0, "the new one is fresh, the old one is on record"
    await world.run(emergency.countersign, world.dana, request.id, LEGAL)
    assert await lapses(world, "tenant:northwind") and len(await lapses(world)) == 1


async def test_declared_again_after_the_record_it_is_not_recorded_twice(world: World) -> None:
    """REQ-109."""
    request = await declared(world)
    world.clock.advance(hours=2)
    await world.desk.record_due()
    await world.run(emergency.declare, world.lee, request.id, EmergencyCategory.DATA_LOSS, AGAIN, LEGAL)
    assert len(await lapses(world)) == 1
    second = world.row(Request, request.id)
    assert second.emergency is not None and second.emergency.lapsed_at is None
    world.clock.advance(hours=2)
    await world.desk.record_due()
    assert [one["data"]["effective_at"] for one in await lapses(world)] == [void_at(request), void_at(second)]


async def became(world: World, what: str) -> tuple[Request, RequestState]:
    """A request with an emergency declared on it, and what became of it before the two hours were over."""
    request = await world.ask(urgent=True)
    if what == "expired":
        world.clock.advance(hours=23)
    elif what != "withdrawn" and what not in ("approved", "denied"):
        world.clock.advance(hours=24)
        await world.run(break_glass.declare, world.ann, request.id, "Dispute 8841 closes tonight, the money is lost.")
    if what == "lapsed":
        world.clock.advance(hours=23)
    await world.run(emergency.declare, world.dana, request.id, *WORDS)
    match what:
        case "approved":
            await world.approve(request)
        case "denied":
            await world.deny(request)
        case "withdrawn":
            await world.run(requests.withdraw, world.ann, request.id)
        case "vetoed":
            await world.run(break_glass.countersign, world.lee, request.id)
            await world.run(consent.veto, world.admin(MARIA), await world.link(request, MARIA, LinkKind.VETO))
    return world.row(Request, request.id), RequestState(what)


@pytest.mark.parametrize("what", ["approved", "denied", "withdrawn", "expired", "lapsed", "vetoed"])
async def test_it_is_recorded_whatever_became_of_the_request(world: World, what: str) -> None:
    """REQ-109: every declaration ends on record; what was decided meanwhile stays as it is."""
    request, state = await became(world, what)
    world.clock.advance(hours=2)
    await world.desk.record_due()
    assert world.row(Request, request.id).state is state
    (entry,) = await lapses(world)
    assert entry["data"]["effective_at"] == void_at(request)
    assert await world.desk.record_due() == 0


async def test_into_a_tenant_that_shut_support_off_it_is_recorded_too(world: World) -> None:
    """REQ-109, REQ-110: what the switch stops are acts, not the record of what time has ended."""
    request = await declared(world)
    await world.run(tenants.set_kill_switch, world.admin(MARIA), "northwind", True)
    world.clock.advance(hours=2)
    assert await world.desk.record_due() == 1
    assert (await lapses(world))[0]["request"] == request.id


async def test_of_an_engineer_who_left_it_is_recorded_too(world: World) -> None:
    """REQ-109, REQ-701: nobody signs for them any more, and what came of the declaration is said all the same."""
    request = await declared(world)
    await world.run(staff.deactivate, world.lee, world.ann.id)
    world.clock.advance(hours=2)
    assert await world.desk.record_due() == 1
    assert (await lapses(world))[0]["request"] == request.id


async def test_what_was_countersigned_never_lapses(world: World) -> None:
    """REQ-109."""
    request = await countersigned(world)
    world.clock.advance(hours=3)
    assert await world.desk.record_due() == 0
    with pytest.raises(Refused, match="nothing to record"):
        await world.desk.run(expiry.record_emergency_lapse, CLOCK, request.id)


async def test_nothing_is_recorded_before_its_time_and_nothing_twice(world: World) -> None:
    """REQ-401: the record follows the time, it does not make it."""
    request = await declared(world)
    for hours in (1, 1):
        with pytest.raises(Refused, match="nothing to record"):
            await world.desk.run(expiry.record_emergency_lapse, CLOCK, request.id)
        world.clock.advance(hours=hours)
    await world.desk.run(expiry.record_emergency_lapse, CLOCK, request.id)
    with pytest.raises(Refused, match="nothing to record"):
        await world.desk.run(expiry.record_emergency_lapse, CLOCK, request.id)


async def test_an_auditor_records_nothing(world: World) -> None:
    """REQ-701, P12: any engineer's or super's console may."""
    request = await declared(world)
    world.clock.advance(hours=2)
    with pytest.raises(Refused, match="an auditor reads everything"):
        await world.run(expiry.record_emergency_lapse, world.noor, request.id)
    await world.run(expiry.record_emergency_lapse, world.ann, request.id)
    assert (await lapses(world))[0]["actor"]["id"] == world.ann.id


async def test_the_transparency_report_counts_how_each_declaration_ended(world: World) -> None:
    """REQ-408: declared is countersigned and void together, once nothing waits."""
    request = await declared(world)
    world.clock.advance(hours=2)
    await world.run(emergency.declare, world.lee, request.id, EmergencyCategory.DATA_LOSS, AGAIN, LEGAL)
    await world.run(emergency.countersign, world.dana, request.id, LEGAL)
    found = await counts(world)
    assert (found["declared"], found["countersigned"], found["void_without_a_second_super"]) == (2, 1, 1)


async def test_the_replica_finds_what_is_due_by_an_index(world: World) -> None:
    """Asked every second by every console: never by reading all requests."""
    plan = world.replica.reader.execute(
        "EXPLAIN QUERY PLAN SELECT image FROM request WHERE image ->> '$.emergency.declared_at' <= ?"
        " AND image ->> '$.emergency.countersigned_at' IS NULL AND image ->> '$.emergency.lapsed_at' IS NULL",
        ("2026",),
    ).fetchall()
    assert any("waiting_emergency" in str(step) for step in plan), plan
