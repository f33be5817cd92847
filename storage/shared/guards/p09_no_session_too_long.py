"""P9: no session longer than the tenant's maximum; no end time is ever moved later.

Nor longer than what was asked and granted; the clock starts at activation (REQ-201).
"""

from __future__ import annotations

from datetime import timedelta

from storage.models import Request, Session, Settings
from storage.shared.guards.case import Case, refuse

SLACK = timedelta(seconds=2)
"""How far a console's clock may be off (ClockSkew beyond it)."""


def check(case: Case) -> None:
    for before, session in case.written(Session):
        if before is None:
            _fits(case, session)
        elif session.expires_at > before.expires_at:
            refuse("P9", f"the end of session {session.id} is moved later")
        elif before.ended_at is not None and session.ended_at != before.ended_at:
            refuse("P9", f"session {session.id} has ended: that time stands")
        if session.ended_at is not None and session.ended_at > session.expires_at:
            refuse("P9", f"session {session.id} ends after its time")


def _fits(case: Case, session: Session) -> None:
    settings = case.after(Settings, session.tenant_id)
    request = case.before(Request, session.request_id)
    if settings is None or request is None:
        refuse("P9", f"session {session.id} has no tenant or no request")
    minutes = min(settings.max_minutes, request.minutes, request.granted_minutes or request.minutes)
    if session.expires_at - session.started_at > timedelta(minutes=minutes):
        refuse("P9", f"session {session.id} is longer than {minutes} minutes")
    if abs(session.started_at - case.now) > SLACK:
        refuse("P9", f"session {session.id} starts now, not at another time")
