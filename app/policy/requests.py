"""Rules over requests: asking, deciding, countersigning, withdrawing, answering (REQ-101 … 107, 115, 202).

Every function is pure and gives a Verdict with all its findings; the commands and the explanation use the same ones.
A request's state *now* is `state_at`, whether or not any process has recorded the passing of time.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from app.policy import reason, text
from app.policy.limits import MINUTES_MOST, RECORDS_MOST
from app.policy.people import Place, is_no_contact, is_second_person, may_act, same_person
from app.policy.tenants import is_open
from app.policy.verdict import Verdict, rule
from app.policy.words import listed, moment
from storage.models import (
    Alternative,
    ConsentLink,
    Contact,
    ContactRole,
    Decision,
    Mode,
    Request,
    RequestState,
    Staff,
)
from storage.models.row import canonical, digest, encode

ALTERNATIVES = {
    Alternative.LOGS: "logs",
    Alternative.METRICS: "metrics",
    Alternative.MASKED_RECORD: "the masked record",
    Alternative.SNAPSHOT: "a snapshot",
    Alternative.GUIDED_CALL: "a guided call",
}
CLOSED = frozenset(RequestState) - {RequestState.PENDING, RequestState.APPROVED}


@dataclass(frozen=True, slots=True)
class RequestForm:
    """What an engineer fills in (REQ-101, REQ-103). `target_id` is a contact key, `again_of` an earlier request."""

    tenant_id: str
    target_id: str
    ticket: str
    reason: str
    scope: str
    records: int
    mode: Mode = Mode.READ_ONLY
    minutes: int = 30
    urgent: bool = False
    tried: tuple[Alternative, ...] = ()
    why_not: str = ""
    again_of: str | None = None


def state_at(request: Request, now: datetime) -> RequestState:
    """REQ-104, REQ-201: pending ends by time, an approval lapses by time."""
    if request.state is RequestState.PENDING and now >= request.expires_at:
        return RequestState.EXPIRED
    if request.state is RequestState.APPROVED and request.usable_until is not None and now >= request.usable_until:
        return RequestState.LAPSED
    return request.state


def content_digest(content: RequestForm | Request) -> str:
    """REQ-115: what a decision is bound to. Changing any of it makes another digest."""
    return digest(
        canonical(
            encode(
                {
                    "tenant": content.tenant_id,
                    "target": content.target_id,
                    "scope": content.scope,
                    "records": content.records,
                    "mode": content.mode,
                    "minutes": content.minutes,
                    "ticket": content.ticket,
                    "reason": content.reason,
                }
            )
        )
    )


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
        f"{target.name if target else target_id or 'nobody'} is no user of {place.tenant.name}",
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


def is_pending(request: Request, decision: Decision | None, now: datetime) -> Verdict:
    """REQ-105, REQ-107: decided once, in time; the words say who was faster, and when."""
    state = state_at(request, now)
    return rule(
        "REQ-107",
        state is RequestState.PENDING,
        f"{request.id} waits for a decision until {moment(request.expires_at, now)}",
        state_words(request, decision, now),
    )


def state_words(request: Request, decision: Decision | None, now: datetime) -> str:
    """What became of a request, for a person: who, what, when."""
    state = state_at(request, now)
    by = decision.by_name if decision is not None else (request.decided_by or "")
    at = moment(request.decided_at, now) if request.decided_at else ""
    words = {
        RequestState.PENDING: f"waits for the tenant until {moment(request.expires_at, now)}",
        RequestState.APPROVED: f"was approved by {by} at {at}",
        RequestState.DENIED: f"was denied by {by} at {at}",
        RequestState.WITHDRAWN: "was withdrawn by its engineer",
        RequestState.EXPIRED: f"expired at {moment(request.expires_at, now)}: nobody decided",
        RequestState.LAPSED: "lapsed: approved, but not used"
        + (f" by {moment(request.usable_until, now)}" if request.usable_until else ""),
        RequestState.USED: f"was approved by {by} at {at} and used by session {request.session_id}",
    }
    return f"{request.id} {words[state]}"


def may_decide(
    request: Request, admin: Contact | None, engineer: Staff, place: Place, decision: Decision | None, now: datetime
) -> Verdict:
    """REQ-105, REQ-107: a present tenant admin, another person than the engineer, while the request is pending."""
    present = admin is not None and admin in place.admins
    return (
        rule(
            "REQ-105",
            present,
            f"{admin.name if admin else ''} is an admin of {place.tenant.name}",
            f"{admin.name if admin else 'whoever asks'} is not an admin of {place.tenant.name} (any more)",
            place.whoever_decides(),
        )
        & rule(
            "REQ-107",
            admin is None or not same_person(admin.email, engineer.email),
            "the engineer is somebody else",
            f"nobody decides their own request, and {engineer.name} is the same person",
            place.whoever_decides(),
        )
        & is_pending(request, decision, now)
    )


def may_approve(
    request: Request,
    admin: Contact | None,
    engineer: Staff,
    place: Place,
    decision: Decision | None,
    minutes: int | None,
    now: datetime,
) -> Verdict:
    """REQ-110, REQ-115: into an open tenant, for at most the minutes asked, for an engineer who is still there."""
    return (
        may_decide(request, admin, engineer, place, decision, now)
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


def is_usable(link: ConsentLink, wanted: str, request: Request, decision: Decision | None, now: datetime) -> Verdict:
    """REQ-105: single-use, bound to request, admin and decision, gone when the request expires."""
    return (
        rule(
            "REQ-105",
            link.used_at is None,
            "the link has not been used",
            f"the link was used at {moment(link.used_at, now)}: {state_words(request, decision, now)}"
            if link.used_at
            else "",
        )
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


def may_countersign(request: Request, staff: Staff, engineer: Staff, place: Place, now: datetime) -> Verdict:
    """REQ-202: a second staff member, once, for a request that asks for `full` and can still be used."""
    return (
        may_act(staff, now)
        & is_second_person(staff, engineer)
        & is_no_contact(staff, place)
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
    who = request.countersigned_by or request.declined_by or ""
    return rule(
        "REQ-107", not done, "no second person has decided yet", f"{request.id} was {done} by {who} already"
    ) & rule(
        "REQ-202",
        state not in CLOSED,
        f"{request.id} is open",
        f"{request.id} is {state.value}: too late to countersign",
    )
