"""P6: no session starts against the kill switch, `forbidden`, a layer the mode excludes, or a suspended tenant.

Nor does one that started at the same moment survive the shutting: a Change that shuts a tenant ends every session
running there. If one began after that Change was decided, the decision is stale, and is made again.
"""

from __future__ import annotations

from storage.errors import Stale
from storage.models import Layer, Session, Settings, Tenant, TenantMode, TenantStatus
from storage.shared.guards.case import Case, is_shut, refuse

OPEN_LAYERS = {
    TenantMode.DEFAULT: frozenset(Layer),
    TenantMode.CONSENT_ONLY: frozenset({Layer.CONSENT}),
    TenantMode.FORBIDDEN: frozenset[Layer](),
}


def check(case: Case) -> None:
    _leaves_nobody_inside(case)
    for before, session in case.written(Session):
        if before is not None:
            continue
        tenant = case.after(Tenant, session.tenant_id)
        settings = case.after(Settings, session.tenant_id)
        if tenant is None or settings is None:
            refuse("P6", f"there is no tenant {session.tenant_id}")
        if tenant.status is not TenantStatus.ACTIVE:
            refuse("P6", f"tenant {tenant.id} is {tenant.status}")
        if settings.kill_switch:
            refuse("P6", f"tenant {tenant.id} has shut all support access off")
        if session.layer not in OPEN_LAYERS[settings.mode]:
            refuse("P6", f"the mode of tenant {tenant.id} is {settings.mode}: no session by {session.layer}")


def _leaves_nobody_inside(case: Case) -> None:
    shut = {row.id for kind in (Settings, Tenant) for _, row in case.written(kind) if is_shut(row)}
    for stored in case.stored(Session):
        session = case.after(Session, stored.id)
        if stored.tenant_id in shut and session is not None and session.is_active(case.now):
            raise Stale(f"session {session.id} started in {session.tenant_id} meanwhile")
