"""A second factor is checked in a committed step of its own (REQ-702, P10)."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from datetime import datetime, timedelta

import pytest

from storage.errors import GuardRefused
from storage.log.actions import Action
from storage.log.entry import Draft, Head
from storage.models import Actor, ActorKind, Mail, Role, Staff, Standing, StepUp, time_text
from storage.shared import totp
from storage.shared.change import Change, Read, Write, new_change_id
from storage.shared.interface import StepUpAnswer
from storage.shared.sqlite import SqliteShared
from storage.shared.vault import Vault
from tests.clock import ManualClock
from tests.services.changes import ADA, RECOVERY, SECRET, SYSTEM, founded, staff

WRONG = "000000"
BOB = Actor(ActorKind.STAFF, "U-BOB", "Bob", "bob@operator.example")


@pytest.fixture(autouse=True)
async def ada(shared: SqliteShared, vault: Vault) -> None:
    await founded(shared, vault)


async def _try(shared: SqliteShared, code: str, act: str = "session.start") -> StepUpAnswer:
    return await shared.step_up(ADA.id, code, act, ADA)


async def _actions(shared: SqliteShared) -> list[str]:
    return [json.loads(entry.body)["action"] for entry in (await shared.pull(Head())).entries][1:]


async def test_a_right_code_leaves_a_proof_for_one_act(shared: SqliteShared, clock: ManualClock) -> None:
    answer = await _try(shared, totp.code_at(SECRET, clock.now()))
    (stored,) = await shared.rows("step_up", "")
    assert StepUp.from_image(stored.image) == StepUp(
        str(answer.step_up), ADA.id, "session.start", clock.now(), "totp", ()
    )
    assert answer.rev == 2
    assert await _actions(shared) == ["step_up.accepted"]


async def test_each_code_is_accepted_once(shared: SqliteShared, clock: ManualClock) -> None:
    code = totp.code_at(SECRET, clock.now())
    answers = await asyncio.gather(*(_try(shared, code) for _ in range(5)))
    assert sum(answer.step_up is not None for answer in answers) == 1
    assert "used already" in next(answer.why for answer in answers if answer.step_up is None)
    clock.advance(seconds=30)
    assert (await _try(shared, code)).step_up is None
    assert (await _try(shared, totp.code_at(SECRET, clock.now()))).step_up is not None


async def test_five_wrong_codes_lock_for_fifteen_minutes_and_alert_the_supers(
    shared: SqliteShared, clock: ManualClock
) -> None:
    for left in (4, 3, 2, 1):
        assert f"{left} more" in (await _try(shared, WRONG)).why
    assert "locked for 15 minutes" in (await _try(shared, WRONG)).why
    (stored,) = await shared.rows("mail", "")
    letter = Mail.from_image(stored.image)
    assert (letter.to_id, letter.event) == (ADA.id, "step_up.locked")
    assert "Ada" in letter.subject
    right = totp.code_at(SECRET, clock.now())
    assert "locked until 09:15 UTC" in (await _try(shared, right)).why
    assert len(await shared.rows("mail", "")) == 1
    clock.advance(minutes=15)
    assert (await _try(shared, totp.code_at(SECRET, clock.now()))).step_up is not None
    assert await _actions(shared) == ["step_up.refused"] * 4 + ["step_up.locked", "step_up.refused", "step_up.accepted"]


async def test_wrong_codes_are_counted_under_concurrency(shared: SqliteShared) -> None:
    await asyncio.gather(*(_try(shared, WRONG) for _ in range(12)))
    assert (await _actions(shared)).count("step_up.locked") == 1
    credential = await shared.credential(ADA.id)
    assert credential is not None
    assert credential.failures == 5


async def test_after_a_lock_five_more_are_needed(shared: SqliteShared, clock: ManualClock) -> None:
    for _ in range(5):
        await _try(shared, WRONG)
    clock.advance(minutes=15)
    assert "4 more" in (await _try(shared, WRONG)).why


async def test_a_right_code_forgives_wrong_ones(shared: SqliteShared, clock: ManualClock) -> None:
    for _ in range(4):
        await _try(shared, WRONG)
    assert (await _try(shared, totp.code_at(SECRET, clock.now()))).step_up is not None
    assert "4 more" in (await _try(shared, WRONG)).why


async def test_a_recovery_code_serves_once(shared: SqliteShared) -> None:
    first = await _try(shared, RECOVERY[0].lower())
    assert first.step_up is not None
    assert StepUp.from_image((await shared.rows("step_up", ""))[0].image).method == "recovery"
    assert "wrong code" in (await _try(shared, RECOVERY[0])).why
    assert (await _try(shared, RECOVERY[1])).step_up is not None


async def test_a_code_is_given_by_the_person_it_belongs_to(shared: SqliteShared, clock: ManualClock) -> None:
    code = totp.code_at(SECRET, clock.now())
    for actor in (BOB, SYSTEM, dataclasses.replace(ADA, kind=ActorKind.TENANT_ADMIN)):
        with pytest.raises(GuardRefused, match="P10"):
            await shared.step_up(ADA.id, code, "session.start", actor)
    with pytest.raises(GuardRefused, match="P12"):
        await shared.step_up(BOB.id, code, "session.start", BOB)
    assert await _actions(shared) == []


def by_ada(action: Action, row: Staff, rev: int, now: datetime) -> Change:
    """What Ada, a super, does with an account."""
    about = {"staff": row.id, "email": row.email, "name": row.name}
    reads = (Read("staff", row.id, rev),)
    if action is not Action.STAFF_ADDED:
        return Change(new_change_id(), now, ADA, (Draft(action, data=about),), reads, (Write(row),))
    entry = Draft(action, data={**about, "role": row.role.value, "until": time_text(row.until) if row.until else None})
    return Change(new_change_id(), now, ADA, (entry,), reads, (Write(row), Write(Standing(row.id, None, None, ()))))


async def test_deactivated_staff_give_no_code(shared: SqliteShared, clock: ManualClock) -> None:
    row = staff(BOB, Role.ENGINEER, clock.now())
    added = await shared.apply(by_ada(Action.STAFF_ADDED, row, 0, clock.now()))
    gone = dataclasses.replace(row, deactivated_at=clock.now())
    await shared.apply(by_ada(Action.STAFF_DEACTIVATED, gone, added.rev, clock.now()))
    with pytest.raises(GuardRefused, match="P12"):
        await shared.step_up(BOB.id, WRONG, "sign_in", BOB)


async def test_without_a_second_factor_the_answer_says_so(shared: SqliteShared, clock: ManualClock) -> None:
    row = staff(BOB, Role.ENGINEER, clock.now(), until=clock.now() + timedelta(days=1))
    await shared.apply(by_ada(Action.STAFF_ADDED, row, 0, clock.now()))
    answer = await shared.step_up(BOB.id, WRONG, "sign_in", BOB)
    assert answer.step_up is None
    assert "no second factor" in answer.why
