"""One entry in full: every field, before and after side by side, the rows it vouches for, its place in the chain."""

from __future__ import annotations

import json
from datetime import tzinfo
from typing import Any

from textual.content import Content

from storage.log.actions import Action
from storage.replica.queries.log import Entry
from widgets.moments import full_text, parse_utc
from widgets.text import fitted, visible

LABEL = 9
HASH = 24

_MEANINGS = {action.value: action.meaning for action in Action}
_PLAIN_FIELDS = ("target", "request", "session", "ticket", "ip")
_SHOWN = frozenset(
    {"v", "log", "seq", "prev", "at", "action", "actor", "tenant", "reason", "before", "after", "data", "rows", "ref"}
    | {"seen", "change", *_PLAIN_FIELDS}
)


def entry_detail(entry: Entry, hash: str, tenant: str, zone: tzinfo | None) -> Content:
    """The details pane's text. Everything of the entry passes the gate."""
    data = entry.data
    action = str(data.get("action", ""))
    lines = _Lines()
    lines.add(f"{visible(str(data.get('log', '')))} {entry.seq:,}", "bold")
    lines.add(visible(action), "bold $tone-accent")
    lines.add(_MEANINGS.get(action, "no action of this version"), "$tone-dim")
    lines.gap()
    at = parse_utc(str(data.get("at", "")))
    lines.field("at", full_text(at, zone) if at else str(data.get("at", "")))
    lines.field("by", _person(data.get("actor")))
    if tenant_id := data.get("tenant"):
        lines.field("tenant", f"{tenant} · {tenant_id}" if tenant else str(tenant_id))
    for name in _PLAIN_FIELDS:
        if data.get(name):
            lines.field(name, str(data[name]))
    if data.get("reason"):
        lines.gap()
        lines.field("reason", str(data["reason"]))
    _changes(lines, data.get("before"), data.get("after"))
    details = data.get("data")
    if isinstance(details, dict) and details:
        lines.heading("details")
        for name, value in details.items():
            lines.field(name, _shown(value))
    for name in sorted(data.keys() - _SHOWN):
        lines.field(name, _shown(data[name]))
    _chain(lines, data, hash)
    return lines.content()


class _Lines:
    """Lines under construction: labels aligned, all text gated."""

    def __init__(self) -> None:
        self._parts: list[tuple[str, str]] = []

    def add(self, text: str, style: str = "") -> None:
        self._parts.append((text + "\n", style))

    def gap(self) -> None:
        self._parts.append(("\n", ""))

    def heading(self, title: str) -> None:
        self._parts.append((f"\n{title}\n", "bold $tone-dim"))

    def field(self, name: str, value: str, style: str = "") -> None:
        self._parts.append((fitted(visible(name), max(LABEL, len(name))) + " ", "$tone-dim"))
        self._parts.append((visible(value, lines=True) + "\n", style))

    def content(self) -> Content:
        return Content.assemble(*self._parts)


def _person(actor: Any) -> str:
    if not isinstance(actor, dict):
        return ""
    name, email = actor.get("name") or actor.get("id"), actor.get("email")
    return f"{name} <{email}> · {actor.get('kind')}" if email else f"{name} · {actor.get('kind')}"


def _changes(lines: _Lines, before: Any, after: Any) -> None:
    """What was, and what is: one line a field, unchanged fields left out."""
    before = before if isinstance(before, dict) else {}
    after = after if isinstance(after, dict) else {}
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    if not names:
        return
    lines.heading("before → after")
    for name in names:
        old = _shown(before[name]) if name in before else "—"
        new = _shown(after[name]) if name in after else "—"
        lines.field(name, f"{old} → {new}", "bold")


def _chain(lines: _Lines, data: dict[str, Any], hash: str) -> None:
    lines.heading("in the chain")
    lines.field("hash", hash[:HASH] + "…", "$tone-dim")
    lines.field("prev", str(data.get("prev", ""))[:HASH] + "…", "$tone-dim")
    ref = data.get("ref")
    if isinstance(ref, dict):
        lines.field("twin", f"{ref.get('log')} {ref.get('seq')}")
    seen = data.get("seen")
    if isinstance(seen, dict):
        lines.field("seen", f"head {seen.get('seq')} when it acted", "$tone-dim")
    rows = data.get("rows")
    if isinstance(rows, list) and rows:
        lines.heading(f"rows it vouches for: {len(rows)}")
        for row in rows:
            if isinstance(row, list) and len(row) == 3:
                lines.field(str(row[0]), f"{row[1]}  {str(row[2])[:12]}…")


def _shown(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return "—"
    if isinstance(value, bool):
        return "yes" if value else "no"
    return json.dumps(value, ensure_ascii=False)
