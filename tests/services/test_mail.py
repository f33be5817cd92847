"""Recording that a letter went out, with the links in it (REQ-104, REQ-105)."""

from __future__ import annotations

import json

import pytest

from app.policy.verdict import Refused
from app.services import mail
from storage.models import ConsentLink, LinkKind, Mail, MailState
from tests.services.world import POSTMAN, World

HASHES = ((LinkKind.APPROVE, "a" * 64), (LinkKind.DENY, "d" * 64))


async def test_delivery_is_recorded_once_with_its_links(world: World) -> None:
    """REQ-105: a link is bound to request, admin and decision, and expires with the request."""
    asked = await world.ask()
    letter = world.letters("request.created")[0]
    await world.desk.run(mail.delivered, POSTMAN, letter.id, HASHES)
    sent = world.row(Mail, letter.id)
    assert (sent.state, sent.delivered_at) == (MailState.DELIVERED, world.clock.now())
    link = world.row(ConsentLink, "d" * 64)
    assert (link.kind, link.request_id, link.contact_id) == (LinkKind.DENY, asked.id, letter.to_id)
    assert (link.expires_at, link.content_digest) == (asked.expires_at, asked.content_digest)
    with pytest.raises(Refused, match="delivered already"):
        await world.desk.run(mail.delivered, POSTMAN, letter.id, HASHES)
    entry = json.loads((await world.shared.entries("operator", 0))[-1].body)
    assert (entry["action"], entry["tenant"]) == ("mail.delivered", "northwind")


async def test_a_letter_goes_out_with_exactly_the_links_it_asks_for(world: World) -> None:
    """REQ-105."""
    await world.ask()
    letter = world.letters("request.created")[0]
    for links in ((), HASHES[:1]):
        with pytest.raises(Refused, match="other links"):
            await world.desk.run(mail.delivered, POSTMAN, letter.id, links)


async def test_only_the_mail_system_says_what_was_delivered(world: World) -> None:
    """REQ-105: no console could make itself a link."""
    await world.ask()
    letter = world.letters("request.created")[0]
    with pytest.raises(Refused, match="only the mail system"):
        await world.desk.run(mail.delivered, world.actor(world.dana), letter.id, HASHES)
