"""What a person is told whose kept command came to nothing: who was faster, when, and what that means for them."""

from __future__ import annotations

from datetime import datetime

from app.policy.requests import state_at, state_words
from app.policy.verdict import Refused
from app.policy.words import moment
from app.services import reading
from app.services.command import Queueable
from storage.errors import CountersignError
from storage.models import Contact, ElevationState, EndKind, Request, RequestState, Session, Staff
from storage.outbox import Kept
from storage.view import View

_OPEN_TO_SESSIONS = frozenset({RequestState.APPROVED, RequestState.USED})
_OUTCOMES = ("session.end", "session.outcome")


def came_to_nothing(view: View, how: Queueable, one: Kept, error: CountersignError, now: datetime) -> str:
    """ "R-7K2F9Q was denied by Maria Santos at 12:04 UTC; your withdrawal was not needed"."""
    subject = one.subjects[0] if one.subjects else ""
    session, request = view.get(Session, subject), view.get(Request, subject)
    if session is not None:
        return f"{_of_session(view, one, session, now) or _why(error)}; {_then_session(how, one, session, now)}"
    if request is not None:
        return f"{_of_request(view, one, request, now) or _why(error)}; {_then_request(how, one, request, now)}"
    return f"{_why(error)}; your {how.noun} was not applied"


def _why(error: CountersignError) -> str:
    """The rules' own words, or the guard's."""
    if isinstance(error, Refused):
        return "; ".join(dict.fromkeys(finding.why for finding in error.verdict.refusals))
    return str(error)


def _of_request(view: View, one: Kept, request: Request, now: datetime) -> str:
    """What became of a request, where that is what stood in the way; "" otherwise."""
    if one.command == "request.decline" and (signer := request.countersigned_by or request.declined_by):
        verb = "countersigned" if request.countersigned_by else "refused"
        at = f" at {moment(request.countersigned_at, now)}" if request.countersigned_at else ""
        return f"full mode of {request.id} was {verb} by {_name(view, signer)}{at}"
    if state_at(request, now) is RequestState.PENDING:
        return ""
    return state_words(request, reading.decision_on(view, request.id), now)


def _then_request(how: Queueable, one: Kept, request: Request, now: datetime) -> str:
    state = state_at(request, now)
    if one.command == "request.withdraw" and state is RequestState.USED:
        return f"your {how.noun} came too late: end session {request.session_id} instead"
    if one.command == "consent.deny" and state in _OPEN_TO_SESSIONS:
        return f"your {how.noun} came too late: the tenant's kill switch ends what runs"
    if one.command == "request.decline" and request.countersigned_by:
        return f"your {how.noun} came too late: a super can force-end the session"
    if state is RequestState.PENDING:
        return f"your {how.noun} was not applied"
    return f"your {how.noun} was not needed"


def _of_session(view: View, one: Kept, session: Session, now: datetime) -> str:
    """Who ended the session, gave its outcome, or decided on full mode; "" where none of it stood in the way."""
    if one.command in _OUTCOMES and session.outcome is not None:
        return f"the outcome of {session.id} was given at {moment(session.outcome.at, now)}"
    elevation = session.elevation
    if one.command == "elevation.decline" and elevation is not None and elevation.decided_by and elevation.decided_at:
        verb = "countersigned" if elevation.state is ElevationState.GRANTED else "refused"
        by, at = _name(view, elevation.decided_by), moment(elevation.decided_at, now)
        return f"full mode in {session.id} was {verb} by {by} at {at}"
    if session.is_active(now):
        return ""
    at = moment(session.ended_at or session.expires_at, now)
    if session.ended_by is None or session.end_kind is EndKind.CLOCK:
        return f"the time of {session.id} ran out at {at}"
    return f"{session.id} was ended by {_name(view, session.ended_by)} at {at}"


def _then_session(how: Queueable, one: Kept, session: Session, now: datetime) -> str:
    if one.command in _OUTCOMES and session.outcome is not None:
        return f"your {how.noun} was not needed, and your words are not in the log"
    if one.command == "session.log_view" and not session.is_active(now):
        owed = "name it in the outcome" if session.outcome is None else "tell a super"
        return f"your {how.noun} is not in the log: {owed}"
    granted = session.elevation is not None and session.elevation.state is ElevationState.GRANTED
    if one.command == "elevation.decline" and granted and session.is_active(now):
        return f"your {how.noun} came too late: a super can force-end the session"
    if session.is_active(now):
        return f"your {how.noun} was not applied"
    return f"your {how.noun} was not needed"


def _name(view: View, id: str) -> str:
    found = view.get(Staff, id) or view.get(Contact, id)
    return found.name if found is not None else id
