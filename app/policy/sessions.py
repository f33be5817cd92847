"""Rules over sessions: starting, viewing, elevating, ending, owing the outcome (REQ-201 … 206, 208)."""

from __future__ import annotations

from datetime import datetime, timedelta

from app.policy import text
from app.policy.duty import Duty, is_on_duty
from app.policy.limits import DEFAULTS, Limits, within_rate
from app.policy.people import Place, is_no_contact, is_second_person, is_super, may_act
from app.policy.request_state import usable_until
from app.policy.requests import is_own, is_target, is_unchanged, state_at, state_words
from app.policy.tenants import is_layer_open, is_open
from app.policy.verdict import Verdict, rule
from app.policy.words import moment
from storage.models import (
    Decision,
    DecisionKind,
    ElevationState,
    Layer,
    Mode,
    Outcome,
    Request,
    RequestState,
    Session,
    Staff,
    Standing,
)

GRANTING = {
    Layer.CONSENT: (DecisionKind.APPROVE, DecisionKind.STANDING_CONSENT),
    Layer.BREAK_GLASS: (DecisionKind.BREAK_GLASS,),
    Layer.EMERGENCY: (DecisionKind.EMERGENCY,),
}
"""The decision that opens each way in."""


def is_active(session: Session, now: datetime) -> bool:
    """REQ-203: over is over by time, whether or not anyone recorded it."""
    return session.is_active(now)


def owes_outcome(session: Session, now: datetime) -> bool:
    """REQ-206: over, and nobody has said what came of it."""
    return session.outcome is None and not session.is_active(now)


def granted_mode(request: Request) -> Mode:
    """REQ-202: `full` only with a countersign."""
    return Mode.FULL if request.mode is Mode.FULL and request.countersigned_by else Mode.READ_ONLY


def granted_minutes(request: Request, place: Place) -> int:
    """REQ-201: what was approved, at most what was asked, at most the tenant's maximum."""
    return min(request.granted_minutes or request.minutes, request.minutes, place.settings.max_minutes)


def would_end(request: Request, staff: Staff, place: Place, now: datetime) -> datetime:
    """When a session started now would be over. Temporary staff's sessions end with their account (REQ-701)."""
    end = now + timedelta(minutes=granted_minutes(request, place))
    return min(end, staff.until) if staff.until is not None else end


def is_free(standing: Standing, current: Session | None, now: datetime) -> Verdict:
    """REQ-201, REQ-206: one active session per engineer, and none while an outcome is owed. `current` is the session
    that `standing.active_session` or `standing.owes_outcome` names."""
    active = current is not None and current.is_active(now)
    owed = current is not None and not active and current.outcome is None
    ident = current.id if current is not None else ""
    return rule(
        "REQ-201",
        not active,
        "no other session of yours is active",
        f"session {ident} is active: one at a time, never one inside another",
        "end it first",
    ) & rule(
        "REQ-206",
        not owed,
        "no outcome is owed",
        f"the outcome of session {ident} is owed",
        "give it, then start",
    )


def may_start(
    request: Request,
    decision: Decision | None,
    staff: Staff,
    place: Place,
    standing: Standing,
    current: Session | None,
    now: datetime,
    limits: Limits = DEFAULTS,
) -> Verdict:
    """REQ-201: everything that must hold at the moment of activation. `decision` is the approval on record."""
    return (
        may_act(staff, now)
        & is_own(request, staff)
        & is_no_contact(staff, place)
        & is_open(place)
        & is_layer_open(place, request.layer)
        & is_target(request.target_id, place)
        & is_approved(request, decision, now)
        & is_free(standing, current, now)
        & within_rate(standing, place.tenant.id, now, limits)
    )


def is_approved(request: Request, decision: Decision | None, now: datetime) -> Verdict:
    """REQ-107, REQ-115, REQ-201: approved on this very content, not lapsed, not used before."""
    state, until = state_at(request, now), usable_until(request)
    approved = state is RequestState.APPROVED
    verdict = rule(
        "REQ-108" if state in (RequestState.DECLARED, RequestState.COOLING, RequestState.VETOED) else "REQ-201",
        approved,
        state_words(request, decision, now) + (f", usable until {moment(until, now)}" if until else ""),
        state_words(request, decision, now),
        _WHO_OPENS.get(state, "ask again"),
    )
    if not approved:
        return verdict
    on_record = decision is not None and decision.kind in GRANTING[request.layer]
    return (
        verdict
        & rule("REQ-107", on_record, "the decision is on record", "no approval is on record")
        & is_unchanged(request, decision.content_digest if decision is not None else "")
    )


_WHO_OPENS = {
    RequestState.PENDING: "a tenant admin must approve first",
    RequestState.DECLARED: "a super must countersign first",
    RequestState.COOLING: "nobody can shorten the cooling",
}


def is_mine(session: Session, staff: Staff) -> Verdict:
    return rule(
        "REQ-201",
        session.engineer_id == staff.id,
        f"session {session.id} is {staff.name}'s own",
        f"session {session.id} is not {staff.name}'s",
        "the engineer who started it",
    )


def is_running(session: Session, now: datetime) -> Verdict:
    over = session.ended_at if session.ended_at is not None else session.expires_at
    return rule(
        "REQ-203",
        session.is_active(now),
        f"session {session.id} runs until {moment(session.expires_at, now)}",
        f"session {session.id} has been over since {moment(over, now)}",
    )


def may_log_view(session: Session, staff: Staff, now: datetime) -> Verdict:
    """REQ-205: the engineer adds what the gate cannot see, while the session runs."""
    return may_act(staff, now) & is_mine(session, staff) & is_running(session, now)


def is_view(name: str, fields: tuple[str, ...], count: int) -> Verdict:
    """REQ-205: names, never values; a result has a size."""
    verdict = text.is_clean("REQ-205", "name of what was viewed", name, text.VIEWED_NAME_MAX, lines=False)
    for field in fields[: text.FIELDS_MAX]:
        verdict &= text.is_clean("REQ-205", "field's name", field, text.NAME_MAX, lines=False)
    return (
        verdict
        & rule("REQ-205", len(fields) <= text.FIELDS_MAX, "fields named", f"at most {text.FIELDS_MAX} fields at a time")
        & rule("REQ-205", 0 <= count < 2**53, f"{count:,} viewed", f"{count:,} is no number of records")
    )


def may_end(session: Session, staff: Staff, now: datetime) -> Verdict:
    return may_act(staff, now) & is_mine(session, staff) & is_running(session, now)


def may_give_outcome(session: Session, staff: Staff, now: datetime) -> Verdict:
    """REQ-206: its engineer, after the end, once."""
    return (
        may_act(staff, now)
        & is_mine(session, staff)
        & rule(
            "REQ-206",
            not session.is_active(now),
            "the session is over",
            f"session {session.id} still runs: end it, the outcome is part of ending",
        )
        & rule("REQ-206", session.outcome is None, "the outcome is owed", "the outcome has been given")
    )


def is_outcome(outcome: Outcome) -> Verdict:
    """REQ-206: cause found, what was changed or that nothing was, whether anything beyond scope was seen, follow-up."""
    verdict = Verdict()
    for label, words in (
        ("cause found", outcome.cause),
        ('words on what was changed ("nothing" is an answer)', outcome.changed),
        ('words on what was seen beyond the scope ("no" is an answer)', outcome.beyond_scope),
    ):
        verdict &= text.is_clean("REQ-206", label, words, text.OUTCOME_MAX)
    return verdict & text.is_clean("REQ-206", "follow-up", outcome.follow_up, text.OUTCOME_MAX, needed=False)


def may_force_end(session: Session, staff: Staff, now: datetime) -> Verdict:
    """REQ-204: a super ends any running session, of whomever."""
    return is_super(staff, now, "force-ends a session") & is_running(session, now)


def may_ask_elevation(session: Session, staff: Staff, place: Place, now: datetime) -> Verdict:
    """REQ-202: from read-only to full, asked with its own reason, one question at a time."""
    waiting = session.elevation is not None and session.elevation.state is ElevationState.ASKED
    return (
        may_log_view(session, staff, now)
        & is_open(place)
        & rule("REQ-202", session.mode is Mode.READ_ONLY, "it is read-only", "the session is in full mode already")
        & rule("REQ-202", not waiting, "nothing waits for a countersign", "elevation has been asked and waits")
    )


def may_countersign_elevation(
    session: Session, staff: Staff, engineer: Staff, place: Place, duty: Duty, now: datetime
) -> Verdict:
    """REQ-111, REQ-202: a second person on duty, while the session runs."""
    return (
        may_decline_elevation(session, staff, engineer, place, now, duty.who_could(now))
        & is_on_duty(duty, staff, now)
        & is_open(place)
    )


def may_decline_elevation(
    session: Session, staff: Staff, engineer: Staff, place: Place, now: datetime, who_could: str = ""
) -> Verdict:
    waiting = session.elevation is not None and session.elevation.state is ElevationState.ASKED
    return (
        may_act(staff, now)
        & is_second_person(staff, engineer, who_could)
        & is_no_contact(staff, place)
        & is_running(session, now)
        & rule("REQ-202", waiting, "elevation to full was asked", "no elevation waits for a countersign")
    )
