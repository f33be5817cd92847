"""P6: no session starts against the kill switch, `forbidden`, a layer the mode excludes, or a suspended tenant.

Nor does one that started at the same moment survive the shutting: a Change that shuts a tenant ends every session
running there, and stops every break-glass that is not usable yet. If one began after that Change was decided, the
decision is stale, and is made again.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from storage.errors import Stale
from storage.log.actions import Action
from storage.models import (
    ElevationState,
    Emergency,
    Layer,
    Request,
    RequestState,
    Session,
    Settings,
    Tenant,
    TenantMode,
    TenantStatus,
)
from storage.shared.guards.case import Case, closes_other_ways, is_shut, refuse
from storage.shared.guards.waits import UNDECIDED, UNDELIVERED

OPEN_LAYERS = {
    TenantMode.DEFAULT: frozenset(Layer),
    TenantMode.CONSENT_ONLY: frozenset({Layer.CONSENT}),
    TenantMode.FORBIDDEN: frozenset[Layer](),
}


def check(case: Case) -> None:
    _leaves_nobody_inside(case)
    _leaves_nothing_cooling(case)
    for was, asked in case.written(Request):
        _not_while_shut(case, asked.tenant_id, _adds_to_request(was, asked))
        _other_way_is_open(case, was, asked)
    for running, inside in case.written(Session):
        _not_while_shut(case, inside.tenant_id, _adds_to_session(running, inside))
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


def _not_while_shut(case: Case, tenant_id: str, adds: bool) -> None:
    """The switch holds from the moment it is turned, before its entry stands in the log (REQ-110)."""
    if adds and tenant_id in case.shut:
        refuse("P6", f"tenant {tenant_id} has shut all support access off")


def _adds_to_request(before: Request | None, after: Request) -> bool:
    """Whether a request is asked, approved or countersigned by this."""
    if before is None:
        return True
    approved = after.state is RequestState.APPROVED and before.state is not RequestState.APPROVED
    recorded = before.state is RequestState.COOLING and after.layer is before.layer  # usable already, by time
    return (approved and not recorded) or after.countersigned_by != before.countersigned_by


def _adds_to_session(before: Session | None, after: Session) -> bool:
    """Whether a session is started or elevated by this."""
    if before is None:
        return True
    wanted = (ElevationState.ASKED, ElevationState.GRANTED)
    return after.elevation != before.elevation and after.elevation is not None and after.elevation.state in wanted


def _other_way_is_open(case: Case, before: Request | None, request: Request) -> None:
    """REQ-110: break-glass and emergencies go forward only in an open tenant in mode `default`."""
    old = (before.break_glass, before.emergency) if before else (None, None)
    if (request.break_glass, request.emergency) == old or Action.BREAK_GLASS_COOLING in case.actions:
        return
    if request.break_glass == old[0] and _only_lapses(old[1], request.emergency):
        return  # that a declaration came to nothing is said of a tenant that is shut as well
    tenant, settings = case.after(Tenant, request.tenant_id), case.after(Settings, request.tenant_id)
    if tenant is None or settings is None or is_shut(tenant) or is_shut(settings) or tenant.id in case.shut:
        refuse("P6", f"tenant {request.tenant_id} is shut")
    if settings.mode is not TenantMode.DEFAULT:
        refuse("P6", f"the mode of tenant {tenant.id} is {settings.mode}: consent is the only way in")


def _leaves_nothing_cooling(case: Case) -> None:
    """REQ-108: whoever closes this way in stops what is on it; what got on it meanwhile makes the decision stale."""
    closing = {row.id for _, row in case.written(Settings) if closes_other_ways(row)}
    for stored in case.stored(Request):
        request = case.after(Request, stored.id)
        if stored.tenant_id in closing and request is not None and _may_come_to_be(request, case.now):
            raise Stale(f"break-glass of request {request.id} went on in {stored.tenant_id} meanwhile")


def _may_come_to_be(request: Request, now: datetime) -> bool:
    """Whether this break-glass is not usable yet, and may be."""
    until = request.break_glass.cooling_until if request.break_glass else None
    match request.state:
        case RequestState.DECLARED:
            return now < request.expires_at + UNDECIDED
        case RequestState.COOLING:
            signed = request.break_glass.countersigned_at if request.break_glass else None
            return now < (until or (signed or now) + UNDELIVERED)
    return False


def _only_lapses(before: Emergency | None, after: Emergency | None) -> bool:
    """Whether nothing happens to an emergency but that time has made it void (P3 looks at the moment)."""
    return before is not None and after is not None and after == replace(before, lapsed_at=after.lapsed_at)


def _leaves_nobody_inside(case: Case) -> None:
    shut = {row.id for kind in (Settings, Tenant) for _, row in case.written(kind) if is_shut(row)}
    for stored in case.stored(Session):
        session = case.after(Session, stored.id)
        if stored.tenant_id in shut and session is not None and session.is_active(case.now):
            raise Stale(f"session {session.id} started in {session.tenant_id} meanwhile")
