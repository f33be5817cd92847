"""P3: states move only along the transition table, under the action code that the table names for that move; a
decision is never changed or removed.

`REQUEST_MOVES`, `SESSION_MOVES` and `ELEVATION_MOVES` are the tables: (from, to) to the actions, one of which must
stand in the Change with this very request or session named. A row also keeps its content: `…_MOVABLE` says which
fields an action may change. What time allows of break-glass and emergencies stands in `waits`.
"""

from __future__ import annotations

import dataclasses
from enum import StrEnum

from storage.log.actions import IMPERSONATION, Action
from storage.models import (
    Decision,
    DecisionKind,
    Elevation,
    ElevationState,
    EndKind,
    Mail,
    MailState,
    Request,
    RequestState,
    Session,
)
from storage.models.row import Row
from storage.shared.guards import waits
from storage.shared.guards.case import Case, refuse

Moves = dict[tuple[StrEnum | None, StrEnum | None], frozenset[Action]]
Movable = dict[Action, frozenset[str]]
"""Which fields an action may change; all others keep what they were."""


def _by(*actions: Action) -> frozenset[Action]:
    return frozenset(actions)


REQUEST_MOVES: Moves = {
    (None, RequestState.PENDING): _by(Action.REQUEST_CREATED),
    (None, RequestState.APPROVED): _by(Action.REQUEST_APPROVED),  # standing consent: asked and approved in one
    (RequestState.PENDING, RequestState.APPROVED): _by(Action.REQUEST_APPROVED, Action.EMERGENCY_COUNTERSIGNED),
    (RequestState.PENDING, RequestState.DENIED): _by(Action.REQUEST_DENIED),
    (RequestState.PENDING, RequestState.WITHDRAWN): _by(Action.REQUEST_WITHDRAWN),
    (RequestState.PENDING, RequestState.EXPIRED): _by(Action.REQUEST_EXPIRED),
    (RequestState.APPROVED, RequestState.WITHDRAWN): _by(Action.REQUEST_WITHDRAWN),
    (RequestState.APPROVED, RequestState.LAPSED): _by(Action.REQUEST_LAPSED),
    (RequestState.APPROVED, RequestState.USED): _by(Action.SESSION_STARTED),
    (RequestState.PENDING, RequestState.DECLARED): _by(Action.BREAK_GLASS_DECLARED),  # over by time, not yet recorded
    (RequestState.EXPIRED, RequestState.DECLARED): _by(Action.BREAK_GLASS_DECLARED),
    (RequestState.DECLARED, RequestState.COOLING): _by(Action.BREAK_GLASS_COUNTERSIGNED),
    (RequestState.DECLARED, RequestState.VETOED): _by(Action.BREAK_GLASS_VETOED),
    (RequestState.DECLARED, RequestState.WITHDRAWN): _by(Action.REQUEST_WITHDRAWN),
    (RequestState.DECLARED, RequestState.LAPSED): _by(Action.REQUEST_LAPSED),
    (RequestState.COOLING, RequestState.VETOED): _by(Action.BREAK_GLASS_VETOED),
    (RequestState.COOLING, RequestState.WITHDRAWN): _by(Action.REQUEST_WITHDRAWN),
    (RequestState.COOLING, RequestState.APPROVED): _by(Action.BREAK_GLASS_USABLE, Action.EMERGENCY_COUNTERSIGNED),
    (RequestState.COOLING, RequestState.LAPSED): _by(Action.REQUEST_LAPSED),
    (RequestState.COOLING, RequestState.USED): _by(Action.SESSION_STARTED),  # usable by time, not yet recorded
    (RequestState.EXPIRED, RequestState.APPROVED): _by(Action.EMERGENCY_COUNTERSIGNED),
    (RequestState.DECLARED, RequestState.APPROVED): _by(Action.EMERGENCY_COUNTERSIGNED),
}
REQUEST_STAYS = _by(
    Action.QUESTION_ASKED,
    Action.QUESTION_ANSWERED,
    Action.REQUEST_COUNTERSIGNED,
    Action.REQUEST_DECLINED,
    Action.BREAK_GLASS_COOLING,
    Action.EMERGENCY_DECLARED,
    Action.EMERGENCY_LAPSED,
)
REQUEST_MOVABLE: Movable = {
    Action.REQUEST_APPROVED: frozenset(
        {"state", "layer", "granted_minutes", "decided_at", "decided_by", "decision_note", "usable_until"}
    ),
    Action.REQUEST_DENIED: frozenset({"state", "decided_at", "decided_by", "decision_note"}),
    Action.REQUEST_WITHDRAWN: frozenset({"state"}),
    Action.REQUEST_EXPIRED: frozenset({"state"}),
    Action.REQUEST_LAPSED: frozenset({"state"}),
    Action.REQUEST_COUNTERSIGNED: frozenset({"countersigned_by", "countersigned_at"}),
    Action.REQUEST_DECLINED: frozenset({"declined_by"}),
    Action.QUESTION_ASKED: frozenset({"exchanges"}),
    Action.QUESTION_ANSWERED: frozenset({"exchanges"}),
    Action.SESSION_STARTED: frozenset({"state", "session_id"}),
    Action.BREAK_GLASS_DECLARED: frozenset({"state", "break_glass"}),
    Action.BREAK_GLASS_COUNTERSIGNED: frozenset({"state", "layer", "granted_minutes", "break_glass"}),
    Action.BREAK_GLASS_COOLING: frozenset({"break_glass"}),
    Action.BREAK_GLASS_VETOED: frozenset({"state", "decided_at", "decided_by", "decision_note"}),
    Action.BREAK_GLASS_USABLE: frozenset({"state", "usable_until"}),
    Action.EMERGENCY_DECLARED: frozenset({"emergency"}),
    Action.EMERGENCY_LAPSED: frozenset({"emergency"}),
    Action.EMERGENCY_COUNTERSIGNED: frozenset({"state", "layer", "granted_minutes", "usable_until", "emergency"}),
}


class _Life(StrEnum):
    RUNNING = "running"
    ENDED = "ended"


SESSION_MOVES: Moves = {
    (None, _Life.RUNNING): _by(Action.SESSION_STARTED),
    (_Life.RUNNING, _Life.ENDED): _by(Action.SESSION_ENDED, Action.SESSION_FORCE_ENDED, Action.SESSION_EXPIRED),
}
SESSION_STAYS = {
    _Life.RUNNING: _by(
        Action.ELEVATION_ASKED,
        Action.ELEVATION_GRANTED,
        Action.ELEVATION_DECLINED,
        *(action for action in Action if action.startswith(IMPERSONATION)),
    ),
    _Life.ENDED: _by(Action.OUTCOME_GIVEN, *(action for action in Action if action.startswith(IMPERSONATION))),
}
_END = frozenset({"ended_at", "end_kind", "ended_by", "end_reason", "outcome"})
_SEEN = frozenset({"records_seen", "views", "beyond_scope", "last_viewed"})
SESSION_MOVABLE: Movable = {
    Action.SESSION_ENDED: _END,
    Action.SESSION_FORCE_ENDED: _END,
    Action.SESSION_EXPIRED: _END,
    Action.OUTCOME_GIVEN: frozenset({"outcome"}),
    Action.ELEVATION_ASKED: frozenset({"elevation"}),
    Action.ELEVATION_GRANTED: frozenset({"elevation", "mode"}),
    Action.ELEVATION_DECLINED: frozenset({"elevation"}),
    **dict.fromkeys((action for action in Action if action.startswith(IMPERSONATION)), _SEEN),
}
END_ACTIONS = {
    EndKind.ENGINEER: Action.SESSION_ENDED,
    EndKind.TENANT: Action.SESSION_ENDED,
    EndKind.DEACTIVATED: Action.SESSION_ENDED,
    EndKind.SUPER: Action.SESSION_FORCE_ENDED,
    EndKind.CLOCK: Action.SESSION_EXPIRED,
}

ELEVATION_MOVES: Moves = {
    (None, ElevationState.ASKED): _by(Action.ELEVATION_ASKED),
    (ElevationState.DECLINED, ElevationState.ASKED): _by(Action.ELEVATION_ASKED),
    (ElevationState.ASKED, ElevationState.GRANTED): _by(Action.ELEVATION_GRANTED),
    (ElevationState.ASKED, ElevationState.DECLINED): _by(Action.ELEVATION_DECLINED),
}

MAIL_MOVES: Moves = {
    (MailState.QUEUED, MailState.QUEUED): _by(Action.MAIL_DEFERRED),
    (MailState.QUEUED, MailState.DELIVERED): _by(Action.MAIL_DELIVERED),
    (MailState.QUEUED, MailState.FAILED): _by(Action.MAIL_FAILED),
    (MailState.FAILED, MailState.QUEUED): _by(Action.MAIL_REQUEUED),
}
MAIL_MOVABLE = frozenset({"state", "attempts", "tried_at", "last_error", "delivered_at", "failed_at", "answer"})

DECISION_ACTIONS = {
    DecisionKind.APPROVE: Action.REQUEST_APPROVED,
    DecisionKind.STANDING_CONSENT: Action.REQUEST_APPROVED,
    DecisionKind.DENY: Action.REQUEST_DENIED,
    DecisionKind.COUNTERSIGN: Action.REQUEST_COUNTERSIGNED,
    DecisionKind.DECLINE: Action.REQUEST_DECLINED,
    DecisionKind.BREAK_GLASS: Action.BREAK_GLASS_COUNTERSIGNED,
    DecisionKind.VETO: Action.BREAK_GLASS_VETOED,
    DecisionKind.EMERGENCY: Action.EMERGENCY_COUNTERSIGNED,
}


def check(case: Case) -> None:
    for request_before, request in case.written(Request):
        _request(case, request_before, request)
    for session_before, session in case.written(Session):
        _session(case, session_before, session)
    for decision_before, decision in case.written(Decision):
        _decision(case, decision_before, decision)
    for mail_before, mail in case.written(Mail):
        _mail(case, mail_before, mail)


def _request(case: Case, before: Request | None, after: Request) -> None:
    move = (before.state if before else None, after.state)
    if before is not None and move[0] is move[1]:
        _one_of(case, REQUEST_STAYS, f"request {after.id} is changed", request=after.id)
    else:
        _along(case, REQUEST_MOVES, move, f"request {after.id}", request=after.id)
    if before is not None:
        _content_kept(case, before, after, REQUEST_MOVABLE, request=after.id)
        waits.check(case, before, after)


def _session(case: Case, before: Session | None, after: Session) -> None:
    was, now = _life(before), _life(after)
    if before is not None and was is now and now is not None:
        _one_of(case, SESSION_STAYS[now], f"session {after.id} is changed", session=after.id)
    else:
        _along(case, SESSION_MOVES, (was, now), f"session {after.id}", session=after.id)
    if was is not now and after.end_kind is not None:
        action = END_ACTIONS[after.end_kind]
        _one_of(case, _by(action), f"session {after.id} ends by {after.end_kind}", session=after.id)
    if before is not None:
        _content_kept(case, before, after, SESSION_MOVABLE, session=after.id)
    moved = (_elevation(before.elevation if before else None), _elevation(after.elevation))
    if moved[0] is not moved[1]:
        _along(case, ELEVATION_MOVES, moved, f"the elevation of session {after.id}", session=after.id)


def _decision(case: Case, before: Decision | None, after: Decision) -> None:
    if before is not None:
        refuse("P3", f"decision {after.id} is never changed")
    action = DECISION_ACTIONS[after.kind]
    _one_of(case, _by(action), f"decision {after.id} ({after.kind})", request=after.request_id)


def _mail(case: Case, before: Mail | None, after: Mail) -> None:
    if before is None:
        refuse("P3", f"letter {after.id} goes with the Change it is about")  # Change.mails, not its writes
    actions = MAIL_MOVES.get((before.state, after.state))
    if actions is None:
        refuse("P3", f"letter {after.id} cannot move from {before.state} to {after.state}")
    if not any(entry.action in actions and entry.data.get("mail") == after.id for entry in case.change.entries):
        refuse("P3", f"letter {after.id}: that needs an entry {' or '.join(sorted(actions))} which names it")
    for field in dataclasses.fields(after):
        if field.name not in MAIL_MOVABLE and getattr(before, field.name) != getattr(after, field.name):
            refuse("P3", f"letter {after.id}: {field.name} is not changed by this")


def _life(session: Session | None) -> _Life | None:
    if session is None:
        return None
    return _Life.RUNNING if session.ended_at is None else _Life.ENDED


def _elevation(elevation: Elevation | None) -> ElevationState | None:
    return elevation.state if elevation else None


def _along(case: Case, moves: Moves, move: tuple[StrEnum | None, StrEnum | None], what: str, **named: str) -> None:
    actions = moves.get(move)
    if actions is None:
        refuse("P3", f"{what} cannot move from {move[0] or 'nothing'} to {move[1] or 'nothing'}")
    _one_of(case, actions, f"{what} moves from {move[0] or 'nothing'} to {move[1]}", **named)


def _one_of(case: Case, actions: frozenset[Action], what: str, **named: str) -> None:
    if not any(case.records(action, **named) for action in actions):
        refuse("P3", f"{what}: that needs an entry {' or '.join(sorted(actions))} which names it")


def _content_kept(case: Case, before: Row, after: Row, movable_by: Movable, **named: str) -> None:
    movable = {name for action, names in movable_by.items() if case.records(action, **named) for name in names}
    for field in dataclasses.fields(after):
        if field.name not in movable and getattr(before, field.name) != getattr(after, field.name):
            refuse("P3", f"{after.TABLE} {after.id}: {field.name} is not changed by this")
