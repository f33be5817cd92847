"""`/access/log`, receipts, verifying and exporting: a tenant reads its own log, and need not believe us (REQ-404).

Everything is narrowed to the tenant of whoever is signed in, in the query itself; another tenant's number, session or
request is not there.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query, Request, Response
from fastapi.responses import JSONResponse, PlainTextResponse

from app.policy.verdict import Refused
from app.portal.door import door_of
from app.portal.log_words import KINDS, line
from app.portal.pages import page, told
from app.portal.rates import HEAVY
from app.portal.tenant_log import packed, verified
from app.portal.who import Admin, Posting, Somebody
from app.reports import dossier, dossier_page
from storage.errors import Conflict, CountersignError, GuardRefused, Misconfigured, Offline
from storage.models import time_text
from storage.replica.queries.log import entry_hash, newest
from storage.replica.queries.log_filter import LogFilter, parse_filter, parse_moment
from storage.replica.queries.portal import log_page, sessions_of
from storage.replica.queries.sessions import session_card

router = APIRouter(include_in_schema=False)

PAGE = 50
LONGEST = 200


@router.api_route("/access/log", methods=["GET", "HEAD"])
async def entries(
    request: Request,
    somebody: Admin,
    words: str = "",
    kind: str = "",
    since: Annotated[str, Query(alias="from")] = "",
    until: Annotated[str, Query(alias="to")] = "",
    before: str = "",
) -> Response:
    """The newest entries that fit, a page at a time."""
    door = door_of(request)
    now = door.now()
    chosen = parse_filter(words[:LONGEST], now)
    first, last = parse_moment(since, now, None), parse_moment(until, now, None, end=True)
    problems = [*chosen.problems]
    problems += [f"{name}: give a day, such as 2026-03-01" for name, text, moment in
                 (("from", since, first), ("to", until, last)) if text and moment is None]  # fmt: skip
    wanted = replace(
        chosen,
        tenant=(),
        action=(*chosen.action, *KINDS.get(kind, ("", ()))[1]),
        since=first or chosen.since,
        until=last or chosen.until,
    )
    number = int(before) if re.fullmatch(r"[0-9]{1,15}", before) else None
    found = log_page(door.reader, somebody.tenant.id, LogFilter() if problems else wanted, before=number, size=PAGE)
    asked = {"words": words, "kind": kind, "from": since, "to": until}
    older = urlencode({**{k: v for k, v in asked.items() if v}, "before": found.older}) if found.older else ""
    return page(
        request,
        "log.html",
        lines=[line(entry) for entry in found.entries],
        kinds=KINDS,
        asked=asked,
        older=older,
        first_page=number is None,
        problems=problems,
        total=newest(door.reader, somebody.log),
    )


@router.api_route("/access/sessions", methods=["GET", "HEAD"])
async def sessions(request: Request, somebody: Admin, before: str = "") -> Response:
    """Every session there was, newest first."""
    door = door_of(request)
    edge = before if re.fullmatch(r"[0-9TZ:.-]{10,40}", before) else None
    cards = sessions_of(door.reader, somebody.tenant.id, before=edge, limit=PAGE + 1)
    older = urlencode({"before": time_text(cards[PAGE - 1].session.started_at)}) if len(cards) > PAGE else ""
    return page(request, "sessions.html", cards=cards[:PAGE], older=older)


@router.api_route("/access/sessions/{session_id}", methods=["GET", "HEAD"])
async def receipt(request: Request, somebody: Admin, session_id: str) -> Response:
    """The five questions on one page: who, who approved, which case, what was viewed, how long (REQ-406)."""
    door = door_of(request)
    key, _, form = session_id.partition(".")
    card = session_card(door.reader, key)
    if card is None or card.session.tenant_id != somebody.tenant.id or form not in ("", "json", "md"):
        return told(request, "There is no such session", status=404, link=("/access/sessions", "Receipts"))
    found = dossier.collect(door.reader, key, door.now())
    if form == "json":
        return JSONResponse(found, headers=_download(f"{key}.json"))
    if form == "md":
        text = dossier_page.as_markdown(found) + "\n"
        return PlainTextResponse(text, headers=_download(f"{key}.md"), media_type="text/markdown")
    return page(request, "receipt.html", found=found, card=card)


@router.api_route("/access/verify", methods=["GET", "HEAD"])
async def verify_form(request: Request, somebody: Admin) -> Response:
    return page(request, "verify.html", report=None, compared=None, trouble="", typed="")


@router.post("/access/verify")
async def verify(request: Request, somebody: Posting, head: Annotated[str, Form()] = "") -> Response:
    """Read the whole log of this tenant from the shared database and check it; and a letter's line against it."""
    door = door_of(request)
    if seconds := door.rates.count(HEAVY, somebody.tenant.id):
        return told(request, "One moment", f"Your log was just read. Try again in {seconds} seconds.", status=429)
    try:
        report = await verified(door, somebody.tenant.id)
    except CountersignError as error:
        return told(request, "Not verified", f"{error}.", status=503)
    compared = _compared(request, somebody, head[:LONGEST]) if head.strip() else None
    return page(request, "verify.html", report=report, compared=compared, trouble="", typed=head[:LONGEST])


@router.post("/access/export")
async def export(
    request: Request,
    somebody: Posting,
    since: Annotated[str, Form(alias="from")] = "",
    until: Annotated[str, Form(alias="to")] = "",
) -> Response:
    """A pack that verifies offline, without this software. Taking it goes on record."""
    door = door_of(request)
    now = door.now()
    first, last = parse_moment(since, now, None), parse_moment(until, now, None, end=True)
    if (since and first is None) or (until and last is None):
        words = "Give days such as 2026-03-01, or leave them empty for the whole log."
        return page(request, "verify.html", status=400, report=None, compared=None, trouble=words, typed="")
    if seconds := door.rates.count(HEAVY, somebody.tenant.id):
        return told(request, "One moment", f"Your log was just read. Try again in {seconds} seconds.", status=429)
    try:
        return await packed(door, somebody.actor, somebody.tenant.id, first, last)
    except (Refused, Conflict, GuardRefused, Offline, Misconfigured) as error:
        return told(request, "Not exported", f"{error}.", status=503)


def _download(name: str) -> dict[str, str]:
    return {"content-disposition": f'attachment; filename="{re.sub(r"[^A-Za-z0-9._-]", "_", name)}"'}


def _compared(request: Request, somebody: Somebody, text: str) -> tuple[bool, str]:
    """A letter's X-Countersign-Head against the log."""
    door, log = door_of(request), somebody.log
    parts = re.search(r"(?:(\S+)\s+)?([0-9]{1,15})\s+([0-9a-fA-F]{64})\s*$", text.strip())
    if parts is None:
        return False, "That is not a line of a letter: log, number and hash, such as tenant:you 12 ab12…"
    if parts[1] not in (None, log, "X-Countersign-Head:"):
        return False, f"That letter names another log ({parts[1]}); yours is {log}."
    number, stored = int(parts[2]), entry_hash(door.reader, log, int(parts[2]))
    if not stored:
        return False, f"Your log has no entry {number:,}. If the letter is ours, entries are missing: ask at once."
    if stored != parts[3].lower():
        return (
            False,
            f"Entry {number:,} has another hash than the letter says. Your log is not what it was: ask now.",
        )
    return True, f"Entry {number:,} is the very one that the letter witnessed."
