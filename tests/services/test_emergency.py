"""An emergency from end to end, and every refusal on the way (REQ-109); the review of a third person (REQ-502)."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from app.policy.verdict import Refused
from app.reports.transparency import collect
from app.services import break_glass, consent, emergency, reviews, tenants
from app.services.desk import Desk, StepUpNeeded
from app.services.tenants import ContactRecord
from storage.errors import Conflict
from storage.log.entry import Head
from storage.models import (
    ContactRole,
    EmergencyCategory,
    Incident,
    Layer,
    LinkKind,
    Request,
    RequestState,
    Review,
    ReviewKind,
    Role,
    Staff,
    TenantMode,
)
from storage.replica.engine import Replica
from storage.sync import Sync
from storage.witness import Witness
from tests.mailed import text_of
from tests.services.world import NORTHWIND, PLATFORM, World

MARIA, JUAN = "northwind/maria", "northwind/juan"
LEGAL = "legal@ops.example"
HARM = "A runaway import deletes bookings of 2026 every minute, each deleted trip strands travellers at the airport."
AGAIN = "Deletion of bookings 2026 resumed at gate B12, travellers are stranded again."
FINDING = "Compared the dossier with ticket T-48271: entering was necessary, nothing else was looked at."
WITH_LEGAL = replace(
    NORTHWIND,
    contacts=(
        *NORTHWIND.contacts,
        ContactRecord("law", "Legal", "legal@northwind.example", (ContactRole.LEGAL_CONTACT,)),
    ),
)
Say = tuple[EmergencyCategory, str, str]
WORDS: Say = (EmergencyCategory.DATA_LOSS, HARM, LEGAL)


async def declared(world: World, **changes: object) -> Request:
    request = await world.ask(**changes)
    await world.run(emergency.declare, world.dana, request.id, *WORDS)
    return world.row(Request, request.id)


async def countersigned(world: World) -> Request:
    request = await declared(world)
    await world.run(emergency.countersign, world.lee, request.id, LEGAL)
    return world.row(Request, request.id)


async def entries(world: World) -> list[dict[str, object]]:
    return [json.loads(one.body) for one in await world.shared.entries("operator", 0)]


# The whole way


async def test_an_emergency_from_the_declaration_to_the_signed_review(world: World) -> None:
    """REQ-109: two supers, all three kinds of address mailed at once, an incident, a third person's review, usable."""
    await world.desk.run(tenants.import_records, PLATFORM, [WITH_LEGAL])
    request = await declared(world)
    assert (request.state, request.layer) == (RequestState.PENDING, Layer.CONSENT), "one super opens nothing"
    assert {one.to_id for one in world.letters("emergency.declared")} == {world.lee.id}
    done = await world.run(emergency.countersign, world.lee, request.id, LEGAL, "seen it happen")
    request = world.row(Request, request.id)
    assert (request.state, request.layer) == (RequestState.APPROVED, Layer.EMERGENCY)
    told = world.letters("emergency.countersigned")
    assert {one.to_email for one in told} == {
        "maria@northwind.example", "juan@northwind.example", "legal@northwind.example", LEGAL,
    }  # fmt: skip
    assert all(HARM[:40] in text_of(one) and "without anybody's consent" in text_of(one) for one in told)
    incident = world.row(Incident, done.answer["incident"])
    assert (incident.request_id, incident.category) == (request.id, EmergencyCategory.DATA_LOSS)
    assert (incident.declared_by, incident.countersigned_by) == (world.dana.id, world.lee.id)
    review = world.row(Review, done.answer["review"])
    assert review.due_at == world.clock.now() + timedelta(hours=72) and incident.review_id == review.id
    assert set(review.barred) == {world.ann.id, world.dana.id, world.lee.id}
    actions = [one["action"] for one in await entries(world)][-3:]
    assert actions == ["emergency.countersigned", "incident.registered", "review.opened"]
    session = await world.start(request)
    assert session.layer is Layer.EMERGENCY
    assert {one.to_id for one in world.letters("session.started")} == {MARIA, JUAN}
    await world.run(reviews.sign, world.noor, review.id, FINDING)
    signed = world.row(Review, review.id)
    assert (signed.signed_by, signed.finding) == (world.noor.id, FINDING)
    answers = world.letters("review.signed")
    assert {one.to_id for one in answers} == {MARIA, JUAN} and FINDING in text_of(answers[0])
    now = world.clock.now()
    report = collect(world.replica.reader, now - timedelta(days=1), now + timedelta(days=1), now, Head())
    assert report["emergencies"] == {
        "declared": 1, "countersigned": 1, "void_without_a_second_super": 0, "activated": 1, "reviews_signed": 1,
    }  # fmt: skip
    assert report["layers"][2]["approved"] == report["layers"][2]["sessions"] == 1, "REQ-408: counted by its layer"


async def test_asked_anew_in_the_same_act(world: World) -> None:
    """REQ-109: nobody has to wait for a request; the admins are asked as well, and may be faster."""
    form = world.form(reason=f"{world.form().reason} Bookings vanish from invoice 7731.")
    done = await world.run(emergency.declare_anew, world.dana, world.ann.id, form, *WORDS)
    request = world.row(Request, done.answer["id"])
    assert (request.engineer_id, request.state) == (world.ann.id, RequestState.PENDING)
    assert {one.to_id for one in world.letters("request.created", request.id)} == {MARIA, JUAN}
    told = [json.loads(one.body) for one in await world.shared.entries("tenant:northwind", 0)]
    (asked,) = (one for one in told if one["action"] == "request.created")
    who = {"id": world.ann.id, "name": "Ann Lee", "email": "ann@ops.example"}
    assert (asked["actor"]["name"], asked["data"]["engineer"]) == ("Dana Weiss", who), "REQ-402: who is to enter"
    await world.run(emergency.countersign, world.lee, request.id, LEGAL)
    assert (await world.start(world.row(Request, request.id))).layer is Layer.EMERGENCY


async def test_the_tenants_consent_may_be_faster(world: World) -> None:
    """REQ-105, REQ-109: a declared emergency takes no decision away from the tenant."""
    request = await world.approve(await declared(world))
    assert request.layer is Layer.CONSENT
    with pytest.raises(Refused, match="was approved by Maria Santos"):
        await world.run(emergency.countersign, world.lee, request.id, LEGAL)


async def test_a_tenants_no_ends_it(world: World) -> None:
    """REQ-107, REQ-109: what was denied is not opened by an emergency on it."""
    request = await world.deny(await declared(world))
    with pytest.raises(Refused, match="was denied by Maria Santos"):
        await world.run(emergency.countersign, world.lee, request.id, LEGAL)
    with pytest.raises(Refused, match="was denied by Maria Santos"):
        await world.run(emergency.declare, world.dana, request.id, *WORDS)


async def test_an_expired_request_will_do(world: World) -> None:
    """REQ-109: recorded as expired or not."""
    request = await world.ask()
    world.clock.advance(hours=30)
    await world.run(emergency.declare, world.dana, request.id, *WORDS)
    await world.desk.record_due()
    await world.run(emergency.countersign, world.lee, request.id, LEGAL)
    assert (await world.start(world.row(Request, request.id))).layer is Layer.EMERGENCY


async def test_what_cools_can_become_an_emergency_but_what_was_vetoed_cannot(world: World) -> None:
    """REQ-108, REQ-109."""
    request = await world.ask(urgent=True)
    world.clock.advance(hours=24)
    await world.run(break_glass.declare, world.ann, request.id, "The dispute 8841 closes tonight, the money is lost.")
    await world.run(break_glass.countersign, world.dana, request.id)
    await world.run(emergency.declare, world.dana, request.id, *WORDS)
    link = await world.link(request, MARIA, LinkKind.VETO)
    await world.run(consent.veto, world.admin(MARIA), link)
    with pytest.raises(Refused, match="was vetoed by Maria Santos"):
        await world.run(emergency.countersign, world.lee, request.id, LEGAL)


# Who may


async def test_a_second_super_is_needed(world: World) -> None:
    """REQ-107, REQ-109: nobody countersigns what they declared."""
    request = await declared(world)
    with pytest.raises(Refused, match="needs a second super"):
        await world.run(emergency.countersign, world.dana, request.id, LEGAL)


async def test_the_same_person_under_another_account_is_no_second_super(world: World) -> None:
    """REQ-107: the same person counts, not the same account; so such an account cannot even be made."""
    with pytest.raises(Refused, match="one account for a person"):
        await world.add("dana2", "Dana W.", Role.SUPER, "Dana+night@ops.example")


async def test_neither_super_is_the_engineer_who_enters(world: World) -> None:
    """REQ-107, REQ-109."""
    request = await world.ask(world.dana)
    with pytest.raises(Refused, match="nobody decides their own request"):
        await world.run(emergency.declare, world.dana, request.id, *WORDS)
    await world.run(emergency.declare, world.lee, request.id, *WORDS)
    with pytest.raises(Refused, match="nobody decides their own request"):
        await world.run(emergency.countersign, world.dana, request.id, LEGAL)


@pytest.mark.parametrize("who", ["ann", "raj"])
async def test_only_supers_declare_and_countersign(world: World, who: str) -> None:
    """REQ-109."""
    person: Staff = getattr(world, who)
    with pytest.raises(Refused, match="only a super declares an emergency"):
        await world.run(emergency.declare, person, (await world.ask()).id, *WORDS)
    request = await declared(world)
    with pytest.raises(Refused, match="only a super countersigns an emergency"):
        await world.run(emergency.countersign, person, request.id, LEGAL)


async def test_an_auditor_changes_nothing(world: World) -> None:
    """REQ-701."""
    with pytest.raises(Refused, match="an auditor reads everything"):
        await world.run(emergency.declare, world.noor, (await world.ask()).id, *WORDS)


async def test_a_super_who_is_a_contact_of_the_tenant_signs_nothing(world: World) -> None:
    """REQ-107."""
    request = await declared(world)
    lee = ContactRecord("lee", "Lee C.", "Lee+shop@ops.example", (ContactRole.USER,))
    await world.desk.run(tenants.import_records, PLATFORM, [replace(NORTHWIND, contacts=(*NORTHWIND.contacts, lee))])
    with pytest.raises(Refused, match="a contact of Northwind Travel"):
        await world.run(emergency.countersign, world.lee, request.id, LEGAL)


async def test_each_signature_takes_a_code_of_its_own(world: World) -> None:
    """REQ-702, P10."""
    request = await declared(world)
    with pytest.raises(StepUpNeeded):
        await world.desk.run(emergency.declare, world.actor(world.lee), (await world.ask()).id, *WORDS)
    with pytest.raises(StepUpNeeded):
        await world.desk.run(emergency.countersign, world.actor(world.lee), request.id, LEGAL)


# Into what, when, with what words


@pytest.mark.parametrize("mode", [TenantMode.CONSENT_ONLY, TenantMode.FORBIDDEN])
async def test_only_in_the_default_mode(world: World, mode: TenantMode) -> None:
    """REQ-110: at the declaration and at the countersign."""
    request, other = await declared(world), await world.ask()
    await world.run(tenants.change_settings, world.admin(MARIA), "northwind", mode=mode)
    with pytest.raises(Refused, match=f"mode is {mode.value}"):
        await world.run(emergency.declare, world.dana, other.id, *WORDS)
    with pytest.raises(Refused, match=f"mode is {mode.value}"):
        await world.run(emergency.countersign, world.lee, request.id, LEGAL)


async def test_not_against_the_kill_switch_supers_included(world: World) -> None:
    """REQ-110."""
    request, waiting = await countersigned(world), await world.ask()
    await world.run(emergency.declare, world.dana, waiting.id, EmergencyCategory.DATA_LOSS, AGAIN, LEGAL)
    await world.run(tenants.set_kill_switch, world.admin(MARIA), "northwind", True)
    with pytest.raises(Refused, match="kill switch is on"):
        await world.run(emergency.countersign, world.lee, waiting.id, LEGAL)
    with pytest.raises(Refused, match="kill switch is on"):
        await world.start(request)


async def test_without_the_operators_legal_address_nothing_is_declared(world: World) -> None:
    """REQ-109: everybody who must be told can be told."""
    request = await world.ask()
    with pytest.raises(Refused, match=r"legal address is not set.*operator\.legal_email"):
        await world.run(emergency.declare, world.dana, request.id, EmergencyCategory.DATA_LOSS, HARM, "")


async def test_a_declaration_is_fresh_or_void(world: World) -> None:
    """REQ-109: what could wait two hours was no emergency; it can be declared again."""
    request = await declared(world)
    world.clock.advance(hours=2)
    with pytest.raises(Refused, match="is too old"):
        await world.run(emergency.countersign, world.lee, request.id, LEGAL)
    await world.run(emergency.declare, world.lee, request.id, EmergencyCategory.DATA_LOSS, AGAIN, LEGAL)
    await world.run(emergency.countersign, world.dana, request.id, LEGAL)


async def test_one_emergency_at_a_time(world: World) -> None:
    """REQ-109."""
    request = await declared(world)
    with pytest.raises(Refused, match="waits for a super"):
        await world.run(emergency.declare, world.lee, request.id, *WORDS)
    await world.run(emergency.countersign, world.lee, request.id, LEGAL)
    with pytest.raises(Refused, match="no emergency waits on"):
        await world.run(emergency.countersign, world.dana, request.id, LEGAL)


@pytest.mark.parametrize("words", ["", "urgent issue", "very big problem for an important customer"])
async def test_the_reason_says_what_harm(world: World, words: str) -> None:
    """REQ-102, REQ-109."""
    with pytest.raises(Refused, match="reason"):
        await world.run(emergency.declare, world.dana, (await world.ask()).id, EmergencyCategory.SECURITY, words, LEGAL)


# The review


async def test_a_review_is_signed_by_nobody_who_was_part_of_it(world: World) -> None:
    """REQ-109, REQ-502: neither super, nor the engineer; a super or an auditor, once, in words."""
    await countersigned(world)
    [review] = world.desk.view().find(Review)
    assert review.kind is ReviewKind.EMERGENCY
    for part in (world.dana, world.lee):
        with pytest.raises(Refused, match="was part of it"):
            await world.run(reviews.sign, part, review.id, FINDING)
    with pytest.raises(Refused, match="signed by a super or an auditor"):
        await world.run(reviews.sign, world.raj, review.id, FINDING)
    with pytest.raises(Refused, match="what you found"):
        await world.run(reviews.sign, world.noor, review.id, "ok")
    await world.run(reviews.sign, world.noor, review.id, FINDING)
    with pytest.raises(Refused, match="was signed at"):
        await world.run(reviews.sign, world.noor, review.id, FINDING)


async def test_an_overdue_review_can_be_signed_and_says_so(world: World) -> None:
    """REQ-502: what is overdue shows, in the log too."""
    await countersigned(world)
    [review] = world.desk.view().find(Review)
    world.clock.advance(hours=73)
    await world.run(reviews.sign, world.noor, review.id, FINDING)
    said = [one for one in await entries(world) if one["action"] == "review.signed"]
    assert said[0]["data"]["overdue"] is True  # type: ignore[index]  # an entry's data is an object


# Disputes (REQ-504)


async def first_entry(world: World, action: str) -> reviews.Disputed:
    for one in await world.shared.entries("tenant:northwind", 0):
        body = json.loads(one.body)
        if body["action"] == action:
            actor = body["actor"]
            named = (body.get("request"), body.get("session"))
            return reviews.Disputed("northwind", one.seq, action, actor["kind"], actor["id"], *named)
    raise AssertionError(f"no entry {action}")


async def test_a_dispute_becomes_a_review_and_its_answer_is_mailed(world: World) -> None:
    """REQ-504."""
    await world.inside()
    entry = await first_entry(world, "session.started")
    done = await world.run(reviews.dispute, world.admin(JUAN), entry, "Nobody told us, and Maria was away that day.")
    review = world.row(Review, done.answer["id"])
    assert (review.kind, review.entry_seq, review.barred) == (ReviewKind.DISPUTE, entry.seq, (world.ann.id,))
    assert {one.to_id for one in world.letters("review.opened")} == {world.dana.id, world.lee.id}
    await world.run(reviews.sign, world.dana, review.id, FINDING)
    answers = world.letters("review.signed")
    assert {one.to_id for one in answers} == {MARIA, JUAN} and FINDING in text_of(answers[0])


async def test_only_an_admin_of_the_tenant_disputes_once(world: World) -> None:
    """REQ-504."""
    await world.inside()
    entry = await first_entry(world, "request.created")
    for who in (world.admin("northwind/eva"), world.admin("contoso/ines"), world.actor(world.dana)):
        with pytest.raises(Refused, match="only an admin of Northwind Travel"):
            await world.run(reviews.dispute, who, entry, "I do not agree with this at all.")
    await world.run(reviews.dispute, world.admin(MARIA), entry, "This was not agreed.")
    with pytest.raises(Refused, match="is disputed already"):
        await world.run(reviews.dispute, world.admin(JUAN), entry, "This neither.")
    with pytest.raises(Refused, match="dispute is missing"):
        await world.run(reviews.dispute, world.admin(JUAN), await first_entry(world, "session.started"), " ")


async def test_two_admins_who_dispute_the_same_entry_at_once_open_one_review(world: World, tmp_path: Path) -> None:
    """REQ-504: the second, on a console that has not heard of the first, is told; once signed, it can be disputed
    again."""
    await world.inside()
    entry = await first_entry(world, "session.started")
    replica = Replica.open(tmp_path / "other" / "replica.db")
    sync = Sync(world.shared, replica, Witness(tmp_path / "other" / "w.json"), world.clock)  # type: ignore[arg-type]  # as the real one
    other = Desk(world.shared, replica, sync, world.clock)
    await sync.pull()
    await world.run(reviews.dispute, world.admin(MARIA), entry, "This was not agreed.")
    with pytest.raises(Conflict, match="is disputed already"):
        await other.run(reviews.dispute, world.admin(JUAN), entry, "This neither.")
    (review,) = world.desk.view().find(Review, tenant_id="northwind")
    await world.run(reviews.sign, world.dana, review.id, FINDING)
    await sync.pull()
    await other.run(reviews.dispute, world.admin(JUAN), entry, "That is no answer.")
    assert len(other.view().find(Review, tenant_id="northwind")) == 2
    await sync.close()
    replica.close()
