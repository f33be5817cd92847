"""Small made-up rows for tests of the rules: one engineer, one tenant, one request, each as a test wants it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from app.policy.people import Place
from app.policy.requests import RequestForm, content_digest
from storage.models import (
    Alternative,
    Contact,
    ContactRole,
    Decision,
    DecisionKind,
    Layer,
    Mode,
    Request,
    RequestState,
    Role,
    Session,
    Settings,
    Staff,
    Standing,
    Tenant,
    TenantStatus,
)

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ANN = Staff("U-ANN", "ann@ops.example", "Ann Lee", Role.ENGINEER, None, NOW, None)
RAJ = Staff("U-RAJ", "raj@ops.example", "Raj Patel", Role.ENGINEER, None, NOW, None)
DANA = Staff("U-DANA", "dana@ops.example", "Dana Weiss", Role.SUPER, None, NOW, None)
NOOR = Staff("U-NOOR", "noor@ops.example", "Noor Aziz", Role.AUDITOR, None, NOW, None)
FREE = Standing(ANN.id, None, None, ())

MARIA = Contact("nw/maria", "nw", "Maria Santos", "maria@nw.example", (ContactRole.TENANT_ADMIN,))
EVA = Contact("nw/eva", "nw", "Eva Lind", "eva@nw.example", (ContactRole.USER,))
LAW = Contact("nw/law", "nw", "Legal", "law@nw.example", (ContactRole.LEGAL_CONTACT,))


def place(*more: Contact, status: TenantStatus = TenantStatus.ACTIVE, without: str = "", **settings: Any) -> Place:
    """Northwind, with settings and further contacts as wanted."""
    contacts = tuple(contact for contact in (MARIA, EVA, LAW, *more) if contact.id != without)
    tenant = Tenant("nw", "Northwind", "basic", status, tuple(contact.id for contact in contacts))
    return Place(tenant, Settings("nw", **settings), contacts)


def form(**changes: Any) -> RequestForm:
    """A request that every rule lets pass."""
    good = RequestForm(
        tenant_id="nw",
        target_id="nw/eva",
        ticket="T-48271",
        reason="Refund 8841 shows completed but the card was never credited; compare it with payment event 991.",
        scope="refund 8841, payment event 991",
        records=2,
        tried=(Alternative.LOGS, Alternative.METRICS),
        why_not="The logs hold no answer of the card network.",
    )
    return replace(good, **changes)


def request(state: RequestState = RequestState.PENDING, **changes: Any) -> Request:
    """Ann's request; an approved one with what an approval sets."""
    wanted = form(**{name: changes.pop(name) for name in ("mode", "minutes", "target_id") if name in changes})
    asked = Request(
        id="R-1",
        tenant_id=wanted.tenant_id,
        target_id=wanted.target_id,
        ticket=wanted.ticket,
        reason=wanted.reason,
        scope=wanted.scope,
        records=wanted.records,
        mode=wanted.mode,
        minutes=wanted.minutes,
        urgent=False,
        tried=wanted.tried,
        why_not=wanted.why_not,
        engineer_id=ANN.id,
        created_at=NOW,
        expires_at=NOW + timedelta(hours=24),
        content_digest=content_digest(wanted),
        state=state,
    )
    if state in (RequestState.APPROVED, RequestState.USED):
        until = NOW + timedelta(hours=8)
        asked = replace(asked, decided_at=NOW, decided_by=MARIA.id, granted_minutes=wanted.minutes, usable_until=until)
    return replace(asked, **changes)


def decision(on: Request, kind: DecisionKind = DecisionKind.APPROVE) -> Decision:
    return Decision("D-1", on.id, on.tenant_id, kind, MARIA.id, MARIA.name, NOW, 30, None, on.content_digest)


def session(**changes: Any) -> Session:
    """Ann's running session of thirty minutes."""
    running = Session(
        id="S-1",
        request_id="R-1",
        tenant_id="nw",
        target_id="nw/eva",
        engineer_id=ANN.id,
        ticket="T-48271",
        layer=Layer.CONSENT,
        mode=Mode.READ_ONLY,
        started_at=NOW,
        expires_at=NOW + timedelta(minutes=30),
    )
    return replace(running, **changes)
