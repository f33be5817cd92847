"""P6: no session starts against the kill switch, `forbidden`, a layer the mode excludes, or a suspended tenant."""

from __future__ import annotations

from storage.models import Layer, Session, Settings, Tenant, TenantMode, TenantStatus
from storage.shared.guards.case import Case, refuse

OPEN_LAYERS = {
    TenantMode.DEFAULT: frozenset(Layer),
    TenantMode.CONSENT_ONLY: frozenset({Layer.CONSENT}),
    TenantMode.FORBIDDEN: frozenset[Layer](),
}


def check(case: Case) -> None:
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
