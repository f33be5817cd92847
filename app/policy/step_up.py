"""When an accepted second factor covers an act (REQ-702, promise P10).

Each code serves one act, named when it was given. The one exception: a code given for creating a request also covers
its owner's starting a session, for two minutes (a setting; 0 is never). Weightier acts take their own.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from app.policy.limits import Limits
from app.policy.verdict import Finding, Verdict
from storage.models import StepUp

RULE = "REQ-702"
FRESH = timedelta(minutes=5)
CREATE = "request.create"
START = "session.start"


def covers(proof: StepUp | None, staff_id: str, act: str, now: datetime, limits: Limits) -> Verdict:
    """Whether `proof` is a fresh second factor of this very person for this very act."""
    if proof is None:
        return _no("a fresh second factor is needed: a six-digit code or a recovery code")
    if proof.staff_id != staff_id:
        return _no("the second factor was given by someone else")
    age = now - proof.at
    shared = proof.act == CREATE and act == START and len(proof.used_by) <= 1
    if shared and age <= timedelta(seconds=limits.step_up_reuse_seconds) and limits.step_up_reuse_seconds > 0:
        return Verdict((Finding(RULE, True, "the code given for creating the request covers starting it"),))
    if proof.act != act:
        return _no("the second factor was given for another act")
    if proof.used_by:
        return _no("the second factor has been used: each code serves once")
    if age > FRESH:
        return _no("the second factor is older than five minutes")
    return Verdict((Finding(RULE, True, "a fresh second factor was given for this act"),))


def only_this_is_missing(verdict: Verdict) -> bool:
    """Whether a code is all that stands between the person and the act."""
    return bool(verdict.refusals) and all(f.rule == RULE for f in verdict.refusals)


def _no(why: str) -> Verdict:
    return Verdict((Finding(RULE, False, why, "the person themselves"),))
