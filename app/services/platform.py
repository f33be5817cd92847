"""Commands of the operator's platform over tenants: their life cycle, plan and feature flags, by an API key, each with
before and after in the tenant's own log (REQ-603). Nothing here touches a tenant's settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from app.policy import portal as policy
from app.policy import text
from app.policy.verdict import Verdict, require, rule
from app.services import reading, tenants
from app.services.command import change
from app.services.endings import collected
from app.services.tenants import TenantRecord
from storage.log.actions import Action
from storage.log.entry import Draft
from storage.models import Actor, ApiKey, FeatureFlag, KeyRight, Tenant, TenantStatus
from storage.models.row import Json
from storage.shared.change import Change, Write
from storage.view import View

MOVES: dict[TenantStatus, Action] = {
    TenantStatus.SUSPENDED: Action.TENANT_SUSPENDED,
    TenantStatus.ACTIVE: Action.TENANT_RESUMED,
    TenantStatus.DEPROVISIONED: Action.TENANT_DEPROVISIONED,
}
FLAGS_MOST = 200


def create_tenant(view: View, actor: Actor, record: TenantRecord, *, now: datetime) -> Change:
    """A new tenant with its people, and the settings it begins with. One that is there already is refused."""
    require(_may(view, actor))
    known = view.get(Tenant, record.id) is not None
    require(
        tenants.are_sound([record])
        & rule("REQ-603", not known, "the id is free", f"there is a tenant {record.id} already")
        & rule("REQ-603", record.status is TenantStatus.ACTIVE, "it begins active", "a new tenant begins active")
    )

    rows, _ = tenants.rows_of(view, record)
    people: list[Json] = [
        {"id": f"{record.id}/{one.id}", "roles": [role.value for role in one.roles]} for one in record.contacts
    ]
    entry = Draft(
        Action.TENANT_CREATED,
        tenant=record.id,
        after={"plan": record.plan, "status": record.status.value},
        data={"name": record.name, "contacts": people},
    )
    return change(view, actor, now, [entry], [Write(row) for row in rows], id=record.id)


def move_tenant(
    view: View, actor: Actor, tenant_id: str, becomes: TenantStatus, reason: str, *, now: datetime
) -> Change:
    """Suspend, resume or de-provision. Whoever is inside a tenant that is not active any more is out (REQ-110)."""
    require(_may(view, actor))
    tenant = reading.the(view, Tenant, tenant_id, "tenant")
    require(policy.may_live_on(tenant, becomes) & text.is_clean("REQ-603", "reason", reason, text.NOTE_MAX))

    after = replace(tenant, status=becomes)
    entry = Draft(
        MOVES[becomes],
        tenant=tenant_id,
        reason=reason,
        before={"status": tenant.status.value},
        after={"status": becomes.value},
    )
    shut = becomes is not TenantStatus.ACTIVE
    endings = tenants.end_all(view, tenant_id, actor, now, f"the account was {becomes.value}") if shut else []
    entries, writes, mails = collected([entry], [Write(after)], endings)
    return change(view, actor, now, entries, writes, mails, id=tenant_id, sessions_ended=str(len(endings)))


def change_plan(view: View, actor: Actor, tenant_id: str, plan: str, *, now: datetime) -> Change:
    """Move a tenant to another plan."""
    require(_may(view, actor))
    tenant = reading.the(view, Tenant, tenant_id, "tenant")
    require(
        text.is_clean("REQ-603", "plan", plan, text.NAME_MAX, lines=False)
        & rule("REQ-603", plan != tenant.plan, "it is another plan", "it is the plan already")
        & _is_alive(tenant)
    )

    entry = Draft(Action.TENANT_PLAN_CHANGED, tenant=tenant_id, before={"plan": tenant.plan}, after={"plan": plan})
    return change(view, actor, now, [entry], [Write(replace(tenant, plan=plan))], id=tenant_id)


def change_flags(view: View, actor: Actor, tenant_id: str, flags: Mapping[str, str | None], *, now: datetime) -> Change:
    """Override features of a tenant; None takes an override away. Flags that are not named stay."""
    require(_may(view, actor))
    tenant = reading.the(view, Tenant, tenant_id, "tenant")
    old = {flag.name: flag.value for flag in tenant.flags}
    new = {name: value for name, value in {**old, **flags}.items() if value is not None}
    changed = sorted(name for name in flags if old.get(name) != new.get(name))
    require(
        _are_flags(new) & rule("REQ-603", bool(changed), "it changes something", "it is so already") & _is_alive(tenant)
    )

    entry = Draft(
        Action.TENANT_FLAGS_CHANGED,
        tenant=tenant_id,
        before={"flags": [[name, old.get(name)] for name in changed]},
        after={"flags": [[name, new.get(name)] for name in changed]},
    )
    kept = tuple(FeatureFlag(name, new[name]) for name in sorted(new))
    return change(view, actor, now, [entry], [Write(replace(tenant, flags=kept))], id=tenant_id)


def _may(view: View, actor: Actor) -> Verdict:
    """The decision rests on the key: one that is revoked meanwhile decides nothing."""
    return policy.may_use(view.get(ApiKey, actor.id), KeyRight.PLATFORM, None)


def _is_alive(tenant: Tenant) -> Verdict:
    alive = tenant.status is not TenantStatus.DEPROVISIONED
    return rule("REQ-603", alive, f"{tenant.name} lives", f"{tenant.name} is de-provisioned: nothing changes any more")


def _are_flags(flags: Mapping[str, str]) -> Verdict:
    verdict = rule(
        "REQ-603", len(flags) <= FLAGS_MOST, f"{len(flags)} overrides", f"at most {FLAGS_MOST} overrides for a tenant"
    )
    for name, value in flags.items():
        verdict &= text.is_clean("REQ-603", "name of a flag", name, text.TICKET_MAX, lines=False)
        verdict &= text.is_clean("REQ-603", f"value of flag {name}", value, text.NAME_MAX, needed=False, lines=False)
    return verdict
