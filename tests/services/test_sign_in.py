"""Signing in to the portal: asked, mailed, used once, ended (REQ-602)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from hashlib import sha256

import pytest

from app.policy.portal import ASKED_MOST, SIGN_IN_EVENT, SIGNED_IN, is_signed_in
from app.policy.verdict import Refused
from app.services import sign_in, tenants
from storage.errors import GuardRefused
from storage.models import Contact, LinkKind, PortalSession, SignInLink
from tests.services.world import NORTHWIND, PLATFORM, World, token

MARIA = "northwind/maria"
DOOR = sign_in.door("203.0.113.9")
COOKIE = sha256(b"a cookie").hexdigest()


async def mailed(world: World, contact: str = MARIA) -> str:
    """A link that was asked for and mailed, as the hash that names it."""
    await world.desk.run(sign_in.ask, DOOR, contact)
    await world.deliver()
    return token(world.letters(SIGN_IN_EVENT)[-1], LinkKind.SIGN_IN)


async def test_a_mailed_link_signs_its_admin_in_once(world: World) -> None:
    """REQ-602: a letter to the admin, a link for 15 minutes, a session for a working day; all of it in their log."""
    link = await mailed(world)
    letter = world.letters(SIGN_IN_EVENT)[-1]
    assert (letter.to_email, letter.tenant_id) == ("maria@northwind.example", "northwind")
    assert world.row(SignInLink, link).expires_at == world.clock.now() + timedelta(minutes=15)

    await world.run(sign_in.enter, world.admin(MARIA), link, COOKIE)
    session = world.row(PortalSession, COOKIE)
    assert (session.contact_id, session.tenant_id) == (MARIA, "northwind")
    assert is_signed_in(session, world.row(Contact, MARIA), world.clock.now())

    with pytest.raises(Refused, match="was used"):
        await world.run(sign_in.enter, world.admin(MARIA), link, sha256(b"another").hexdigest())
    await world.run(sign_in.leave, world.admin(MARIA), COOKIE)
    assert not is_signed_in(world.row(PortalSession, COOKIE), world.row(Contact, MARIA), world.clock.now())
    with pytest.raises(Refused, match="over already"):
        await world.run(sign_in.leave, world.admin(MARIA), COOKIE)


async def test_a_link_is_too_late_after_a_quarter_of_an_hour(world: World) -> None:
    link = await mailed(world)
    world.clock.advance(timedelta(minutes=15))
    with pytest.raises(Refused, match="expired"):
        await world.run(sign_in.enter, world.admin(MARIA), link, COOKIE)


async def test_a_link_is_for_whom_it_was_mailed_to(world: World) -> None:
    link = await mailed(world)
    with pytest.raises(Refused, match="somebody else"):
        await world.run(sign_in.enter, world.admin("northwind/juan"), link, COOKIE)


async def test_only_admins_are_mailed_and_signed_in(world: World) -> None:
    """Whoever stops being an admin is out at once, with the link in hand or the browser open."""
    with pytest.raises(Refused, match="not an admin"):
        await world.desk.run(sign_in.ask, DOOR, "northwind/eva")
    first, second = await mailed(world), await mailed(world)
    await world.run(sign_in.enter, world.admin(MARIA), first, COOKIE)
    fewer = replace(NORTHWIND, contacts=NORTHWIND.contacts[1:])
    await world.desk.run(tenants.import_records, PLATFORM, [fewer])
    assert not is_signed_in(world.row(PortalSession, COOKIE), world.row(Contact, MARIA), world.clock.now())
    with pytest.raises(Refused, match="not an admin"):
        await world.run(sign_in.enter, world.admin(MARIA), second, sha256(b"another").hexdigest())


async def test_one_account_gets_few_letters_an_hour(world: World) -> None:
    """Whatever process asks, and after every restart: the letters themselves are counted."""
    for _ in range(ASKED_MOST):
        await world.desk.run(sign_in.ask, DOOR, MARIA)
    with pytest.raises(Refused, match="within the hour"):
        await world.desk.run(sign_in.ask, DOOR, MARIA)
    await world.desk.run(sign_in.ask, DOOR, "northwind/juan")
    world.clock.advance(timedelta(hours=1))
    await world.desk.run(sign_in.ask, DOOR, MARIA)


async def test_a_browser_is_signed_out_after_a_working_day(world: World) -> None:
    await world.run(sign_in.enter, world.admin(MARIA), await mailed(world), COOKIE)
    world.clock.advance(SIGNED_IN)
    assert not is_signed_in(world.row(PortalSession, COOKIE), world.row(Contact, MARIA), world.clock.now())


async def test_the_database_itself_keeps_the_door(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """P5 with the rules taken away: no session without a link used up, none for somebody else."""
    link = await mailed(world)
    monkeypatch.setattr(sign_in, "require", lambda verdict: None)
    with pytest.raises(GuardRefused, match="P5"):
        await world.run(sign_in.enter, world.admin("northwind/juan"), link, COOKIE)
    world.clock.advance(timedelta(minutes=16))
    with pytest.raises(GuardRefused, match="P5"):
        await world.run(sign_in.enter, world.admin(MARIA), link, COOKIE)
