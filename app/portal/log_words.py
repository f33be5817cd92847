"""Entries of a tenant's log in words for its admins; the exact text is always one click away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from app.policy.portal import SIGN_IN_EVENT
from storage.log.actions import IMPERSONATION, Action
from storage.models import parse_time
from storage.replica.queries.log import Entry

KINDS: dict[str, tuple[str, tuple[str, ...]]] = {
    "": ("Everything", ()),
    "decisions": ("Requests and decisions", ("request.*", "question.*", "break_glass.*", "emergency.*")),
    "sessions": ("Sessions", ("session.*", "elevation.*", "outcome.*")),
    "viewed": ("What was viewed", (IMPERSONATION + "*",)),
    "reviews": ("Disputes and reviews", ("review.*",)),
    "settings": ("Settings and account", ("settings.*", "kill_switch.*", "tenant.*", "api_key.*")),
    "portal": ("Signing in and exports", ("sign_in.*", "portal.*", "log.*")),
    "mail": ("Letters", ("mail.*", "digest.*")),
}
"""What can be chosen in the filter: words, and patterns of action codes."""
_MEANINGS = {action.value: action.meaning for action in Action}


@dataclass(frozen=True, slots=True)
class Line:
    """One entry, for a table."""

    seq: int
    at: datetime | None
    action: str
    meaning: str
    who: str
    by: str
    detail: str
    session: str | None


def line(entry: Entry) -> Line:
    """Whatever the entry holds is shown; what this version does not know is shown as it is."""
    data = entry.data
    actor = data.get("actor")
    actor = actor if isinstance(actor, dict) else {}
    action = str(data.get("action", ""))
    return Line(
        entry.seq,
        _time(data.get("at")),
        action.removeprefix(IMPERSONATION),
        _MEANINGS.get(action, action),
        str(actor.get("name", "")),
        {"staff": "operator", "tenant_admin": "your admin", "system": "system", "gate": "product"}.get(
            str(actor.get("kind")), str(actor.get("kind", ""))
        ),
        _detail(data),
        str(data["session"]) if isinstance(data.get("session"), str) else None,
    )


def _time(text: object) -> datetime | None:
    try:
        return parse_time(str(text))
    except ValueError:
        return None


def _detail(data: Mapping[str, Any]) -> str:
    more = data.get("data")
    more = more if isinstance(more, dict) else {}
    before, after = data.get("before"), data.get("after")
    parts: list[str] = []
    if isinstance(before, dict) and isinstance(after, dict):
        parts += [f"{name}: {_plain(before.get(name))} → {_plain(value)}" for name, value in after.items()]
    for name in ("name", "question", "answer", "note", "minutes", "mode", "count"):
        if name in more and more[name] not in ("", None):
            parts.append(f"{name}: {_plain(more[name])}")
    if more.get("event") == SIGN_IN_EVENT:
        parts.append("a link to sign in")
    elif "event" in more:
        parts.append(f"letter: {more['event']}")
    if isinstance(more.get("fields"), list) and more["fields"]:
        parts.append("fields " + ", ".join(str(one) for one in more["fields"]))
    if isinstance(data.get("reason"), str):
        parts.append(data["reason"])
    if isinstance(data.get("ticket"), str):
        parts.append(data["ticket"])
    return " · ".join(parts)


def _plain(value: object) -> str:
    if isinstance(value, bool):
        return "on" if value else "off"
    return "–" if value is None else str(value)
