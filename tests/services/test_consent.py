"""The tenant admin's decision by a mailed link (REQ-105, REQ-107, REQ-110, REQ-115)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from app.policy.verdict import Refused
from app.services import consent, staff, tenants
from app.services.tenants import ContactRecord
from storage.errors import Conflict
from storage.models import ConsentLink, Decision, DecisionKind, LinkKind, Request, RequestState
from tests.mailed import text_of
from tests.services.world import ADMIN, NORTHWIND, PLATFORM, World

MARIA, JUAN = "northwind/maria", "northwind/juan"


async def test_an_approval_is_bound_recorded_and_told_to_the_others(world: World) -> None:
    """REQ-105, REQ-115: decided once, on this content; the other admins learn that it is handled."""
    request = await world.approve(await world.ask(), minutes=10)
    [decision] = world.desk.view().find(Decision, request_id=request.id)
    assert (decision.kind, decision.by, decision.minutes) == (DecisionKind.APPROVE, MARIA, 10)
    assert decision.content_digest == request.content_digest
    told = world.letters("request.approved", request.id)
    assert {one.to_id for one in told} == {JUAN, world.ann.id}
    assert "Maria Santos approved" in text_of(told[0])


async def test_a_used_link_says_what_was_decided_by_whom_and_when(world: World) -> None:
    """REQ-105."""
    request = await world.deny(await world.ask(), note="not today")
    link = await world.link(request, MARIA, LinkKind.DENY)
    with pytest.raises(Refused, match=r"was denied by Maria Santos at 09:00 UTC"):
        await world.run(consent.deny, world.admin(MARIA), link)


async def test_the_other_admins_links_decide_nothing_any_more(world: World) -> None:
    """REQ-105, REQ-107: a decided request never changes its decision."""
    request = await world.ask()
    other = await world.link(request, JUAN, LinkKind.DENY)
    await world.approve(request)
    with pytest.raises(Refused, match="was approved by Maria Santos"):
        await world.run(consent.deny, world.admin(JUAN), other)
    assert world.row(Request, request.id).state is RequestState.APPROVED


async def test_a_link_is_bound_to_its_admin_and_its_decision(world: World) -> None:
    """REQ-105."""
    request = await world.ask()
    approve = await world.link(request, MARIA, LinkKind.APPROVE)
    with pytest.raises(Refused, match="decides for nobody else"):
        await world.run(consent.approve, world.admin(JUAN), approve)
    with pytest.raises(Refused, match="can only approve"):
        await world.run(consent.deny, world.admin(MARIA), approve)
    with pytest.raises(Refused, match="decides for nobody else"):
        await world.desk.run(consent.approve, world.actor(world.dana), approve)
    with pytest.raises(Refused, match="no link"):
        await world.run(consent.approve, world.admin(MARIA), "0" * 64)


async def test_looking_at_a_link_decides_nothing(world: World) -> None:
    """REQ-105: mail scanners follow links."""
    request = await world.ask()
    link = await world.link(request, MARIA, LinkKind.APPROVE)
    looked = consent.asked(world.desk.view(), link)
    assert (looked.request.id, looked.decision) == (request.id, None)
    assert consent.actor_of(world.desk.view(), link).id == MARIA
    assert world.row(ConsentLink, link).used_at is None


async def test_a_link_expires_with_its_request(world: World) -> None:
    """REQ-104, REQ-105: after 24 hours, whoever has recorded it."""
    request = await world.ask()
    link = await world.link(request, MARIA, LinkKind.APPROVE)
    world.clock.advance(hours=24)
    with pytest.raises(Refused, match="nobody decided"):
        await world.run(consent.approve, world.admin(MARIA), link)


async def test_who_is_no_admin_any_more_decides_nothing(world: World) -> None:
    """REQ-105."""
    request = await world.ask()
    link = await world.link(request, MARIA, LinkKind.APPROVE)
    maria = world.admin(MARIA)
    await world.desk.run(tenants.import_records, PLATFORM, [replace(NORTHWIND, contacts=NORTHWIND.contacts[1:])])
    with pytest.raises(Refused, match="any more"):
        await world.run(consent.approve, maria, link)


async def test_a_shut_tenant_can_deny_but_not_approve(world: World) -> None:
    """REQ-110."""
    request = await world.ask()
    links = [await world.link(request, MARIA, kind) for kind in (LinkKind.APPROVE, LinkKind.DENY)]
    await world.run(tenants.set_kill_switch, world.admin(MARIA), "northwind", True)
    with pytest.raises(Refused, match="kill switch"):
        await world.run(consent.approve, world.admin(MARIA), links[0])
    await world.run(consent.deny, world.admin(MARIA), links[1])
    assert world.row(Request, request.id).state is RequestState.DENIED


async def test_nobody_approves_for_an_engineer_who_has_left(world: World) -> None:
    """REQ-701."""
    request = await world.ask()
    link = await world.link(request, MARIA, LinkKind.APPROVE)
    await world.run(staff.deactivate, world.dana, world.ann.id)
    with pytest.raises(Refused, match="no longer active"):
        await world.run(consent.approve, world.admin(MARIA), link)


@pytest.mark.parametrize("minutes", [0, -5, 31])
async def test_never_more_minutes_than_asked(world: World, minutes: int) -> None:
    """REQ-115: fewer, never more."""
    request = await world.ask()
    link = await world.link(request, MARIA, LinkKind.APPROVE)
    with pytest.raises(Refused, match="1 to 30 minutes"):
        await world.run(consent.approve, world.admin(MARIA), link, minutes)


async def test_an_approval_lapses_after_eight_hours(world: World) -> None:
    """REQ-201."""
    request = await world.approve(await world.ask())
    world.clock.advance(timedelta(hours=8))
    with pytest.raises(Refused, match="lapsed"):
        await world.start(request)


async def test_of_two_admins_at_once_one_decides_and_the_other_learns_who(world: World) -> None:
    """REQ-105, REQ-107: the words of a conflict say who was faster, with what."""
    request = await world.ask()
    mine = await world.link(request, MARIA, LinkKind.APPROVE)
    theirs = await world.link(request, JUAN, LinkKind.DENY)
    late = world.desk.view()

    def deny_from_an_old_view(view: object, actor: object, *args: object, **named: object) -> object:
        """Juan's page was read before Maria decided; the next try reads afresh."""
        nonlocal late
        old, late = late, view  # type: ignore[assignment]  # any View
        return consent.deny(old, actor, *args, **named)  # type: ignore[arg-type]  # passed through

    await world.run(consent.approve, world.admin(MARIA), mine)
    with pytest.raises((Conflict, Refused), match=r"approved"):
        await world.run(deny_from_an_old_view, world.admin(JUAN), theirs)  # type: ignore[arg-type]  # as a command
    assert world.row(Request, request.id).decided_by == MARIA


async def test_an_admin_who_works_for_the_operator_decides_nothing(world: World) -> None:
    """REQ-107: the same person counts; a colleague's request neither."""
    lee = ContactRecord("lee", "Lee C.", "Lee+shop@ops.example", ADMIN)
    northwind = replace(NORTHWIND, contacts=(*NORTHWIND.contacts, lee))
    await world.desk.run(tenants.import_records, PLATFORM, [northwind])
    request = await world.ask()
    link = await world.link(request, "northwind/lee", LinkKind.APPROVE)
    with pytest.raises(Refused, match="Lee Chen of the operator is the same person"):
        await world.run(consent.approve, world.admin("northwind/lee"), link)
    await world.run(staff.deactivate, world.dana, world.lee.id)
    await world.run(consent.approve, world.admin("northwind/lee"), link)
