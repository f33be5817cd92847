"""The weekly digest (REQ-211): due by time, once for each tenant and week whichever worker runs, silence included."""

from __future__ import annotations

import asyncio
import json
from datetime import timedelta

import pytest

from app.policy.verdict import Refused
from app.services import digests, tenants
from app.services.mail import POSTMAN
from storage.errors import Conflict, GuardRefused
from storage.models import Mail
from tests.mailed import text_of
from tests.services.world import World

DIGEST = "digest.weekly"


async def opted_in(world: World) -> None:
    """The world's clock stands at 09:00 on Monday, 2 March 2026."""
    await world.run(tenants.change_settings, world.admin("northwind/maria"), "northwind", weekly_digest=True)


async def write_due(world: World) -> int:
    found = digests.due(world.replica.reader, world.clock.now())
    for tenant_id, week in found:
        await world.desk.run(digests.write_digest, POSTMAN, tenant_id, week)
    return len(found)


async def test_only_who_opted_in_gets_one_and_silence_is_said(world: World) -> None:
    assert await write_due(world) == 0
    await opted_in(world)
    assert await write_due(world) == 1
    letters = world.letters(DIGEST)
    assert {one.to_id for one in letters} == {"northwind/maria", "northwind/juan"}
    assert "No support access this week: from 2026-02-23 00:00:00 UTC to 2026-03-01 23:59:59 UTC" in text_of(letters[0])
    assert letters[0].tenant_id == "northwind", "it carries that log's head (REQ-405)"
    logged = [json.loads(one.body) for one in await world.shared.entries("tenant:northwind", 0)]
    assert [one["data"]["sessions"] for one in logged if one["action"] == "digest.sent"] == [0]


async def test_a_week_has_one_digest_and_the_next_week_the_next(world: World) -> None:
    """Due by time, not by who runs: nothing before the week is over, then one, then none until the next."""
    await opted_in(world)
    await write_due(world)
    world.clock.advance(days=6, hours=14)
    assert await write_due(world) == 0
    world.clock.advance(hours=2)
    assert (await write_due(world), await write_due(world)) == (1, 0)
    assert len(world.letters(DIGEST)) == 4


async def test_two_workers_at_once_write_one(world: World) -> None:
    """On both forms: the second is refused by the letter that is there."""
    await opted_in(world)
    [(tenant_id, week)] = digests.due(world.replica.reader, world.clock.now())
    both = [world.desk.run(digests.write_digest, POSTMAN, tenant_id, week) for _ in range(2)]
    done = await asyncio.gather(*both, return_exceptions=True)
    assert sum(isinstance(one, (Refused, Conflict, GuardRefused)) for one in done) == 1
    assert len(world.letters(DIGEST)) == 2


async def test_what_happened_in_the_week_is_in_it(world: World) -> None:
    await opted_in(world)
    await write_due(world)
    session = await world.inside()
    await world.end(session)
    other = await world.ask()
    world.clock.advance(days=7)
    await write_due(world)
    text = text_of(world.letters(DIGEST)[-1])
    assert session.id in text and "Ann Lee <ann@ops.example>" in text and "nothing was viewed" in text
    assert other.id in text and "No support access" not in text


async def test_weeks_in_which_nobody_ran_are_caught_up_on(world: World) -> None:
    await opted_in(world)
    world.clock.advance(days=21)
    assert await write_due(world) == 3
    weeks = sorted({str(one.said()["first"])[:10] for one in world.letters(DIGEST)})
    assert weeks == ["2026-03-02", "2026-03-09", "2026-03-16"]


async def test_a_digest_is_refused_before_its_time_and_by_hand(world: World) -> None:
    await opted_in(world)
    this = digests.week_of(world.clock.now())
    with pytest.raises(Refused, match="week is not over"):
        await world.desk.run(digests.write_digest, POSTMAN, "northwind", this)
    with pytest.raises(Refused, match="the week"):
        await world.desk.run(digests.write_digest, POSTMAN, "northwind", this - timedelta(days=8))
    with pytest.raises(Refused, match="by hand"):
        await world.desk.run(digests.write_digest, world.actor(world.dana), "northwind", this - timedelta(days=7))
    with pytest.raises(Refused, match="opt in"):
        await world.desk.run(digests.write_digest, POSTMAN, "contoso", this - timedelta(days=7))
    assert world.desk.view().get(Mail, digests.letter_id("northwind", this, 0)) is None
