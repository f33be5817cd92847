"""An emergency, the third way in (REQ-109): for harm that two hours would make irreparable. Two supers, neither of
them the engineer who enters; everybody is told at once, it is registered, and a third person reviews it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from app.policy import reason, text
from app.policy.asking import may_create
from app.policy.break_glass import is_way_open
from app.policy.limits import EMERGENCY_OPEN
from app.policy.people import Place, is_no_contact, is_second_person, is_super, may_act, same_person
from app.policy.request_state import BEFORE_EMERGENCY, RequestForm, emergency_waits, state_at, state_words
from app.policy.verdict import Verdict, rule
from app.policy.words import moment
from storage.models import Decision, EmergencyCategory, Request, Staff

RULE = "REQ-109"
CATEGORIES = {
    EmergencyCategory.DATA_LOSS: "data is being lost or destroyed",
    EmergencyCategory.SECURITY: "a security breach is going on",
    EmergencyCategory.SAFETY: "people's safety or health is at stake",
    EmergencyCategory.OUTAGE: "the tenant's business stands still",
    EmergencyCategory.LEGAL: "a legal deadline would be missed",
}


def may_declare(staff: Staff, engineer: Staff, place: Place, now: datetime) -> Verdict:
    """A super who is not the engineer who enters, into an open tenant in mode `default`."""
    return (
        is_super(staff, now, "declares an emergency")
        & is_second_person(staff, engineer)
        & is_no_contact(staff, place)
        & may_act(engineer, now)
        & is_no_contact(engineer, place)
        & is_way_open(place)
    )


def may_declare_anew(
    form: RequestForm,
    staff: Staff,
    engineer: Staff,
    place: Place,
    now: datetime,
    earlier_reasons: Collection[str] = (),
    earlier: Request | None = None,
) -> Verdict:
    """Asked for the engineer and declared in one act: the rules of asking, and those of declaring."""
    return may_create(form, engineer, place, now, earlier_reasons, earlier) & may_declare(staff, engineer, place, now)


def is_declarable(request: Request, decision: Decision | None, now: datetime) -> Verdict:
    """Open or expired, and no emergency waits on it already."""
    waits = emergency_waits(request, now)
    return rule(
        RULE,
        state_at(request, now) in BEFORE_EMERGENCY,
        f"{request.id} is open or expired",
        state_words(request, decision, now),
        "ask anew in the same act",
    ) & rule(
        RULE, not waits, "no emergency waits on it", f"an emergency is declared on {request.id} and waits for a super"
    )


def is_emergency_reason(words: str, ticket: str, earlier_reasons: Collection[str]) -> Verdict:
    """REQ-102, REQ-109: what harm two hours would make irreparable, in words of its own."""
    return (
        text.is_clean(RULE, "reason of the emergency", words, text.REASON_MAX)
        & reason.judge(words, ticket, earlier_reasons).verdict
    )


def can_be_told(legal_email: str) -> Verdict:
    """REQ-109: the operator's own legal address must be known, or nobody is told there."""
    return rule(
        RULE,
        bool(legal_email),
        f"the operator's legal address is {legal_email}",
        "the operator's legal address is not set, and every emergency is reported to it",
        "set operator.legal_email in the configuration",
    )


def may_countersign(
    request: Request, decision: Decision | None, staff: Staff, declarer: Staff | None, engineer: Staff, place: Place,
    now: datetime,
) -> Verdict:  # fmt: skip
    """A second super, who is neither the first nor the engineer, while the declaration is fresh."""
    declared = request.emergency
    waits = emergency_waits(request, now)
    late = declared is not None and declared.countersigned_at is None
    other = declarer is None or (staff.id != declarer.id and not same_person(staff.email, declarer.email))
    return (
        is_super(staff, now, "countersigns an emergency")
        & is_second_person(staff, engineer)
        & rule(
            "REQ-107",
            other,
            f"{staff.name} is not {declarer.name if declarer else ''}, who declared it",
            "needs a second super: nobody countersigns what they declared themselves",
            f"a super other than {declarer.name if declarer else ''}",
        )
        & is_no_contact(staff, place)
        & may_act(engineer, now)
        & is_no_contact(engineer, place)
        & is_way_open(place)
        & rule(
            RULE,
            waits,
            f"the emergency can be countersigned until {moment(declared.declared_at + EMERGENCY_OPEN, now)}"
            if declared
            else "",
            f"the declaration of {moment(declared.declared_at, now)} is too old: {state_words(request, decision, now)}"
            if late and declared is not None
            else f"no emergency waits on {request.id}: {state_words(request, decision, now)}",
            "a super can declare it again" if late else "",
        )
    )
