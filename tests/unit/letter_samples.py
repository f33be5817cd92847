"""One letter of every kind there is, made by the very functions that commands use."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

from app.services import letters, portal_letters, review_letters, session_letters, urgent_letters
from storage.models import (
    BreakGlass,
    Contact,
    ContactRole,
    DecisionKind,
    Elevation,
    ElevationState,
    Emergency,
    EmergencyCategory,
    EndKind,
    Exchange,
    Mail,
    Mode,
    Outcome,
    RequestState,
    Review,
    ReviewKind,
    SessionView,
    ViewKind,
)
from storage.models.row import Json, canonical
from storage.view import View, derived_id
from tests.unit.samples import ANN, DANA, MARIA, NOW, RAJ, decision, place, request, session

JUAN = Contact("nw/juan", "nw", "Juan Ortiz", "juan@nw.example", (ContactRole.TENANT_ADMIN,))
OUTCOME = Outcome("a webhook was lost", "refund 8841 marked as failed", "no", "replay the webhook", True, NOW)


class Ids:
    """Only draws ids: all that a letter needs of a View."""

    def __init__(self) -> None:
        self._drawn = 0

    def fresh_id(self, prefix: str) -> str:
        self._drawn += 1
        return derived_id("letters", prefix, self._drawn)


def samples() -> dict[str, Mail]:
    """By a name that tells event and variant."""
    others = (
        dict(_of_the_other_ways())
        | dict(_of_reviews())
        | dict(_digests())
        | {"step_up.locked": _locked(), "mail.failed": _failed(), "tampering.found": _tampering()}
    )
    return dict(_of_requests()) | dict(_of_sessions()) | others


def _of_requests() -> Iterator[tuple[str, Mail]]:
    view: View = Ids()  # type: ignore[assignment]  # draws ids only
    where = place(JUAN)
    asked = request(urgent=True, minutes=90, reason="Refund 8841 says paid.\nThe card was never credited.")
    approved = request(RequestState.APPROVED)
    denied = request(RequestState.DENIED)
    question = Exchange("question", MARIA.id, MARIA.name, NOW, "Which refund\ndo you mean?")
    answer = Exchange("answer", ANN.id, ANN.name, NOW, "Number 8841 of 2 March.")
    yes, no = decision(approved), replace(decision(denied, DecisionKind.DENY), minutes=None, note="not\nnow")
    yield "sign_in.asked", portal_letters.sign_in(view, where, MARIA, "203.0.113.9", NOW)
    yield "request.created", letters.request_created(view, where, ANN, asked, NOW)[0]
    yield "request.approved, standing consent", letters.standing_consent(view, where, ANN, approved, NOW)[0]
    yield "request.approved, to the others", letters.handled(view, where, ANN, approved, yes, NOW)[0]
    yield "request.approved, to the engineer", letters.decided(view, where, ANN, approved, yes, NOW)[0]
    yield "request.denied, to the others", letters.handled(view, where, ANN, denied, no, NOW)[0]
    yield "request.denied, to the engineer", letters.decided(view, where, ANN, denied, no, NOW)[0]
    over = letters.expired(view, where, ANN, replace(asked, state=RequestState.EXPIRED), NOW)
    yield "request.expired, to an admin", over[0]
    yield "request.expired, to the engineer", over[-1]
    yield "question.asked", letters.question_asked(view, where, ANN, asked, question, NOW)[0]
    answered = replace(asked, exchanges=(question, answer))
    yield "question.answered", letters.question_answered(view, where, ANN, answered, NOW)[0]
    why = "5 sessions in the last hour, and 5 are allowed"
    yield "rate_limit.met", letters.rate_limit_met(view, [DANA], ANN, where, approved, why, NOW)[0]


def _of_sessions() -> Iterator[tuple[str, Mail]]:
    view: View = Ids()  # type: ignore[assignment]  # draws ids only
    where = place(JUAN, notify_start_admins=True, notify_start_target=True)
    used, running = request(RequestState.USED), session()
    views = [
        SessionView("V-1", "S-1", "nw", ViewKind.RECORD, "refund 8841", ("amount", "status"), 1, NOW, "engineer", True),
        SessionView("V-2", "S-1", "nw", ViewKind.QUERY, "refunds of March", (), 40, NOW, "gate", False),
    ]
    started = session_letters.started(view, where, ANN, used, running)
    yield "session.started, to an admin", started[0]
    yield "session.started, to the target user", started[-1]
    raised = Elevation(ElevationState.GRANTED, "the refund must be marked", NOW, RAJ.id, NOW)
    full = replace(running, mode=Mode.FULL, elevation=raised)
    yield "elevation.granted", session_letters.elevated(view, where, ANN, RAJ, used, full, NOW)[0]
    end = NOW + timedelta(minutes=12)
    ended = replace(full, ended_at=end, end_kind=EndKind.ENGINEER, ended_by=ANN.id, outcome=OUTCOME)
    yield "session.receipt", session_letters.receipt(view, where, ANN, used, ended, views, end)[0]
    expired = replace(running, ended_at=running.expires_at, end_kind=EndKind.CLOCK, ended_by="clock")
    yield "session.receipt, nothing viewed", session_letters.receipt(view, where, ANN, used, expired, (), end)[0]
    forced = replace(running, ended_at=end, end_kind=EndKind.SUPER, ended_by=DANA.id, end_reason="the wrong\ncustomer")
    yield "session.force_ended", session_letters.receipt(view, where, ANN, used, forced, views, end)[0]
    given = replace(expired, outcome=OUTCOME)
    yield "outcome.given", session_letters.outcome_given(view, where, ANN, used, given, end)[0]


def _of_the_other_ways() -> Iterator[tuple[str, Mail]]:
    view: View = Ids()  # type: ignore[assignment]  # draws ids only
    security = Contact("nw/sec", "nw", "Security desk", "sec@nw.example", (ContactRole.SECURITY_CONTACT,))
    where = place(JUAN, security)
    glass = BreakGlass("The network closes dispute 8841\ntonight.", NOW, DANA.id, NOW, NOW, NOW + timedelta(hours=2))
    question = Exchange("question", MARIA.id, MARIA.name, NOW, "Which refund?")
    asked = request(RequestState.COOLING, urgent=True, break_glass=glass, exchanges=(question,))
    yield "break_glass.declared", urgent_letters.break_glass_declared(view, where, ANN, asked, [DANA], NOW)[0]
    told = urgent_letters.cooling(view, where, ANN, DANA, asked, NOW)
    yield "break_glass.countersigned, to an admin", told[0]
    yield "break_glass.countersigned, to a security contact", told[-1]
    veto = replace(decision(asked, DecisionKind.VETO), minutes=None, note="not\ntonight")
    yield "break_glass.vetoed", urgent_letters.vetoed(view, where, ANN, asked, veto, [DANA], NOW)[0]
    yield "break_glass.usable", urgent_letters.usable(view, where, ANN, asked, NOW)[0]
    harm = Emergency(EmergencyCategory.DATA_LOSS, "Imports delete\nbookings.", DANA.id, NOW, RAJ.id, NOW, "I-1")
    opened = request(RequestState.APPROVED, emergency=harm, usable_until=NOW + timedelta(hours=8))
    yield "emergency.declared", urgent_letters.emergency_declared(view, where, ANN, DANA, opened, [RAJ], NOW)[0]
    everybody = urgent_letters.emergency(view, where, ANN, (DANA, RAJ), opened, "legal@ops.example", NOW)
    yield "emergency.countersigned, to an admin", everybody[0]
    yield "emergency.countersigned, to the operator", everybody[-1]


def _of_reviews() -> Iterator[tuple[str, Mail]]:
    view: View = Ids()  # type: ignore[assignment]  # draws ids only
    where, due = place(JUAN), NOW + timedelta(hours=72)
    dispute = Review(
        "V-1",
        ReviewKind.DISPUTE,
        "nw",
        "R-1",
        None,
        12,
        "We were\nnever told.",
        (ANN.id,),
        JUAN.id,
        JUAN.name,
        NOW,
        due,
    )
    emergency = replace(dispute, kind=ReviewKind.EMERGENCY, entry_seq=None, opened_by=DANA.id, opened_by_name=DANA.name)
    finding = "Entering was necessary.\nNothing else was looked at."
    for name, one in (("a dispute", dispute), ("an emergency", emergency)):
        yield f"review.opened, {name}", review_letters.opened(view, where, one, None, [DANA], NOW)[0]
        signed = replace(one, finding=finding, signed_by=DANA.id, signed_at=NOW)
        yield f"review.signed, {name}", review_letters.answered(view, where, signed, DANA, None, NOW)[0]


def _locked() -> Mail:
    """Written by the shared database itself (`storage.shared.proving`, `040_step_up.sql`)."""
    facts = canonical(
        {
            "person": {"name": ANN.name, "email": ANN.email},
            "codes": 5,
            "minutes": 15,
            "act": "session.start",
            "ip": "203.0.113.9",
            "at": "2026-03-02T09:00:00.000000Z",
        }
    )
    subject = f"Second factor locked: {ANN.name}"
    return Mail(
        "M-1", "step_up.locked", DANA.id, DANA.name, DANA.email, None, None, None, subject, (), NOW, facts=facts
    )


def _failed() -> Mail:
    """As `app.services.mail.failed` tells it."""
    gone: dict[str, Json] = {
        "id": "M-7K2F9Q",
        "event": "request.created",
        "to": {"name": MARIA.name, "email": MARIA.email},
        "subject": "Ann Lee asks to enter Northwind (T-48271)",
        "tenant": "Northwind",
        "why": "550 5.1.1 no such user",
        "attempts": 1,
        "urgent": True,
    }
    other = gone | {"id": "M-8X2F9Q", "tenant": None, "urgent": False, "why": "mail.test:587 (STARTTLS): refused"}
    facts: dict[str, Json] = {"letters": [gone, other], "at": "2026-03-02T09:00:00.000000Z"}
    view: View = Ids()  # type: ignore[assignment]  # draws ids only
    return letters.letter(view, DANA, "mail.failed", "Not delivered: 2 letters", facts, NOW, urgent=True)


def _digests() -> Iterator[tuple[str, Mail]]:
    """As `app.services.digests` writes them."""
    view: View = Ids()  # type: ignore[assignment]  # draws ids only
    week: dict[str, Json] = {
        "tenant": "Northwind",
        "first": "2026-02-23T00:00:00.000000Z",
        "last": "2026-03-01T23:59:59.000000Z",
        "sessions": [],
        "requests": [],
        "whole": True,
    }
    who: dict[str, Json] = {"engineer": {"name": ANN.name, "email": ANN.email}, "ticket": "T-48271"}
    held: dict[str, Json] = {
        "id": "S-1",
        "layer": "your organisation's consent",
        "mode": "read-only: nothing can be changed",
        "started_at": "2026-02-24T09:00:00.000000Z",
        "lasted": "12 min",
        "views": 3,
        "records": 41,
        "beyond_scope": 1,
    }
    asked: dict[str, Json] = {"id": "R-2", "at": "2026-02-25T09:00:00.000000Z", "state": "denied"}
    busy = week | {"sessions": [held | who], "requests": [asked | who], "whole": False}
    for name, facts in (("digest.weekly, silence", week), ("digest.weekly", busy)):
        yield name, letters.letter(view, MARIA, "digest.weekly", "Northwind: the week", facts, NOW, tenant_id="nw")


def _tampering() -> Mail:
    """As `app.services.alerts` tells it."""
    facts: dict[str, Json] = {
        "faults": [{"log": "tenant:northwind", "seq": 7, "what": "the entry is not the one verified before"}],
        "in_all": 3,
        "where": "laptop-of-ann",
        "at": "2026-03-02T09:00:00.000000Z",
    }
    view: View = Ids()  # type: ignore[assignment]  # draws ids only
    return letters.letter(view, DANA, "tampering.found", "TAMPERING: tenant:northwind 7", facts, NOW, urgent=True)


def leaves(value: object) -> Iterator[str]:
    """Every text and number that a letter's facts hold."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key not in UNSAID:
                yield from leaves(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from leaves(inner)
    elif isinstance(value, str):
        yield from value.splitlines()
    elif isinstance(value, int) and not isinstance(value, bool):
        yield str(value)


UNSAID = {"to", "maximum", "usable_until", "expires_at", "due_at"}
"""Facts that steer what is said, or are said in some states only."""


def said_by(mail: Mail) -> list[str]:
    """What the letter must say somewhere; times as people read them."""
    return [_readable(one) for one in leaves(json.loads(mail.facts))]


def _readable(text: str) -> str:
    if len(text) == 27 and text.endswith("Z"):
        return text[:10] + " " + text[11:19] + " UTC"
    return text
