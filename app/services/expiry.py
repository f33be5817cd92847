"""Recording what time has decided (REQ-104, REQ-201, REQ-203). Nothing waits for it: whatever is over is over by time
for everything that asks. Any console or worker may record it, dated at the deadline; twice does no harm."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime

from app.policy.break_glass import STOPPABLE
from app.policy.limits import EMERGENCY_OPEN
from app.policy.people import may_act
from app.policy.request_state import (
    cooling_ends,
    declarable_until,
    emergency_void_at,
    is_emergency_lapse_due,
    state_at,
    usable_until,
)
from app.policy.verdict import Verdict, require, rule
from app.services import emergency, letters, reading, urgent_letters
from app.services.command import adds_no_privilege, change
from app.services.endings import collected, ending
from app.services.requests import about
from storage.log.actions import Action
from storage.models import Actor, ActorKind, EndKind, Request, RequestState, time_text
from storage.shared.change import Change, Write
from storage.view import View


@dataclass(frozen=True, slots=True)
class Due:
    """One command that records that `key`'s time is over."""

    command: Callable[..., Change]
    key: str


def due(replica: sqlite3.Connection, now: datetime) -> list[Due]:
    """What time has ended and nobody has recorded yet, as far as the replica knows. Oldest deadline first."""
    at = time_text(now)
    found: list[tuple[str, Due]] = []
    for sql, command in (
        ("SELECT id, expires_at FROM request WHERE state = 'pending' AND expires_at <= ?", record_request_expiry),
        (
            "SELECT id, json_extract(image, '$.usable_until') AS usable_until FROM request"
            " WHERE state = 'approved' AND usable_until <= ?",
            record_request_lapse,
        ),
        ("SELECT id, expires_at FROM session WHERE ended_at IS NULL AND expires_at <= ?", record_session_expiry),
    ):
        found += [(deadline, Due(command, key)) for key, deadline in replica.execute(sql, (at,))]
    for (image,) in replica.execute("SELECT image FROM request WHERE state IN ('declared', 'cooling')"):
        request = Request.from_image(image)
        if state_at(request, now) is not request.state:
            found.append((time_text(_over_since(request)), Due(record_break_glass, request.id)))
    found += [(void, Due(record_emergency_lapse, key)) for key, void in _void_emergencies(replica, now)]
    return [one for _, one in sorted(found, key=lambda pair: (pair[0], pair[1].key))]


def _void_emergencies(replica: sqlite3.Connection, now: datetime) -> list[tuple[str, str]]:
    """Requests with an emergency that nobody countersigned in time, and since when it is void. By the replica's own
    index of emergencies that wait: few of many requests ever have one."""
    images = replica.execute(
        "SELECT image FROM request WHERE image ->> '$.emergency.declared_at' <= ?"
        " AND image ->> '$.emergency.countersigned_at' IS NULL AND image ->> '$.emergency.lapsed_at' IS NULL",
        (time_text(now - EMERGENCY_OPEN),),
    )
    requests = (Request.from_image(image) for (image,) in images)
    return [(one.id, time_text(void)) for one in requests if (void := emergency_void_at(one)) is not None]


def _over_since(request: Request) -> datetime:
    """When what is recorded of break-glass came to its end."""
    return declarable_until(request) if request.state is RequestState.DECLARED else cooling_ends(request)


@adds_no_privilege
def record_request_expiry(view: View, actor: Actor, request_id: str, *, now: datetime) -> Change:
    """Nobody decided in time (REQ-104)."""
    request = reading.request(view, request_id)

    over = request.state is RequestState.PENDING and state_at(request, now) is RequestState.EXPIRED
    noticed = rule("REQ-104", over, "its time is over", f"{request_id} is {request.state.value}: nothing to record")
    require(noticed & _may_notice(view, actor, now))

    expired = replace(request, state=RequestState.EXPIRED)
    entry = about(Action.REQUEST_EXPIRED, expired, data={"effective_at": time_text(request.expires_at)})
    place, engineer = reading.place(view, request.tenant_id), reading.engineer_of(view, request)
    mails = letters.expired(view, place, engineer, expired, now)
    return change(view, actor, now, [entry], [Write(expired)], mails, id=request_id)


@adds_no_privilege
def record_request_lapse(view: View, actor: Actor, request_id: str, *, now: datetime) -> Change:
    """An approval was not used in time (REQ-201)."""
    request = reading.request(view, request_id)

    over = request.state is RequestState.APPROVED and state_at(request, now) is RequestState.LAPSED
    noticed = rule("REQ-201", over, "its time is over", f"{request_id} is {request.state.value}: nothing to record")
    require(noticed & _may_notice(view, actor, now))

    lapsed = replace(request, state=RequestState.LAPSED)
    effective = time_text(request.usable_until or now)
    entry = about(Action.REQUEST_LAPSED, lapsed, data={"effective_at": effective})
    return change(view, actor, now, [entry], [Write(lapsed)], id=request_id)


def record_break_glass(view: View, actor: Actor, request_id: str, *, now: datetime) -> Change:
    """A declaration, or the cooling, came to its end (REQ-108): in nothing, or in an approval that the admins hear of.
    That it can be used follows from the time alone; this only says so."""
    request = reading.request(view, request_id)
    state = state_at(request, now)

    over = request.state in STOPPABLE and state is not request.state
    noticed = rule("REQ-108", over, "its time is over", f"{request_id} is {request.state.value}: nothing to record")
    require(noticed & _may_notice(view, actor, now))

    if state is RequestState.LAPSED:
        lapsed = replace(request, state=RequestState.LAPSED)
        ended = usable_until(request) if request.state is RequestState.COOLING else declarable_until(request)
        entry = about(Action.REQUEST_LAPSED, lapsed, data={"effective_at": time_text(ended or now)})
        return change(view, actor, now, [entry], [Write(lapsed)], id=request_id)
    usable = replace(request, state=RequestState.APPROVED, usable_until=usable_until(request))
    entry = about(Action.BREAK_GLASS_USABLE, usable, data={"effective_at": time_text(cooling_ends(request))})
    place = reading.place(view, request.tenant_id)
    mails = urgent_letters.usable(view, place, reading.engineer_of(view, request), usable, now)
    return change(view, actor, now, [entry], [Write(usable)], mails, id=request_id)


@adds_no_privilege
def record_emergency_lapse(view: View, actor: Actor, request_id: str, *, now: datetime) -> Change:
    """Nobody countersigned an emergency in time (REQ-109): it is void, whatever became of the request meanwhile. So
    every declaration ends on record, by a second super or by the clock."""
    request = reading.request(view, request_id)

    due = is_emergency_lapse_due(request, now)
    noticed = rule(
        "REQ-109", due, "its time is over", f"no emergency on {request_id} ran out of time: nothing to record"
    )
    require(noticed & _may_notice(view, actor, now))

    assert request.emergency is not None
    void = replace(request.emergency, lapsed_at=emergency_void_at(request))
    lapsed = replace(request, emergency=void)
    return change(view, actor, now, [emergency.lapse(request)], [Write(lapsed)], id=request_id)


@adds_no_privilege
def record_session_expiry(view: View, actor: Actor, session_id: str, *, now: datetime) -> Change:
    """A session reached its end time (REQ-203); its outcome is owed from then on (REQ-206)."""
    session = reading.session(view, session_id)

    over = session.ended_at is None and not session.is_active(now)
    noticed = rule("REQ-203", over, "its time is over", f"session {session_id} has nothing to record")
    require(noticed & _may_notice(view, actor, now))

    done = ending(view, session, EndKind.CLOCK, actor, now)
    entries, writes, mails = collected([], [], [done])
    return change(view, actor, now, entries, writes, mails, id=session_id)


def _may_notice(view: View, actor: Actor, now: datetime) -> Verdict:
    """P12: the clock, or somebody who may act at all."""
    return may_act(reading.staff_member(view, actor), now) if actor.kind is ActorKind.STAFF else Verdict()
