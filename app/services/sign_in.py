"""Commands of signing in to the portal: a link is asked for, used, and the browser's session ended (REQ-602).

Tokens and cookies never come here, only their hashes.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from app.policy import portal as policy
from app.policy.verdict import Verdict, require, rule
from app.services import portal_letters, reading
from app.services.command import adds_no_privilege, change
from storage.log.actions import Action
from storage.log.entry import Draft
from storage.models import Actor, ActorKind, Contact, Mail, PortalSession, SignInLink
from storage.shared.change import Change, Write
from storage.view import View

DOOR = "portal"
"""The id of the actor that stands for the portal itself: somebody asked, nobody knows yet who."""
SHOWN = 12
"""So much of a session's hash stands in entries, to tell one browser from another."""
LETTERS_LOOKED_AT = 60


def door(ip: str) -> Actor:
    """The portal as the one who acts, for an address that asked."""
    return Actor(ActorKind.SYSTEM, DOOR, "portal", "", ip)


def ask(view: View, actor: Actor, contact_id: str, *, now: datetime) -> Change:
    """Somebody at `actor.ip` gave this admin's address: the admin is mailed a link. It goes on record, so that the
    tenant sees it when it was nobody of theirs."""
    contact = reading.the(view, Contact, contact_id, "contact")
    place = reading.place(view, contact.tenant_id)
    newest = view.latest(Mail, LETTERS_LOOKED_AT, to_email=contact.email)

    require(
        rule("REQ-602", actor.kind is ActorKind.SYSTEM and actor.id == DOOR, "the portal asks", "only the portal asks")
        & policy.may_be_mailed(contact, place, newest, now)
    )

    mail = portal_letters.sign_in(view, place, contact, actor.ip, now)
    entry = Draft(Action.SIGN_IN_ASKED, tenant=contact.tenant_id, target=contact.id)
    return change(view, actor, now, [entry], [], [mail], id=mail.id)


def enter(view: View, actor: Actor, token_hash: str, session_hash: str, *, now: datetime) -> Change:
    """The link is used up; the browser that holds the token behind `session_hash` is signed in."""
    link = reading.the(view, SignInLink, token_hash, "link")
    contact = reading.the(view, Contact, link.contact_id, "contact")
    place = reading.place(view, link.tenant_id)

    require(_is_bearer(actor, link) & policy.may_sign_in(link, contact, place, now))

    session = PortalSession(session_hash, contact.id, contact.tenant_id, now, now + policy.SIGNED_IN)
    entry = _entry(Action.PORTAL_SIGNED_IN, session)
    writes = [Write(replace(link, used_at=now)), Write(session)]
    return change(view, actor, now, [entry], writes, id=session_hash)


@adds_no_privilege
def leave(view: View, actor: Actor, session_hash: str, *, now: datetime) -> Change:
    """The browser's session is over."""
    session = reading.the(view, PortalSession, session_hash, "session")

    require(
        rule("REQ-602", actor.id == session.contact_id, "it is one's own", "it is somebody else's")
        & rule("REQ-602", session.is_open(now), "it is open", "it is over already")
    )

    ended = replace(session, ended_at=now)
    return change(view, actor, now, [_entry(Action.PORTAL_SIGNED_OUT, ended)], [Write(ended)], id=session_hash)


def _is_bearer(actor: Actor, link: SignInLink) -> Verdict:
    mine = actor.kind is ActorKind.TENANT_ADMIN and actor.id == link.contact_id
    return rule("REQ-602", mine, "the link was mailed to them", "the link was mailed to somebody else")


def _entry(action: Action, session: PortalSession) -> Draft:
    data = {"session": session.id[:SHOWN]}
    return Draft(action, tenant=session.tenant_id, target=session.contact_id, data=dict(data))
