"""What will happen, and what stands in the way (REQ-113): on a form, on a request, on a tenant. The verdicts are those
of the very functions that decide; here they only get the words about what follows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.policy import emergency, requests, sessions
from app.policy.break_glass import is_way_open
from app.policy.duty import Duty
from app.policy.limits import COOLING, DEFAULTS, EMERGENCY_OPEN, PENDING, REVIEW_DUE, USABLE, Limits
from app.policy.people import Place
from app.policy.request_state import deadline
from app.policy.requests import RequestForm
from app.policy.verdict import Verdict
from app.policy.ways import Way, in_a_line, ways
from app.policy.words import moment, span
from storage.models import Contact, Decision, Mode, Request, RequestState, Session, Staff, Standing


@dataclass(frozen=True, slots=True)
class Explanation:
    """The verdict; whom submitting mails; what follows, step by step, in words; when it is over if nothing happens;
    of a request, the ways in."""

    verdict: Verdict
    mailed: tuple[Contact, ...]
    steps: tuple[str, ...]
    expires_at: datetime | None
    ways: tuple[Way, ...] = ()


def form(
    wanted: RequestForm,
    staff: Staff,
    place: Place,
    now: datetime,
    earlier_reasons: tuple[str, ...] = (),
    earlier: Request | None = None,
) -> Explanation:
    """Before submitting."""
    verdict = requests.may_create(wanted, staff, place, now, earlier_reasons, earlier)
    minutes = min(wanted.minutes, place.settings.max_minutes)
    at_once = wanted.mode is Mode.READ_ONLY and place.settings.standing_consent
    steps = [f"every admin is mailed: {', '.join(admin.name for admin in place.admins) or 'nobody'}"]
    if at_once:
        steps.append(f"standing consent approves it at once; start it within {span(USABLE)}")
    else:
        steps += [
            f"{place.whoever_decides()} approves or denies by {moment(now + PENDING, now)}, or it expires",
            f"once approved, start it within {span(USABLE)}",
        ]
    steps += _mode(wanted.mode, staff)
    steps.append(_length(minutes, wanted.minutes, place))
    return Explanation(verdict, place.admins, tuple(steps), now + (USABLE if at_once else PENDING))


def emergency_anew(
    wanted: RequestForm,
    staff: Staff,
    engineer: Staff,
    place: Place,
    legal_email: str,
    now: datetime,
    earlier_reasons: tuple[str, ...] = (),
    earlier: Request | None = None,
) -> Explanation:
    """Before a super asks for `engineer` and declares an emergency in one act (REQ-109)."""
    verdict = emergency.may_declare_anew(wanted, staff, engineer, place, now, earlier_reasons, earlier)
    verdict &= emergency.can_be_told(legal_email)
    minutes = min(wanted.minutes, place.settings.max_minutes)
    steps = [
        f"every admin is asked: {', '.join(admin.name for admin in place.admins) or 'nobody'}",
        f"a second super, neither {staff.name} nor {engineer.name}, countersigns by"
        f" {moment(now + EMERGENCY_OPEN, now)}, or it is void",
        "then the admins, the legal contacts and the operator's legal address are told at once",
        f"{engineer.name} can start within {span(USABLE)}; a third person reviews it within {span(REVIEW_DUE)}",
        *_mode(wanted.mode, engineer),
        _length(minutes, wanted.minutes, place),
    ]
    return Explanation(verdict, place.admins, tuple(steps), now + EMERGENCY_OPEN)


def request(
    asked: Request,
    decision: Decision | None,
    engineer: Staff,
    place: Place,
    standing: Standing,
    current: Session | None,
    supers: tuple[Staff, ...],
    duty: Duty,
    now: datetime,
    limits: Limits = DEFAULTS,
) -> Explanation:
    """Why it stands where it stands: every rule of starting it, asked for its engineer; and the ways that lead in."""
    verdict = sessions.may_start(asked, decision, engineer, place, standing, current, now, limits)
    state = requests.state_at(asked, now)
    steps = [requests.state_words(asked, decision, now)]
    expires = deadline(asked, now)
    within = f", within {span(expires - now)}" if expires is not None else ""
    if state is RequestState.PENDING:
        steps.append(f"next: {place.whoever_decides()} decides{within}")
    if state is RequestState.DECLARED:
        steps.append(f"next: a super other than {engineer.name} countersigns break-glass{within}")
    if state is RequestState.APPROVED:
        steps.append(f"next: {engineer.name} starts it{within}")
    found = ways(asked, engineer, place, supers, duty, now)
    if state is not RequestState.USED:
        steps.append(f"ways in: {in_a_line(found)}")
    if expires is not None:
        if asked.countersigned_by is None and asked.declined_by is None:
            steps += _mode(asked.mode, engineer)
        steps.append(_length(sessions.granted_minutes(asked, place), asked.minutes, place))
    elif state is not RequestState.USED:
        steps.append("next: it can be asked again, prefilled")
    return Explanation(verdict, (), tuple(steps), expires, found)


def tenant(staff: Staff, place: Place, now: datetime) -> Explanation:
    """Can I get in, and how?"""
    verdict = requests.may_ask(staff, place, now)
    consent = f"ask; {place.whoever_decides()} approves or denies within {span(PENDING)}"
    steps = [
        "ask for read-only: standing consent approves it at once" if place.settings.standing_consent else consent,
        "full mode needs a consent of its own and a countersign by a second staff member",
        f"a session lasts at most {place.settings.max_minutes} minutes",
    ]
    other = is_way_open(place)
    steps += (
        [
            f"nobody decides on an urgent request: break-glass after {span(PENDING)}, with a super, then"
            f" {span(COOLING)} in which the admins can veto",
            "harm that cannot wait: an emergency by two supers, reported publicly",
        ]
        if other.allowed
        else [finding.why for finding in other.refusals]
    )
    return Explanation(verdict, place.admins, tuple(steps) if verdict.allowed else (), None)


def _mode(mode: Mode, engineer: Staff) -> list[str]:
    if mode is Mode.READ_ONLY:
        return []
    return [f"full mode also needs a second person: an engineer or super other than {engineer.name}; else read-only"]


def _length(minutes: int, asked: int, place: Place) -> str:
    if minutes < asked and minutes == place.settings.max_minutes:
        return f"a session of {minutes} minutes: {place.tenant.name}'s maximum, {asked} were asked"
    return f"a session of {minutes} minutes" + (f", {asked} were asked" if minutes < asked else "")
