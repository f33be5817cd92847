"""P5: a tenant's decisions and settings are written only by the portal's role.

SQLite has no roles: what counts is that the actor is an administrator of that very tenant (or the system, which
imports a tenant and stands in for the portal in the demo). Standing consent is the tenant's decision made beforehand,
for `read_only` alone (REQ-106).
"""

from __future__ import annotations

from storage.log.actions import Action
from storage.models import ActorKind, Contact, ContactRole, Decision, DecisionKind, Mode, Request, Settings
from storage.shared.guards.case import Case, refuse


def check(case: Case) -> None:
    for before, settings in case.written(Settings):
        imported = before is None and bool(case.actions & {Action.TENANT_IMPORTED, Action.TENANT_CREATED})
        if not imported and case.actor.kind is not ActorKind.SYSTEM and not _is_admin_of(case, settings.id):
            refuse("P5", f"the settings of {settings.id} are the tenant's own")
    for _, decision in case.written(Decision):
        if decision.kind in (DecisionKind.APPROVE, DecisionKind.DENY) and not _is_admin_of(case, decision.tenant_id):
            refuse("P5", f"request {decision.request_id} is decided by an administrator of {decision.tenant_id} alone")
        if decision.kind is DecisionKind.STANDING_CONSENT:
            _stands(case, decision)


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
