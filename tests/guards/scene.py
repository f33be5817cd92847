"""A lawful company, and the lawful Changes it makes, as bare rows: each guard test breaks one thing in one of them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from storage.errors import GuardRefused
from storage.log.actions import Action
from storage.log.entry import Draft
from storage.models import (
    Actor,
    ActorKind,
    Alternative,
    Contact,
    ContactRole,
    Decision,
    DecisionKind,
    Elevation,
    ElevationState,
    EndKind,
    Layer,
    Mail,
    Mode,
    Request,
    RequestState,
    Role,
    Row,
    Session,
    Settings,
    Staff,
    Standing,
    Start,
    StepUp,
    Tenant,
    TenantStatus,
)
from storage.shared.change import Change, Read, Write
from storage.shared.guards import GUARDS, check_all
from storage.shared.guards.case import Case, EntryKey, Limits

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ANN, BEN, SUE, ODA = "U-ANN", "U-BEN", "U-SUE", "U-ODA"
TENANT, REQUEST, SESSION, CHANGE = "northwind", "R-1", "S-1", "change-1"
MARIA = f"{TENANT}/maria"
CLOCK = Actor(ActorKind.SYSTEM, "clock", "clock", "")


def person(key: str, role: Role) -> Staff:
    name = key.removeprefix("U-").title()
    return Staff(key, f"{name.lower()}@operator.example", name, role, None, NOW - timedelta(days=100), None)


STAFF = {
    one.id: one
    for one in (
        person(ANN, Role.ENGINEER),
        person(BEN, Role.ENGINEER),
        person(SUE, Role.SUPER),
        person(ODA, Role.AUDITOR),
    )
}
ADMIN = Contact(MARIA, TENANT, "Maria", "maria@northwind.example", (ContactRole.TENANT_ADMIN,))
SETTINGS = Settings(TENANT)
ACCOUNT = Tenant(TENANT, "Northwind", "pro", TenantStatus.ACTIVE, (MARIA,))
PENDING = Request(
    id=REQUEST,
    tenant_id=TENANT,
    target_id="eva",
    ticket="CASE-1",
    reason="the invoice of March shows a wrong currency on screen",
    scope="invoices",
    records=3,
    mode=Mode.READ_ONLY,
    minutes=30,
    urgent=False,
    tried=(Alternative.LOGS,),
    why_not="they do not show it",
    engineer_id=ANN,
    created_at=NOW - timedelta(hours=1),
    expires_at=NOW + timedelta(hours=23),
    content_digest="d" * 64,
)
APPROVED = replace(
    PENDING,
    state=RequestState.APPROVED,
    granted_minutes=30,
    decided_at=NOW,
    decided_by=MARIA,
    usable_until=NOW + timedelta(hours=8),
)
APPROVAL = Decision("D-1", REQUEST, TENANT, DecisionKind.APPROVE, MARIA, "Maria", NOW, 30, None, "d" * 64)
RUNNING = Session(
    id=SESSION,
    request_id=REQUEST,
    tenant_id=TENANT,
    target_id="eva",
    engineer_id=ANN,
    ticket="CASE-1",
    layer=Layer.CONSENT,
    mode=Mode.READ_ONLY,
    started_at=NOW,
    expires_at=NOW + timedelta(minutes=30),
)
STANDING = Standing(ANN, None, None, ())
ASKED = Elevation(ElevationState.ASKED, "the currency must be set right", NOW)


def acting(key: str, step_up: str | None = None) -> Actor:
    return Actor(ActorKind.STAFF, key, STAFF[key].name, STAFF[key].email, step_up=step_up)


AS_MARIA = Actor(ActorKind.TENANT_ADMIN, MARIA, ADMIN.name, ADMIN.email)


def proof(staff: str, act: str, key: str = "P-1") -> StepUp:
    return StepUp(key, staff, act, NOW - timedelta(seconds=10), "totp", ())


def used(row: StepUp) -> StepUp:
    return replace(row, used_by=(*row.used_by, CHANGE))


@dataclass(frozen=True)
class Scene:
    """Stored rows and a Change. `stored` and `writing` put one row in place of the one with the same key."""

    before: tuple[Row, ...]
    actor: Actor
    action: Action
    after: tuple[Row, ...]
    entries: tuple[Draft, ...] = ()
    mails: tuple[Mail, ...] = ()
    limits: Limits = field(default_factory=Limits)
    log: Mapping[EntryKey, str] = field(default_factory=dict)
    """Entries of tenants' own logs, as far as the Change is about them."""

    def stored(self, *rows: Row) -> Scene:
        return replace(self, before=_with(self.before, rows))

    def writing(self, *rows: Row) -> Scene:
        return replace(self, after=_with(self.after, rows))

    def without(self, *rows: Row) -> Scene:
        gone = {(row.TABLE, row.id) for row in rows}
        return replace(self, after=tuple(row for row in self.after if (row.TABLE, row.id) not in gone))

    def mailing(self, *mails: Mail) -> Scene:
        return replace(self, mails=mails)

    def by(self, actor: Actor) -> Scene:
        return replace(self, actor=actor)

    def named(self, *actions: Action) -> Scene:
        """Under other action codes than the lawful one."""
        return replace(self, entries=tuple(Draft(a, TENANT, request=REQUEST, session=SESSION) for a in actions))

    def check(self, now: datetime = NOW) -> None:
        """Let every guard look, in order."""
        check_all(self._case(now))

    def broken(self) -> set[str]:
        """Every promise that a guard says would be broken: several see the same wrong from different sides."""
        promises = set()
        for guard in GUARDS:
            try:
                guard(self._case(NOW))
            except GuardRefused as refusal:
                promises.add(refusal.promise)
        return promises

    def _case(self, now: datetime) -> Case:
        entries = self.entries or (Draft(self.action, TENANT, request=REQUEST, session=SESSION),)
        change = Change(
            CHANGE,
            now,
            self.actor,
            entries,
            tuple(Read(row.TABLE, row.id, 1) for row in self.before),
            tuple(Write(row) for row in self.after),
            self.mails,
        )
        found = {(row.TABLE, row.id): (1, row.image()) for row in self.before}
        return Case(change, now, self.limits, found, entries=self.log)


def _with(rows: Iterable[Row], instead: Iterable[Row]) -> tuple[Row, ...]:
    by_key = {(row.TABLE, row.id): row for row in (*rows, *instead)}
    return tuple(by_key.values())


COMPANY: tuple[Row, ...] = (*STAFF.values(), ADMIN, SETTINGS, ACCOUNT, STANDING)


def asking() -> Scene:
    step_up = proof(ANN, "request.create")
    after = (replace(PENDING, created_at=NOW), used(step_up))
    return Scene((*COMPANY, step_up), acting(ANN, "P-1"), Action.REQUEST_CREATED, after)


def approving() -> Scene:
    return Scene((*COMPANY, PENDING), AS_MARIA, Action.REQUEST_APPROVED, (APPROVED, APPROVAL))


def countersigning() -> Scene:
    step_up = proof(BEN, "request.countersign")
    wanting = replace(APPROVED, mode=Mode.FULL)
    signed = replace(wanting, countersigned_by=BEN, countersigned_at=NOW)
    decision = replace(APPROVAL, id="D-2", kind=DecisionKind.COUNTERSIGN, by=BEN, by_name="Ben", minutes=None)
    return Scene(
        (*COMPANY, wanting, APPROVAL, step_up),
        acting(BEN, "P-1"),
        Action.REQUEST_COUNTERSIGNED,
        (signed, decision, used(step_up)),
    )


def starting() -> Scene:
    step_up = proof(ANN, "session.start")
    begun = replace(STANDING, active_session=SESSION, starts=(Start(TENANT, NOW),))
    spent = replace(APPROVED, state=RequestState.USED, session_id=SESSION)
    return Scene(
        (*COMPANY, APPROVED, APPROVAL, step_up),
        acting(ANN, "P-1"),
        Action.SESSION_STARTED,
        (RUNNING, spent, begun, used(step_up)),
    )


def elevating() -> Scene:
    step_up = proof(BEN, "session.countersign")
    wanting = replace(RUNNING, elevation=ASKED)
    granted = replace(
        wanting, mode=Mode.FULL, elevation=replace(ASKED, state=ElevationState.GRANTED, decided_by=BEN, decided_at=NOW)
    )
    spent = replace(APPROVED, state=RequestState.USED, session_id=SESSION)
    return Scene(
        (*COMPANY, spent, wanting, step_up), acting(BEN, "P-1"), Action.ELEVATION_GRANTED, (granted, used(step_up))
    )


def ending(kind: EndKind, action: Action, actor: Actor) -> Scene:
    at = RUNNING.expires_at if kind is EndKind.CLOCK else NOW
    over = replace(RUNNING, ended_at=at, end_kind=kind, ended_by=actor.id)
    return Scene((*COMPANY, APPROVED, RUNNING), actor, action, (over,))
