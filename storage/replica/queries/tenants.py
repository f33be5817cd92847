"""Tenants as the inspector reads them from the replica: settings, people, history, sessions over time, log head."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from storage.log.actions import Action
from storage.models import Contact, ContactRole, Settings, Tenant, TenantMode, parse_time, time_text
from storage.models.row import Json

SETTING_ACTIONS = (Action.SETTINGS_CHANGED, Action.KILL_SWITCH_ON, Action.KILL_SWITCH_OFF, Action.TENANT_IMPORTED)


@dataclass(frozen=True, slots=True)
class LogHead:
    """The newest entry of a tenant's log as this replica has it; `seq` 0 is an empty log."""

    seq: int
    hash: str


@dataclass(frozen=True, slots=True)
class TenantCard:
    """One line of the list. `days` counts the sessions started on each of the last days, today last (UTC days)."""

    tenant: Tenant
    rev: int
    settings: Settings
    admins: int
    days: tuple[int, ...]
    head: LogHead


@dataclass(frozen=True, slots=True)
class SettingChange:
    """One entry that touched a tenant's settings: who, when, and from what to what. `first` is the import that made
    the tenant known."""

    seq: int
    at: datetime
    action: str
    by: str
    by_kind: str
    before: dict[str, Json]
    after: dict[str, Json]
    first: bool = False


def tenant_ids(connection: sqlite3.Connection, words: str = "") -> list[str]:
    """The keys of all tenants by name; `words` narrows them to those whose name, id or plan hold every one."""
    narrowed, bound = "1", []
    for word in words.lower().split():
        narrowed += " and instr(lower(id || ' ' || name || ' ' || json_extract(image, '$.plan')), ?) > 0"
        bound.append(word)
    sql = f"select id from tenant where {narrowed} order by name collate nocase, id"
    return [key for (key,) in connection.execute(sql, bound)]


def tenant_card(connection: sqlite3.Connection, tenant_id: str, now: datetime, days: int = 30) -> TenantCard | None:
    """One tenant with what its line shows, or None."""
    row = connection.execute(
        "select t.image, max(t.rev, coalesce(s.rev, 0)), s.image from tenant t left join settings s on s.id = t.id"
        " where t.id = ?",
        (tenant_id,),
    ).fetchone()
    if row is None:
        return None
    image, rev, settings_image = row
    return TenantCard(
        tenant=Tenant.from_image(image),
        rev=rev,
        settings=Settings.from_image(settings_image) if settings_image is not None else Settings(tenant_id),
        admins=sum(contact.has(ContactRole.TENANT_ADMIN) for contact in contacts_of(connection, tenant_id)),
        days=sessions_by_day(connection, tenant_id, now, days),
        head=log_head(connection, tenant_id),
    )


def contacts_of(connection: sqlite3.Connection, tenant_id: str) -> list[Contact]:
    """Everybody of the tenant, people removed meanwhile included, by name."""
    rows = connection.execute("select image from contact where tenant_id = ?", (tenant_id,))
    return sorted((Contact.from_image(image) for (image,) in rows), key=lambda c: (c.removed, c.name.casefold(), c.id))


def sessions_by_day(connection: sqlite3.Connection, tenant_id: str, now: datetime, days: int) -> tuple[int, ...]:
    """How many sessions started on each of the last `days` UTC days, today last."""
    first = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0) - timedelta(days=days - 1)
    counted = dict(
        connection.execute(
            "select substr(started_at, 1, 10), count(*) from session"
            " where tenant_id = ? and +started_at >= ? group by 1",
            (tenant_id, time_text(first)),
        ).fetchall()
    )
    return tuple(int(counted.get((first + timedelta(days=day)).strftime("%Y-%m-%d"), 0)) for day in range(days))


def log_head(connection: sqlite3.Connection, tenant_id: str) -> LogHead:
    """The newest entry of the tenant's own log."""
    row = connection.execute(
        "select seq, hash from tenant_log where tenant_id = ? order by seq desc limit 1", (tenant_id,)
    ).fetchone()
    return LogHead(0, "0" * 64) if row is None else LogHead(row[0], bytes(row[1]).hex())


def setting_changes(connection: sqlite3.Connection, tenant_id: str, limit: int = 100) -> list[SettingChange]:
    """Who changed which setting, newest first. The search goes by action: such entries are rare, a tenant's are not."""
    marks = ",".join("?" * len(SETTING_ACTIONS))
    rows = connection.execute(
        f"select seq, body from operator_log where action in ({marks}) and +tenant = ? order by seq desc limit ?",
        (*(action.value for action in SETTING_ACTIONS), tenant_id, limit),
    )
    return [_change(seq, json.loads(body)) for seq, body in rows]


def _change(seq: int, body: dict[str, Json]) -> SettingChange:
    actor, before, after, data = body["actor"], body.get("before"), body.get("after"), body.get("data")
    assert isinstance(actor, dict)
    return SettingChange(
        seq=seq,
        at=parse_time(str(body["at"])),
        action=str(body["action"]),
        by=str(actor["name"]),
        by_kind=str(actor["kind"]),
        before=before if isinstance(before, dict) else {},
        after=after if isinstance(after, dict) else {},
        first=isinstance(data, dict) and data.get("new") is True,
    )


def tenants_shut(connection: sqlite3.Connection) -> int:
    """How many tenants let nobody in now: kill switch on, or support access forbidden."""
    row = connection.execute(
        "select count(*) from settings where json_extract(image, '$.kill_switch') or json_extract(image, '$.mode') = ?",
        (TenantMode.FORBIDDEN.value,),
    ).fetchone()
    return int(row[0])


def running_inside(connection: sqlite3.Connection, tenant_id: str, now: datetime) -> int:
    """How many sessions run inside the tenant at `now`."""
    row = connection.execute(
        "select count(*) from session where tenant_id = ? and ended_at is null and expires_at > ?",
        (tenant_id, time_text(now)),
    ).fetchone()
    return int(row[0])
