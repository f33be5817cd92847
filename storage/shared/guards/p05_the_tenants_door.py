"""P5, at the portal: who signs in was mailed a link and is still an administrator; a program does what its key says and
no more; a key changes a tenant's settings only once an administrator of that tenant has accepted it; and the platform
moves a tenant along its life under the action that is named for that move (REQ-602, REQ-603).
"""

from __future__ import annotations

import dataclasses

from storage.log.actions import Action
from storage.models import (
    ActorKind,
    ApiKey,
    Contact,
    ContactRole,
    KeyRight,
    LinkKind,
    Mail,
    PortalSession,
    Settings,
    SignInLink,
    Tenant,
    TenantStatus,
)
from storage.models.row import Row
from storage.shared.guards.case import Case, refuse

KEYS = "K-"
"""How the ids of API keys begin, and of no other actor."""
TENANT_MOVES: dict[tuple[TenantStatus, TenantStatus], Action] = {
    (TenantStatus.ACTIVE, TenantStatus.SUSPENDED): Action.TENANT_SUSPENDED,
    (TenantStatus.SUSPENDED, TenantStatus.ACTIVE): Action.TENANT_RESUMED,
    (TenantStatus.ACTIVE, TenantStatus.DEPROVISIONED): Action.TENANT_DEPROVISIONED,
    (TenantStatus.SUSPENDED, TenantStatus.DEPROVISIONED): Action.TENANT_DEPROVISIONED,
}
PLATFORMS = frozenset(
    {
        Action.TENANT_CREATED,
        Action.TENANT_PLAN_CHANGED,
        Action.TENANT_FLAGS_CHANGED,
        *TENANT_MOVES.values(),
    }
)
"""What a platform key does."""


def check(case: Case) -> None:
    _by_its_key(case)
    for before, tenant in case.written(Tenant):
        _life(case, before, tenant)
    for link_before, link in case.written(SignInLink):
        _link(case, link_before, link)
    for session_before, session in case.written(PortalSession):
        _session(case, session_before, session)
    for key_before, key in case.written(ApiKey):
        _key(case, key_before, key)


def _by_its_key(case: Case) -> None:
    """A program's Change: by a key in force, within the key's right, in the key's tenant."""
    key = case.before(ApiKey, case.actor.id) if case.actor.kind is ActorKind.SYSTEM else None
    if case.actions & PLATFORMS and (key is None or key.right is not KeyRight.PLATFORM):
        refuse("P5", "a tenant's life cycle is the platform's, by its key")
    if key is None:
        if case.actor.kind is ActorKind.SYSTEM and case.actor.id.startswith(KEYS):
            refuse("P5", f"there is no API key {case.actor.id}")
        return
    if key.revoked_at is not None:
        refuse("P5", f"API key {key.id} was revoked")
    for _, settings in case.written(Settings):
        created = key.right is KeyRight.PLATFORM and Action.TENANT_CREATED in case.actions
        accepted = key.right is KeyRight.SETTINGS and key.accepted_at is not None and key.tenant_id == settings.id
        if not (created or accepted):
            refuse("P5", f"API key {key.id} does not change the settings of {settings.id}")


def _life(case: Case, before: Tenant | None, after: Tenant) -> None:
    if case.records(Action.TENANT_IMPORTED, tenant=after.id):
        return
    if before is None:
        if not case.records(Action.TENANT_CREATED, tenant=after.id):
            refuse("P3", f"tenant {after.id} is made or imported, under an entry that says so")
        return
    wanted = {
        "status": TENANT_MOVES.get((before.status, after.status)),
        "plan": Action.TENANT_PLAN_CHANGED,
        "flags": Action.TENANT_FLAGS_CHANGED,
    }
    for name in _changed(before, after):
        action = wanted.get(name)
        if action is None or not case.records(action, tenant=after.id):
            refuse("P3", f"tenant {after.id}: its {name} is not changed by this")


def _link(case: Case, before: SignInLink | None, after: SignInLink) -> None:
    if before is None:
        letters = [mail for _, mail in case.written(Mail)]
        mailed = any(one.to_id == after.contact_id and LinkKind.SIGN_IN in one.links for one in letters)
        if not mailed or after.used_at is not None:
            refuse("P5", "a link to sign in is made with the letter it stands in")
        return
    if before.used_at is not None or case.now >= before.expires_at or _changed(before, after) != ["used_at"]:
        refuse("P5", "a link to sign in is used once, in its time")
    if case.actor.kind is not ActorKind.TENANT_ADMIN or case.actor.id != before.contact_id:
        refuse("P5", "a link to sign in is used by whom it was mailed to")


def _session(case: Case, before: PortalSession | None, after: PortalSession) -> None:
    if case.actor.kind is not ActorKind.TENANT_ADMIN or case.actor.id != after.contact_id:
        refuse("P5", "a portal session is its own person's")
    if before is not None:
        if not before.is_open(case.now) or _changed(before, after) != ["ended_at"]:
            refuse("P5", "a portal session is only ended, once, while it lasts")
        return
    contact = case.before(Contact, after.contact_id)
    used = any(link.contact_id == after.contact_id and link.used_at is not None for _, link in case.written(SignInLink))
    if not used or contact is None or not contact.has(ContactRole.TENANT_ADMIN):
        refuse("P5", "who signs in uses up a link that was mailed to an administrator")
    if contact.tenant_id != after.tenant_id:
        refuse("P5", "a portal session is for its own person's tenant")


def _key(case: Case, before: ApiKey | None, after: ApiKey) -> None:
    if before is None:
        fresh = after.accepted_at is None and after.revoked_at is None
        scoped = (after.tenant_id is None) == (after.right is KeyRight.PLATFORM)
        if not (case.is_staff() and fresh and scoped and after.created_by == case.actor.id):
            refuse("P5", f"API key {after.id} is made by a super, and accepted by its tenant")
        return
    changed = _changed(before, after)
    if before.revoked_at is not None:
        refuse("P5", f"API key {after.id} is revoked for good")
    if changed == ["accepted_at", "accepted_by"]:
        admin = case.before(Contact, case.actor.id) if case.actor.kind is ActorKind.TENANT_ADMIN else None
        own = admin is not None and admin.tenant_id == after.tenant_id and admin.has(ContactRole.TENANT_ADMIN)
        if not own or before.accepted_at is not None or after.accepted_by != case.actor.id:
            refuse("P5", f"API key {after.id} is accepted by an administrator of {after.tenant_id} alone")
    elif changed != ["revoked_at", "revoked_by"]:
        refuse("P5", f"API key {after.id} is accepted and revoked, nothing else")


def _changed(before: Row, after: Row) -> list[str]:
    """The names of the fields that differ, in the order of the alphabet."""
    names = (field.name for field in dataclasses.fields(after))
    return sorted(name for name in names if getattr(before, name) != getattr(after, name))
