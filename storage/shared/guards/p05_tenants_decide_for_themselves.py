"""P5: a tenant's decisions and settings are written only by the portal's role.

SQLite has no roles: what counts is that the actor is an administrator of that very tenant (or the system, which
imports a tenant and stands in for the portal in the demo). Standing consent is the tenant's decision made beforehand,
for `read_only` alone (REQ-106).
"""

from __future__ import annotations

from storage.log.actions import Action
from storage.models import (
    ActorKind,
    Contact,
    ContactRole,
    Decision,
    DecisionKind,
    Mode,
    Request,
    RequestState,
    Settings,
)
from storage.shared.guards.case import Case, refuse


def check(case: Case) -> None:
    for before, settings in case.written(Settings):
        imported = before is None and bool(case.actions & {Action.TENANT_IMPORTED, Action.TENANT_CREATED})
        if not imported and case.actor.kind is not ActorKind.SYSTEM and not _is_admin_of(case, settings.id):
            refuse("P5", f"the settings of {settings.id} are the tenant's own")
        if not 15 <= settings.max_minutes <= 240:
            refuse("P5", f"the maximum of {settings.id} is 15 to 240 minutes, not {settings.max_minutes}")
    for _, decision in case.written(Decision):
        if decision.kind in (DecisionKind.APPROVE, DecisionKind.DENY) and not _is_admin_of(case, decision.tenant_id):
            refuse("P5", f"request {decision.request_id} is decided by an administrator of {decision.tenant_id} alone")
        if decision.kind is DecisionKind.VETO and not _may_veto(case, decision.tenant_id):
            refuse("P5", f"request {decision.request_id} is vetoed by an administrator of {decision.tenant_id} alone")
        if decision.kind is DecisionKind.STANDING_CONSENT:
            _stands(case, decision)
    vetoed = {decision.request_id for _, decision in case.written(Decision) if decision.kind is DecisionKind.VETO}
    for request_before, request in case.written(Request):
        is_new = request.state is RequestState.VETOED and (
            request_before is None or request_before.state != request.state
        )
        if is_new and request.id not in vetoed:
            refuse("P5", f"request {request.id} is vetoed without a decision of its tenant")


def _may_veto(case: Case, tenant_id: str) -> bool:
    """An administrator; or the system, where it stands in for the portal and shuts the tenant."""
    shuts = case.actor.kind is ActorKind.SYSTEM and any(row.id == tenant_id for _, row in case.written(Settings))
    return shuts or _is_admin_of(case, tenant_id)


def _is_admin_of(case: Case, tenant_id: str) -> bool:
    contact = case.before(Contact, case.actor.id) if case.actor.kind is ActorKind.TENANT_ADMIN else None
    return contact is not None and contact.tenant_id == tenant_id and contact.has(ContactRole.TENANT_ADMIN)


def _stands(case: Case, decision: Decision) -> None:
    settings = case.before(Settings, decision.tenant_id)
    request = case.after(Request, decision.request_id)
    if settings is None or not settings.standing_consent:
        refuse("P5", f"{decision.tenant_id} gave no standing consent")
    if request is None or request.mode is not Mode.READ_ONLY:
        refuse("P5", "standing consent is for read_only alone")
