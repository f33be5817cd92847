"""`/sign-in`: a tenant admin gets a link by mail, opens it, presses a button (REQ-602).

Whoever asks gets the same answer at the same speed, known or not: the letter is written after the answer has gone out.
Opening the link signs nobody in, for mail scanners open it first.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, BackgroundTasks, Form, Request, Response
from fastapi.responses import RedirectResponse

from app.logfile import note
from app.mail.links import token_hash
from app.policy.portal import SIGNED_IN
from app.policy.verdict import Refused
from app.portal.door import Door, address_of, door_of
from app.portal.pages import page, told
from app.portal.rates import SIGN_IN_BY_ACCOUNT, SIGN_IN_BY_ADDRESS, UNKNOWN_LINKS
from app.portal.seal import browser_of
from app.portal.who import Posting, forget_session, fresh_token, hash_of, keep_session, somebody_of
from app.services import sign_in as services
from storage.errors import Conflict, CountersignError, GuardRefused, Offline
from storage.models import Actor, ActorKind, Contact, SignInLink
from storage.replica.queries.portal import admins_with_address

router = APIRouter(include_in_schema=False)

ASKING = "sign in"
LONGEST_ADDRESS = 254


@router.api_route("/sign-in", methods=["GET", "HEAD"])
async def form(request: Request) -> Response:
    if somebody_of(request) is not None:
        return RedirectResponse("/access", 303)
    return page(request, "sign_in.html", subject=ASKING, trouble="", email="")


@router.post("/sign-in")
async def ask(
    request: Request,
    later: BackgroundTasks,
    email: Annotated[str, Form()] = "",
    seal: Annotated[str, Form()] = "",
) -> Response:
    """One answer for everybody."""
    door, address = door_of(request), address_of(request)
    email = email.strip()
    if door.sealer.open(seal, ASKING, browser_of(request)) is None:
        words = "This page was open too long, or your browser does not keep cookies. Ask once more."
        return page(request, "sign_in.html", status=400, subject=ASKING, trouble=words, email=email)
    if "@" not in email or len(email) > LONGEST_ADDRESS:
        words = "Give the e-mail address under which your company named you as an admin."
        return page(request, "sign_in.html", status=400, subject=ASKING, trouble=words, email=email)
    if seconds := door.rates.count(SIGN_IN_BY_ADDRESS, address):
        minutes = max(1, seconds // 60)
        return told(request, "Too many links were asked for", f"Try again in {minutes} minutes.", status=429)
    later.add_task(_mail, door, email, address)
    answer = told(
        request,
        "Look into your mailbox",
        "If that is the address of a tenant admin, a link is on its way to it. It works once, for 15 minutes.",
        "Nothing there? Look into the spam folder, or ask your other admins which address is on record.",
        status=200,
    )
    answer.background = later
    return answer


async def _mail(door: Door, email: str, address: str) -> None:
    """After the answer: the letter, or letters where somebody is admin of several tenants."""
    if door.rates.count(SIGN_IN_BY_ACCOUNT, email.casefold()):
        return
    for contact in admins_with_address(door.reader, email):
        try:
            await door.run(services.ask, services.door(address), contact.id)
        except CountersignError as error:
            note(door.place.launch, "a link to sign in was not mailed", error)


@router.api_route("/sign-in/{token}", methods=["GET", "HEAD"])
async def show(request: Request, token: str) -> Response:
    """The button. Signs nobody in."""
    found = await _followed(request, token)
    if found is None:
        return _no_good(request)
    link, contact = found
    return page(request, "sign_in_link.html", subject=_subject(link), token=token, contact=contact)


@router.post("/sign-in/{token}")
async def enter(request: Request, token: str, seal: Annotated[str, Form()] = "") -> Response:
    door = door_of(request)
    found = await _followed(request, token)
    if found is None:
        return _no_good(request)
    link, contact = found
    opened = door.sealer.open(seal, _subject(link), browser_of(request))
    if opened is None:
        return page(request, "sign_in_link.html", status=400, subject=_subject(link), token=token, contact=contact)
    cookie = fresh_token()
    actor = Actor(ActorKind.TENANT_ADMIN, contact.id, contact.name, contact.email, address_of(request))
    try:
        await door.run(services.enter, actor, link.id, hash_of(cookie))
    except (Refused, Conflict, GuardRefused):
        return _no_good(request)
    except Offline:
        return told(request, "Not signed in", "The access log is out of reach. Try again in a minute.", status=503)
    answer = RedirectResponse("/access", 303)
    keep_session(request, answer, cookie, int(SIGNED_IN.total_seconds()))
    return answer


@router.post("/sign-out")
async def leave(request: Request, somebody: Posting) -> Response:
    door = door_of(request)
    try:
        await door.run(services.leave, somebody.actor, somebody.session.id)
    except (Refused, Conflict, GuardRefused) as over:
        note(door.place.launch, "a session was over already", over)
    answer = RedirectResponse("/sign-in", 303)
    forget_session(request, answer)
    return answer


def _subject(link: SignInLink) -> str:
    return f"sign in by {link.id}"


async def _followed(request: Request, token: str) -> tuple[SignInLink, Contact] | None:
    """The link, if it still works. Guesses are counted."""
    door, address = door_of(request), address_of(request)
    if door.rates.wait(UNKNOWN_LINKS, address):
        return None
    link = await door.row_or_pulled(SignInLink, token_hash(token))
    if link is None:
        door.rates.count(UNKNOWN_LINKS, address)
        return None
    contact = door.view().get(Contact, link.contact_id)
    usable = link.used_at is None and door.now() < link.expires_at and contact is not None
    return (link, contact) if usable and contact is not None else None


def _no_good(request: Request) -> Response:
    """One answer for a link that is made up, used, late, or somebody's who is no admin any more."""
    return told(
        request,
        "This link does not sign you in",
        "It works once, for 15 minutes. Ask for a fresh one.",
        status=404,
        link=("/sign-in", "Ask for a link"),
    )
