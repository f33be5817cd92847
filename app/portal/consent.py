"""`/consent/{token}`: the page behind the link in a letter (REQ-105, REQ-115).

Looking decides nothing, however often and by whomever. A decision is a post of the page's own form with the code that
the page shows; it goes through the very commands that `countersign consent` runs. What a link can do is data
(`OFFERS`): a new kind of link is a line there, its command, and its words.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from app.mail.links import token_hash
from app.policy.break_glass import STOPPABLE, may_veto
from app.policy.request_state import usable_until
from app.policy.requests import ALTERNATIVES, may_approve, may_decide, state_at, state_words
from app.policy.verdict import Refused, Verdict
from app.portal.door import Door, address_of, door_of
from app.portal.pages import page, told
from app.portal.rates import UNKNOWN_LINKS, WRONG_CODES
from app.portal.seal import browser_of
from app.services import consent
from app.services.consent import Asked
from storage.errors import Conflict, GuardRefused, Offline
from storage.models import Actor, ActorKind, ConsentLink, LinkKind, RequestState
from storage.shared.change import Change

router = APIRouter(include_in_schema=False)

WRONG_CODE = "That is not the code on this page. Nothing was decided: look at the code again, and type it."
LEFT_OPEN = (
    "This page was open too long, or your browser does not keep cookies. Nothing was decided: confirm once more."
)


@dataclass(frozen=True, slots=True)
class Offer:
    """What a link of one kind can do."""

    kind: LinkKind
    act: str
    title: str
    button: str
    effect: str
    command: Callable[..., Change]
    may: Callable[[Asked, Door], Verdict]
    chooses_minutes: bool = False


def _may_approve(on: Asked, door: Door) -> Verdict:
    return may_approve(on.request, on.admin, on.engineer, on.place, on.decision, None, door.now(), on.staff)


def _may_deny(on: Asked, door: Door) -> Verdict:
    return may_decide(on.request, on.admin, on.engineer, on.place, on.decision, door.now(), on.staff)


OFFERS: dict[LinkKind, Offer] = {
    LinkKind.APPROVE: Offer(
        LinkKind.APPROVE,
        "approve",
        "Approve this request",
        "Approve",
        "The engineer can then start one session, within 8 hours, for the minutes you grant and not longer.",
        consent.approve,
        _may_approve,
        chooses_minutes=True,
    ),
    LinkKind.DENY: Offer(
        LinkKind.DENY,
        "deny",
        "Deny this request",
        "Deny",
        "Nobody enters. The engineer and your other admins are told; they can ask again with another reason.",
        consent.deny,
        _may_deny,
    ),
}
VETO = Offer(
    LinkKind.VETO,
    "veto",
    "Veto break-glass",
    "Veto",
    "Nobody enters by this request, now or later. A veto is final; the engineer and the operator's supers are told.",
    consent.veto,
    lambda on, door: may_veto(on.request, on.admin, on.engineer, on.place, on.decision, door.now(), on.staff),
)
"""REQ-108: while break-glass is declared or cools, by the urgent letter's link or the deny link of the one before."""
SAYS_NO = (LinkKind.VETO, LinkKind.DENY)
ALSO: dict[LinkKind, tuple[LinkKind, ...]] = {LinkKind.APPROVE: (LinkKind.DENY,)}
"""What the bearer of one link may do as well, by the other link of the same letter: only what takes privilege away."""


@dataclass(frozen=True, slots=True)
class Way:
    """An offer that is open on this page, with the link that it uses up."""

    offer: Offer
    link: ConsentLink
    verdict: Verdict


@router.api_route("/consent/{token}", methods=["GET", "HEAD"], name="consent")
async def show(request: Request, token: str) -> Response:
    """The request behind a link, and what was decided. Decides nothing."""
    door = door_of(request)
    on = await _followed(request, token)
    if on is None:
        return _unknown(request)
    return _page(request, door, on, token)


@router.post("/consent/{token}")
async def decide(
    request: Request,
    token: str,
    act: Annotated[str, Form()] = "",
    seal: Annotated[str, Form()] = "",
    code: Annotated[str, Form()] = "",
    minutes: Annotated[str, Form()] = "",
    note: Annotated[str, Form()] = "",
    question: Annotated[str, Form()] = "",
) -> Response:
    """What the page's form says, if it came from the page and carries its code."""
    door = door_of(request)
    on = await _followed(request, token)
    if on is None:
        return _unknown(request)
    typed = {"act": act, "minutes": minutes, "note": note, "question": question}
    ways = {way.offer.act: way for way in _ways(door, on)}
    if not ways:
        return _page(request, door, on, token)
    opened = door.sealer.open(seal, _subject(on), browser_of(request))
    if opened is None:
        return _page(request, door, on, token, status=400, trouble=LEFT_OPEN, typed=typed)
    if door.rates.wait(WRONG_CODES, on.link.id):
        return told(request, "Too many wrong codes", "Nothing was decided. Try again in ten minutes.", status=429)
    if not opened.is_confirmed_by(code):
        door.rates.count(WRONG_CODES, on.link.id)
        return _page(request, door, on, token, status=400, trouble=WRONG_CODE, typed=typed)
    actor = Actor(ActorKind.TENANT_ADMIN, on.admin.id, on.admin.name, on.admin.email, address_of(request))
    try:
        if act == "ask":
            await door.run(consent.ask, actor, on.link.id, _lines(question), change_id=opened.change_id)
        elif act in ways:
            way = ways[act]
            words: tuple[object, ...] = (_lines(note),)
            if way.offer.chooses_minutes:
                words = (_minutes(minutes), *words)
            await door.run(way.offer.command, actor, way.link.id, *words, change_id=opened.change_id)
        else:
            return _page(request, door, on, token, status=400, trouble="Choose what to do.", typed=typed)
    except (Refused, Conflict, GuardRefused, ValueError) as refused:
        again = await _followed(request, token) or on
        return _page(request, door, again, token, status=409, trouble=f"Not done: {refused}.", typed=typed)
    except Offline:
        return told(
            request,
            "Not decided",
            "The access log is out of reach, and nothing is decided without an entry in it.",
            "Your link still works: try again in a minute.",
            status=503,
        )
    done = "asked" if act == "ask" else "decided"
    return RedirectResponse(f"/consent/{token}?{done}", 303)


async def _followed(request: Request, token: str) -> Asked | None:
    """What the link is about. A link that is not known here may just have been mailed by another process."""
    door = door_of(request)
    address = address_of(request)
    if door.rates.wait(UNKNOWN_LINKS, address):
        return None
    key = token_hash(token)
    if await door.row_or_pulled(ConsentLink, key) is None:
        door.rates.count(UNKNOWN_LINKS, address)
        return None
    return consent.asked(door.view(), key)


def _unknown(request: Request) -> Response:
    """One answer for whatever is not a link of ours: made up, cut off, or of another installation."""
    return told(
        request,
        "This link is not known here",
        "Copy the whole link from the letter, or open it again from there. Nothing was decided.",
        "If you sign in, you find every request and its state in your access log.",
        status=404,
    )


def _ways(door: Door, on: Asked) -> list[Way]:
    """What can be decided with this link now, what it was mailed for first."""
    state = state_at(on.request, door.now())
    if on.link.used_at is not None:
        return []
    if state in STOPPABLE:
        mine = (on.link.kind, *SAYS_NO) if on.link.kind not in SAYS_NO else (on.link.kind,)
        noes = (link for kind in mine if kind in SAYS_NO and (link := _link(door, on, kind)) is not None)
        return [Way(VETO, link, VETO.may(on, door)) for link in noes][:1]
    if state is not RequestState.PENDING or door.now() >= on.link.expires_at:
        return []
    found = []
    for kind in (on.link.kind, *ALSO.get(on.link.kind, ())):
        offer, link = OFFERS.get(kind), _link(door, on, kind)
        if offer is not None and link is not None:
            found.append(Way(offer, link, offer.may(on, door)))
    return found


def _link(door: Door, on: Asked, kind: LinkKind) -> ConsentLink | None:
    """This link, or the newest of another kind that the same person was mailed about the same request."""
    if kind is on.link.kind:
        return on.link
    mailed = door.view().latest(ConsentLink, 100, request_id=on.request.id)
    fitting = (one for one in mailed if one.kind is kind and one.contact_id == on.admin.id and one.used_at is None)
    return next(fitting, None)


def _subject(on: Asked) -> str:
    """What the form's seal is bound to: this link, and the content it shows (REQ-115)."""
    return f"consent {on.link.id} {on.request.content_digest}"


def _page(
    request: Request,
    door: Door,
    on: Asked,
    token: str,
    *,
    status: int = 200,
    trouble: str = "",
    typed: dict[str, str] | None = None,
) -> Response:
    ways = _ways(door, on)
    asked = on.request
    target = on.place.contact(asked.target_id)
    return page(
        request,
        "consent.html",
        status=status,
        subject=_subject(on) if ways else None,
        token=token,
        on=on,
        asked=asked,
        target=target,
        ways=ways,
        most=min(asked.minutes, on.place.settings.max_minutes),
        tried=[ALTERNATIVES[way] for way in asked.tried],
        state=state_at(asked, door.now()),
        until=usable_until(asked),
        vetoing=bool(ways) and ways[0].offer is VETO,
        state_words=state_words(asked, on.decision, door.now()),
        trouble=trouble,
        typed=typed or {},
        just=request.url.query if request.url.query in ("decided", "asked") else "",
        note_max=1000,
    )


def _minutes(text: str) -> int | None:
    """Minutes as typed; "" is what was asked. Raises ValueError in words."""
    if not text.strip():
        return None
    if not text.strip().isascii() or not text.strip().isdigit() or len(text.strip()) > 4:
        raise ValueError("say minutes as a number")
    return int(text)


def _lines(text: str) -> str:
    """A browser sends line breaks as CR LF."""
    return text.replace("\r\n", "\n").replace("\r", "\n").strip()
