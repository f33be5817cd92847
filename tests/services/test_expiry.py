"""What time has ended is recorded once, by whomever, dated at the deadline (REQ-104, REQ-201, REQ-203)."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from app.policy.verdict import Refused
from app.services import expiry
from app.services.command import CLOCK
from storage.models import EndKind, Request, RequestState, Session, time_text
from tests.mailed import text_of
from tests.services.world import World


async def test_everything_due_is_recorded_once_dated_at_its_deadline(world: World) -> None:
    """REQ-104, REQ-201, REQ-203."""
    session = await world.inside()
    lapsing = await world.approve(await world.ask())
    pending = await world.ask()
    assert expiry.due(world.replica.reader, world.clock.now()) == []
    world.clock.advance(hours=25)
    assert [one.key for one in expiry.due(world.replica.reader, world.clock.now())] == [
        session.id, lapsing.id, pending.id,
    ]  # fmt: skip
    assert await world.desk.record_due() == 3
    assert await world.desk.record_due() == 0
    over = world.row(Session, session.id)
    assert (over.ended_at, over.end_kind) == (session.expires_at, EndKind.CLOCK)
    assert world.row(Request, lapsing.id).state is RequestState.LAPSED
    assert world.row(Request, pending.id).state is RequestState.EXPIRED
    entries = [json.loads(one.body) for one in await world.shared.entries("operator", 0)][-3:]
    assert [entry["actor"]["name"] for entry in entries] == ["clock"] * 3
    deadlines = [session.expires_at, lapsing.created_at + timedelta(hours=8), pending.expires_at]
    assert [entry["data"]["effective_at"] for entry in entries] == [time_text(at) for at in deadlines]


@pytest.mark.parametrize(
    "command", [expiry.record_request_expiry, expiry.record_request_lapse, expiry.record_session_expiry]
)
async def test_nothing_is_recorded_before_its_time(world: World, command: object) -> None:
    """REQ-203: the record follows the expiry, it does not make it."""
    session = await world.inside()
    key = session.id if command is expiry.record_session_expiry else session.request_id
    with pytest.raises(Refused, match="nothing to record"):
        await world.desk.run(command, CLOCK, key)  # type: ignore[arg-type]  # one of three commands


async def test_an_expired_session_gets_its_receipt(world: World) -> None:
    """REQ-206, REQ-211: the outcome is owed, and the receipt says so."""
    await world.inside()
    world.clock.advance(hours=1)
    await world.desk.record_due()
    letters = world.letters("session.receipt")
    assert len(letters) == 2
    assert "Outcome: not given yet" in text_of(letters[0])
    assert "by the clock" in text_of(letters[0])
