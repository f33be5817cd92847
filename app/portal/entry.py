"""`/access/log/{seq}`: one entry of a tenant's own log, and its dispute (REQ-404, REQ-504)."""

from __future__ import annotations

import json
import re
from typing import Annotated

from fastapi import APIRouter, Form, Request, Response
from fastapi.responses import RedirectResponse

from app.policy.text import REASON_MAX
from app.policy.verdict import Refused
from app.portal.door import door_of
from app.portal.log_words import line
from app.portal.pages import page, told
from app.portal.who import Admin, Posting, Somebody
from app.services import reviews
from storage.errors import Conflict, GuardRefused, Offline
from storage.replica.queries.log import entries_by_number, entry_hash, newest
from storage.replica.queries.reviews import reviews_of_entry

router = APIRouter(include_in_schema=False)


@router.api_route("/access/log/{seq}", methods=["GET", "HEAD"])
async def show(request: Request, somebody: Admin, seq: str) -> Response:
    """The entry, with the exact text that its hash is of, and what was said of it."""
    return _page(request, somebody, _number(seq))


@router.post("/access/log/{seq}/dispute")
async def dispute(
    request: Request,
    somebody: Posting,
    seq: str,
    words: Annotated[str, Form()] = "",
    seal: Annotated[str, Form()] = "",
) -> Response:
    """REQ-504: it becomes a review. The same form sent twice disputes once."""
    door, number = door_of(request), _number(seq)
    found = entries_by_number(door.reader, somebody.log, [number])
    if not found:
        return _none(request)
    opened = door.sealer.open(seal, _subject(somebody, number), somebody.session.id)
    if opened is None:
        return _page(request, somebody, number, status=400, typed=words, trouble="That page was old: send it again.")
    entry = reviews.disputed(somebody.tenant.id, number, found[0].data)
    try:
        await door.run(reviews.dispute, somebody.actor, entry, words.strip(), change_id=opened.change_id)
    except (Refused, Conflict, GuardRefused) as refused:
        return _page(request, somebody, number, status=409, typed=words, trouble=f"Not done: {refused}.")
    except Offline as offline:
        trouble = f"Not done: {offline}. Your words are still here: send them again in a minute."
        return _page(request, somebody, number, status=503, typed=words, trouble=trouble)
    return RedirectResponse(f"/access/log/{number}#dispute", 303)


def _page(
    request: Request, somebody: Somebody, number: int, *, status: int = 200, typed: str = "", trouble: str = ""
) -> Response:
    door = door_of(request)
    found = entries_by_number(door.reader, somebody.log, [number])
    if not found:
        return _none(request)
    disputes = reviews_of_entry(door.reader, somebody.tenant.id, number)
    return page(
        request,
        "entry.html",
        status=status,
        line=line(found[0]),
        data=found[0].data,
        body=found[0].body,
        pretty=json.dumps(found[0].data, indent=2, ensure_ascii=False),
        hash=entry_hash(door.reader, somebody.log, number),
        last=newest(door.reader, somebody.log),
        disputes=disputes,
        may_dispute=all(one.review.signed_at is not None for one in disputes),
        own_seal=door.sealer.seal(_subject(somebody, number), somebody.session.id),
        longest=REASON_MAX,
        typed=typed[:REASON_MAX],
        trouble=trouble,
    )


def _none(request: Request) -> Response:
    return told(request, "There is no such entry in your log", status=404, link=("/access/log", "Your log"))


def _number(seq: str) -> int:
    """0, which no entry has, for what is no number."""
    return int(seq) if re.fullmatch(r"[0-9]{1,15}", seq) else 0


def _subject(somebody: Somebody, number: int) -> str:
    return f"dispute {somebody.tenant.id} {number}"
