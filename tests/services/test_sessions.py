"""Sessions through the real services: started, viewed, elevated, ended, owed (REQ-112, 201 … 206, 211)."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from app.policy.limits import Limits
from app.policy.verdict import Refused
from app.services import sessions, tenants
from app.services.desk import Desk, StepUpNeeded
from storage.models import (
    ElevationState,
    EndKind,
    Mode,
    Session,
    SessionView,
    Standing,
    StepUp,
    ViewKind,
)
from tests.mailed import text_of
from tests.services.world import World

WHY_FULL = "The refund stays pending until its orphaned payment event 991 is deleted."
OUTCOME = ("a webhook was lost", "nothing", "no", "tell the vendor")


async def entries(world: World, log: str, action: str) -> list[dict[str, object]]:
    every = [json.loads(one.body) for one in await world.shared.entries(log, 0)]
    return [entry for entry in every if entry["action"] == action]


async def test_a_session_lasts_at_most_the_tenants_maximum(world: World) -> None:
    """REQ-201: the clock starts at activation, not while waiting."""
    request = await world.approve(await world.ask(minutes=200))
    world.clock.advance(hours=3)
    session = await world.start(request)
    assert session.started_at == world.clock.now()
    assert session.expires_at == world.clock.now() + timedelta(minutes=60)


async def test_one_code_covers_create_then_start_for_two_minutes(world: World) -> None:
    """REQ-702: and is used up by it; later a start takes its own."""
    request = await world.approve(await world.ask())
    assert not world.desk.needs_code(sessions.start, world.actor(world.ann))
    session = await world.start(request)
    [proof] = world.desk.view().find(StepUp, staff_id=world.ann.id)
    assert len(proof.used_by) == 2
    await world.end(session)
    later = await world.approve(await world.ask())
    world.clock.advance(seconds=121)
    with pytest.raises(StepUpNeeded):
        await world.desk.run(sessions.start, world.actor(world.ann), later.id)


async def test_one_session_at_a_time(world: World) -> None:
    """REQ-201: never one inside another."""
    first = await world.inside()
    second = await world.approve(await world.ask())
    with pytest.raises(Refused, match=f"session {first.id} is active"):
        await world.start(second)


async def test_an_approval_is_used_once(world: World) -> None:
    """REQ-201: no extension, ask again."""
    session = await world.end(await world.inside())
    with pytest.raises(Refused, match=f"used by session {session.id}"):
        await world.run(sessions.start, world.ann, session.request_id)


async def test_whoever_owes_an_outcome_starts_nothing(world: World) -> None:
    """REQ-206: owed by time, before anyone records the expiry, until it is given."""
    session = await world.inside()
    world.clock.advance(minutes=31)
    other = await world.approve(await world.ask())
    with pytest.raises(Refused, match="is owed"):
        await world.start(other)
    await world.desk.record_due()
    assert world.row(Standing, world.ann.id).owes_outcome == session.id
    with pytest.raises(Refused, match="is owed"):
        await world.start(other)
    await world.run(sessions.give_outcome, world.ann, session.id, *OUTCOME)
    assert (await world.start(other)).is_active(world.clock.now())


async def test_the_outcome_of_an_expired_session_records_the_expiry_too(world: World) -> None:
    """REQ-203, REQ-206: dated at the deadline, though nobody had recorded it; told to the admins."""
    session = await world.inside()
    world.clock.advance(hours=2)
    await world.run(sessions.end, world.ann, session.id, *OUTCOME)
    over = world.row(Session, session.id)
    assert (over.ended_at, over.end_kind) == (session.expires_at, EndKind.CLOCK)
    assert over.outcome is not None and over.outcome.at == world.clock.now()
    [expired] = await entries(world, "tenant:northwind", "session.expired")
    assert isinstance(expired["data"], dict)
    assert expired["data"]["effective_at"] == session.expires_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    assert len(world.letters("outcome.given")) == 2
    assert world.row(Standing, world.ann.id).active_session is None


async def test_what_was_viewed_is_counted_logged_and_in_the_receipt(world: World) -> None:
    """REQ-205, REQ-211: names, never values; what lies outside the scope is marked."""
    session = await world.inside()
    await world.run(sessions.log_view, world.ann, session.id, ViewKind.RECORD, "refund 8841", ("amount", "status"))
    await world.run(sessions.log_view, world.ann, session.id, ViewKind.QUERY, "refunds of March", (), 40)
    await world.run(
        sessions.log_view, world.ann, session.id, ViewKind.SCREEN, "customer list", (), 1, within_scope=False
    )
    seen = world.row(Session, session.id)
    assert (seen.views, seen.records_seen, seen.beyond_scope) == (3, 41, 1)
    assert seen.last_viewed == "screen customer list"
    assert len(world.desk.view().find(SessionView, session_id=session.id)) == 3
    code = "platform_admin.impersonate.action.record.viewed"
    [entry] = await entries(world, "tenant:northwind", code)
    assert entry["session"] == session.id
    assert entry["data"] == {
        "count": 1, "fields": ["amount", "status"], "name": "refund 8841", "source": "engineer", "within_scope": True,
    }  # fmt: skip
    await world.end(seen)
    receipt = text_of(world.letters("session.receipt")[0])
    assert "record refund 8841, fields amount, status" in receipt
    assert "query refunds of March, 40 results" in receipt
    assert "screen customer list  [outside the declared scope]" in receipt


async def test_elevation_is_countersigned_by_another_with_a_code(world: World) -> None:
    """REQ-202: with its own reason; the end stays; the tenant is told who."""
    session = await world.inside()
    with pytest.raises(Refused, match="fewer than 5"):
        await world.run(sessions.ask_elevation, world.ann, session.id, "please")
    await world.run(sessions.ask_elevation, world.ann, session.id, WHY_FULL)
    with pytest.raises(Refused, match="second person"):
        await world.run(sessions.countersign_elevation, world.ann, session.id)
    with pytest.raises(StepUpNeeded):
        await world.desk.run(sessions.countersign_elevation, world.actor(world.raj), session.id)
    await world.run(sessions.countersign_elevation, world.raj, session.id)
    full = world.row(Session, session.id)
    assert (full.mode, full.expires_at) == (Mode.FULL, session.expires_at)
    assert full.elevation is not None and full.elevation.decided_by == world.raj.id
    [entry] = await entries(world, "tenant:northwind", "elevation.granted")
    assert (entry["reason"], entry["before"], entry["after"]) == (WHY_FULL, {"mode": "read_only"}, {"mode": "full"})
    assert all("Raj Patel" in text_of(letter) for letter in world.letters("elevation.granted"))


async def test_a_declined_elevation_leaves_read_only_and_may_be_asked_again(world: World) -> None:
    """REQ-202."""
    session = await world.inside()
    await world.run(sessions.ask_elevation, world.ann, session.id, WHY_FULL)
    await world.run(sessions.decline_elevation, world.lee, session.id, "reading will do")
    declined = world.row(Session, session.id)
    assert declined.mode is Mode.READ_ONLY
    assert declined.elevation is not None and declined.elevation.state is ElevationState.DECLINED
    await world.run(sessions.ask_elevation, world.ann, session.id, WHY_FULL)


async def test_a_super_force_ends_with_a_reason_that_the_tenant_reads(world: World) -> None:
    """REQ-204: to the log and by e-mail; the outcome is owed."""
    session = await world.inside()
    with pytest.raises(Refused, match="only a super"):
        await world.run(sessions.force_end, world.raj, session.id, "no")
    with pytest.raises(Refused, match="reason is missing"):
        await world.run(sessions.force_end, world.dana, session.id, "")
    await world.run(sessions.force_end, world.dana, session.id, "looked at the wrong customer")
    over = world.row(Session, session.id)
    assert (over.end_kind, over.ended_by, over.end_reason) == (
        EndKind.SUPER, world.dana.id, "looked at the wrong customer",
    )  # fmt: skip
    [entry] = await entries(world, "tenant:northwind", "session.force_ended")
    assert entry["reason"] == "looked at the wrong customer"
    letters = world.letters("session.force_ended")
    assert len(letters) == 2
    assert "> looked at the wrong customer" in text_of(letters[0])
    assert world.row(Standing, world.ann.id).owes_outcome == session.id


async def test_a_code_of_create_does_not_force_end(world: World) -> None:
    """REQ-702: weightier acts take their own."""
    session = await world.inside()
    await world.ask(world.dana)
    assert world.desk.needs_code(sessions.force_end, world.actor(world.dana))
    assert session.is_active(world.clock.now())


async def test_the_kill_switch_ends_running_sessions_at_once(world: World) -> None:
    """REQ-110: supers included; nobody at the operator switches it back."""
    session = await world.inside(world.dana)
    maria = world.admin("northwind/maria")
    await world.run(tenants.set_kill_switch, maria, "northwind", True)
    over = world.row(Session, session.id)
    assert (over.end_kind, over.ended_by) == (EndKind.TENANT, maria.id)
    assert len(world.letters("session.receipt")) == 2
    for person in (world.dana, world.ann):
        with pytest.raises(Refused, match="tenant's own"):
            await world.desk.run(tenants.set_kill_switch, world.actor(person), "northwind", False)


async def test_the_sixth_session_of_an_hour_is_refused_recorded_and_told_to_the_supers(world: World) -> None:
    """REQ-112: every refusal is an entry, the letter comes once an hour."""
    for _ in range(5):
        await world.end(await world.inside())
    sixth = await world.approve(await world.ask())
    for _ in range(2):
        with pytest.raises(Refused, match="the limit is 5"):
            await world.start(sixth)
    assert len(await entries(world, "operator", "rate_limit.met")) == 2
    assert {one.to_id for one in world.letters("rate_limit.met")} == {world.dana.id, world.lee.id}
    world.clock.advance(minutes=61)
    assert (await world.start(sixth)).is_active(world.clock.now())


async def test_distinct_tenants_are_limited_too(world: World) -> None:
    """REQ-112: the amounts are the operator's settings."""
    world.desk = Desk(world.shared, world.replica, world.sync, world.clock, Limits(tenants_per_day=1))
    await world.end(await world.inside())
    other = await world.ask(tenant_id="contoso", target_id="contoso/omar")
    with pytest.raises(Refused, match="the limit is 1"):
        await world.start(other)


@pytest.mark.parametrize("admins", [True, False])
async def test_the_start_is_told_where_the_tenant_opted_in(world: World, admins: bool) -> None:
    """REQ-207: to the admins, to the user whose view is assumed, or to nobody."""
    change = {"notify_start_admins": admins, "notify_start_target": not admins}
    await world.run(tenants.change_settings, world.admin("northwind/maria"), "northwind", **change)
    session = await world.inside()
    told = {one.to_id for one in world.letters("session.started") if one.session_id == session.id}
    assert told == ({"northwind/maria", "northwind/juan"} if admins else {"northwind/eva"})


async def test_only_its_engineer_ends_a_session(world: World) -> None:
    """REQ-206."""
    session = await world.inside()
    with pytest.raises(Refused, match="not Raj Patel's"):
        await world.run(sessions.end, world.raj, session.id, *OUTCOME)
    with pytest.raises(Refused, match="cause found is missing"):
        await world.run(sessions.end, world.ann, session.id, "", "nothing", "no")
    over = await world.end(session)
    with pytest.raises(Refused, match="over since"):
        await world.run(sessions.end, world.ann, session.id, *OUTCOME)
    assert over.end_kind is EndKind.ENGINEER
