"""The amounts the rules work with, and the rate limit (REQ-112)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app.policy.verdict import Verdict, rule
from app.policy.words import moment
from storage.models import Standing

PENDING = timedelta(hours=24)
"""REQ-104: a request waits this long for a decision."""
USABLE = timedelta(hours=8)
"""REQ-201: an approval not used within this time lapses."""
DECLARABLE = timedelta(hours=24)
"""REQ-108: break-glass is declared and countersigned within this time after nobody decided. Later, ask again: what was
urgent then may have been settled since, and the tenant's admins may be there now."""
COOLING = timedelta(hours=2)
"""REQ-108: from the first letter that a mail server accepted, the tenant can veto this long."""
UNDELIVERED = timedelta(hours=24)
"""Break-glass of which no letter was accepted within this time comes to nothing: nobody was told, nobody enters."""
EMERGENCY_OPEN = timedelta(hours=2)
"""REQ-109: an emergency not countersigned within this time was none."""
REVIEW_DUE = timedelta(hours=72)
"""REQ-109, REQ-502: a review is signed within this time; later it shows as overdue."""
SLACK = timedelta(minutes=1)
"""How much longer starts are remembered than any window: clocks may differ by seconds."""
HOUR = timedelta(hours=1)
DAY = timedelta(hours=24)
MINUTES_DEFAULT = 30
MINUTES_MOST = 240
"""REQ-201: no tenant's maximum is above four hours, so nobody can be given more."""
TENANT_MAXIMUM_LEAST = 15
RECORDS_MOST = 1_000_000


@dataclass(frozen=True, slots=True)
class Limits:
    """What an operator may set. `step_up_reuse_seconds`: how long one code covers create-then-start; 0 is never."""

    sessions_per_hour: int = 5
    tenants_per_day: int = 10
    step_up_reuse_seconds: int = 120


DEFAULTS = Limits()


def within_rate(standing: Standing, tenant_id: str, now: datetime, limits: Limits) -> Verdict:
    """REQ-112: sessions started in the last hour and distinct tenants entered in the last 24, both rolling."""
    hour = sorted(start.at for start in standing.starts if start.at > now - HOUR)
    day = {start.tenant_id: start.at for start in standing.starts if start.at > now - DAY}
    free_again = hour[-limits.sessions_per_hour] + HOUR if len(hour) >= limits.sessions_per_hour else now
    entered = len(day.keys() | {tenant_id})
    return rule(
        "REQ-112",
        len(hour) < limits.sessions_per_hour,
        f"{len(hour)} of {limits.sessions_per_hour} sessions started in the last hour",
        f"{len(hour)} sessions started in the last hour, the limit is {limits.sessions_per_hour}",
        f"again possible from {moment(free_again, now)}; a colleague can start now",
    ) & rule(
        "REQ-112",
        entered <= limits.tenants_per_day,
        f"{entered} of {limits.tenants_per_day} tenants in 24 hours",
        f"{len(day)} tenants entered in the last 24 hours, the limit is {limits.tenants_per_day}",
        "a colleague who has entered fewer",
    )


def recent_starts(standing: Standing, now: datetime) -> Standing:
    """The standing without starts that no window reaches any more."""
    return replace(standing, starts=tuple(s for s in standing.starts if s.at > now - DAY - SLACK))
