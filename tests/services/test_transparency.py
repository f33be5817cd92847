"""The transparency report: counts and medians over a period, nobody named (REQ-408)."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

import pytest

from app.policy.verdict import Refused
from app.reports import transparency, transparency_page
from app.services import requests, sessions, tenants
from tests.services.world import World


def told(world: World, since: datetime, until: datetime) -> dict[str, Any]:
    position = world.replica.position()
    assert position is not None
    return transparency.collect(world.replica.reader, since, until, world.clock.now(), position.head)


@pytest.fixture
async def month(world: World) -> tuple[datetime, datetime]:
    """A request approved and used, one denied, one withdrawn, one expired, one refused by a rule, one open, one by
    standing consent; a switch turned on and off."""
    begin = world.clock.now()
    first = await world.ask()
    world.clock.advance(timedelta(minutes=20))
    session = await world.start(await world.approve(first))
    world.clock.advance(timedelta(minutes=12))
    await world.end(session)
    await world.deny(await world.ask())
    await world.run(requests.withdraw, world.ann, (await world.ask()).id)
    await world.ask(world.raj)
    world.clock.advance(timedelta(hours=25))
    await world.desk.record_due()
    by_itself = await world.inside(world.raj, tenant_id="contoso", target_id="contoso/omar")
    await world.run(sessions.force_end, world.lee, by_itself.id, "the ticket was closed while the session ran on")
    maria = world.admin("northwind/maria")
    await world.run(tenants.set_kill_switch, maria, "northwind", True)
    with pytest.raises(Refused):
        await world.ask()
    await world.run(tenants.set_kill_switch, maria, "northwind", False)
    await world.ask(urgent=True)
    end = world.clock.now() + timedelta(seconds=1)
    world.clock.advance(timedelta(seconds=2))
    return begin, end


async def test_it_counts_what_was_asked_and_what_came_of_it(world: World, month: tuple[datetime, datetime]) -> None:
    """REQ-408: by outcome and layer, with medians of waiting and of session length."""
    found = told(world, *month)
    asked = found["requests"]
    outcomes = {name: count for name, count in asked["outcomes"].items() if count}
    assert outcomes == {"approved": 2, "denied": 1, "withdrawn": 1, "expired": 1, "pending": 1}
    assert (asked["asked"], asked["urgent"], asked["refused_by_rule"]) == (6, 1, 1)
    consent = found["layers"][0]
    assert (consent["layer"], consent["approved"], consent["sessions"]) == ("consent", 2, 2)
    assert consent["median_waiting_seconds"] == 10 * 60, "twenty minutes, and none by standing consent"
    assert found["sessions"]["ended_by"] == {"engineer": 1, "super": 1}
    assert found["sessions"]["nothing_viewed"] == 2
    assert found["tenants_own_acts"]["kill_switch_turned_on"] == 1


async def test_what_lies_outside_the_period_is_not_counted(world: World, month: tuple[datetime, datetime]) -> None:
    """REQ-408: any period; the end is not part of it."""
    begin, end = month
    assert told(world, end, end + timedelta(days=1))["requests"]["asked"] == 0
    assert told(world, begin - timedelta(days=1), begin)["sessions"]["started"] == 0
    first_hour = told(world, begin, begin + timedelta(minutes=1))
    assert (first_hour["requests"]["asked"], first_hour["sessions"]["started"]) == (1, 0)


async def test_nobody_is_named_in_any_form(world: World, month: tuple[datetime, datetime]) -> None:
    """REQ-408: anonymous. It may be published as it is."""
    found = told(world, *month)
    pages = (json.dumps(found), transparency_page.as_markdown(found), transparency_page.as_html(found))
    names = ("Ann", "Raj", "Lee", "northwind", "Northwind", "contoso", "T-48271", "@", "R-", "S-", world.ann.id)
    for page in pages:
        text = page.replace("@media", "")
        assert [name for name in names if name in text] == []


async def test_every_form_says_the_same_and_from_which_head(world: World, month: tuple[datetime, datetime]) -> None:
    """REQ-408: Markdown, HTML and JSON; whoever has the log can count again."""
    found = told(world, *month)
    head = (await world.shared.position()).head
    assert found["counted_from"] == {"log": "operator", "seq": head.seq, "hash": head.hash}
    markdown, html = transparency_page.as_markdown(found), transparency_page.as_html(found)
    for words in (head.hash, "10 min", "refused by a rule"):
        assert words in markdown and words in html
    assert "| 1 · consent | 2 | 0 | 2 | 10 min | 6 min |" in markdown


async def test_an_empty_period_says_so_in_zeros_and_dashes(world: World) -> None:
    """REQ-211's thought: silence is evidence too."""
    found = told(world, world.clock.now() - timedelta(days=9), world.clock.now() - timedelta(days=8))
    assert found["layers"][0]["median_waiting_seconds"] is None
    assert "| 1 · consent | 0 | 0 | 0 | – | – |" in transparency_page.as_markdown(found)
