"""The JSON API: the tenant's settings and log, by an admin's browser or the tenant's API key; and the life of tenants,
by the operator's platform. Every error is an RFC 9457 problem."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from app.portal.api_models import (
    Day,
    EntryDocument,
    FaultDocument,
    FlagsBody,
    LogDocument,
    Moment,
    PlanBody,
    ReasonBody,
    SettingsChange,
    SettingsChanged,
    SettingsDocument,
    TenantBody,
    TenantDocument,
    VerificationDocument,
)
from app.portal.door import door_of
from app.portal.problems import Problem, responses
from app.portal.rates import HEAVY
from app.portal.tenant_log import packed, verified
from app.portal.who import PlatformKey, Reader, Setter
from app.services import api_keys, platform, reading, tenants
from storage.models import Actor, Settings, Tenant, TenantStatus
from storage.models.row import encode
from storage.replica.queries.log import entry_hash
from storage.replica.queries.log_filter import LogFilter
from storage.replica.queries.portal import log_page

tenant_router = APIRouter(prefix="/api", tags=["tenant"])
platform_router = APIRouter(prefix="/api/platform", tags=["platform"])

TenantId = Annotated[str, Path(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9._-]+$")]
CHECKED = [
    "each entry's hash is the SHA-256 of its bytes",
    "each entry names the hash of the one before it, back to the first",
    "no number is missing, none stands there twice",
    "the newest entry is the recorded head",
    "the log continues what this portal has seen",
]
_READS = responses(400, 401, 403, 422)
_WRITES = responses(400, 401, 403, 409, 422)
_MOVES = responses(400, 401, 403, 404, 409, 422)


@tenant_router.get("/tenant/settings", responses=_READS)
async def settings(request: Request, caller: Reader) -> SettingsDocument:
    """The tenant's settings."""
    return _settings(request, caller.tenant_id)


@tenant_router.patch("/tenant/settings", responses=_WRITES)
async def change_settings(request: Request, caller: Setter, body: SettingsChange) -> SettingsChanged:
    """Change settings; what shuts the tenant ends its running sessions."""
    wanted: dict[str, Any] = body.model_dump(exclude_none=True)
    if not wanted:
        raise Problem(422, "name a setting to change")
    command = tenants.change_settings if caller.key is None else api_keys.change_settings
    done = await door_of(request).run(command, caller.actor, caller.tenant_id, **wanted)
    ended = int(done.answer.get("sessions_ended", "0"))
    return SettingsChanged(settings=_settings(request, caller.tenant_id), sessions_ended=ended)


@tenant_router.get("/audit", responses=_READS)
async def audit(
    request: Request,
    caller: Reader,
    action: Annotated[list[str] | None, Query(max_length=20, description="A code; `session.*` takes all.")] = None,
    session: Annotated[str | None, Query(max_length=64)] = None,
    request_id: Annotated[str | None, Query(alias="request", max_length=64)] = None,
    ticket: Annotated[str | None, Query(max_length=64)] = None,
    words: Annotated[list[str] | None, Query(max_length=10, description="Each must occur in the entry.")] = None,
    since: Annotated[Moment | None, Query(description="At this moment or later.")] = None,
    until: Annotated[Moment | None, Query(description="Before this moment.")] = None,
    before: Annotated[int | None, Query(ge=1, le=2**53, description="Entries with a lower number.")] = None,
    limit: Annotated[int, Query(ge=1, le=500)] = 100,
) -> LogDocument:
    """The tenant's log, newest first, narrowed as wanted."""
    if any(not one or len(one) > 200 for one in [*(action or []), *(words or [])]):
        raise Problem(422, "an action or a word is empty, or longer than 200 characters")
    door = door_of(request)
    wanted = LogFilter(
        action=tuple(action or ()),
        session=tuple(filter(None, [session])),
        request=tuple(filter(None, [request_id])),
        ticket=tuple(filter(None, [ticket])),
        words=tuple(words or ()),
        since=_utc(since),
        until=_utc(until),
    )
    found = log_page(door.reader, caller.tenant_id, wanted, before=before, size=limit)
    log = f"tenant:{caller.tenant_id}"
    entries = [
        EntryDocument.model_validate({**one.data, "hash": entry_hash(door.reader, log, one.seq)})
        for one in found.entries
    ]
    return LogDocument(tenant=caller.tenant_id, entries=entries, older=found.older)


@tenant_router.get("/audit/verify", responses=_READS)
async def verify(request: Request, caller: Reader) -> VerificationDocument:
    """Read the tenant's whole log from the shared database, now, and check it."""
    door = door_of(request)
    _paced(request, caller.tenant_id)
    report = await verified(door, caller.tenant_id)
    head = next(iter(report.heads.values()), None)
    return VerificationDocument(
        tenant=caller.tenant_id,
        verified=report.sound,
        entries=report.entries,
        head={"seq": head.seq, "hash": head.hash} if head else {},
        checked=CHECKED,
        faults=[FaultDocument(log=one.log, seq=one.seq, what=one.what) for one in report.faults],
        further=report.further,
        seconds=round(report.seconds, 3),
    )


@tenant_router.get(
    "/audit/export",
    responses=_WRITES | {200: {"description": "A pack, a zip file.", "content": {"application/zip": {}}}},
    response_class=Response,
)
async def export(
    request: Request,
    caller: Reader,
    first: Annotated[Day | None, Query(alias="from", description="First day.")] = None,
    last: Annotated[Day | None, Query(alias="to", description="Last day.")] = None,
) -> Response:
    """The log, or a stretch of it, as a pack that verifies offline, without this software. It goes on record."""
    _paced(request, caller.tenant_id)
    since = datetime(first.year, first.month, first.day, tzinfo=UTC) if first else None
    until = datetime(last.year, last.month, last.day, tzinfo=UTC) if last else None
    if until is not None:
        until = min(until, datetime(9998, 1, 1, tzinfo=UTC)) + timedelta(days=1)
    return await packed(door_of(request), caller.actor, caller.tenant_id, since, until)


@platform_router.post("/tenants", status_code=201, responses=_WRITES)
async def create_tenant(request: Request, actor: PlatformKey, body: TenantBody) -> TenantDocument:
    """A new tenant, with its people."""
    await door_of(request).run(platform.create_tenant, actor, body.record())
    return _tenant(request, body.id)


@platform_router.get("/tenants/{tenant_id}", responses=responses(400, 401, 403, 404, 422))
async def tenant(request: Request, actor: PlatformKey, tenant_id: TenantId) -> TenantDocument:
    """A tenant as it is."""
    return _tenant(request, tenant_id)


@platform_router.post("/tenants/{tenant_id}/suspend", responses=_MOVES)
async def suspend(request: Request, actor: PlatformKey, tenant_id: TenantId, body: ReasonBody) -> TenantDocument:
    """Suspend: running support sessions end, none starts."""
    return await _move(request, actor, tenant_id, TenantStatus.SUSPENDED, body.reason)


@platform_router.post("/tenants/{tenant_id}/resume", responses=_MOVES)
async def resume(request: Request, actor: PlatformKey, tenant_id: TenantId, body: ReasonBody) -> TenantDocument:
    """Resume a suspended tenant."""
    return await _move(request, actor, tenant_id, TenantStatus.ACTIVE, body.reason)


@platform_router.post("/tenants/{tenant_id}/deprovision", responses=_MOVES)
async def deprovision(request: Request, actor: PlatformKey, tenant_id: TenantId, body: ReasonBody) -> TenantDocument:
    """Close for good. The log is kept."""
    return await _move(request, actor, tenant_id, TenantStatus.DEPROVISIONED, body.reason)


@platform_router.post("/tenants/{tenant_id}/plan", responses=_MOVES)
async def plan(request: Request, actor: PlatformKey, tenant_id: TenantId, body: PlanBody) -> TenantDocument:
    """Move to another plan."""
    _tenant(request, tenant_id)
    await door_of(request).run(platform.change_plan, actor, tenant_id, body.plan)
    return _tenant(request, tenant_id)


@platform_router.post("/tenants/{tenant_id}/flags", responses=_MOVES)
async def flags(request: Request, actor: PlatformKey, tenant_id: TenantId, body: FlagsBody) -> TenantDocument:
    """Override features, or take overrides away."""
    _tenant(request, tenant_id)
    await door_of(request).run(platform.change_flags, actor, tenant_id, body.flags)
    return _tenant(request, tenant_id)


async def _move(request: Request, actor: Actor, tenant_id: str, becomes: TenantStatus, reason: str) -> TenantDocument:
    _tenant(request, tenant_id)
    done = await door_of(request).run(platform.move_tenant, actor, tenant_id, becomes, reason)
    return _tenant(request, tenant_id, int(done.answer["sessions_ended"]))


def _tenant(request: Request, tenant_id: str, ended: int = 0) -> TenantDocument:
    found = door_of(request).view().get(Tenant, tenant_id)
    if found is None:
        raise Problem(404, f"there is no tenant {tenant_id}")
    return TenantDocument.of(found, ended)


def _settings(request: Request, tenant_id: str) -> SettingsDocument:
    found: Settings = reading.place(door_of(request).view(), tenant_id).settings
    values: Any = encode(found)
    tenant_id = values.pop("id")
    return SettingsDocument.model_validate({**values, "tenant": tenant_id})


def _paced(request: Request, tenant_id: str) -> None:
    if seconds := door_of(request).rates.count(HEAVY, tenant_id):
        raise Problem(429, "the log was just read", retry_after=seconds)


def _utc(moment: datetime | None) -> datetime | None:
    """Without a zone it is UTC. Raises Problem for one that no calendar has in UTC."""
    if moment is None:
        return None
    try:
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (OverflowError, ValueError):
        raise Problem(422, f"there is no such moment: {re.sub('[^0-9T:+.Z-]', '?', str(moment))}") from None
