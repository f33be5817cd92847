"""One entry in full: every field, before and after side by side, the rows it vouches for, its place in the chain."""

from __future__ import annotations

import json
from datetime import tzinfo
from typing import Any

from storage.log.actions import Action
from storage.replica.queries.log import Entry
from widgets.cells import Cell, Tone, Toned
from widgets.fields import BLANK, Field, field, line
from widgets.moments import full_text, parse_utc
from widgets.text import clipped, visible

HASH = 24
LABEL = 16
SHOWN_ROWS = 200

_MEANINGS = {action.value: action.meaning for action in Action}
_PLAIN_FIELDS = ("target", "request", "session", "ticket", "ip")
_SHOWN = frozenset(
    {"v", "log", "seq", "prev", "at", "action", "actor", "tenant", "reason", "before", "after", "data", "rows", "ref"}
    | {"seen", "change", *_PLAIN_FIELDS}
)


def entry_fields(entry: Entry, hash: str, tenant: str, zone: tzinfo | None) -> tuple[Field, ...]:
    """The details pane. `tenant` is the tenant's name. Everything of the entry passes the gate here."""
    data = entry.data
    action = str(data.get("action", ""))
    at = parse_utc(str(data.get("at", "")))
    fields = [
        line(Toned(visible(action), Tone.STRONG)),
        line(Toned(_MEANINGS.get(action, "no action that this version knows"), Tone.DIM)),
        BLANK,
        _named("entry", f"{data.get('log', '')} {entry.seq:,}"),
        _named("at", full_text(at, zone) if at else str(data.get("at", ""))),
        _named("by", *_person(data.get("actor"))),
    ]
    if tenant_id := data.get("tenant"):
        fields.append(_named("tenant", *((tenant, str(tenant_id)) if tenant else (str(tenant_id),))))
    fields += [_named(name, str(data[name])) for name in _PLAIN_FIELDS if data.get(name)]
    if data.get("reason"):
        fields.append(_named("reason", str(data["reason"])))
    fields += _changes(data.get("before"), data.get("after"))
    details = data.get("data")
    if isinstance(details, dict) and details:
        fields += [BLANK, *(_named(name, words(value)) for name, value in details.items())]
    fields += [_named(name, words(data[name])) for name in sorted(data.keys() - _SHOWN)]
    return (*fields, *_chain(data, hash))


def _named(name: str, *values: str) -> Field:
    label = clipped(visible(name).replace("_", " "), LABEL)
    return field(label, *(visible(part) for value in values for part in value.split("\n")))


def _person(actor: Any) -> tuple[str, ...]:
    if not isinstance(actor, dict):
        return ("",)
    name, email = str(actor.get("name") or actor.get("id") or ""), str(actor.get("email") or "")
    kind = str(actor.get("kind", "")).replace("_", " ")
    return (f"{name} · {kind}", email) if email else (f"{name} · {kind}",)


def _changes(before: Any, after: Any) -> list[Field]:
    """What was, and what is: one line a field, unchanged fields left out."""
    before = before if isinstance(before, dict) else {}
    after = after if isinstance(after, dict) else {}
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    found = [BLANK] if names else []
    for name in names:
        old = words(before[name]) if name in before else "—"
        new = words(after[name]) if name in after else "—"
        change: Cell = Toned(visible(f"{old} → {new}"), Tone.STRONG)
        found.append(field(clipped(visible(name).replace("_", " "), LABEL), change))
    return found


def _chain(data: dict[str, Any], hash: str) -> list[Field]:
    found = [
        BLANK,
        field("hash", Toned(hash[:HASH] + "…", Tone.DIM)),
        field("prev", Toned(visible(str(data.get("prev", "")))[:HASH] + "…", Tone.DIM)),
    ]
    ref, seen, rows = data.get("ref"), data.get("seen"), data.get("rows")
    if isinstance(ref, dict):
        found.append(_named("twin", f"{ref.get('log')} {ref.get('seq')}"))
    if isinstance(seen, dict):
        found.append(_named("seen", f"head {seen.get('seq')} when it acted"))
    if isinstance(rows, list) and rows:
        lines = [
            Toned(clipped(visible(f"{row[0]} {row[1]}"), 34), Tone.DIM)
            for row in rows[:SHOWN_ROWS]
            if isinstance(row, list) and len(row) == 3
        ]
        if len(rows) > SHOWN_ROWS:
            lines.append(Toned(f"… {len(rows) - SHOWN_ROWS} more", Tone.DIM))
        found.append(field("vouches for", *lines))
    return found


def words(value: Any) -> str:
    """A value of an entry as a person reads it; nothing is a dash."""
    if value in (None, "", [], {}):
        return "—"
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ", ".join(value)
    return json.dumps(value, ensure_ascii=False)
