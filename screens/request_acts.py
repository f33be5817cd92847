"""What I can do with a request now: a verdict for each act, by the very rules that the commands themselves ask.

Reads go through a View of the replica that is thrown away; the command reads and decides again.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum

from app.policy import break_glass, emergency, requests, sessions
from app.policy.duty import Duty
from app.policy.explain import Explanation
from app.policy.limits import DEFAULTS, Limits
from app.policy.people import Place, may_act
from app.policy.request_state import emergency_waits
from app.policy.verdict import Refused, Verdict, rule
from app.services import explain, reading
from screens.request_words import open_question
from storage.models import Decision, Mode, Request, RequestState, Staff
from storage.replica.queries.requests import RequestLine
from storage.view import View


class Act(StrEnum):
    """What can be done with a request, in the order in which Enter offers it."""

    OUTCOME = "outcome"
    ANSWER = "answer"
    START = "start"
    COUNTERSIGN = "countersign"
    DECLARE = "declare"
    WITHDRAW = "withdraw"
    DECLINE = "decline"
    AGAIN = "again"
    EMERGENCY = "emergency"


Verdicts = Mapping[Act, Verdict]

NEVER_FIRST = (Act.DECLINE, Act.EMERGENCY)
EXPECTED = (Act.OUTCOME, Act.ANSWER, Act.START, Act.COUNTERSIGN)
"""Somebody waits for these: a request with one of them allowed needs me."""


def acts_on(view: View, line: RequestLine, staff: Staff, now: datetime, limits: Limits = DEFAULTS) -> Verdicts:
    """The verdict on every act. A row that names what is not there (any more) refuses all, in words."""
    request = line.request
    try:
        place = reading.place(view, request.tenant_id)
        engineer = reading.engineer_of(view, request)
        standing = reading.standing(view, staff.id)
        current = reading.current_session(view, standing)
        decision = reading.decision_on(view, request.id)
    except Refused as refusal:
        return dict.fromkeys(Act, refusal.verdict)
    duty = reading.duty(view)
    return {
        Act.OUTCOME: _may_give_outcome(line, staff, now),
        Act.ANSWER: requests.may_answer(request, staff, now),
        Act.START: sessions.may_start(request, decision, staff, place, standing, current, now, limits),
        Act.COUNTERSIGN: _may_countersign(view, request, decision, staff, engineer, place, duty, now),
        Act.DECLARE: break_glass.may_declare(request, decision, staff, place, now),
        Act.WITHDRAW: requests.may_withdraw(request, staff, now),
        Act.DECLINE: requests.may_decline(request, staff, engineer, place, now),
        Act.AGAIN: may_act(staff, now) & _is_over(request, now),
        Act.EMERGENCY: emergency.is_declarable(request, decision, now)
        & emergency.may_declare(staff, engineer, place, now),
    }


class Signing(StrEnum):
    """What a second signature is for."""

    FULL = "full mode"
    BREAK_GLASS = "break-glass"
    EMERGENCY = "the emergency"


def awaited(request: Request, now: datetime) -> Signing:
    """The signature that somebody waits for: the one that opens a way in before the one for the mode."""
    if emergency_waits(request, now):
        return Signing.EMERGENCY
    return Signing.BREAK_GLASS if requests.state_at(request, now) is RequestState.DECLARED else Signing.FULL


def _may_countersign(
    view: View,
    request: Request,
    decision: Decision | None,
    staff: Staff,
    engineer: Staff,
    place: Place,
    duty: Duty,
    now: datetime,
) -> Verdict:
    match awaited(request, now):
        case Signing.EMERGENCY:
            first = view.get(Staff, request.emergency.declared_by) if request.emergency else None
            return emergency.may_countersign(request, decision, staff, first, engineer, place, now)
        case Signing.BREAK_GLASS:
            return break_glass.may_countersign(request, decision, staff, engineer, place, duty, now)
    return requests.may_countersign(request, staff, engineer, place, duty, now)


def way_in(view: View, line: RequestLine, now: datetime, limits: Limits = DEFAULTS) -> Explanation:
    """What stands between this request and a session of its engineer, and what happens next."""
    try:
        return explain.of_request(view, line.request.id, now, limits)
    except Refused as refusal:
        return Explanation(refusal.verdict, (), (), None)


def needs(view: View, line: RequestLine, staff: Staff, now: datetime, limits: Limits = DEFAULTS) -> bool:
    """Whether somebody waits for me here. What can be told from the row alone is told first: this is asked of every
    open request at every reload."""
    if not any(_may_concern(act, line, staff, now) for act in EXPECTED):
        return False
    verdicts = acts_on(view, line, staff, now, limits)
    return any(verdicts[act].allowed and _may_concern(act, line, staff, now) for act in EXPECTED)


def first_act(verdicts: Verdicts) -> Act | None:
    """What Enter does: the first act that is allowed; never declining, or declaring an emergency."""
    return next((act for act in Act if act not in NEVER_FIRST and verdicts[act].allowed), None)


def _may_concern(act: Act, line: RequestLine, staff: Staff, now: datetime) -> bool:
    request, mine = line.request, line.request.engineer_id == staff.id
    match act:
        case Act.OUTCOME:
            return mine and line.session is not None and line.session.outcome is None
        case Act.ANSWER:
            return mine and open_question(request)
        case Act.START:
            return mine and requests.state_at(request, now) is RequestState.APPROVED
        case _:
            undecided = request.countersigned_by is None and request.declined_by is None
            full = request.mode is Mode.FULL and undecided
            return not mine and (full or awaited(request, now) is not Signing.FULL)


def _may_give_outcome(line: RequestLine, staff: Staff, now: datetime) -> Verdict:
    if line.session is None:
        return rule("REQ-206", False, "", "no session has come of it", "")
    return sessions.may_give_outcome(line.session, staff, now)


def _is_over(request: Request, now: datetime) -> Verdict:
    """REQ-114."""
    return rule(
        "REQ-114",
        requests.state_at(request, now) in requests.CLOSED,
        f"{request.id} is over and can be asked again",
        f"{request.id} is still open: withdraw it first, or wait",
    )
