"""Commands over office hours and the on-call rota, by a super (REQ-111)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from app.policy import duty as policy
from app.policy.verdict import require, rule
from app.services import reading
from app.services.command import change
from storage.log.actions import Action
from storage.log.entry import Draft
from storage.models import OFFICE, Actor, OfficeHours, OfficeSpan, Shift, Staff, time_text
from storage.models.row import encode
from storage.shared.change import Change, Write
from storage.view import View


def set_hours(view: View, actor: Actor, zone: str, spans: tuple[OfficeSpan, ...], *, now: datetime) -> Change:
    """The weekly office hours; without any, the office is never open and the rota always counts."""
    staff = reading.staff_member(view, actor)
    before = view.get(OfficeHours, OFFICE)

    require(policy.may_set_rota(staff, now) & policy.are_hours(zone, spans))

    hours = OfficeHours(OFFICE, zone, tuple(sorted(spans, key=lambda one: (one.weekday, one.opens))), staff.id, now)
    entry = Draft(
        Action.ROTA_HOURS_SET,
        before={"zone": before.zone, "spans": encode(before.spans)} if before else None,
        after={"zone": zone, "spans": encode(hours.spans)},
    )
    return change(view, actor, now, [entry], [Write(hours)], id=OFFICE)


def set_shift(
    view: View, actor: Actor, staff_id: str, starts_at: datetime, ends_at: datetime, *, now: datetime
) -> Change:
    """Put somebody on call for a time."""
    by = reading.staff_member(view, actor)
    member = reading.the(view, Staff, staff_id, "staff member")

    require(policy.may_set_rota(by, now) & policy.is_shift(member, starts_at, ends_at, now))

    shift = Shift(view.fresh_id("C"), member.id, starts_at, ends_at, by.id, now)
    return change(view, actor, now, [_entry(Action.ROTA_SHIFT_SET, shift)], [Write(shift)], id=shift.id)


def cancel_shift(view: View, actor: Actor, shift_id: str, *, now: datetime) -> Change:
    """Take somebody off call again."""
    by = reading.staff_member(view, actor)
    shift = reading.the(view, Shift, shift_id, "shift")

    stands = rule(
        "REQ-111",
        not shift.cancelled and shift.ends_at > now,
        f"{shift.id} is not over",
        f"{shift.id} is {'cancelled already' if shift.cancelled else 'over'}",
    )
    require(policy.may_set_rota(by, now) & stands)

    cancelled = replace(shift, cancelled=True)
    return change(view, actor, now, [_entry(Action.ROTA_SHIFT_CANCELLED, cancelled)], [Write(cancelled)], id=shift.id)


def _entry(action: Action, shift: Shift) -> Draft:
    return Draft(
        action,
        data={
            "shift": shift.id,
            "on_call": shift.staff_id,
            "from": time_text(shift.starts_at),
            "to": time_text(shift.ends_at),
        },
    )
