"""Commands over tenants: what the operator's platform imports, and what the tenant itself sets (REQ-110, REQ-601)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from app.policy import people, text
from app.policy import tenants as policy
from app.policy.people import Place
from app.policy.verdict import Verdict, require, rule
from app.services import reading
from app.services.command import change, in_force_at_once
from app.services.endings import Ending, collected, ending
from app.services.stopping import added, stop_all
from storage.log.actions import Action
from storage.log.entry import Draft
from storage.models import (
    Actor,
    ActorKind,
    Contact,
    ContactRole,
    EndKind,
    Row,
    Session,
    Settings,
    Shutting,
    Tenant,
    TenantMode,
    TenantStatus,
)
from storage.models.row import Json, encode, time_text
from storage.shared.change import Change, Write
from storage.view import View

SETTINGS = (
    "mode",
    "kill_switch",
    "max_minutes",
    "standing_consent",
    "notify_start_admins",
    "notify_start_target",
    "weekly_digest",
)
SUMMARY_LISTED = 50


@dataclass(frozen=True, slots=True)
class ContactRecord:
    """A contact as imported; `id` is its own within the tenant."""

    id: str
    name: str
    email: str
    roles: tuple[ContactRole, ...]


@dataclass(frozen=True, slots=True)
class TenantRecord:
    """One line of an import file (interface.md). `settings` counts only for a tenant that is new here."""

    id: str
    name: str
    plan: str
    status: TenantStatus = TenantStatus.ACTIVE
    settings: Settings | None = None
    contacts: tuple[ContactRecord, ...] = ()


def import_records(view: View, actor: Actor, records: Sequence[TenantRecord], *, now: datetime) -> Change:
    """Bring in tenants and contacts, all or none; the same file twice changes nothing. Settings of a tenant that
    exists stay the tenant's. A suspended account's running sessions end (REQ-110)."""
    by = reading.staff_member(view, actor) if actor.kind is ActorKind.STAFF else None

    require(people.is_super(by, now, "imports tenants") if by is not None else _is_system(actor))
    require(are_sound(records))

    entries: list[Draft] = []
    writes: list[Write] = []
    endings: list[Ending] = []
    for record in records:
        rows, known = rows_of(view, record)
        if not rows:
            continue
        writes += [Write(row, len(entries) + 1) for row in rows]
        entries.append(_imported(record, rows, known))
        if known and record.status is not TenantStatus.ACTIVE:
            endings += end_all(view, record.id, actor, now, f"the account was {record.status.value}")
    changed = [entry.tenant for entry in entries]
    data: dict[str, Json] = {
        "tenants": len(records),
        "changed": len(entries),
        "names": list(changed[:SUMMARY_LISTED]),
    }
    entries, writes, mails = collected([Draft(Action.TENANT_IMPORTED, data=data), *entries], writes, endings)
    return change(view, actor, now, entries, writes, mails, tenants=str(len(records)), changed=str(len(changed)))


def _is_system(actor: Actor) -> Verdict:
    return rule("REQ-601", actor.kind is ActorKind.SYSTEM, "the platform imports", "staff import tenants", "a super")


def are_sound(records: Sequence[TenantRecord]) -> Verdict:
    """Ids that can stand in a key, names and addresses that letters can carry, no tenant or contact twice."""
    verdict = Verdict()
    for record in records:
        verdict &= (
            text.is_clean("REQ-601", f"name of tenant {record.id!r}", record.name, text.NAME_MAX, lines=False)
            & text.is_clean("REQ-601", f"plan of tenant {record.id!r}", record.plan, text.NAME_MAX, lines=False)
            & _is_id("tenant", record.id)
        )
        if record.settings is not None:
            verdict &= policy.is_sound(record.settings)
        for contact in record.contacts:
            verdict &= (
                text.is_clean("REQ-601", f"name of contact {contact.id!r}", contact.name, text.NAME_MAX, lines=False)
                & text.is_email(contact.email)
                & _is_id("contact", contact.id)
            )
        verdict &= _are_unique(f"contact of {record.id}", [contact.id for contact in record.contacts])
    return verdict & _are_unique("tenant", [record.id for record in records])


def _is_id(what: str, key: str) -> Verdict:
    fits = 0 < len(key) <= text.TICKET_MAX and all(c.isprintable() and not c.isspace() and c != "/" for c in key)
    return rule("REQ-601", fits, f"{what} {key}", f"{key!r} is no {what} id: no spaces, no slashes, at most 64 long")


def _are_unique(what: str, keys: list[str]) -> Verdict:
    twice = sorted({key for key in keys if keys.count(key) > 1}) if len(set(keys)) < len(keys) else []
    return rule("REQ-601", not twice, f"every {what} once", f"{what} {', '.join(twice)} stands there twice")


def rows_of(view: View, record: TenantRecord) -> tuple[list[Row], bool]:
    """The rows that differ from what is there, and whether the tenant was known."""
    before = view.get(Tenant, record.id)
    contacts = [
        Contact(f"{record.id}/{one.id}", record.id, one.name, one.email, tuple(dict.fromkeys(one.roles)))
        for one in record.contacts
    ]
    keys = [contact.id for contact in contacts]
    gone = [key for key in before.contacts if key not in keys] if before else []
    flags = before.flags if before else ()
    tenant = Tenant(record.id, record.name, record.plan, record.status, (*keys, *gone), flags)
    rows: list[Row] = [contact for contact in contacts if view.get(Contact, contact.id) != contact]
    rows += [
        replace(contact, removed=True) for key in gone if (contact := view.get(Contact, key)) and not contact.removed
    ]
    if before is None:
        rows.append(replace(record.settings or Settings(record.id), id=record.id))
    if rows or tenant != before:
        rows.append(tenant)  # written with any contact: it anchors who the tenant's people are
    return rows, before is not None


def _imported(record: TenantRecord, rows: list[Row], known: bool) -> Draft:
    contacts = [row for row in rows if isinstance(row, Contact)]
    data: dict[str, Json] = {
        "name": record.name,
        "plan": record.plan,
        "status": record.status.value,
        "new": not known,
        "contacts": [{"id": c.id, "roles": [r.value for r in c.roles], "removed": c.removed} for c in contacts],
    }
    return Draft(Action.TENANT_IMPORTED, tenant=record.id, data=data)


@in_force_at_once(lambda tenant_id, on: tenant_id if on else None)
def set_kill_switch(view: View, actor: Actor, tenant_id: str, on: bool, *, now: datetime) -> Change:
    """The tenant's own off-switch: on, every running session ends at once (REQ-110). Only the tenant turns it back."""
    return change_settings(view, actor, tenant_id, kill_switch=on, now=now)


@in_force_at_once(lambda tenant_id, **changes: tenant_id if changes.get("kill_switch") else None)
def change_settings(
    view: View, actor: Actor, tenant_id: str, *, now: datetime, **changes: TenantMode | bool | int
) -> Change:
    """A tenant admin changes settings. What shuts the tenant ends its running sessions in the same Change; what leaves
    consent as the only way in stops the break-glass that is not usable yet (REQ-108)."""
    place = reading.place(view, tenant_id)
    after = _with(place.settings, changes, actor, now)

    allowed = policy.may_set(actor.kind, place.contact(actor.id), place)
    differs = rule("REQ-110", _values(after) != _values(place.settings), "it changes something", "it is so already")
    require(allowed & policy.is_sound(after) & differs)

    shut = after.kill_switch or after.mode is TenantMode.FORBIDDEN
    why = "the kill switch was turned on" if after.kill_switch else _MODE_WHY.get(after.mode, "")
    endings = end_all(view, tenant_id, actor, now, why) if shut else []
    entries, writes, mails = collected(_drafts(place, after), [Write(after)], endings)
    if after.kill_switch or after.mode is not TenantMode.DEFAULT:
        entries, writes, mails = added(entries, writes, mails, stop_all(view, actor, tenant_id, why, now))
    return change(view, actor, now, entries, writes, mails, id=tenant_id, sessions_ended=str(len(endings)))


def record_shutting(view: View, actor: Actor, shutting: Shutting, *, now: datetime) -> Change:
    """Write down a switch that is in force already and whose entry never came: whoever turned it on died in between.
    Its running sessions end (REQ-110)."""
    place = reading.place(view, shutting.tenant_id)

    require(
        rule("REQ-110", actor.kind is ActorKind.SYSTEM, "the system records it", "only the system records it")
        & rule("REQ-110", not place.settings.kill_switch, "it has no entry yet", "it is recorded already")
    )

    after = replace(place.settings, kill_switch=True, changed_at=now, changed_by=shutting.by)
    (draft,) = _drafts(place, after)
    by: dict[str, Json] = {"id": shutting.by, "name": shutting.name, "ip": shutting.ip, "at": time_text(shutting.at)}
    draft = replace(draft, data={"turned_on_by": by})
    endings = end_all(view, place.tenant.id, actor, now, f"the kill switch was turned on by {shutting.name}")
    entries, writes, mails = collected([draft], [Write(after)], endings)
    stops = stop_all(view, actor, place.tenant.id, f"the kill switch was turned on by {shutting.name}", now)
    entries, writes, mails = added(entries, writes, mails, stops)
    return change(view, actor, now, entries, writes, mails, id=place.tenant.id, sessions_ended=str(len(endings)))


_MODE_WHY = {
    TenantMode.FORBIDDEN: "support access was forbidden",
    TenantMode.CONSENT_ONLY: "consent was made the only way in",
}


def _with(settings: Settings, changes: dict[str, TenantMode | bool | int], actor: Actor, now: datetime) -> Settings:
    """The settings as wanted. Raises `Refused` for a name that is no setting."""
    unknown = sorted(changes.keys() - set(SETTINGS))
    require(rule("REQ-601", not unknown, "known settings", f"there is no setting {', '.join(unknown)}"))
    wanted = _values(settings) | changes
    return Settings(
        id=settings.id,
        mode=TenantMode(str(wanted["mode"])),
        kill_switch=bool(wanted["kill_switch"]),
        max_minutes=int(wanted["max_minutes"]),
        standing_consent=bool(wanted["standing_consent"]),
        notify_start_admins=bool(wanted["notify_start_admins"]),
        notify_start_target=bool(wanted["notify_start_target"]),
        weekly_digest=bool(wanted["weekly_digest"]),
        changed_at=now,
        changed_by=actor.id,
    )


def _values(settings: Settings) -> dict[str, TenantMode | bool | int]:
    return {name: getattr(settings, name) for name in SETTINGS}


def _drafts(place: Place, after: Settings) -> list[Draft]:
    """The kill switch has entries of its own; the rest is one, with before and after."""
    old, new = _values(place.settings), _values(after)
    changed = [name for name in SETTINGS if old[name] != new[name]]
    drafts = []
    if "kill_switch" in changed:
        action = Action.KILL_SWITCH_ON if after.kill_switch else Action.KILL_SWITCH_OFF
        drafts.append(_draft(action, place, ["kill_switch"], old, new))
    if others := [name for name in changed if name != "kill_switch"]:
        drafts.append(_draft(Action.SETTINGS_CHANGED, place, others, old, new))
    return drafts


def _draft(
    action: Action,
    place: Place,
    names: list[str],
    old: dict[str, TenantMode | bool | int],
    new: dict[str, TenantMode | bool | int],
) -> Draft:
    return Draft(
        action,
        tenant=place.tenant.id,
        before={name: encode(old[name]) for name in names},
        after={name: encode(new[name]) for name in names},
    )


def end_all(view: View, tenant_id: str, actor: Actor, now: datetime, why: str) -> list[Ending]:
    """Ends every running session of the tenant. One that begins at this very moment makes `apply` answer `Stale`: the
    guard of promise P6 looks at the whole state. The next try finds it."""
    running = [one for one in view.find(Session, tenant_id=tenant_id, ended_at=None) if one.is_active(now)]
    return [ending(view, session, EndKind.TENANT, actor, now, why) for session in running]
