"""The explanation is the decision's own verdict, and says what follows (REQ-113)."""

from __future__ import annotations

from app.services import explain, tenants
from storage.models import Mode
from tests.services.world import World


async def test_a_form_is_explained_before_it_is_sent(world: World) -> None:
    """REQ-113: which rules pass, who will be mailed, when it expires."""
    view, now = world.desk.view(), world.clock.now()
    said = explain.of_form(view, world.ann.id, world.form(mode=Mode.FULL, minutes=90), now)
    assert said.verdict.allowed
    assert [one.name for one in said.mailed] == ["Maria Santos", "Juan Ortiz"]
    assert said.expires_at is not None and (said.expires_at - now).total_seconds() == 24 * 3600
    words = "; ".join(said.steps)
    assert "Maria Santos or Juan Ortiz of Northwind Travel approves or denies" in words
    assert "other than Ann Lee" in words
    assert "60 minutes: Northwind Travel's maximum, 90 were asked" in words


async def test_standing_consent_is_foretold(world: World) -> None:
    """REQ-106, REQ-113."""
    form = world.form(tenant_id="contoso", target_id="contoso/omar")
    said = explain.of_form(world.desk.view(), world.ann.id, form, world.clock.now())
    assert any("standing consent approves it at once" in step for step in said.steps)


async def test_every_refusal_is_explained_at_once(world: World) -> None:
    """REQ-113: not one after the other."""
    form = world.form(ticket="", reason="debugging", tried=())
    said = explain.of_form(world.desk.view(), world.ann.id, form, world.clock.now())
    assert {finding.rule for finding in said.verdict.refusals} == {"REQ-101", "REQ-102", "REQ-103"}


async def test_a_request_is_explained_by_what_stands_between_it_and_its_session(world: World) -> None:
    """REQ-113."""
    request = await world.ask()
    waiting = explain.of_request(world.desk.view(), request.id, world.clock.now())
    assert "a tenant admin must approve first" in waiting.verdict.why()
    assert waiting.expires_at == request.expires_at
    approved = await world.approve(request)
    ready = explain.of_request(world.desk.view(), request.id, world.clock.now())
    assert ready.verdict.allowed
    assert any("next: Ann Lee starts it" in step for step in ready.steps)
    assert ready.expires_at == approved.usable_until
    await world.end(await world.start(approved))
    used = explain.of_request(world.desk.view(), request.id, world.clock.now())
    assert not used.verdict.allowed


async def test_can_i_get_in_and_how(world: World) -> None:
    """REQ-113, REQ-601."""
    said = explain.of_tenant(world.desk.view(), world.ann.id, "northwind", world.clock.now())
    assert said.verdict.allowed
    assert "at most 60 minutes" in "; ".join(said.steps)
    await world.run(tenants.set_kill_switch, world.admin("northwind/maria"), "northwind", True)
    shut = explain.of_tenant(world.desk.view(), world.dana.id, "northwind", world.clock.now())
    assert (shut.verdict.allowed, shut.steps) == (False, ())
    assert "only Northwind Travel's own admins" in shut.verdict.why()
