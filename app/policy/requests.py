"""Rules over requests once they are asked: deciding, countersigning, withdrawing, answering (REQ-105 … 107, 115, 202).

Every function is pure and gives a Verdict with all its findings; the commands and the explanation use the same ones.
The rules of asking stand in `asking`, the state by time in `request_state`; they are named here too.
"""

from __future__ import annotations

from datetime import datetime

from app.policy.asking import ALTERNATIVES, is_filled_in, is_target, less_invasive_first, may_ask, may_create
from app.policy.duty import Duty, is_on_duty
from app.policy.people import Place, is_no_contact, is_second_person, may_act, same_person
from app.policy.request_state import CLOSED, RequestForm, content_digest, state_at, state_words
from app.policy.tenants import is_open
from app.policy.verdict import Verdict, rule
from app.policy.words import moment
from storage.models import ConsentLink, Contact, Decision, Mode, Request, RequestState, Staff

__all__ = [
    "ALTERNATIVES",
    "CLOSED",
    "RequestForm",
    "content_digest",
    "is_filled_in",
    "is_own",
    "is_present_admin",
    "is_target",
    "is_unchanged",
    "is_usable",
    "less_invasive_first",
    "may_answer",
    "may_approve",
    "may_ask",
    "may_countersign",
    "may_create",
    "may_decide",
    "may_decline",
    "may_withdraw",
    "state_at",
    "state_words",
]


def is_pending(request: Request, decision: Decision | None, now: datetime) -> Verdict:
    """REQ-105, REQ-107: decided once, in time; the words say who was faster, and when."""
    state = state_at(request, now)
    return rule(
        "REQ-107",
        state is RequestState.PENDING,
        f"{request.id} waits for a decision until {moment(request.expires_at, now)}",
        state_words(request, decision, now),
    )


def may_decide(
    request: Request,
    admin: Contact | None,
    engineer: Staff,
    place: Place,
    decision: Decision | None,
    now: datetime,
    staff: tuple[Staff, ...] = (),
) -> Verdict:
    """REQ-105, REQ-107: a present tenant admin who is none of the operator's `staff`, while the request is pending."""
    return is_present_admin(admin, engineer, place, now, staff) & is_pending(request, decision, now)


def is_present_admin(
    admin: Contact | None, engineer: Staff, place: Place, now: datetime, staff: tuple[Staff, ...] = ()
) -> Verdict:
    """Whoever decides for a tenant: an admin who is there still, and nobody of the operator."""
    present = admin is not None and admin in place.admins
    twin = next(
        (
            o
            for o in (engineer, *staff)
            if admin and _is_at_work(o, engineer, now) and same_person(o.email, admin.email)
        ),
        None,
    )
    return rule(
        "REQ-105",
        present,
        f"{admin.name if admin else ''} is an admin of {place.tenant.name}",
        f"{admin.name if admin else 'whoever asks'} is not an admin of {place.tenant.name} (any more)",
        place.whoever_decides(),
    ) & rule(
        "REQ-107",
        twin is None,
        "the decision is made by nobody of the operator",
        f"{twin.name} of the operator is the same person, and nobody of the operator decides" if twin else "",
        place.whoever_decides(),
    )


def _is_at_work(member: Staff, engineer: Staff, now: datetime) -> bool:
    """The engineer who asked always counts; of the others, whoever is still there."""
    return member.id == engineer.id or member.is_active(now)


def may_approve(
    request: Request,
    admin: Contact | None,
    engineer: Staff,
    place: Place,
    decision: Decision | None,
    minutes: int | None,
    now: datetime,
    staff: tuple[Staff, ...] = (),
) -> Verdict:
    """REQ-110, REQ-115: into an open tenant, for at most the minutes asked, for an engineer who is still there."""
    return (
        may_decide(request, admin, engineer, place, decision, now, staff)
        & is_open(place)
        & rule(
            "REQ-115",
            minutes is None or 1 <= minutes <= request.minutes,
            f"for {minutes or request.minutes} minutes",
            f"approve for 1 to {request.minutes} minutes: fewer than asked, never more",
        )
        & rule(
            "REQ-701",
            engineer.is_active(now),
            f"{engineer.name} is active staff",
            f"{engineer.name} is no longer active staff: nobody could use the approval",
        )
        & is_unchanged(request, request.content_digest)
    )


def is_unchanged(request: Request, decided_on: str) -> Verdict:
    """REQ-115: the decision counts only for the content it was made on."""
    return rule(
        "REQ-115",
        content_digest(request) == decided_on == request.content_digest,
        "the content is the one that was mailed and decided on",
        "the request's content is not the one that the decision was made on: it does not count",
        "ask again",
    )


def is_unused(link: ConsentLink, request: Request, decision: Decision | None, now: datetime) -> Verdict:
    """REQ-105: a link decides once."""
    used = (
        f"the link was used at {moment(link.used_at, now)}: {state_words(request, decision, now)}"
        if link.used_at
        else ""
    )
    return rule("REQ-105", link.used_at is None, "the link has not been used", used)


def is_usable(link: ConsentLink, wanted: str, request: Request, decision: Decision | None, now: datetime) -> Verdict:
    """REQ-105: single-use, bound to request, admin and decision, gone when the request expires."""
    return (
        is_unused(link, request, decision, now)
        & rule(
            "REQ-105",
            now < link.expires_at,
            f"the link works until {moment(link.expires_at, now)}",
            f"the link expired at {moment(link.expires_at, now)}: {state_words(request, decision, now)}",
        )
        & rule(
            "REQ-105", link.kind.value == wanted, f"the link is for this ({wanted})", f"this link can only {link.kind}"
        )
        & is_unchanged(request, link.content_digest)
    )


def may_withdraw(request: Request, staff: Staff, now: datetime) -> Verdict:
    """REQ-107: the requester takes it back, decided or not, as long as it has not been used."""
    return (
        may_act(staff, now)
        & is_own(request, staff)
        & rule(
            "REQ-107",
            state_at(request, now) not in CLOSED,
            f"{request.id} is open",
            f"{request.id} is {state_at(request, now).value}: there is nothing to withdraw",
        )
    )


def may_answer(request: Request, staff: Staff, now: datetime) -> Verdict:
    """REQ-115: the engineer answers, once a tenant admin has asked, while it can still be decided."""
    open_question = bool(request.exchanges) and request.exchanges[-1].kind == "question"
    return (
        may_act(staff, now)
        & is_own(request, staff)
        & rule("REQ-115", open_question, "a tenant admin waits for an answer", "no tenant admin waits for an answer")
        & is_pending(request, None, now)
    )


def is_own(request: Request, staff: Staff) -> Verdict:
    return rule(
        "REQ-107",
        request.engineer_id == staff.id,
        f"{request.id} is {staff.name}'s own",
        f"{request.id} is not {staff.name}'s",
        "the engineer who asked",
    )


def may_countersign(
    request: Request, staff: Staff, engineer: Staff, place: Place, duty: Duty, now: datetime
) -> Verdict:
    """REQ-111, REQ-202: a second staff member on duty, once, for a request that asks for `full` and can be used."""
    return (
        may_act(staff, now)
        & is_second_person(staff, engineer, duty.who_could(now))
        & is_no_contact(staff, place)
        & is_on_duty(duty, staff, now)
        & is_open(place)
        & rule(
            "REQ-202",
            request.mode is Mode.FULL,
            "it asks for full mode",
            f"{request.id} asks for read-only: there is nothing to countersign",
        )
        & _not_yet_countersigned(request, now)
    )


def may_decline(request: Request, staff: Staff, engineer: Staff, place: Place, now: datetime) -> Verdict:
    """The same people as may countersign may say no; also into a tenant that is shut."""
    return (
        may_act(staff, now)
        & is_second_person(staff, engineer)
        & is_no_contact(staff, place)
        & rule(
            "REQ-202",
            request.mode is Mode.FULL,
            "it asks for full mode",
            f"{request.id} asks for read-only: there is nothing to decline",
        )
        & _not_yet_countersigned(request, now)
    )


def _not_yet_countersigned(request: Request, now: datetime) -> Verdict:
    state = state_at(request, now)
    done = "countersigned" if request.countersigned_by else "declined" if request.declined_by else ""
    return rule(
        "REQ-107", not done, "no second person has decided yet", f"full mode of {request.id} was {done} already"
    ) & rule(
        "REQ-202",
        state not in CLOSED,
        f"{request.id} is open",
        f"{request.id} is {state.value}: too late to countersign",
    )
