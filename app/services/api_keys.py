"""Commands over API keys: made by a super, accepted by the tenant where they change its settings, revoked by either;
and what a tenant's own program does with one (REQ-602, REQ-603)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from app.policy import people, text
from app.policy import portal as policy
from app.policy.verdict import Verdict, require, rule
from app.services import reading, tenants
from app.services.command import adds_no_privilege, change, in_force_at_once
from storage.log.actions import Action
from storage.log.entry import Draft
from storage.models import Actor, ActorKind, ApiKey, KeyRight, TenantMode
from storage.models.row import Json
from storage.shared.change import Change, Write
from storage.view import View


def actor_of(key: ApiKey, ip: str) -> Actor:
    """A program as the one who acts: named by its key."""
    return Actor(ActorKind.SYSTEM, key.id, f"API key {key.name}", "", ip)


def create(
    view: View, actor: Actor, name: str, right: KeyRight, tenant_id: str | None, secret_hash: str, *, now: datetime
) -> Change:
    """`secret_hash` is the SHA-256 (hex) of the secret part, which is shown once and kept nowhere."""
    by = reading.staff_member(view, actor)

    require(
        people.is_super(by, now, "makes API keys") & text.is_clean("REQ-603", "name", name, text.NAME_MAX, lines=False)
    )
    fits = (tenant_id is None) == (right is KeyRight.PLATFORM)
    require(rule("REQ-603", fits, "it has its scope", "a key is one tenant's (read, settings), or the platform's"))
    if tenant_id is not None:
        reading.place(view, tenant_id)

    key = ApiKey(view.fresh_id("K"), name, tenant_id, right, secret_hash, now, by.id)
    return change(view, actor, now, [_entry(Action.API_KEY_CREATED, key)], [Write(key)], id=key.id)


def accept(view: View, actor: Actor, key_id: str, *, now: datetime) -> Change:
    """A tenant admin lets a key change the tenant's settings."""
    key = reading.the(view, ApiKey, key_id, "API key")
    require(rule("REQ-602", key.tenant_id is not None, "it is a tenant's", f"there is no API key {key_id!r}"))
    place = reading.place(view, key.tenant_id or "")

    require(_is_tenant_admin(actor) & policy.may_accept(key, place.contact(actor.id), place))

    accepted = replace(key, accepted_at=now, accepted_by=actor.id)
    return change(view, actor, now, [_entry(Action.API_KEY_ACCEPTED, accepted)], [Write(accepted)], id=key.id)


@adds_no_privilege
def revoke(view: View, actor: Actor, key_id: str, *, now: datetime) -> Change:
    """A super, or an admin of the key's tenant, takes it back."""
    key = reading.the(view, ApiKey, key_id, "API key")

    if actor.kind is ActorKind.STAFF:
        require(people.is_super(reading.staff_member(view, actor), now, "revokes API keys"))
    else:
        require(rule("REQ-602", key.tenant_id is not None, "it is a tenant's", f"there is no API key {key_id!r}"))
        place = reading.place(view, key.tenant_id or "")
        own = place.contact(actor.id) in place.admins
        require(
            _is_tenant_admin(actor) & rule("REQ-602", own, "it is their tenant's key", "it is another tenant's key")
        )
    require(rule("REQ-603", key.revoked_at is None, "the key is in force", "the key is revoked already"))

    revoked = replace(key, revoked_at=now, revoked_by=actor.id)
    return change(view, actor, now, [_entry(Action.API_KEY_REVOKED, revoked)], [Write(revoked)], id=key.id)


@in_force_at_once(lambda tenant_id, **changes: tenant_id if changes.get("kill_switch") else None)
def change_settings(
    view: View, actor: Actor, tenant_id: str, *, now: datetime, **changes: TenantMode | bool | int
) -> Change:
    """The tenant's own program changes the tenant's settings. The decision rests on the key, so one that is revoked
    meanwhile changes nothing."""
    require(policy.may_use(view.get(ApiKey, actor.id), KeyRight.SETTINGS, tenant_id))
    return tenants.change_settings(view, actor, tenant_id, now=now, **changes)


def _is_tenant_admin(actor: Actor) -> Verdict:
    return rule("REQ-602", actor.kind is ActorKind.TENANT_ADMIN, "a tenant admin", "a tenant admin does this")


def _entry(action: Action, key: ApiKey) -> Draft:
    data: dict[str, Json] = {"key": key.id, "name": key.name, "right": key.right.value}
    return Draft(action, tenant=key.tenant_id, data=data)
