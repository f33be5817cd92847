"""Commands over sessions: start, log a view, elevation; the endings stand in `endings` and are named here too."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from app.policy import reason as linter
from app.policy import sessions as policy
from app.policy import text
from app.policy.limits import DEFAULTS, HOUR, Limits, recent_starts
from app.policy.people import Place
from app.policy.verdict import Verdict, require
from app.services import letters, reading, session_letters
from app.services.command import Proof, RefusedOnRecord, change, queueable, step_up_act
from app.services.endings import about, end, force_end, give_outcome
from storage.log.actions import Action
from storage.log.entry import Draft
from storage.models import (
    Actor,
    Elevation,
    ElevationState,
    Layer,
    Mode,
    Request,
    RequestState,
    Session,
    SessionView,
    Staff,
    Standing,
    Start,
    ViewKind,
    time_text,
)
from storage.models.row import Json
from storage.shared.change import Change, Write
from storage.view import View

__all__ = [
    "ask_elevation",
    "countersign_elevation",
    "decline_elevation",
    "end",
    "force_end",
    "give_outcome",
    "log_view",
    "start",
]

VIEWED = {
    ViewKind.RECORD: Action.VIEWED_RECORD,
    ViewKind.FIELD: Action.VIEWED_FIELD,
    ViewKind.FILE: Action.VIEWED_FILE,
    ViewKind.SCREEN: Action.VIEWED_SCREEN,
    ViewKind.QUERY: Action.RAN_QUERY,
    ViewKind.SEARCH: Action.SEARCHED,
    ViewKind.EXPORT: Action.EXPORTED,
}
RESULTS = (ViewKind.QUERY, ViewKind.EXPORT, ViewKind.RECORD)
"""Kinds whose count adds to the records seen; a search only finds, a field belongs to a record seen."""


@step_up_act("session.start")
def start(view: View, actor: Actor, request_id: str, *, now: datetime, limits: Limits = DEFAULTS) -> Change:
    """Activate an approved request: the clock starts now (REQ-201). Over the rate limit it is refused, that is put on
    record, and the supers are alerted (REQ-112)."""
    staff = reading.staff_member(view, actor)
    request = reading.request(view, request_id)
    place = reading.place(view, request.tenant_id)
    decision = reading.decision_on(view, request_id)
    standing = reading.standing(view, staff.id)
    current = reading.current_session(view, standing)
    proof = Proof(view, actor, "session.start", now, limits)

    verdict = policy.may_start(request, decision, staff, place, standing, current, now, limits)
    if {finding.rule for finding in verdict.refusals} == {"REQ-112"}:
        raise RefusedOnRecord(verdict, _rate_limit_met(view, actor, staff, place, request, standing, verdict, now))
    require(verdict & proof.verdict)

    session = Session(
        id=view.fresh_id("S"),
        request_id=request.id,
        tenant_id=request.tenant_id,
        target_id=request.target_id,
        engineer_id=staff.id,
        ticket=request.ticket,
        layer=request.layer,
        mode=policy.granted_mode(request),
        started_at=now,
        expires_at=policy.would_end(request, staff, place, now),
    )
    used = replace(request, state=RequestState.USED, session_id=session.id)
    kept = recent_starts(standing, now)
    committed = replace(kept, active_session=session.id, starts=(*kept.starts, Start(request.tenant_id, now)))
    data: dict[str, Json] = {
        "mode": session.mode.value,
        "layer": session.layer.value,
        "expires_at": time_text(session.expires_at),
        "approved_by": _opened_by(request),
        "countersigned_by": request.countersigned_by if session.mode is Mode.FULL else None,
    }
    return change(
        view,
        actor,
        now,
        [about(Action.SESSION_STARTED, session, request, request.reason, data)],
        [Write(session), Write(used), Write(committed), proof.used()],
        session_letters.started(view, place, staff, request, session),
        id=session.id,
        mode=session.mode.value,
        expires_at=time_text(session.expires_at),
    )


def _opened_by(request: Request) -> str | None:
    """Whose decision let the session in: the tenant's, or a super's where the way in was another."""
    if request.layer is Layer.BREAK_GLASS and request.break_glass is not None:
        return request.break_glass.countersigned_by
    if request.layer is Layer.EMERGENCY and request.emergency is not None:
        return request.emergency.countersigned_by
    return request.decided_by


def _rate_limit_met(
    view: View,
    actor: Actor,
    staff: Staff,
    place: Place,
    request: Request,
    standing: Standing,
    verdict: Verdict,
    now: datetime,
) -> Change:
    """Every refusal is an entry; the supers get a letter at most once an hour about the same person."""
    entry = Draft(
        Action.RATE_LIMIT_MET,
        request=request.id,
        ticket=request.ticket,
        data={"engineer": staff.id, "wanted_tenant": place.tenant.id, "why": verdict.why()},
    )
    if standing.limit_alerted_at is not None and now - standing.limit_alerted_at < HOUR:
        return change(view, actor, now, [entry], [])
    mails = letters.rate_limit_met(view, reading.supers(view), staff, place, request, verdict.why(), now)
    return change(view, actor, now, [entry], [Write(replace(standing, limit_alerted_at=now))], mails)


@queueable("session.log_view", "view", final=False)
def log_view(
    view: View,
    actor: Actor,
    session_id: str,
    kind: ViewKind,
    name: str,
    fields: tuple[str, ...] = (),
    count: int = 1,
    within_scope: bool = True,
    *,
    now: datetime,
) -> Change:
    """The engineer records what was viewed (REQ-205): names of records and fields, never values."""
    staff = reading.staff_member(view, actor)
    session = reading.session(view, session_id)
    request = reading.request(view, session.request_id)

    require(policy.may_log_view(session, staff, now) & policy.is_view(name, fields, count))

    viewed = SessionView(
        view.fresh_id("V"), session.id, session.tenant_id, kind, name, fields, count, now, "engineer", within_scope
    )
    counted = replace(
        session,
        views=session.views + 1,
        records_seen=session.records_seen + (count if kind in RESULTS else 0),
        beyond_scope=session.beyond_scope + (0 if within_scope else 1),
        last_viewed=f"{kind.value} {name}",
    )
    data: dict[str, Json] = {"name": name, "count": count, "within_scope": within_scope, "source": "engineer"}
    entry = about(VIEWED[kind], counted, request, data=data | ({"fields": list(fields)} if fields else {}))
    return change(view, actor, now, [entry], [Write(viewed), Write(counted)], id=viewed.id)


@step_up_act("session.elevate")
def ask_elevation(
    view: View, actor: Actor, session_id: str, reason: str, *, now: datetime, limits: Limits = DEFAULTS
) -> Change:
    """Ask for `full` during a session, with its own reason (REQ-202). The clock does not stop for it."""
    staff = reading.staff_member(view, actor)
    session = reading.session(view, session_id)
    request = reading.request(view, session.request_id)
    place = reading.place(view, session.tenant_id)
    proof = Proof(view, actor, "session.elevate", now, limits)

    judged = linter.judge(reason, session.ticket, (request.reason,)).verdict
    clean = text.is_clean("REQ-202", "reason", reason, text.REASON_MAX)
    require(policy.may_ask_elevation(session, staff, place, now) & clean & judged & proof.verdict)

    asked = replace(session, elevation=Elevation(ElevationState.ASKED, reason, now))
    entry = about(Action.ELEVATION_ASKED, asked, request, reason, {"mode": Mode.FULL.value})
    return change(view, actor, now, [entry], [Write(asked), proof.used()], id=session.id)


@step_up_act("session.countersign")
def countersign_elevation(
    view: View, actor: Actor, session_id: str, note: str = "", *, now: datetime, limits: Limits = DEFAULTS
) -> Change:
    """A second staff member lets a running session change data; the end time stays (REQ-202)."""
    staff = reading.staff_member(view, actor)
    session = reading.session(view, session_id)
    request = reading.request(view, session.request_id)
    place = reading.place(view, session.tenant_id)
    engineer = reading.engineer_of(view, session)
    proof = Proof(view, actor, "session.countersign", now, limits)

    verdict = policy.may_countersign_elevation(session, staff, engineer, place, reading.duty(view), now)
    require(verdict & _is_note(note) & proof.verdict)

    elevated = replace(session, mode=Mode.FULL, elevation=_decided(session, ElevationState.GRANTED, staff, now))
    entry = _elevation_entry(Action.ELEVATION_GRANTED, elevated, request, note, Mode.FULL)
    mails = session_letters.elevated(view, place, engineer, staff, request, elevated, now)
    return change(view, actor, now, [entry], [Write(elevated), proof.used()], mails, id=session.id, mode="full")


@queueable("elevation.decline", "refusal of full mode")
def decline_elevation(view: View, actor: Actor, session_id: str, note: str = "", *, now: datetime) -> Change:
    """A second staff member refuses it; the session goes on read-only."""
    staff = reading.staff_member(view, actor)
    session = reading.session(view, session_id)
    request = reading.request(view, session.request_id)
    place = reading.place(view, session.tenant_id)
    engineer = reading.engineer_of(view, session)

    require(policy.may_decline_elevation(session, staff, engineer, place, now) & _is_note(note))

    declined = replace(session, elevation=_decided(session, ElevationState.DECLINED, staff, now))
    entry = _elevation_entry(Action.ELEVATION_DECLINED, declined, request, note, session.mode)
    return change(view, actor, now, [entry], [Write(declined)], id=session.id)


def _decided(session: Session, state: ElevationState, staff: Staff, now: datetime) -> Elevation:
    reason = session.elevation.reason if session.elevation else ""
    asked_at = session.elevation.asked_at if session.elevation else now
    return Elevation(state, reason, asked_at, staff.id, now)


def _elevation_entry(action: Action, session: Session, request: Request, note: str, mode: Mode) -> Draft:
    reason = session.elevation.reason if session.elevation else None
    before: dict[str, Json] = {"mode": Mode.READ_ONLY.value}
    entry = about(action, session, request, reason, {"note": note} if note else {})
    return replace(entry, before=before, after={"mode": mode.value})


def _is_note(note: str) -> Verdict:
    return text.is_clean("REQ-107", "note", note, text.NOTE_MAX, needed=False)
