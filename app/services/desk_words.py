"""What the desk says when a command waits for the shared database, or when somebody else was faster."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime

from app.policy.words import moment
from app.services.command import act_of, adds_privilege
from storage.models import parse_time
from storage.shared.change import Change, Read

ADDS_PRIVILEGE = (
    "what adds privilege needs the shared database itself; ending, denying, withdrawing, notes and outcomes are kept"
    " and sent on return"
)
TAKES_A_CODE = "it takes a fresh code, which only the shared database can check: ask a super who can reach it"
"""P10: a code of its own, good for half a minute."""


def why_not_kept(command: Callable[..., Change]) -> str:
    """Why this act waits for the shared database instead of in the outbox (REQ-802)."""
    if adds_privilege(command):
        return ADDS_PRIVILEGE
    if act_of(command) is not None:
        return TAKES_A_CODE
    return "it is not one of the acts that are kept: do it again when the shared database is back"


def who_was_faster(changed: tuple[Read, str | None] | None, now: datetime) -> str:
    """Who did what, when, to a row that a decision rested on: the row, and the body of the entry that changed it."""
    if changed is None:
        return "somebody else was faster"
    read, body = changed
    if body is None:
        return f"{read.table} {read.key} was changed a moment ago"
    entry = json.loads(body)
    at = moment(parse_time(entry["at"]), now)
    return f"{entry['actor']['name']} was faster: {entry['action']} ({read.table} {read.key}) at {at}"
