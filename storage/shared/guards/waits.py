"""P3, of break-glass and emergencies: which moves time alone allows, and which it forbids (REQ-108, REQ-109).

The lengths are repeated here, away from the policy, so that a fault in one of the two does not open both.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

from storage.log.actions import Action
from storage.models import BreakGlass, Emergency, Mail, MailState, Request, RequestState, time_text
from storage.shared.guards.case import Case, refuse

UNDECIDED = timedelta(hours=24)
COOLING = timedelta(hours=2)
UNDELIVERED = timedelta(hours=24)
USABLE = timedelta(hours=8)
FRESH = timedelta(hours=2)
"""An emergency is countersigned within this time."""
SLACK = timedelta(seconds=2)
"""How far a console's clock may be off (ClockSkew beyond it)."""


def check(case: Case, before: Request, after: Request) -> None:
    """What happens to the request's other ways in happens in its time."""
    if after.break_glass != before.break_glass:
        _break_glass(case, before, after, after.break_glass)
    if after.emergency != before.emergency:
        _emergency(case, before, after.emergency)
    elif case.records(Action.EMERGENCY_LAPSED, request=before.id):
        refuse("P3", f"no emergency on request {before.id} runs out of time by this")
    if before.state is RequestState.COOLING and before.state is not after.state:
        _cooled(case, before, after)
    lapses = before.state is RequestState.DECLARED and after.state is RequestState.LAPSED
    if lapses and case.now < before.expires_at + UNDECIDED:
        refuse("P3", f"the break-glass of request {before.id} can still be countersigned")


def _break_glass(case: Case, before: Request, after: Request, glass: BreakGlass | None) -> None:
    if glass is None:
        refuse("P3", f"the break-glass of request {before.id} stays on record")
    undecided = before.expires_at <= case.now < before.expires_at + UNDECIDED
    match before.state, after.state:
        case ((RequestState.PENDING | RequestState.EXPIRED), RequestState.DECLARED):
            if not (undecided and before.urgent):
                refuse("P3", f"request {before.id} is not urgent, or not undecided for 24 hours, or no more")
            expected = BreakGlass(glass.reason, glass.declared_at, None, None, None, None)
            _is(before, glass == expected and _is_now(case, glass.declared_at))
        case RequestState.DECLARED, RequestState.COOLING:
            if not undecided:
                refuse("P3", f"the break-glass of request {before.id} was not countersigned in time")
            old = before.break_glass
            said = (glass.reason, glass.declared_at, glass.cooling_since, glass.cooling_until)
            kept = old is not None and said == (old.reason, old.declared_at, None, None)
            _is(before, kept and glass.countersigned_by == case.actor.id and _is_now(case, glass.countersigned_at))
        case RequestState.COOLING, RequestState.COOLING:
            old = before.break_glass
            begins = old is not None and old.cooling_since is None and old.countersigned_at is not None
            in_time = old is not None and case.now < (old.countersigned_at or case.now) + UNDELIVERED
            signed = (glass.reason, glass.declared_at, glass.countersigned_by, glass.countersigned_at)
            kept = old is not None and signed == (
                old.reason,
                old.declared_at,
                old.countersigned_by,
                old.countersigned_at,
            )
            if not _was_told(case, before):
                refuse("P3", f"the cooling of request {before.id} begins with an urgent letter that was accepted")
            long = glass.cooling_since is not None and glass.cooling_until == glass.cooling_since + COOLING
            _is(before, begins and in_time and kept and long and _is_now(case, glass.cooling_since))
        case _:
            refuse("P3", f"the break-glass of request {before.id} is not changed by this")


def _was_told(case: Case, request: Request) -> bool:
    """Whether a mail server accepts, in this very Change, a letter from which the tenant can veto (REQ-108)."""
    about = (Action.BREAK_GLASS_COUNTERSIGNED.value, request.id, MailState.QUEUED)
    return any(
        was is not None and (was.event, was.request_id, was.state) == about and mail.state is MailState.DELIVERED
        for was, mail in case.written(Mail)
    )


def _emergency(case: Case, before: Request, emergency: Emergency | None) -> None:
    if emergency is None:
        refuse("P3", f"the emergency of request {before.id} stays on record")
    old = before.emergency
    void = _void_at(old)
    if old is not None and emergency == replace(old, lapsed_at=emergency.lapsed_at):
        _is(before, void is not None and case.now >= void == emergency.lapsed_at and _is_dated(case, before, void))
        return
    over = void is not None and case.now >= void
    _is(before, emergency.lapsed_at is None and _is_dated(case, before, void if over else None))
    if emergency.countersigned_by is None:
        waits = old is not None and (old.countersigned_at is not None or case.now < old.declared_at + FRESH)
        told = case.records(Action.EMERGENCY_DECLARED, request=before.id)
        _is(before, not waits and told and _is_now(case, emergency.declared_at) and emergency.incident_id is None)
        return
    if old is None or case.now >= old.declared_at + FRESH:
        refuse("P3", f"no emergency waits on request {before.id}")
    said = (emergency.category, emergency.reason, emergency.declared_by, emergency.declared_at)
    kept = said == (old.category, old.reason, old.declared_by, old.declared_at) and old.countersigned_at is None
    _is(before, kept and emergency.incident_id is not None and _is_now(case, emergency.countersigned_at))


def _void_at(emergency: Emergency | None) -> datetime | None:
    """When an emergency that waits is void, None where none waits or that it was is on record."""
    waits = emergency is not None and emergency.countersigned_at is None and emergency.lapsed_at is None
    return emergency.declared_at + FRESH if emergency is not None and waits else None


def _is_dated(case: Case, request: Request, void: datetime | None) -> bool:
    """Whether the Change says that the emergency before lapsed at `void`, and nothing of the kind where it did not."""
    lapsed = [one for one in case.change.entries if one.action is Action.EMERGENCY_LAPSED and one.request == request.id]
    return [one.data.get("effective_at") for one in lapsed] == ([time_text(void)] if void is not None else [])


def _cooled(case: Case, before: Request, after: Request) -> None:
    """Out of cooling: by its end, by a veto before it, or by an emergency."""
    glass = before.break_glass
    until = glass.cooling_until if glass is not None else None
    over = until is not None and case.now >= until
    usable = over and until is not None and case.now < until + USABLE
    match after.state:
        case RequestState.USED:
            if not usable:
                refuse("P3", f"request {before.id} is cooling: nobody enters before its end, or eight hours after it")
        case RequestState.APPROVED if after.emergency == before.emergency:
            _is(before, over and until is not None and after.usable_until == until + USABLE)
        case RequestState.VETOED | RequestState.APPROVED:
            if over:
                refuse("P3", f"the cooling of request {before.id} is over")
        case RequestState.LAPSED:
            signed = glass.countersigned_at if glass is not None else None
            never = until is None and signed is not None and case.now >= signed + UNDELIVERED
            _is(before, never or (until is not None and case.now >= until + USABLE))


def _is(request: Request, right: bool) -> None:
    if not right:
        refuse("P3", f"that is not what happens to request {request.id} now")


def _is_now(case: Case, told: datetime | None) -> bool:
    return told is not None and abs(told - case.now) <= SLACK
