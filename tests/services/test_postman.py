"""Letters go out for real (issue 4, section 2): through a mail server that takes, refuses, greylists, stalls, hangs up,
wants TLS and a log-in, or is down for a day; by several workers; on both forms of the shared database."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from app.mail.carrying import Carrier
from app.mail.letter import text_digest
from app.mail.postman import GIVE_UP, LEASE, Postman
from app.mail.rendering import Postmark
from app.mail.server import Server, Tls
from app.mail.smtp import SmtpCarrier
from app.policy.verdict import Refused
from app.services import mail
from storage.log.entry import OPERATOR, Head, tenant_log
from storage.models import ConsentLink, LinkKind, Mail, MailState, Request
from storage.replica.queries.mail import queued_mail
from storage.replica.queries.tenants import log_head
from tests.services.test_break_glass import signed
from tests.services.world import World
from tests.smtp import DROP_AFTER_DATA, DROP_IN_DATA, HOST, STALL, MailServer, certificate

MARIA, JUAN = "maria@northwind.example", "juan@northwind.example"


@pytest.fixture
async def server() -> AsyncIterator[MailServer]:
    async with MailServer() as running:
        yield running


def carrier(server: MailServer, **changes: object) -> SmtpCarrier:
    values: dict[str, object] = {"host": HOST, "port": server.port, "tls": Tls.NONE}
    return SmtpCarrier(Server(**(values | changes)), "access@ops.example")  # type: ignore[arg-type]  # a test's keywords


def postman(world: World, by: Carrier, name: str = "one") -> Postman:
    def mark(letter: Mail) -> Postmark:
        position = world.replica.position()
        assert position is not None
        log, head = OPERATOR, position.head
        if letter.tenant_id is not None:
            found = log_head(world.replica.reader, letter.tenant_id)
            log, head = tenant_log(letter.tenant_id), Head(found.seq, found.hash)
        return Postmark("access@ops.example", "https://portal.example", log, head, position.epoch)

    queue = lambda: queued_mail(world.replica.reader)  # noqa: E731 (one expression, once)
    return Postman(world.desk, world.shared, by, b"k" * 32, queue, mark, random.Random(7), name)


async def logged(world: World, *actions: str) -> list[dict[str, object]]:
    entries = [json.loads(one.body) for one in await world.shared.entries(OPERATOR, 0)]
    return [entry for entry in entries if entry["action"] in actions]


async def test_what_is_accepted_is_on_record_with_the_servers_answer(world: World, server: MailServer) -> None:
    """REQ-104, 105, 405: links work from then on; the log holds the digest of the very text that went out."""
    await world.ask()
    done = await postman(world, carrier(server)).round()
    assert (done.delivered, len(server.letters)) == (2, 2)
    for arrived in server.letters:
        [row] = [one for one in world.letters() if f"<{one.id}." in str(arrived["Message-ID"])]
        assert (row.state, row.attempts, row.delivered_at) == (MailState.DELIVERED, 1, world.clock.now())
        assert row.answer is not None and row.answer.startswith("2.0.0 queued as ")
        [entry] = [e for e in await logged(world, "mail.delivered") if e["data"]["mail"] == row.id]  # type: ignore[index]
        assert entry["data"]["text"] == text_digest(arrived)  # type: ignore[index]  # an entry's data is an object
        log, seq, leaf = str(arrived["X-Countersign-Head"]).split()
        assert (log, leaf in arrived.get_body(("plain",)).get_content()) == ("tenant:northwind", True)  # type: ignore[union-attr]
        stored = await world.shared.entries(log, int(seq) - 1, 1)
        assert stored[0].hash.hex() == leaf
    assert len(world.desk.view().find(ConsentLink)) == 4


async def test_a_refused_recipient_fails_at_once_and_supers_are_told(world: World, server: MailServer) -> None:
    """REQ-503: a permanent refusal concerns that recipient alone; no link of it ever works."""
    server.answers[MARIA] = ["550 5.1.1 no such user\x1b[31m here"]
    await world.ask()
    man = postman(world, carrier(server))
    done = await man.round()
    assert (done.delivered, done.failed) == (1, 1)
    [gone] = [one for one in world.letters("request.created") if one.to_email == MARIA]
    assert (gone.state, gone.attempts, gone.failed_at) == (MailState.FAILED, 1, world.clock.now())
    assert gone.last_error is not None and "550 5.1.1 no such user" in gone.last_error and "\x1b" not in gone.last_error
    assert {link.contact_id for link in world.desk.view().find(ConsentLink)} == {"northwind/juan"}
    [entry] = await logged(world, "mail.failed")
    assert (entry["tenant"], entry["reason"]) == ("northwind", gone.last_error)
    told = world.letters(mail.FAILED)
    assert {one.to_id for one in told} == {world.dana.id, world.lee.id}
    await man.round()
    assert "no such user" in server.to("dana@ops.example")[0].get_body(("plain",)).get_content()  # type: ignore[union-attr]
    await man.round()
    assert server.attempts.count(MARIA) == 1, "never again by itself"


async def test_a_super_has_a_failed_letter_tried_again(world: World, server: MailServer) -> None:
    server.answers[MARIA] = ["550 no such user", "250 OK"]
    await world.ask()
    man = postman(world, carrier(server))
    await man.round()
    [gone] = [one for one in world.letters() if one.state is MailState.FAILED]
    with pytest.raises(Refused, match="only a super"):
        await world.run(mail.requeue, world.ann, gone.id)
    await world.run(mail.requeue, world.dana, gone.id)
    await man.round()
    assert world.row(Mail, gone.id).state is MailState.DELIVERED
    with pytest.raises(Refused, match="is delivered"):
        await world.run(mail.requeue, world.dana, gone.id)


async def test_greylisting_is_waited_out_and_order_is_kept_for_each_recipient(world: World, server: MailServer) -> None:
    """Per recipient: Juan's letters go meanwhile, Maria's wait for the first of them."""
    server.answers[MARIA] = ["451 4.7.1 greylisted", "451 4.7.1 greylisted", "250 OK"]
    first = await world.ask()
    world.clock.advance(seconds=1)
    second = await world.ask()
    man = postman(world, carrier(server))
    await man.round()
    assert [len(server.to(MARIA)), len(server.to(JUAN)), server.attempts.count(MARIA)] == [0, 2, 1]
    await man.round()
    assert server.attempts.count(MARIA) == 1, "not before its time"
    for _ in range(2):
        world.clock.advance(minutes=5)
        await man.round()
    requests = [first.id, second.id]
    assert [one for arrived in server.to(MARIA) for one in requests if one in arrived.as_string()] == requests
    row = world.letters("request.created", first.id)
    assert {one.attempts for one in row} == {1, 3}
    assert len(await logged(world, "mail.deferred")) == 1, "attempts do not flood the log"


@pytest.mark.parametrize("misdeed", [DROP_IN_DATA, DROP_AFTER_DATA])
async def test_a_connection_lost_inside_a_letter_sends_it_again_under_the_same_id(
    world: World, server: MailServer, misdeed: str
) -> None:
    """At least once: whether it was taken is not known, so it goes again, and a mailbox can tell."""
    server.answers[MARIA] = [misdeed, "250 OK"]
    await world.ask()
    man = postman(world, carrier(server))
    await man.round()
    assert len(server.to(JUAN)) == 1, "the other letters go on over a new connection"
    world.clock.advance(minutes=5)
    await man.round()
    ids = [str(one["Message-ID"]) for one in server.seen if MARIA in str(one["To"])]
    assert len(ids) == (2 if misdeed == DROP_AFTER_DATA else 1) and len(set(ids)) == 1
    assert {one.state for one in world.letters()} == {MailState.DELIVERED}


async def test_a_server_that_stalls_holds_nobody_else_up(world: World, server: MailServer) -> None:
    server.answers[MARIA] = [STALL]
    await world.ask()
    slow = SmtpCarrier(Server(HOST, server.port, Tls.NONE), "access@ops.example", answer_seconds=0.2)
    await postman(world, slow).round()
    assert len(server.to(JUAN)) == 1
    [waiting] = [one for one in world.letters() if one.state is MailState.QUEUED]
    assert (waiting.to_email, waiting.attempts) == (MARIA, 1) and waiting.last_error


async def test_refused_content_fails_and_a_refused_sender_waits(world: World, server: MailServer) -> None:
    """What the operator's own set-up causes must not fail every tenant's letters."""
    server.answers[MARIA] = ["data 554 5.7.1 looks like spam"]
    await world.ask()
    man = postman(world, carrier(server))
    assert (await man.round()).failed == 1
    server.sender_answer = "550 5.7.0 who are you"
    await world.ask()
    done = await man.round()
    assert (done.failed, "may not send" in done.trouble) == (0, True)
    server.sender_answer = ""
    world.clock.advance(minutes=1)
    await man.round()
    assert not [one for one in world.letters("request.created") if one.state is MailState.QUEUED]


async def test_tls_is_insisted_on_and_the_server_must_prove_itself(world: World, tmp_path: Path) -> None:
    """STARTTLS by default, verified by default; `mail.ca_file` names who vouches; a log-in goes over TLS alone."""
    context, authority = certificate(tmp_path)
    asked = await world.ask()
    async with MailServer(tls=context, password="s3cret") as server:
        by = {"tls": Tls.STARTTLS, "user": "countersign", "password": "s3cret"}
        done = await postman(world, carrier(server, **by)).round()
        assert "CERTIFICATE_VERIFY_FAILED" in done.trouble.upper().replace(" ", "_"), done.trouble
        done = await postman(world, carrier(server, **by | {"password": "wrong", "ca_file": str(authority)})).round()
        assert "535" in done.trouble and "wrong" not in done.trouble
        assert (await postman(world, carrier(server, **by, ca_file=str(authority))).round()).delivered == 2
        assert server.encrypted == [True, True]
    assert all(one.state is MailState.DELIVERED for one in world.letters("request.created", asked.id))


async def test_a_server_without_tls_gets_nothing_unless_it_was_asked_for(world: World, server: MailServer) -> None:
    await world.ask()
    done = await postman(world, carrier(server, tls=Tls.STARTTLS)).round()
    assert (done.delivered, server.letters) == (0, []) and "STARTTLS" in done.trouble


async def test_implicit_tls(world: World, tmp_path: Path) -> None:
    context, authority = certificate(tmp_path)
    await world.ask()
    async with MailServer(tls=context, implicit=True) as server:
        by = carrier(server, tls=Tls.IMPLICIT, ca_file=str(authority))
        assert (await postman(world, by).round()).delivered == 2


async def test_two_workers_at_once_send_each_letter_once(world: World, server: MailServer) -> None:
    """One hands on at a time; the other stands by, and takes over when the first is gone without a word."""
    for _ in range(3):
        await world.ask()
    first, second = postman(world, carrier(server), "one"), postman(world, carrier(server), "two")
    done = await asyncio.gather(*(man.round() for man in (first, second) for _ in range(1)))
    assert sorted(one.delivered for one in done) == [0, 6]
    assert Counter(str(one["Message-ID"]) for one in server.letters).most_common(1)[0][1] == 1
    winner, other = (first, second) if done[0].delivered else (second, first)
    del winner  # killed: it gives nothing back
    await world.ask()
    assert (await other.round()).standing_by
    world.clock.advance(LEASE + timedelta(seconds=1))
    assert (await other.round()).delivered == 2


async def test_a_worker_that_ends_gives_the_lease_back(world: World, server: MailServer) -> None:
    await world.ask()
    first, second = postman(world, carrier(server), "one"), postman(world, carrier(server), "two")
    await first.round()
    await first.close()
    await world.ask()
    assert (await second.round()).delivered == 2


async def test_what_was_accepted_but_not_recorded_is_recorded_and_not_sent_again(
    world: World, server: MailServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The shared database goes away between the server's answer and the record."""
    await world.ask()
    man = postman(world, carrier(server))
    run = world.desk.run

    async def out_of_reach(*args: object, **named: object) -> object:
        raise ConnectionError("gone")

    monkeypatch.setattr(world.desk, "run", out_of_reach)
    with pytest.raises(ConnectionError):
        await man.round()
    monkeypatch.setattr(world.desk, "run", run)
    assert (await man.round()).delivered == 2
    assert len(server.letters) == 2


async def test_down_for_a_day_nothing_is_lost_and_order_is_kept(world: World, server: MailServer) -> None:
    """Must show 6. Under 24 hours: all of it arrives, in order for each recipient, and the log is not flooded."""
    await server.stop()
    man = postman(world, carrier(server))
    asked = []
    for hour in range(23):
        if hour % 6 == 0:
            asked.append(await world.ask())
        await man.round()
        world.clock.advance(hours=1)
    waiting = world.letters("request.created")
    assert {one.state for one in waiting} == {MailState.QUEUED} and len(waiting) == 8
    assert world.desk.view().find(ConsentLink) == [], "undelivered mail opens no link and starts no clock"
    assert len(await logged(world, "mail.deferred")) <= 4
    await server.start()
    world.clock.advance(minutes=10)
    await man.round()
    for recipient in (MARIA, JUAN):
        arrived = [one.as_string() for one in server.to(recipient)]
        assert [one.id for text in arrived for one in asked if f"{one.id}\n" in text or f"{one.id}=" in text]
        assert [next(one.id for one in asked if one.id in text) for text in arrived] == [one.id for one in asked]
    assert {one.state for one in world.letters("request.created")} == {MailState.DELIVERED}


async def test_after_a_day_a_letter_has_failed_visibly_and_supers_are_told(world: World, server: MailServer) -> None:
    """Must show 6, REQ-503: given up, on record, told to every super by one letter for all, once there is a server."""
    await server.stop()
    man = postman(world, carrier(server))
    await world.ask()
    await world.ask()
    while world.clock.now() < world.letters()[0].created_at + GIVE_UP:
        await man.round()
        world.clock.advance(hours=2)
    await man.round()
    assert {one.state for one in world.letters("request.created")} == {MailState.FAILED}
    assert len(await logged(world, "mail.failed")) == 4
    assert world.desk.view().find(ConsentLink) == []
    told = world.letters(mail.FAILED)
    assert {one.to_id for one in told} == {world.dana.id, world.lee.id} and len(told) == 2
    assert len(told[0].said()["letters"]) == 4
    await server.start()
    world.clock.advance(hours=1)
    await man.round()
    assert len(server.letters) == 2 and "Not delivered: 4 letters" in str(server.letters[0]["Subject"])


async def test_a_letter_about_a_failure_that_fails_raises_no_further_letters(world: World, server: MailServer) -> None:
    server.answers |= {one: ["550 no"] for one in (MARIA, "dana@ops.example", "lee@ops.example")}
    await world.ask()
    man = postman(world, carrier(server))
    for _ in range(4):
        await man.round()
    assert len(world.letters(mail.FAILED)) == 2
    assert {one.state for one in world.letters(mail.FAILED)} == {MailState.FAILED}


async def test_while_the_server_is_down_nothing_cools(world: World, server: MailServer) -> None:
    """Must show 6, REQ-108: the two hours count from the first urgent letter that a server accepted, not before; one
    that is refused for good starts none."""
    server.answers[MARIA] = server.answers["security@northwind.example"] = ["550 no"]
    request = await signed(world)
    await server.stop()
    man = postman(world, carrier(server))
    for _ in range(5):
        await man.round()
        world.clock.advance(hours=1)
    glass = world.row(Request, request.id).break_glass
    assert glass is not None and glass.cooling_since is None
    await server.start()
    server.answers[JUAN] = ["451 later", "250 OK"]
    await man.round()
    glass = world.row(Request, request.id).break_glass
    assert glass is not None and glass.cooling_since is None, "refused for Maria, put off for Juan: nobody has it"
    world.clock.advance(minutes=20)
    await man.round()
    world.clock.advance(minutes=20)
    await man.round()
    [accepted] = [one.delivered_at for one in world.letters("break_glass.countersigned") if one.delivered_at]
    glass = world.row(Request, request.id).break_glass
    assert glass is not None and glass.cooling_since == accepted


@pytest.mark.parametrize("address", ["nobody", "a@b\r\nRCPT TO:<x@y.example>", "a b@c.example", "<a@b.example>", ""])
async def test_what_is_no_address_never_reaches_the_server(server: MailServer, address: str) -> None:
    from email.message import EmailMessage

    attempt = await carrier(server).hand_on("M-1", address, EmailMessage())
    assert attempt.outcome.name == "REFUSED" and server.attempts == []


async def test_links_are_made_for_the_letter_that_was_accepted(world: World, server: MailServer) -> None:
    """REQ-105: the token stands in the mail alone; its hash is the link's key."""
    from app.mail.links import make_tokens, token_hash

    await world.ask()
    await postman(world, carrier(server)).round()
    for row in world.letters("request.created"):
        tokens = make_tokens(b"k" * 32, row)
        text = server.to(row.to_email)[0].get_body(("plain",)).get_content()  # type: ignore[union-attr]
        assert all(f"https://portal.example/consent/{token}" in text for token in tokens.values())
        assert world.row(ConsentLink, token_hash(tokens[LinkKind.DENY])).contact_id == row.to_id
