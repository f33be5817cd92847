"""The kill switch before its entry (REQ-110; design.md, "Known traps"): the one thing that never waits for the log.

Turning the switch on is first a mark of its own, in force for everything that asks from that moment on, even while some
transaction sits on the log's head; the Change that records it (entry, settings, ended sessions) follows as soon as the
head is free, and takes the mark away. Turning it off is an ordinary Change. On SQLite the mark is a file beside the
database, because whoever writes there holds the whole of it; on PostgreSQL it is a row (`sql/038_shutting.sql`).

`Admission` is what a gate asks for every step of a session: answered from the shared database itself, without a lock.
"""

from __future__ import annotations

import json
import os
import tempfile
from contextlib import suppress
from datetime import datetime
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

from storage.errors import GuardRefused
from storage.log.actions import Action
from storage.models import (
    Actor,
    ActorKind,
    Admission,
    ApiKey,
    Contact,
    ContactRole,
    KeyRight,
    Row,
    Session,
    Settings,
    Shutting,
    Staff,
    Tenant,
)
from storage.models.row import parse_time, time_text
from storage.models.tenant import TenantMode, TenantStatus
from storage.shared.change import Change
from storage.shared.connections import Transaction

R = TypeVar("R", bound=Row)


class Marks:
    """The marks of one SQLite database: a directory beside it, a file a tenant, there only until the entry is."""

    def __init__(self, database: Path) -> None:
        self._place = database.with_name(database.name + ".shut")

    def put(self, tenant_id: str, actor: Actor, now: datetime) -> None:
        """Shut a tenant. On the disk when this returns; a mark that is there already stays as it is."""
        self._place.mkdir(mode=0o700, exist_ok=True)
        words = {"tenant": tenant_id, "by": actor.id, "name": actor.name, "ip": actor.ip, "at": time_text(now)}
        handle, draft = tempfile.mkstemp(dir=self._place, prefix=".")
        with os.fdopen(handle, "w") as file:
            json.dump(words, file)
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(draft, self._path(tenant_id))  # atomic, and never over an earlier one
        Path(draft).unlink()
        place = os.open(self._place, os.O_RDONLY)
        try:
            os.fsync(place)
        finally:
            os.close(place)

    def has(self, tenant_id: str) -> bool:
        return self._path(tenant_id).exists()

    def all(self) -> list[Shutting]:
        """Every mark, oldest first."""
        found = [mark for path in self._place.glob("*.json") if (mark := _read(path)) is not None]
        return sorted(found, key=lambda mark: (mark.at, mark.tenant_id))

    def remove(self, tenant_id: str) -> None:
        self._path(tenant_id).unlink(missing_ok=True)

    def _path(self, tenant_id: str) -> Path:
        return self._place / f"{sha256(tenant_id.encode()).hexdigest()[:32]}.json"


def _read(path: Path) -> Shutting | None:
    """A mark, or None when its entry was written at this very moment."""
    try:
        words = json.loads(path.read_text())
    except FileNotFoundError:
        return None
    return Shutting(words["tenant"], words["by"], words["name"], words["ip"], parse_time(words["at"]))


def may_shut(transaction: Transaction, tenant_id: str, actor: Actor) -> None:
    """P5: an administrator of that very tenant, or its own program by a key that its people accepted (or the system,
    which stands in for the portal in the demo). Raises GuardRefused."""
    key = _row(transaction, ApiKey, actor.id) if actor.kind is ActorKind.SYSTEM else None
    if key is not None and not (key.tenant_id == tenant_id and key.right is KeyRight.SETTINGS and key.works):
        raise GuardRefused("P5", f"API key {key.id} does not turn the switch of {tenant_id}")
    if actor.kind is ActorKind.SYSTEM:
        return
    contact = _row(transaction, Contact, actor.id) if actor.kind is ActorKind.TENANT_ADMIN else None
    if contact is None or contact.tenant_id != tenant_id or not contact.has(ContactRole.TENANT_ADMIN):
        raise GuardRefused("P5", f"the switch of {tenant_id} is its administrators' own")


def turned(change: Change, action: Action) -> frozenset[str]:
    """The tenants whose switch this Change records as turned on, or off."""
    return frozenset(draft.tenant for draft in change.entries if draft.action is action and draft.tenant is not None)


def unrecorded(transaction: Transaction, marks: list[Shutting]) -> list[Shutting]:
    """Of these marks, those whose tenant's settings do not say so yet."""
    return [mark for mark in marks if not _settings(transaction, mark.tenant_id).kill_switch]


def admission(transaction: Transaction, session_id: str, now: datetime, marks: Marks) -> Admission:
    """Whether a session may go on. Fails closed: what is not there is not allowed (REQ-203, REQ-304)."""
    session = _row(transaction, Session, session_id)
    if session is None:
        return Admission(False, f"there is no session {session_id}")
    if session.ended_at is not None:
        return Admission(False, f"session {session_id} was ended by {session.end_kind or 'somebody'}")
    if now >= session.expires_at:
        return Admission(False, f"the time of session {session_id} is over")
    tenant, settings = _row(transaction, Tenant, session.tenant_id), _settings(transaction, session.tenant_id)
    if tenant is None or tenant.status is not TenantStatus.ACTIVE:
        return Admission(False, f"tenant {session.tenant_id} is {tenant.status.value if tenant else 'not there'}")
    if settings.kill_switch or marks.has(session.tenant_id):
        return Admission(False, f"tenant {session.tenant_id} has shut all support access off")
    if settings.mode is TenantMode.FORBIDDEN:
        return Admission(False, f"the mode of tenant {session.tenant_id} is forbidden")
    engineer = _row(transaction, Staff, session.engineer_id)
    if engineer is None or not engineer.is_active(now):
        return Admission(False, f"{session.engineer_id} is no active staff member")
    return Admission(True, "", session.mode, session.expires_at)


def _settings(transaction: Transaction, tenant_id: str) -> Settings:
    return _row(transaction, Settings, tenant_id) or Settings(tenant_id)


def _row(transaction: Transaction, kind: type[R], key: str) -> R | None:
    found = transaction.rows(f'SELECT image FROM "{kind.TABLE}" WHERE id = ?', [key])
    return kind.from_image(found[0][0]) if found else None
