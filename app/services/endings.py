"""Every way a session ends, in one place: its engineer, a super, the tenant, the clock, a deactivation (REQ-203, 204,
206). Whoever ends it, the same rows are written and the same receipt goes out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from app.policy import sessions as policy
from app.policy import text
from app.policy.limits import DEFAULTS, Limits
from app.policy.verdict import require
from app.services import reading, session_letters
from app.services.command import CLOCK, Proof, adds_no_privilege, change, queueable, step_up_act
from storage.log.actions import Action
from storage.log.entry import Draft
from storage.models import Actor, EndKind, Mail, Outcome, Request, Row, Session, SessionView, time_text
from storage.models.row import Json
from storage.shared.change import Change, Write
from storage.view import View

ACTIONS = {
    EndKind.ENGINEER: Action.SESSION_ENDED,
    EndKind.SUPER: Action.SESSION_FORCE_ENDED,
    EndKind.TENANT: Action.SESSION_ENDED,
    EndKind.CLOCK: Action.SESSION_EXPIRED,
    EndKind.DEACTIVATED: Action.SESSION_ENDED,
}


@dataclass(frozen=True, slots=True)
class Ending:
    """One session's end as parts of a Change: the entry, the rows under it, the letters."""

    session: Session
    entry: Draft
    rows: tuple[Row, ...]
    mails: tuple[Mail, ...]


def ending(
    view: View,
    session: Session,
    kind: EndKind,
    by: Actor,
    now: datetime,
    why: str | None = None,
    outcome: Outcome | None = None,
) -> Ending:
    """What it takes to end `session`. By the clock it ended at its end time, whenever that is recorded."""
    at = session.expires_at if kind is EndKind.CLOCK else now
    who = CLOCK.id if kind is EndKind.CLOCK else by.id  # whoever writes it down did not end it
    over = replace(session, ended_at=at, end_kind=kind, ended_by=who, end_reason=why, outcome=outcome)
    request = reading.request(view, session.request_id)
    place = reading.place(view, session.tenant_id)
    engineer = reading.engineer_of(view, session)
    standing = reading.standing(view, session.engineer_id)
    owed = None if outcome is not None else session.id
    views = view.find(SessionView, session_id=session.id)
    data: dict[str, Json] = {
        "ended_by": kind.value,
        "effective_at": time_text(at),
        "seconds": int((at - session.started_at).total_seconds()),
        "views": session.views,
        "records_seen": session.records_seen,
        "outcome_owed": owed is not None,
    }
    entry = about(ACTIONS[kind], over, request, why, data | (_outcome_data(outcome) if outcome else {}))
    rows: list[Row] = [over]
    if standing.active_session == session.id:
        rows.append(replace(standing, active_session=None, owes_outcome=owed))
    return Ending(over, entry, tuple(rows), session_letters.receipt(view, place, engineer, request, over, views, now))


def collected(
    first: Sequence[Draft], writes: Sequence[Write], endings: Sequence[Ending]
) -> tuple[list[Draft], list[Write], list[Mail]]:
    """Entries, writes and letters of a Change that begins with `first` and also ends these sessions."""
    entries, all_writes = list(first), list(writes)
    mails: list[Mail] = []
    for one in endings:
        all_writes += [Write(row, len(entries)) for row in one.rows]
        entries.append(one.entry)
        mails += one.mails
    return entries, all_writes, mails


def about(
    action: Action, session: Session, request: Request, reason: str | None = None, data: dict[str, Json] | None = None
) -> Draft:
    """An entry about a session, for the operator's log and the tenant's."""
    return Draft(
        action,
        tenant=session.tenant_id,
        target=session.target_id,
        request=request.id,
        session=session.id,
        ticket=session.ticket,
        reason=reason,
        data=data or {},
    )


def _outcome_data(outcome: Outcome) -> dict[str, Json]:
    return {
        "cause": outcome.cause,
        "changed": outcome.changed,
        "beyond_scope": outcome.beyond_scope,
        "follow_up": outcome.follow_up,
        "ticket_closed": outcome.ticket_closed,
    }


@queueable("session.end", "ending")
def end(
    view: View,
    actor: Actor,
    session_id: str,
    cause: str,
    changed: str,
    beyond_scope: str,
    follow_up: str = "",
    ticket_closed: bool = True,
    *,
    now: datetime,
) -> Change:
    """Its engineer ends the session and says what came of it. If it ended meanwhile by other means while the form
    was being filled in, the words are taken as the outcome owed."""
    staff = reading.staff_member(view, actor)
    session = reading.session(view, session_id)
    outcome = Outcome(cause, changed, beyond_scope, follow_up, ticket_closed, now)
    if policy.owes_outcome(session, now):
        return give_outcome(view, actor, session_id, cause, changed, beyond_scope, follow_up, ticket_closed, now=now)

    require(policy.may_end(session, staff, now) & policy.is_outcome(outcome))

    done = ending(view, session, EndKind.ENGINEER, actor, now, outcome=outcome)
    entries, writes, mails = collected([], [], [done])
    return change(view, actor, now, entries, writes, mails, id=session.id, ended_by=EndKind.ENGINEER.value)


@queueable("session.outcome", "outcome")
def give_outcome(
    view: View,
    actor: Actor,
    session_id: str,
    cause: str,
    changed: str,
    beyond_scope: str,
    follow_up: str = "",
    ticket_closed: bool = True,
    *,
    now: datetime,
) -> Change:
    """The outcome of a session that ended without one (REQ-206). Records its expiry first where nobody has yet."""
    staff = reading.staff_member(view, actor)
    session = reading.session(view, session_id)
    request = reading.request(view, session.request_id)
    place = reading.place(view, session.tenant_id)
    standing = reading.standing(view, staff.id)
    outcome = Outcome(cause, changed, beyond_scope, follow_up, ticket_closed, now)

    require(policy.may_give_outcome(session, staff, now) & policy.is_outcome(outcome))

    over = session
    if session.ended_at is None:
        over = replace(session, ended_at=session.expires_at, end_kind=EndKind.CLOCK, ended_by=CLOCK.id)
    given = replace(over, outcome=outcome)
    entries = [about(Action.OUTCOME_GIVEN, given, request, data=_outcome_data(outcome))]
    mails = list(session_letters.outcome_given(view, place, staff, request, given, now))
    if over is not session:
        expired = ending(view, session, EndKind.CLOCK, actor, now)
        entries.insert(0, expired.entry)
        mails = [*expired.mails, *mails]
    writes = [Write(given, len(entries) - 1)]
    if session.id in (standing.owes_outcome, standing.active_session):
        cleared = replace(standing, owes_outcome=None, active_session=None)
        writes.append(Write(cleared, len(entries) - 1))
    return change(view, actor, now, entries, writes, mails, id=session.id)


@step_up_act("session.force_end")
@adds_no_privilege
def force_end(
    view: View, actor: Actor, session_id: str, reason: str, *, now: datetime, limits: Limits = DEFAULTS
) -> Change:
    """A super ends any session; the reason goes to the log and to the tenant admins (REQ-204)."""
    staff = reading.staff_member(view, actor)
    session = reading.session(view, session_id)
    proof = Proof(view, actor, "session.force_end", now, limits)

    verdict = policy.may_force_end(session, staff, now)
    require(verdict & text.is_clean("REQ-204", "reason", reason, text.REASON_MAX) & proof.verdict)

    done = ending(view, session, EndKind.SUPER, actor, now, why=reason)
    entries, writes, mails = collected([], [proof.used()], [done])
    return change(view, actor, now, entries, writes, mails, id=session.id, ended_by=EndKind.SUPER.value)
