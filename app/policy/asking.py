"""Rules over asking: whether this person may ask this of this tenant, and whether the form says enough (REQ-101 … 104,
107, 110, 114)."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from app.policy import reason, text
from app.policy.limits import MINUTES_MOST, RECORDS_MOST
from app.policy.people import Place, is_no_contact, may_act
from app.policy.request_state import CLOSED, RequestForm, state_at
from app.policy.tenants import is_open
from app.policy.verdict import Verdict, rule
from app.policy.words import listed
from storage.models import Alternative, ContactRole, Request, Staff

ALTERNATIVES = {
    Alternative.LOGS: "logs",
    Alternative.METRICS: "metrics",
    Alternative.MASKED_RECORD: "the masked record",
    Alternative.SNAPSHOT: "a snapshot",
    Alternative.GUIDED_CALL: "a guided call",
}


def may_ask(staff: Staff, place: Place, now: datetime) -> Verdict:
    """What stands in the way of any request of this person into this tenant, whatever the form says."""
    return (
        may_act(staff, now)
        & is_no_contact(staff, place)
        & is_open(place)
        & rule(
            "REQ-104",
            bool(place.admins),
            f"{len(place.admins)} tenant admin{'s' if len(place.admins) != 1 else ''} can be asked",
            f"{place.tenant.name} has no tenant admin who could be asked",
            "the tenant must name an admin first",
        )
    )


def may_create(
    form: RequestForm,
    staff: Staff,
    place: Place,
    now: datetime,
    earlier_reasons: Collection[str] = (),
    earlier: Request | None = None,
) -> Verdict:
    """REQ-101 … 103, 107, 110, 114. `earlier` is the request that `again_of` names, if there is one."""
    return (
        may_ask(staff, place, now)
        & is_target(form.target_id, place)
        & is_filled_in(form)
        & reason.judge(form.reason, form.ticket, earlier_reasons).verdict
        & less_invasive_first(form)
        & may_ask_again(form, earlier, now)
    )


def is_target(target_id: str, place: Place) -> Verdict:
    """REQ-101: the view assumed is that of a user of this very tenant."""
    target = place.contact(target_id)
    fits = target is not None and (target.has(ContactRole.USER) or target.has(ContactRole.TENANT_ADMIN))
    return rule(
        "REQ-101",
        fits,
        f"{target.name} is a user of {place.tenant.name}" if target else "",
        f"{target.name if target else target_id} is no user of {place.tenant.name}"
        if target_id
        else "no user is chosen whose view you need",
        "choose one of its users",
    )


def is_filled_in(form: RequestForm) -> Verdict:
    """REQ-101: ticket, scope, about how many records, minutes; text without control characters, of sane length."""
    return (
        text.is_ticket(form.ticket)
        & text.is_clean("REQ-101", "reason", form.reason, text.REASON_MAX)
        & text.is_clean("REQ-101", "scope", form.scope, text.SCOPE_MAX)
        & rule(
            "REQ-101",
            1 <= form.records <= RECORDS_MOST,
            f"about {form.records:,} record{'s' if form.records != 1 else ''}",
            f"say about how many records: 1 to {RECORDS_MOST:,}",
        )
        & rule(
            "REQ-201",
            1 <= form.minutes <= MINUTES_MOST,
            f"{form.minutes} minutes asked",
            f"ask for 1 to {MINUTES_MOST} minutes, not {form.minutes}",
        )
    )


def less_invasive_first(form: RequestForm) -> Verdict:
    """REQ-103: which less invasive ways were tried, and why they did not do."""
    ways = listed(ALTERNATIVES.values())
    tried = listed((ALTERNATIVES[way] for way in form.tried), "and")
    return (
        rule(
            "REQ-103",
            bool(form.tried),
            f"tried before: {tried}",
            f"less invasive ways come first: try {ways}, and name what you tried",
        )
        & text.is_clean("REQ-103", "explanation why the other ways did not do", form.why_not, text.WHY_NOT_MAX)
        & reason.explains_why_not(form.why_not)
    )


def may_ask_again(form: RequestForm, earlier: Request | None, now: datetime) -> Verdict:
    """REQ-114: only what is over can be asked again, and only into the same tenant."""
    if form.again_of is None:
        return Verdict()
    same = earlier is not None and earlier.tenant_id == form.tenant_id
    over = earlier is not None and state_at(earlier, now) in CLOSED
    return rule(
        "REQ-114",
        same and over,
        f"asks again what {form.again_of} asked",
        f"{form.again_of} is still open: withdraw it or wait"
        if same
        else f"{form.again_of} is no request of this tenant",
    )
