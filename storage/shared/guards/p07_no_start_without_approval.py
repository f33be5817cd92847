"""P7: no session starts without an approved, unexpired, unused request whose content digest is the one approved."""

from __future__ import annotations

from storage.models import DecisionKind, Layer, Request, RequestState, Session
from storage.shared.guards.case import Case, refuse

APPROVING = {
    Layer.CONSENT: frozenset({DecisionKind.APPROVE, DecisionKind.STANDING_CONSENT}),
    Layer.BREAK_GLASS: frozenset({DecisionKind.BREAK_GLASS}),
    Layer.EMERGENCY: frozenset({DecisionKind.EMERGENCY}),
}


def check(case: Case) -> None:
    for before, session in case.written(Session):
        if before is None:
            _approved(case, session)


def _approved(case: Case, session: Session) -> None:
    request = case.before(Request, session.request_id)
    used = case.after(Request, session.request_id)
    if request is None or used is None:
        refuse("P7", f"session {session.id} starts without a request")
    if request.state not in (RequestState.APPROVED, RequestState.COOLING) or request.session_id is not None:
        refuse("P7", f"request {request.id} is {request.state}")
    if request.state is RequestState.APPROVED and (request.usable_until is None or case.now >= request.usable_until):
        refuse("P7", f"the approval of request {request.id} has lapsed")  # of what cools, P3 looks at the time
    if used.state is not RequestState.USED or used.session_id != session.id:
        refuse("P7", f"request {request.id} must be used up by session {session.id}")
    decisions = case.decisions_on(request.id)
    opening = APPROVING[request.layer]
    if not any(d.kind in opening and d.content_digest == request.content_digest for d in decisions):
        refuse("P7", f"what was approved is not what request {request.id} says now")
    if any(d.kind is DecisionKind.VETO for d in decisions):
        refuse("P7", f"request {request.id} was vetoed")
    same = (
        (request.tenant_id, session.tenant_id),
        (request.target_id, session.target_id),
        (request.engineer_id, session.engineer_id),
        (request.ticket, session.ticket),
        (request.layer, session.layer),
        (request.engineer_id, case.actor.id),
    )
    for asked, started in same:
        if asked != started:
            refuse("P7", f"session {session.id} is for {started}, request {request.id} for {asked}")
