"""P11: rate limits hold under concurrency.

Every start reads and writes the engineer's Standing: two at once cannot both find room. One active session per
engineer, none while an outcome is owed (REQ-112, REQ-201, REQ-206).
"""

from __future__ import annotations

from datetime import timedelta

from storage.models import Session, Standing, Start
from storage.shared.guards.case import Case, refuse

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def check(case: Case) -> None:
    starting = [session for before, session in case.written(Session) if before is None]
    if len(starting) > 1:
        refuse("P11", "two sessions in one Change")
    for session in starting:
        _has_room(case, session)


def _has_room(case: Case, session: Session) -> None:
    before = case.before(Standing, session.engineer_id)
    after = next((row for _, row in case.written(Standing) if row.id == session.engineer_id), None)
    if after is None or after.active_session != session.id:
        refuse("P11", f"the start of {session.id} must be written into the standing of {session.engineer_id}")
    if before is not None:
        running = case.before(Session, before.active_session)
        if before.active_session is not None and (running is None or running.is_active(case.now)):
            refuse("P11", f"{session.engineer_id} has an active session: {before.active_session}")
        if before.owes_outcome is not None:
            refuse("P11", f"{session.engineer_id} owes the outcome of {before.owes_outcome}")
    earlier = [start for start in (before.starts if before else ()) if case.now - start.at < DAY]
    starts: list[Start] = [*earlier, Start(session.tenant_id, session.started_at)]
    if any(start not in after.starts for start in starts):
        refuse("P11", "a start within the last day is missing from the standing")
    if sum(case.now - start.at < HOUR for start in starts) > case.limits.starts_per_hour:
        refuse("P11", f"{session.engineer_id}: more than {case.limits.starts_per_hour} sessions started within an hour")
    if len({start.tenant_id for start in starts}) > case.limits.tenants_per_day:
        refuse("P11", f"{session.engineer_id}: more than {case.limits.tenants_per_day} tenants entered within a day")
