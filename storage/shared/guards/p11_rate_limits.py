"""P11: rate limits hold under concurrency.

Every start reads and writes the engineer's Standing: two at once cannot both find room. One active session per
engineer, none while an outcome is owed (REQ-112, REQ-201, REQ-206). So the Standing itself must not be talked down: a
session leaves it by ending, an outcome by being given, a start by growing a day old.
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
    for before, after in case.written(Standing):
        if before is not None:
            _keeps_its_word(case, before, after)


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
    if starts[-1] not in after.starts:
        refuse("P11", f"the start of {session.id} is missing from the standing")
    if sum(case.now - start.at < HOUR for start in starts) > case.limits.starts_per_hour:
        refuse("P11", f"{session.engineer_id}: more than {case.limits.starts_per_hour} sessions started within an hour")
    if len({start.tenant_id for start in starts}) > case.limits.tenants_per_day:
        refuse("P11", f"{session.engineer_id}: more than {case.limits.tenants_per_day} tenants entered within a day")


def _keeps_its_word(case: Case, before: Standing, after: Standing) -> None:
    if before.active_session not in (None, after.active_session):
        session = case.after(Session, before.active_session)
        if session is None or session.is_active(case.now):
            refuse("P11", f"session {before.active_session} of {after.id} has not ended")
    if before.owes_outcome not in (None, after.owes_outcome):
        session = case.after(Session, before.owes_outcome)
        if session is None or session.outcome is None:
            refuse("P11", f"{after.id} still owes the outcome of {before.owes_outcome}")
    if any(case.now - start.at < DAY and start not in after.starts for start in before.starts):
        refuse("P11", f"{after.id}: a start within the last day is missing from the standing")
