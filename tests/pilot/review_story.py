"""What waits for a signature, by the real commands: an emergency that two supers declared, and an entry that Maria of
Northwind disputes; an older dispute is signed."""

from __future__ import annotations

from dataclasses import dataclass

from app.services import emergency, reviews, sessions, staff
from storage.log.entry import tenant_log
from storage.models import Actor, ActorKind, Contact, EmergencyCategory, Role, ViewKind
from storage.replica.queries.reviews import tenant_entry
from tests.pilot.board_story import inside
from tests.pilot.queue_world import ANN, DANA, RAJ, VERA, QueueWorld

SUE = "sue@ops.example"
LEGAL = "legal@ops.example"
HARM = "A runaway import deletes bookings of today every minute; each deleted trip strands travellers at the gate."
CLAIM = "Nobody of ours asked for a look at booking 7741, and the reason speaks of refund 8841 alone."
FINDING = "Compared the dossier with ticket T-47990: what was viewed stands in its scope; the search was needed."


@dataclass(frozen=True)
class Waiting:
    """The reviews' ids, and the session that the open dispute is about."""

    emergency: str
    dispute: str
    signed: str
    session: str


async def tell_reviews(world: QueueWorld) -> Waiting:
    """Everything up to two days later: the open dispute has 23 hours left, the emergency 70."""
    sealed = world.vault.seal("JBSWY3DPEHPK3PXT" * 2)
    world.secrets[SUE] = "JBSWY3DPEHPK3PXT" * 2
    await world.run(staff.add, world.actor(DANA), SUE, "Sue Hart", Role.SUPER, None, sealed, ())
    seen = await inside(world, RAJ, "contoso", "tom", "T-47990", minutes=20)
    await world.run(sessions.log_view, world.actor(RAJ), seen, ViewKind.SEARCH, "payments of 2 March", (), 137)
    signed = await disputed(world, "contoso/paula", "Why was this searched for?")
    await world.run(reviews.sign, world.actor(VERA), signed, FINDING)
    ann = await inside(world, ANN, "northwind", "wendy", "T-48271", minutes=30)
    await world.run(sessions.log_view, world.actor(ANN), ann, ViewKind.RECORD, "booking 7741", ("traveller",), 1, False)
    dispute = await disputed(world, "northwind/maria", CLAIM)
    world.clock.advance(hours=47)
    request = await world.ask(ANN, "northwind", "wendy", "INC-1023", urgent=True)
    words = (EmergencyCategory.DATA_LOSS, HARM, LEGAL)
    await world.run(emergency.declare, world.actor(DANA), request, *words, otp=world.code(DANA))
    world.clock.advance(minutes=1)
    await world.run(emergency.countersign, world.actor(SUE), request, LEGAL, otp=world.code(SUE))
    world.clock.advance(hours=2)
    (opened,) = world.replica.reader.execute("SELECT id FROM review WHERE request_id = ?", (request,)).fetchone()
    return Waiting(opened, dispute, signed, ann)


async def disputed(world: QueueWorld, contact: str, words: str) -> str:
    """An admin disputes the newest entry of their tenant's log; the review's id."""
    view = world.replica.view("preview")
    admin = view.get(Contact, contact)
    assert admin is not None
    log = tenant_log(admin.tenant_id)
    reader = world.replica.reader
    (seq,) = reader.execute("SELECT max(seq) FROM tenant_log WHERE tenant_id = ?", (admin.tenant_id,)).fetchone()
    body = tenant_entry(reader, admin.tenant_id, seq)
    assert body is not None and body["log"] == log
    actor = Actor(ActorKind.TENANT_ADMIN, admin.id, admin.name, admin.email)
    done = await world.run(reviews.dispute, actor, reviews.disputed(admin.tenant_id, seq, body), words)
    return done.answer["id"]
