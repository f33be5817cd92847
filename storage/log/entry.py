"""An entry of a log: JSON text, stored verbatim and hashed as stored (design.md, "An entry").

`hash = SHA-256(0x00 ‖ body)`; the body holds `prev`, the hash of the entry before it. The one stored hash is both the
chain link and an RFC 6962 leaf.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime

from storage.log.actions import Action
from storage.models.people import Actor
from storage.models.row import Json, canonical, encode, time_text

OPERATOR = "operator"
VERSION = 1
GENESIS = "0" * 64


def tenant_log(tenant_id: str) -> str:
    """The name of a tenant's log."""
    return f"tenant:{tenant_id}"


@dataclass(frozen=True, slots=True)
class Head:
    """A log's newest entry: its number and its hash in hex. `(0, GENESIS)` is an empty log."""

    seq: int = 0
    hash: str = GENESIS


@dataclass(frozen=True, slots=True)
class Draft:
    """What a command says happened. `tenant` set: the entry goes to that tenant's own log too (REQ-402).
    `data`, `before` and `after` name records and fields, never values beyond allowlisted columns."""

    action: Action
    tenant: str | None = None
    target: str | None = None
    request: str | None = None
    session: str | None = None
    ticket: str | None = None
    reason: str | None = None
    before: dict[str, Json] | None = None
    after: dict[str, Json] | None = None
    data: dict[str, Json] = field(default_factory=dict)


def leaf_hash(body: str) -> bytes:
    """RFC 6962 leaf hash of an entry's stored bytes: 32 bytes."""
    return hashlib.sha256(b"\x00" + body.encode()).digest()


def compose(
    draft: Draft,
    *,
    log: str,
    seq: int,
    prev: str,
    at: datetime,
    actor: Actor,
    change: str,
    rows: list[list[str]] | None,
    ref: dict[str, Json] | None,
    seen: Head | None,
) -> str:
    """The body text of an entry. `rows` ([table, key, sha256 of image]) and `seen` stand in the operator log only;
    `ref` names the twin ({"log", "seq"} and, in the entry written second, its "hash")."""
    body: dict[str, Json] = {
        "v": VERSION,
        "log": log,
        "seq": seq,
        "prev": prev,
        "at": time_text(at),
        "action": draft.action.value,
        "actor": {"kind": actor.kind.value, "id": actor.id, "name": actor.name, "email": actor.email},
        "ip": actor.ip,
        "change": change,
    }
    for name in ("tenant", "target", "request", "session", "ticket", "reason", "before", "after"):
        value = getattr(draft, name)
        if value is not None:
            body[name] = encode(value)
    if draft.data:
        body["data"] = encode(draft.data)
    if rows is not None:
        body["rows"] = [list(row) for row in rows]
    if ref is not None:
        body["ref"] = ref
    if seen is not None:
        body["seen"] = {"seq": seen.seq, "hash": seen.hash}
    return canonical(body)
