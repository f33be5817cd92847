"""The operator's people (REQ-701, REQ-702)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from app.policy.verdict import Refused
from app.services import requests, sessions, staff
from app.services.desk import StepUpNeeded
from storage.models import EndKind, Role, Session, Staff
from storage.shared.totp import recovery_hash
from tests.services.world import World

SECRET = ("sealed", ("hash",))


async def test_a_company_is_founded_once(world: World) -> None:
    """REQ-701."""
    with pytest.raises(Refused, match="there already"):
        await world.desk.run(staff.found, staff.FOUNDER, "eve@ops.example", "Eve", *SECRET)


async def test_accounts_are_named_and_added_by_a_super(world: World) -> None:
    """REQ-701: no shared log-in, no second account for a person, no date in the past."""
    add = staff.add
    by = world.dana
    with pytest.raises(Refused, match="only a super"):
        await world.run(add, world.ann, "new@ops.example", "New", Role.ENGINEER, None, *SECRET)
    with pytest.raises(Refused, match="Ann Lee's address already"):
        await world.run(add, by, "ANN+2@ops.example", "Ann", Role.ENGINEER, None, *SECRET)
    with pytest.raises(Refused, match="no e-mail address"):
        await world.run(add, by, "support team", "Support", Role.ENGINEER, None, *SECRET)
    with pytest.raises(Refused, match="name is missing"):
        await world.run(add, by, "new@ops.example", " ", Role.ENGINEER, None, *SECRET)
    with pytest.raises(Refused, match="future"):
        await world.run(add, by, "new@ops.example", "New", Role.ENGINEER, world.clock.now(), *SECRET)


async def test_a_temporary_account_ends_by_time(world: World) -> None:
    """REQ-701: and with it whatever its owner may do, a session included."""
    until = world.clock.now() + timedelta(minutes=20)
    await world.run(staff.add, world.dana, "temp@ops.example", "Tim Temp", Role.ENGINEER, until, *SECRET)
    tim = world.staff_of("temp@ops.example")
    world.clock.advance(minutes=20)
    with pytest.raises(Refused, match="temporary account ended"):
        await world.desk.run(requests.create, world.actor(tim), world.form())


async def test_who_leaves_is_out_at_once_and_so_is_their_session(world: World) -> None:
    """REQ-701."""
    session = await world.inside()
    with pytest.raises(Refused, match="only a super"):
        await world.run(staff.deactivate, world.raj, world.ann.id)
    await world.run(staff.deactivate, world.dana, world.ann.id)
    over = world.row(Session, session.id)
    assert (over.end_kind, over.ended_by) == (EndKind.DEACTIVATED, world.dana.id)
    assert world.row(Staff, world.ann.id).deactivated_at == world.clock.now()
    with pytest.raises(Refused, match="deactivated"):
        await world.run(sessions.end, world.ann, session.id, "a", "nothing", "no")
    with pytest.raises(Refused, match="is deactivated already"):
        await world.run(staff.deactivate, world.dana, world.ann.id)


async def test_the_last_super_stays(world: World) -> None:
    """REQ-701."""
    await world.run(staff.deactivate, world.dana, world.lee.id)
    with pytest.raises(Refused, match="last super"):
        await world.run(staff.deactivate, world.dana, world.dana.id)


async def test_a_second_factor_is_renewed_by_its_owner_or_a_super_with_a_code(world: World) -> None:
    """REQ-702: nobody takes over another's account by enrolling for them."""
    fresh = ("sealed anew", (recovery_hash("0000-0000-0000-0001"),))
    with pytest.raises(Refused, match="only a super"):
        await world.run(staff.enrol, world.raj, world.ann.id, *fresh)
    with pytest.raises(StepUpNeeded):
        await world.desk.run(staff.enrol, world.actor(world.ann), world.ann.id, *fresh)
    await world.run(staff.enrol, world.ann, world.ann.id, *fresh)
    with pytest.raises(Refused, match="wrong code"):
        await world.ask()
    await world.run(staff.enrol, world.dana, world.ann.id, *fresh)
    credential = await world.shared.credential(world.ann.id)
    assert credential is not None and credential.sealed_secret == "sealed anew"
