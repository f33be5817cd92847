"""Ids as people type them: in any case of letters, with the nearest existing one named when there is none."""

from __future__ import annotations

import difflib
import sqlite3
from typing import TypeVar

from storage.errors import Misconfigured
from storage.models import Contact, Request, Review, Row, Session, Shift, Tenant

R = TypeVar("R", bound=Row)

_NOUN = {Request: "request", Session: "session", Tenant: "tenant", Contact: "contact", Review: "review", Shift: "shift"}
_COMPARED = 2000
"""How many of the newest ids are compared with a mistyped one."""


def find(connection: sqlite3.Connection, kind: type[R], key: str) -> R:
    """The row with that key. Raises Misconfigured, naming the nearest."""
    for wanted in (key, key.upper()):
        row = connection.execute(f"SELECT image FROM {kind.TABLE} WHERE id = ?", (wanted,)).fetchone()
        if row is not None:
            return kind.from_image(row[0])
    noun = _NOUN.get(kind, kind.TABLE)
    rows = connection.execute(f"SELECT id FROM {kind.TABLE} ORDER BY rev DESC LIMIT ?", (_COMPARED,))
    keys = {existing.casefold(): existing for (existing,) in rows}
    near = difflib.get_close_matches(key.casefold(), keys, 3, 0.5)
    hint = f"did you mean {' or '.join(keys[one] for one in near)}?" if near else f"`countersign {noun} list` names all"
    raise Misconfigured(f"there is no {noun} {key}", hint)


def target(connection: sqlite3.Connection, tenant: Tenant, wanted: str) -> Contact:
    """A tenant's contact by its id (with or without the tenant before it) or e-mail. Raises Misconfigured."""
    rows = connection.execute("SELECT image FROM contact WHERE tenant_id = ? ORDER BY id", (tenant.id,))
    people = [one for (image,) in rows if not (one := Contact.from_image(image)).removed]
    for one in people:
        if wanted in (one.id, one.id.partition("/")[2]) or wanted.casefold() == one.email.casefold():
            return one
    names = {name: one for one in people for name in (one.id.partition("/")[2], one.email)}
    near = difflib.get_close_matches(wanted, names, 1, 0.5)
    hint = f"did you mean {near[0]}?" if near else f"`countersign tenant show {tenant.id}` names its people"
    raise Misconfigured(f"{tenant.name} has no contact {wanted}", hint)
