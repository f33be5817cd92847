"""A Change as `countersign.apply` takes it, and its answer as it comes back."""

from __future__ import annotations

import json
from typing import Any

from storage.log.entry import Draft
from storage.models.people import Actor
from storage.models.row import Json, encode, parse_time, row_type, time_text
from storage.shared.change import Applied, Change

_FIELDS = ("tenant", "target", "request", "session", "ticket", "reason", "before", "after")


def sent(change: Change) -> str:
    """The JSON text of a Change. Letters are rows under the first entry, as everywhere. Raises ValueError for text that
    no UTF-8 can hold."""
    for read in change.reads:
        row_type(read.table)  # a table of ours, or KeyError, as on SQLite
    writes: list[Json] = [[w.row.TABLE, w.row.id, w.row.image(), w.entry] for w in change.writes]
    writes += [[mail.TABLE, mail.id, mail.image(), 0] for mail in change.mails]
    writes.sort(key=_place)  # as an entry lists them: then the database need not sort
    data: dict[str, Json] = {
        "id": change.id,
        "at": time_text(change.at),
        "actor": actor(change.actor),
        "entries": [_draft(draft) for draft in change.entries],
        "reads": [[read.table, read.key, read.rev] for read in change.reads],
        "writes": writes,
        "answer": dict(change.answer),
        "seen": None if change.seen is None else {"seq": change.seen.seq, "hash": change.seen.hash},
    }
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))


def _place(write: Json) -> tuple[str, str]:
    assert isinstance(write, list)
    return str(write[0]), str(write[1])


def actor(who: Actor) -> dict[str, Json]:
    """Who acts, as the database's functions take it."""
    return {
        "kind": who.kind.value,
        "id": who.id,
        "name": who.name,
        "email": who.email,
        "ip": who.ip,
        "step_up": who.step_up,
    }


def _draft(draft: Draft) -> dict[str, Json]:
    data: dict[str, Json] = {"action": draft.action.value}
    for name in _FIELDS:
        value = getattr(draft, name)
        if value is not None:
            data[name] = encode(value)
    if draft.data:
        data["data"] = encode(draft.data)
    return data


def answered(answer: dict[str, Any]) -> Applied:
    """What `apply` said."""
    return Applied(answer["rev"], parse_time(answer["at"]), dict(answer["answer"]), answer["repeated"])
