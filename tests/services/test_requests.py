"""Requests through the real services: asked, countersigned, answered, withdrawn, asked again (REQ-101 … 107, 114)."""

from __future__ import annotations

import json

import pytest

from app.policy.limits import DEFAULTS
from app.policy.verdict import Refused
from app.services import consent, requests, tenants
from app.services.desk import StepUpNeeded
from app.services.tenants import ContactRecord
from storage.models import (
    Contact,
    ContactRole,
    Decision,
    DecisionKind,
    Exchange,
    LinkKind,
    Mode,
    Request,
    RequestState,
    Settings,
    StepUp,
)
from tests.mailed import text_of
from tests.services.world import CONTOSO, NORTHWIND, PLATFORM, World


async def test_from_asking_to_the_outcome(world: World) -> None:
    """REQ-101 … 206: ask, consent, start, end."""
    request = await world.ask()
    assert request.state is RequestState.PENDING
    assert {one.to_id for one in world.letters("request.created")} == {"northwind/maria", "northwind/juan"}
    approved = await world.approve(request, minutes=20)
    assert (approved.state, approved.granted_minutes) == (RequestState.APPROVED, 20)
    session = await world.start(approved)
    assert (session.expires_at - session.started_at).total_seconds() == 20 * 60
    over = await world.end(session)
    assert over.outcome is not None
    receipts = world.letters("session.receipt")
    assert len(receipts) == 2
    assert "nothing was viewed" in text_of(receipts[0])


async def test_asking_needs_a_code_and_says_so(world: World) -> None:
    """REQ-104: creating a request needs step-up; what is refused anyway costs no code."""
    actor = world.actor(world.ann)
    with pytest.raises(StepUpNeeded) as needed:
        await world.desk.run(requests.create, actor, world.form())
    assert needed.value.act == "request.create"
    with pytest.raises(Refused) as refused:
        await world.desk.run(requests.create, actor, world.form(ticket=""), otp="000000")
    assert {finding.rule for finding in refused.value.verdict.refusals} == {"REQ-101", "REQ-702"}
    assert world.desk.view().find(StepUp, staff_id=world.ann.id) == []


async def test_a_wrong_code_creates_nothing(world: World) -> None:
    """REQ-702."""
    with pytest.raises(Refused, match="wrong code"):
        await world.desk.run(requests.create, world.actor(world.ann), world.form(), otp="ZZZZ-ZZZZ-ZZZZ-ZZZZ")
    assert world.desk.view().find(Request) == []


async def test_standing_consent_approves_read_only_at_once_and_tells_the_admins(world: World) -> None:
    """REQ-106: says so in the log; full still waits for a decision."""
    request = await world.ask(tenant_id="contoso", target_id="contoso/omar")
    assert request.state is RequestState.APPROVED
    [decision] = world.desk.view().find(Decision, request_id=request.id)
    assert decision.kind is DecisionKind.STANDING_CONSENT
    told = world.letters("request.approved", request.id)
    assert {one.to_id for one in told} == {"contoso/ines", "contoso/omar"}
    assert all("standing consent" in text_of(one) for one in told)
    logged = [json.loads(entry.body) for entry in await world.shared.entries("tenant:contoso", 0)]
    assert [e["data"].get("standing_consent") for e in logged if e["action"] == "request.approved"] == [True]
    full = await world.ask(tenant_id="contoso", target_id="contoso/omar", mode=Mode.FULL)
    assert full.state is RequestState.PENDING


async def test_a_second_person_countersigns_full_and_both_logs_say_who(world: World) -> None:
    """REQ-202: the tenant's log says who."""
    request = await world.ask(mode=Mode.FULL)
    await world.run(requests.countersign, world.raj, request.id, "agreed with the ticket's owner")
    session = await world.start(await world.approve(request))
    assert session.mode is Mode.FULL
    [entry] = [
        entry
        for entry in map(json.loads, (one.body for one in await world.shared.entries("tenant:northwind", 0)))
        if entry["action"] == "request.countersigned"
    ]
    assert entry["actor"]["email"] == "raj@ops.example"


async def test_declined_full_can_be_used_read_only(world: World) -> None:
    """REQ-201, REQ-202."""
    request = await world.ask(mode=Mode.FULL)
    await world.run(requests.decline, world.raj, request.id, "reading will do")
    with pytest.raises(Refused, match="was declined"):
        await world.run(requests.countersign, world.lee, request.id)
    session = await world.start(await world.approve(request))
    assert session.mode is Mode.READ_ONLY


async def test_nobody_countersigns_their_own(world: World) -> None:
    """REQ-107, REQ-202: supers neither; the words say who could."""
    request = await world.ask(world.dana, mode=Mode.FULL)
    with pytest.raises(Refused, match="other than Dana Weiss"):
        await world.run(requests.countersign, world.dana, request.id)


async def test_staff_who_are_contacts_of_the_tenant_neither_ask_nor_countersign(world: World) -> None:
    """REQ-107: the same person counts; the tenant's log keeps who tried."""
    raj = ContactRecord("raj", "Raj P.", "Raj+home@OPS.example", (ContactRole.USER,))
    northwind = NORTHWIND.__class__("northwind", "Northwind Travel", "business", contacts=(*NORTHWIND.contacts, raj))
    request = await world.ask(mode=Mode.FULL)
    await world.desk.run(tenants.import_records, PLATFORM, [northwind])
    with pytest.raises(Refused, match="a contact of Northwind Travel"):
        await world.ask(world.raj)
    with pytest.raises(Refused, match="neither enter nor decide"):
        await world.run(requests.countersign, world.raj, request.id)
    entries = [json.loads(one.body) for one in await world.shared.entries("tenant:northwind", 0)]
    [refused] = [entry for entry in entries if entry["action"] == "request.refused"]
    assert refused["actor"]["id"] == world.raj.id
    assert refused["data"]["rules"] == ["REQ-107"]


async def test_question_and_answer_stand_in_the_request_the_log_and_the_next_mail(world: World) -> None:
    """REQ-115."""
    request = await world.ask()
    link = await world.link(request, "northwind/maria", LinkKind.APPROVE)
    await world.run(consent.ask, world.admin("northwind/maria"), link, "Which refund\ndo you mean?")
    [to_engineer] = world.letters("question.asked")
    assert (to_engineer.to_id, "> do you mean?" in text_of(to_engineer)) == (world.ann.id, True)
    with pytest.raises(Refused, match="not Raj Patel's"):
        await world.run(requests.answer, world.raj, request.id, "8841")
    await world.run(requests.answer, world.ann, request.id, "Number 8841 of 2 March.")
    asked, answered = world.row(Request, request.id).exchanges
    assert (asked.kind, answered.kind, answered.text) == ("question", "answer", "Number 8841 of 2 March.")
    letters = world.letters("question.answered")
    assert {one.to_id for one in letters} == {"northwind/maria", "northwind/juan"}
    assert all("> Number 8841 of 2 March." in text_of(one) and "{approve_link}" in text_of(one) for one in letters)
    approved = await world.approve(request)
    assert approved.state is RequestState.APPROVED
    assert isinstance(asked, Exchange)


async def test_a_withdrawn_request_is_over(world: World) -> None:
    """REQ-107: also after the approval, which stays on record."""
    request = await world.approve(await world.ask())
    await world.run(requests.withdraw, world.ann, request.id, "solved by the customer")
    withdrawn = world.row(Request, request.id)
    assert (withdrawn.state, withdrawn.decided_by) == (RequestState.WITHDRAWN, "northwind/maria")
    with pytest.raises(Refused, match="withdrawn"):
        await world.start(withdrawn)


async def test_asking_again_is_prefilled_and_linked(world: World) -> None:
    """REQ-114: the same reason is no copy then, but is one without the link."""
    first = await world.deny(await world.ask())
    form = requests.again(world.desk.view(), first.id)
    assert (form.reason, form.again_of) == (first.reason, first.id)
    with pytest.raises(Refused, match="copy of an earlier one"):
        await world.ask(reason=first.reason)
    second = await world.ask(again_of=first.id, reason=first.reason)
    assert second.again_of == first.id


async def test_an_unknown_tenant_or_request_is_named(world: World) -> None:
    """REQ-101."""
    with pytest.raises(Refused, match="no tenant 'nowhere'"):
        await world.ask(tenant_id="nowhere")
    with pytest.raises(Refused, match="no request 'R-X'"):
        await world.run(requests.withdraw, world.ann, "R-X")


async def test_only_staff_ask(world: World) -> None:
    """REQ-701."""
    with pytest.raises(Refused, match="no staff member"):
        await world.desk.run(requests.create, world.admin("northwind/maria"), world.form())
    with pytest.raises(Refused, match="auditor"):
        await world.ask(world.noor)


async def test_two_requests_for_one_ticket_are_two(world: World) -> None:
    """REQ-208: never merged."""
    one, two = await world.ask(), await world.ask()
    assert one.ticket == two.ticket
    first = await world.end(await world.start(await world.approve(one)))
    second = await world.start(await world.approve(two))
    assert first.id != second.id


async def test_the_worlds_settings_are_as_the_stories_assume(world: World) -> None:
    assert world.row(Settings, "contoso").standing_consent is True
    assert CONTOSO.settings is not None
    assert world.row(Contact, "northwind/eva").has(ContactRole.USER)
    assert DEFAULTS.sessions_per_hour == 5
