"""Break-glass from end to end under a clock moved by hand, and every refusal on the way (REQ-108)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from app.policy.request_state import state_at
from app.policy.verdict import Refused
from app.reports.transparency import collect
from app.services import break_glass, consent, expiry, requests, sessions, tenants
from app.services.command import CLOCK
from app.services.desk import StepUpNeeded
from app.services.tenants import ContactRecord
from storage.log.entry import Head
from storage.models import (
    ConsentLink,
    ContactRole,
    Decision,
    DecisionKind,
    Layer,
    LinkKind,
    MailState,
    Mode,
    Request,
    RequestState,
    Session,
    TenantMode,
    TenantStatus,
    time_text,
)
from tests.mailed import text_of
from tests.services.world import ADMIN, NORTHWIND, PLATFORM, World

MARIA, JUAN, SECURITY = "northwind/maria", "northwind/juan", "northwind/sec"
CANNOT_WAIT = "The card network closes disputes for refund 8841 tonight, after that the money is lost to the traveller."


async def undecided(world: World, **changes: object) -> Request:
    """An urgent request that nobody decided for 24 hours; nobody has recorded that yet."""
    request = await world.ask(**{"urgent": True, **changes})
    await world.deliver()
    world.clock.advance(hours=24)
    return request


async def declared(world: World) -> Request:
    request = await undecided(world)
    await world.run(break_glass.declare, world.ann, request.id, CANNOT_WAIT)
    return world.row(Request, request.id)


async def signed(world: World) -> Request:
    """Countersigned by a super; no letter has left the house."""
    request = await declared(world)
    await world.run(break_glass.countersign, world.dana, request.id)
    return world.row(Request, request.id)


async def cooling(world: World) -> Request:
    """Countersigned, and every letter accepted by a mail server, right away."""
    request = await signed(world)
    await world.deliver()
    return world.row(Request, request.id)


async def veto(world: World, request: Request, admin: str = MARIA, kind: LinkKind = LinkKind.VETO) -> None:
    link = await world.link(request, admin, kind)
    await world.run(consent.veto, world.admin(admin), link, "not this one")


# The whole way


async def test_break_glass_from_the_declaration_to_the_session(world: World) -> None:
    """REQ-108: declared, countersigned, told, cooled for two hours, then usable by time alone, flagged for ever."""
    request = await declared(world)
    assert request.state is RequestState.DECLARED and request.layer is Layer.CONSENT
    assert {one.to_id for one in world.letters("break_glass.declared")} == {world.dana.id, world.lee.id}
    await world.run(break_glass.countersign, world.dana, request.id, "seen the ticket")
    request = world.row(Request, request.id)
    assert (request.state, request.layer) == (RequestState.COOLING, Layer.BREAK_GLASS)
    letters = world.letters("break_glass.countersigned")
    assert {one.to_id: one.links for one in letters} == {MARIA: (LinkKind.VETO,), JUAN: (LinkKind.VETO,), SECURITY: ()}
    assert all("URGENT" in one.subject and CANNOT_WAIT[:40] in text_of(one) for one in letters)
    await world.deliver()
    world.clock.advance(hours=2)
    assert world.row(Request, request.id).state is RequestState.COOLING, "nobody has recorded anything"
    session = await world.start(request)
    assert session.layer is Layer.BREAK_GLASS
    told = world.letters("session.started")
    assert {one.to_id for one in told} == {MARIA, JUAN}, "the admins hear of it whatever they opted for"
    assert "break-glass: nobody" in text_of(told[0])


async def test_the_first_accepted_letter_starts_the_two_hours(world: World) -> None:
    """REQ-108: cooling is counted from when the first of those mails was accepted; the second moves nothing."""
    request = await signed(world)
    world.clock.advance(minutes=50)
    await world.deliver()
    accepted = world.clock.now()
    glass = world.row(Request, request.id).break_glass
    assert glass is not None
    assert (glass.cooling_since, glass.cooling_until) == (accepted, accepted + timedelta(hours=2))
    links = [one for one in world.desk.view().find(ConsentLink, request_id=request.id) if one.kind is LinkKind.VETO]
    assert {one.expires_at for one in links} == {accepted + timedelta(hours=2)} and len(links) == 2
    began = [e for e in await entries(world) if e["action"] == "break_glass.cooling"]
    assert len(began) == 1 and began[0]["tenant"] == "northwind"


async def test_a_veto_at_an_hour_fifty_nine_wins(world: World) -> None:
    """REQ-108: any tenant admin, until the two hours are over; final."""
    request = await cooling(world)
    world.clock.advance(hours=1, minutes=59)
    await veto(world, request, JUAN)
    request = world.row(Request, request.id)
    assert (request.state, request.decided_by) == (RequestState.VETOED, JUAN)
    assert {one.to_id for one in world.letters("break_glass.vetoed")} == {
        world.ann.id, world.dana.id, world.lee.id, MARIA,
    }  # fmt: skip
    world.clock.advance(minutes=2)
    with pytest.raises(Refused, match="was vetoed by Juan Ortiz"):
        await world.start(request)
    with pytest.raises(Refused, match="vetoed"):
        await world.run(break_glass.declare, world.ann, request.id, CANNOT_WAIT)
    await world.desk.record_due()
    assert world.row(Request, request.id).state is RequestState.VETOED


async def test_at_two_hours_it_is_usable_and_a_veto_is_too_late(world: World) -> None:
    """REQ-108."""
    request = await cooling(world)
    link = await world.link(request, MARIA, LinkKind.VETO)
    world.clock.advance(hours=2)
    with pytest.raises(Refused, match=r"nothing to veto.*kill switch"):
        await world.run(consent.veto, world.admin(MARIA), link)
    assert state_at(world.row(Request, request.id), world.clock.now()) is RequestState.APPROVED
    await world.start(request)


async def test_one_second_before_nobody_enters(world: World) -> None:
    """REQ-108: not a second early, whoever asks."""
    request = await cooling(world)
    world.clock.advance(hours=1, minutes=59, seconds=59)
    with pytest.raises(Refused, match="is cooling"):
        await world.start(request)


async def test_with_an_undeliverable_letter_it_never_becomes_usable(world: World) -> None:
    """REQ-108: undelivered mail starts no clock; after a day it has come to nothing."""
    request = await signed(world)
    for hours in (2, 8, 13):
        world.clock.advance(hours=hours)
        with pytest.raises(Refused, match="have not begun"):
            await world.start(request)
    world.clock.advance(hours=1)
    assert await world.desk.record_due() == 1
    assert world.row(Request, request.id).state is RequestState.LAPSED
    assert all(one.state is MailState.QUEUED for one in world.letters("break_glass.countersigned"))
    await world.deliver()
    assert world.row(Request, request.id).break_glass == request.break_glass, "a letter accepted later starts nothing"
    with pytest.raises(Refused, match="never began to cool"):
        await world.start(request)
    now = world.clock.now()
    report = collect(world.replica.reader, now - timedelta(days=9), now, now, Head())
    assert report["break_glass"] == {"declared": 1, "countersigned": 1, "vetoed": 0, "activated": 0}
    assert report["requests"]["outcomes"]["approved"] == 0, "REQ-408: what lapsed unopened let nobody in"


async def test_what_time_opens_is_recorded_by_whoever_is_up_dated_at_its_deadline(world: World) -> None:
    """REQ-108: the record follows the time; the admins are told."""
    request = await cooling(world)
    over = world.clock.now() + timedelta(hours=2)
    assert expiry.due(world.replica.reader, world.clock.now()) == []
    with pytest.raises(Refused, match="nothing to record"):
        await world.desk.run(expiry.record_break_glass, CLOCK, request.id)
    world.clock.advance(hours=3)
    assert await world.desk.record_due() == 1
    usable = world.row(Request, request.id)
    assert (usable.state, usable.usable_until) == (RequestState.APPROVED, over + timedelta(hours=8))
    said = [e for e in await entries(world) if e["action"] == "break_glass.usable"]
    assert [(e["actor"]["name"], e["data"]["effective_at"]) for e in said] == [("clock", time_text(over))]
    assert {one.to_id for one in world.letters("break_glass.usable")} == {MARIA, JUAN}
    assert (await world.start(usable)).layer is Layer.BREAK_GLASS


@pytest.mark.parametrize("recorded", [False, True])
async def test_it_lapses_after_eight_hours(world: World, recorded: bool) -> None:
    """REQ-201: an approval not used within 8 hours lapses, this one too, recorded or not."""
    request = await cooling(world)
    world.clock.advance(hours=2)
    if recorded:
        await world.desk.record_due()
    world.clock.advance(hours=8)
    with pytest.raises(Refused, match="lapsed"):
        await world.start(request)
    await world.desk.record_due()
    assert world.row(Request, request.id).state is RequestState.LAPSED


async def test_the_tenants_own_log_tells_the_whole_story(world: World) -> None:
    """REQ-402: complete without the operator's log."""
    request = await cooling(world)
    world.clock.advance(hours=2)
    await world.start(request)
    told = [json.loads(one.body) for one in await world.shared.entries("tenant:northwind", 0)]
    actions = [e["action"] for e in told if e.get("request") == request.id and not e["action"].startswith("mail.")]
    assert actions == [
        "request.created",
        "break_glass.declared", "break_glass.countersigned", "break_glass.cooling",
        "session.started",
    ]  # fmt: skip
    assert next(e for e in told if e["action"] == "break_glass.declared")["reason"] == CANNOT_WAIT


# Declaring


async def test_only_what_was_urgent_when_it_was_created(world: World) -> None:
    """REQ-108."""
    request = await undecided(world, urgent=False)
    with pytest.raises(Refused, match="was not flagged urgent when it was created"):
        await world.run(break_glass.declare, world.ann, request.id, CANNOT_WAIT)


async def test_not_before_24_hours_without_a_decision(world: World) -> None:
    """REQ-108."""
    request = await world.ask(urgent=True)
    world.clock.advance(hours=23, minutes=59)
    with pytest.raises(Refused, match="still waits for the tenant: break-glass from"):
        await world.run(break_glass.declare, world.ann, request.id, CANNOT_WAIT)


async def test_not_against_a_decision(world: World) -> None:
    """REQ-107, REQ-108: what was denied stays denied."""
    request = await world.deny(await world.ask(urgent=True))
    world.clock.advance(hours=24)
    with pytest.raises(Refused, match="was denied by Maria Santos"):
        await world.run(break_glass.declare, world.ann, request.id, CANNOT_WAIT)


async def test_not_long_after(world: World) -> None:
    """REQ-108: within 24 hours of the expiry; later, ask again."""
    request = await undecided(world)
    await world.desk.record_due()
    world.clock.advance(hours=24)
    with pytest.raises(Refused, match=r"more than 1 d ago — ask again"):
        await world.run(break_glass.declare, world.ann, request.id, CANNOT_WAIT)


async def test_only_its_own_engineer_declares(world: World) -> None:
    """REQ-108."""
    request = await undecided(world)
    with pytest.raises(Refused, match="is not Raj Patel's"):
        await world.run(break_glass.declare, world.raj, request.id, CANNOT_WAIT)


@pytest.mark.parametrize("words", ["", "urgent issue", "T-48271", "customer is very upset about all of this"])
async def test_the_second_reason_must_be_specific(world: World, words: str) -> None:
    """REQ-102, REQ-108."""
    request = await undecided(world)
    with pytest.raises(Refused, match="reason"):
        await world.run(break_glass.declare, world.ann, request.id, words)


async def test_the_second_reason_is_no_copy_of_the_first(world: World) -> None:
    """REQ-102, REQ-108: why it cannot wait is something else than why."""
    request = await undecided(world)
    with pytest.raises(Refused, match="copy of an earlier one"):
        await world.run(break_glass.declare, world.ann, request.id, request.reason)


async def test_a_code_of_its_own_is_needed(world: World) -> None:
    """REQ-702, P10: neither without, nor with the code of creating."""
    request = await undecided(world)
    with pytest.raises(StepUpNeeded):
        await world.desk.run(break_glass.declare, world.actor(world.ann), request.id, CANNOT_WAIT)
    actor = world.actor(world.ann)
    given = await world.shared.step_up(actor.id, world.code(world.ann), "request.create", actor)
    await world.sync.pull()
    with pytest.raises(Refused, match="given for another act"):
        await world.desk.run(
            break_glass.declare, replace(actor, step_up=given.step_up), request.id, CANNOT_WAIT, otp=None
        )


@pytest.mark.parametrize("mode", [TenantMode.CONSENT_ONLY, TenantMode.FORBIDDEN])
async def test_only_in_the_default_mode(world: World, mode: TenantMode) -> None:
    """REQ-110: and the tenant's log keeps who tried."""
    request = await undecided(world)
    await world.run(tenants.change_settings, world.admin(MARIA), "northwind", mode=mode)
    with pytest.raises(Refused, match=f"mode is {mode.value}"):
        await world.run(break_glass.declare, world.ann, request.id, CANNOT_WAIT)
    assert (await entries(world))[-1]["action"] == "request.refused"


async def test_not_against_the_kill_switch(world: World) -> None:
    """REQ-110."""
    request = await undecided(world)
    await world.run(tenants.set_kill_switch, world.admin(MARIA), "northwind", True)
    with pytest.raises(Refused, match="kill switch is on"):
        await world.run(break_glass.declare, world.ann, request.id, CANNOT_WAIT)


async def test_not_into_a_suspended_account(world: World) -> None:
    """REQ-110."""
    request = await undecided(world)
    await world.desk.run(tenants.import_records, PLATFORM, [replace(NORTHWIND, status=TenantStatus.SUSPENDED)])
    with pytest.raises(Refused, match="account is suspended"):
        await world.run(break_glass.declare, world.ann, request.id, CANNOT_WAIT)


async def test_not_where_nobody_could_veto(world: World) -> None:
    """REQ-108."""
    request = await undecided(world)
    without = [one for one in NORTHWIND.contacts if ContactRole.TENANT_ADMIN not in one.roles]
    await world.desk.run(tenants.import_records, PLATFORM, [replace(NORTHWIND, contacts=tuple(without))])
    with pytest.raises(Refused, match="no tenant admin who could veto"):
        await world.run(break_glass.declare, world.ann, request.id, CANNOT_WAIT)


async def test_it_is_declared_once(world: World) -> None:
    """REQ-108."""
    request = await declared(world)
    with pytest.raises(Refused, match="break-glass is declared"):
        await world.run(break_glass.declare, world.ann, request.id, CANNOT_WAIT)


# The countersign


async def test_the_countersigner_cannot_be_the_engineer(world: World) -> None:
    """REQ-107, REQ-108: a super who asked is not their own second person."""
    request = await world.ask(world.dana, urgent=True)
    world.clock.advance(hours=24)
    await world.run(break_glass.declare, world.dana, request.id, CANNOT_WAIT)
    with pytest.raises(Refused, match="nobody decides their own request"):
        await world.run(break_glass.countersign, world.dana, request.id)
    await world.run(break_glass.countersign, world.lee, request.id)


async def test_only_a_super_countersigns(world: World) -> None:
    """REQ-108."""
    request = await declared(world)
    with pytest.raises(Refused, match="only a super countersigns break-glass"):
        await world.run(break_glass.countersign, world.raj, request.id)


async def test_a_super_who_is_a_contact_of_the_tenant_does_not(world: World) -> None:
    """REQ-107."""
    request = await declared(world)
    lee = ContactRecord("lee", "Lee C.", "Lee+shop@ops.example", (ContactRole.USER,))
    await world.desk.run(tenants.import_records, PLATFORM, [replace(NORTHWIND, contacts=(*NORTHWIND.contacts, lee))])
    with pytest.raises(Refused, match="a contact of Northwind Travel"):
        await world.run(break_glass.countersign, world.lee, request.id)


async def test_nothing_is_countersigned_that_was_not_declared(world: World) -> None:
    """REQ-108."""
    request = await undecided(world)
    with pytest.raises(Refused, match="expired"):
        await world.run(break_glass.countersign, world.dana, request.id)


async def test_a_declaration_lapses(world: World) -> None:
    """REQ-108: countersigned within the day after the expiry, or nothing; recorded, dated at its deadline."""
    request = await declared(world)
    world.clock.advance(hours=24)
    with pytest.raises(Refused, match="no super countersigned break-glass in time"):
        await world.run(break_glass.countersign, world.dana, request.id)
    assert await world.desk.record_due() == 1
    assert world.row(Request, request.id).state is RequestState.LAPSED
    assert (await entries(world))[-1]["data"]["effective_at"] == time_text(request.expires_at + timedelta(hours=24))


async def test_the_engineer_takes_it_back(world: World) -> None:
    """REQ-107: declared or cooling, it can be withdrawn."""
    request = await cooling(world)
    await world.run(requests.withdraw, world.ann, request.id)
    world.clock.advance(hours=2)
    with pytest.raises(Refused, match="withdrawn"):
        await world.start(request)


async def test_full_mode_still_takes_its_own_countersign(world: World) -> None:
    """REQ-202: break-glass opens the door, not the mode."""
    request = await undecided(world, mode=Mode.FULL)
    await world.run(break_glass.declare, world.ann, request.id, CANNOT_WAIT)
    await world.run(break_glass.countersign, world.dana, request.id)
    await world.deliver()
    await world.run(requests.countersign, world.lee, request.id)
    world.clock.advance(hours=2)
    assert (await world.start(request)).mode is Mode.FULL


# Stopping it


async def test_the_late_deny_link_is_a_veto(world: World) -> None:
    """REQ-108: an admin's no counts, by whichever link of theirs, as long as nobody can be inside."""
    request = await declared(world)
    link = await world.link(request, MARIA, LinkKind.DENY)
    await world.run(consent.deny, world.admin(MARIA), link)
    vetoed = world.row(Request, request.id)
    assert vetoed.state is RequestState.VETOED
    [decision] = world.desk.view().find(Decision, request_id=request.id)
    assert (decision.kind, decision.by) == (DecisionKind.VETO, MARIA)


async def test_an_approve_link_vetoes_nothing(world: World) -> None:
    """REQ-105: a link can do what it was mailed for."""
    request = await cooling(world)
    with pytest.raises(Refused, match="can only approve"):
        await veto(world, request, kind=LinkKind.APPROVE)


async def test_a_veto_link_is_its_admins_own_and_works_once(world: World) -> None:
    """REQ-105, REQ-108."""
    request = await cooling(world)
    link = await world.link(request, MARIA, LinkKind.VETO)
    with pytest.raises(Refused, match="decides for nobody else"):
        await world.run(consent.veto, world.admin(JUAN), link)
    with pytest.raises(Refused, match="can only veto"):
        await world.run(consent.approve, world.admin(MARIA), link)
    await world.run(consent.veto, world.admin(MARIA), link)
    with pytest.raises(Refused, match="was vetoed by Maria Santos"):
        await world.run(consent.veto, world.admin(MARIA), link)
    with pytest.raises(Refused, match="was vetoed by Maria Santos"):
        await veto(world, request, JUAN)


async def test_whoever_is_no_admin_any_more_vetoes_nothing(world: World) -> None:
    """REQ-105."""
    request = await cooling(world)
    link = await world.link(request, MARIA, LinkKind.VETO)
    maria = world.admin(MARIA)
    await world.desk.run(tenants.import_records, PLATFORM, [replace(NORTHWIND, contacts=NORTHWIND.contacts[1:])])
    with pytest.raises(Refused, match="any more"):
        await world.run(consent.veto, maria, link)


async def test_an_admin_of_the_operators_staff_vetoes_nothing(world: World) -> None:
    """REQ-107."""
    lee = ContactRecord("lee", "Lee C.", "Lee+shop@ops.example", ADMIN)
    await world.desk.run(tenants.import_records, PLATFORM, [replace(NORTHWIND, contacts=(*NORTHWIND.contacts, lee))])
    request = await cooling(world)
    link = await world.link(request, "northwind/lee", LinkKind.VETO)
    with pytest.raises(Refused, match="of the operator is the same person"):
        await world.run(consent.veto, world.admin("northwind/lee"), link)


@pytest.mark.parametrize("settings", [{"kill_switch": True}, {"mode": TenantMode.CONSENT_ONLY}])
async def test_shutting_the_tenant_stops_it_for_good(world: World, settings: dict[str, object]) -> None:
    """REQ-108, REQ-110: turning the switch, or closing the way, is a no; opening again does not take it back."""
    request = await cooling(world)
    world.clock.advance(hours=1)
    await world.run(tenants.change_settings, world.admin(JUAN), "northwind", **settings)
    assert world.row(Request, request.id).state is RequestState.VETOED
    again = {"kill_switch": False} if "kill_switch" in settings else {"mode": TenantMode.DEFAULT}
    await world.run(tenants.change_settings, world.admin(JUAN), "northwind", **again)
    world.clock.advance(hours=2)
    with pytest.raises(Refused, match="vetoed by Juan Ortiz"):
        await world.start(request)


async def test_the_kill_switch_keeps_out_what_became_usable(world: World) -> None:
    """REQ-110: supers included, whatever the layer."""
    request = await cooling(world)
    world.clock.advance(hours=2)
    await world.run(tenants.set_kill_switch, world.admin(MARIA), "northwind", True)
    with pytest.raises(Refused, match="kill switch is on"):
        await world.start(request)


async def test_the_mode_keeps_out_what_became_usable(world: World) -> None:
    """REQ-110: a mode that leaves consent alone closes what break-glass had opened."""
    request = await cooling(world)
    world.clock.advance(hours=2)
    await world.run(tenants.change_settings, world.admin(MARIA), "northwind", mode=TenantMode.CONSENT_ONLY)
    with pytest.raises(Refused, match="its consent is the only way in"):
        await world.start(request)


async def test_a_session_by_break_glass_ends_like_any_other(world: World) -> None:
    """REQ-108, REQ-206: the flag stays for ever."""
    request = await cooling(world)
    world.clock.advance(hours=2)
    session = await world.start(request)
    await world.run(sessions.end, world.ann, session.id, "a webhook was lost", "nothing", "no", "")
    assert world.row(Session, session.id).layer is Layer.BREAK_GLASS
    assert world.row(Request, request.id).layer is Layer.BREAK_GLASS


async def entries(world: World) -> list[dict[str, object]]:
    return [json.loads(one.body) for one in await world.shared.entries("operator", 0)]
