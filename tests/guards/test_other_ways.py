"""Break-glass and emergencies before the guards of the SQLite form, with the policy out of the way (REQ-108 … 111)."""

# ruff: noqa: E501  (each wrong stands on one line)

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from storage.errors import GuardRefused
from storage.log.actions import Action
from storage.log.entry import Draft
from storage.models import (
    OFFICE,
    BreakGlass,
    DecisionKind,
    Emergency,
    EmergencyCategory,
    Incident,
    Layer,
    Mail,
    MailState,
    OfficeHours,
    OfficeSpan,
    RequestState,
    Review,
    ReviewKind,
    Role,
    Shift,
    Start,
    TenantMode,
    time_text,
)
from storage.shared.guards.case import Limits
from tests.guards.scene import (
    ANN,
    APPROVAL,
    AS_MARIA,
    BEN,
    CLOCK,
    COMPANY,
    MARIA,
    NOW,
    ODA,
    PENDING,
    REQUEST,
    RUNNING,
    SESSION,
    SETTINGS,
    STANDING,
    SUE,
    TENANT,
    Scene,
    acting,
    person,
    proof,
    used,
)

HOUR = timedelta(hours=1)
IDA = "U-IDA"
SECOND = person(IDA, Role.SUPER)
UNDECIDED = replace(PENDING, urgent=True, created_at=NOW - 25 * HOUR, expires_at=NOW - HOUR)
GLASS = BreakGlass("it burns", NOW, None, None, None, None)
DECLARED = replace(UNDECIDED, state=RequestState.DECLARED, break_glass=GLASS)
SIGNED = replace(
    DECLARED,
    state=RequestState.COOLING,
    layer=Layer.BREAK_GLASS,
    granted_minutes=30,
    break_glass=replace(GLASS, countersigned_by=SUE, countersigned_at=NOW),
)
COOLED = replace(
    SIGNED,
    break_glass=BreakGlass("it burns", NOW - 3 * HOUR, SUE, NOW - 3 * HOUR, NOW - 2 * HOUR, NOW),
)
STILL = replace(COOLED, break_glass=replace(COOLED.break_glass, cooling_until=NOW + HOUR))  # type: ignore[type-var]  # it has one
OPENING = replace(APPROVAL, kind=DecisionKind.BREAK_GLASS, by=SUE, by_name="Sue", minutes=None)
HARM = Emergency(EmergencyCategory.OUTAGE, "all down", SUE, NOW, None, None, None)
ALARMED = replace(PENDING, emergency=HARM)
OPENED = replace(
    PENDING,
    state=RequestState.APPROVED,
    layer=Layer.EMERGENCY,
    granted_minutes=30,
    usable_until=NOW + 8 * HOUR,
    emergency=replace(HARM, countersigned_by=IDA, countersigned_at=NOW, incident_id="I-1"),
)
INCIDENT = Incident("I-1", REQUEST, TENANT, ANN, "CASE-1", EmergencyCategory.OUTAGE, "all down", SUE, IDA, NOW, "V-1")
REVIEW = Review(
    "V-1",
    ReviewKind.EMERGENCY,
    TENANT,
    REQUEST,
    None,
    None,
    "all down",
    (ANN, SUE, IDA),
    IDA,
    "Ida",
    NOW,
    NOW + 72 * HOUR,
)


def declaring() -> Scene:
    code = proof(ANN, "break_glass.declare")
    return Scene((*COMPANY, UNDECIDED, code), acting(ANN, "P-1"), Action.BREAK_GLASS_DECLARED, (DECLARED, used(code)))


def signing() -> Scene:
    code = proof(SUE, "break_glass.countersign")
    return Scene(
        (*COMPANY, DECLARED, code),
        acting(SUE, "P-1"),
        Action.BREAK_GLASS_COUNTERSIGNED,
        (SIGNED, OPENING, used(code)),
    )


def vetoing() -> Scene:
    gone = replace(STILL, state=RequestState.VETOED, decided_by=MARIA, decided_at=NOW)
    decision = replace(APPROVAL, id="D-2", kind=DecisionKind.VETO, minutes=None)
    return Scene((*COMPANY, STILL, OPENING), AS_MARIA, Action.BREAK_GLASS_VETOED, (gone, decision))


def entering() -> Scene:
    code = proof(ANN, "session.start")
    spent = replace(COOLED, state=RequestState.USED, session_id=SESSION)
    begun = replace(STANDING, active_session=SESSION, starts=(Start(TENANT, NOW),))
    inside = replace(RUNNING, layer=Layer.BREAK_GLASS)
    after = (inside, spent, begun, used(code))
    return Scene((*COMPANY, COOLED, OPENING, code), acting(ANN, "P-1"), Action.SESSION_STARTED, after)


def emergency() -> Scene:
    code = proof(IDA, "emergency.countersign")
    decision = replace(APPROVAL, kind=DecisionKind.EMERGENCY, by=IDA, by_name="Ida", minutes=None)
    actor = replace(acting(SUE, "P-1"), id=IDA, name=SECOND.name, email=SECOND.email)
    scene = Scene(
        (*COMPANY, SECOND, ALARMED, code), actor, Action.EMERGENCY_COUNTERSIGNED,
        (OPENED, decision, used(code), INCIDENT, REVIEW), mails=(TO_LEGAL,), limits=Limits(legal_email="legal@ops.example"),
    )  # fmt: skip
    return scene.named(Action.EMERGENCY_COUNTERSIGNED, Action.INCIDENT_REGISTERED, Action.REVIEW_OPENED)


TO_LEGAL = Mail(
    "M-1", "emergency.countersigned", "operator/legal", "Legal", "Legal@ops.example", TENANT, OPENED.id, None, "Told", (),
    NOW,
)  # fmt: skip
LAWFUL = (declaring, signing, vetoing, entering, emergency)


@pytest.mark.parametrize("scene", LAWFUL)
def test_what_is_lawful_passes(scene: Callable[[], Scene]) -> None:
    scene().check()


NIGHT = OfficeHours(OFFICE, "UTC", (OfficeSpan(1, "12:00", "13:00"),), SUE, NOW)
TWO_HOURS_AGO = replace(HARM, declared_at=NOW - 2 * HOUR)


@pytest.mark.parametrize(
    ("scene", "promise"),
    [
        (lambda: declaring().stored(replace(UNDECIDED, urgent=False)).writing(replace(DECLARED, urgent=False)), "P3"),
        (lambda: declaring().stored(PENDING).writing(replace(PENDING, state=RequestState.DECLARED, break_glass=GLASS)), "P3"),
        (lambda: declaring().by(acting(BEN, "P-1")), "P4"),
        (lambda: declaring().stored(replace(SETTINGS, mode=TenantMode.CONSENT_ONLY)), "P6"),
        (lambda: declaring().stored(replace(SETTINGS, kill_switch=True)), "P6"),
        (lambda: declaring().stored(proof(ANN, "request.create")), "P10"),
        (lambda: signing().by(acting(ANN, "P-1")), "P12"),
        (lambda: signing().by(acting(BEN, "P-1")), "P12"),
        (lambda: signing().writing(replace(SIGNED, break_glass=COOLED.break_glass)), "P3"),
        (lambda: signing().stored(NIGHT), "P8"),
        (lambda: vetoing().by(acting(SUE)), "P5"),
        (lambda: vetoing().without(replace(APPROVAL, id="D-2")), "P5"),
        (lambda: vetoing().stored(COOLED).writing(replace(COOLED, state=RequestState.VETOED, decided_by=MARIA, decided_at=NOW)), "P3"),
        (lambda: entering().stored(STILL).writing(replace(STILL, state=RequestState.USED, session_id=SESSION)), "P3"),
        (lambda: entering().stored(SIGNED).writing(replace(SIGNED, state=RequestState.USED, session_id=SESSION)), "P3"),
        (lambda: entering().stored(replace(APPROVAL, by=MARIA)), "P7"),
        (lambda: entering().stored(replace(APPROVAL, id="D-2", kind=DecisionKind.VETO)), "P7"),
        (lambda: entering().stored(replace(SETTINGS, mode=TenantMode.CONSENT_ONLY)), "P6"),
        (lambda: emergency().without(INCIDENT), "P12"),
        (lambda: emergency().mailing(), "P5"),
        (lambda: emergency().mailing(replace(TO_LEGAL, to_email="ida@ops.example")), "P5"),
        (lambda: emergency().without(REVIEW), "P12"),
        (lambda: emergency().stored(replace(ALARMED, emergency=replace(HARM, declared_by=IDA))).writing(replace(OPENED, emergency=replace(OPENED.emergency, declared_by=IDA))), "P4"),  # type: ignore[type-var]
        (lambda: emergency().stored(replace(ALARMED, emergency=TWO_HOURS_AGO)).writing(replace(OPENED, emergency=replace(OPENED.emergency, declared_at=TWO_HOURS_AGO.declared_at))), "P3"),  # type: ignore[type-var]
        (lambda: emergency().stored(PENDING), "P3"),
    ],
)  # fmt: skip
def test_what_is_not_is_refused(scene: Callable[[], Scene], promise: str) -> None:
    """P3 … P12."""
    assert promise in scene().broken()
    with pytest.raises(GuardRefused):
        scene().check()


def test_whoever_is_on_call_passes_at_night() -> None:
    """REQ-111."""
    signing().stored(NIGHT, Shift("C-1", SUE, NOW - HOUR, NOW + HOUR, SUE, NOW)).check()
    cancelled = Shift("C-1", SUE, NOW - HOUR, NOW + HOUR, SUE, NOW, cancelled=True)
    assert "P8" in signing().stored(NIGHT, cancelled).broken()


def on_call_for(length: timedelta) -> Scene:
    return Scene(COMPANY, acting(SUE), Action.ROTA_SHIFT_SET, (Shift("C-1", SUE, NOW, NOW + length, SUE, NOW),))


def test_a_shift_is_31_days_at_most_and_ends_after_it_starts() -> None:
    """REQ-111."""
    on_call_for(timedelta(days=31)).check()
    for length in (timedelta(days=31, seconds=1), timedelta(), -HOUR):
        assert on_call_for(length).broken() == {"P12"}


URGENT = Mail(
    "M-2", "break_glass.countersigned", MARIA, "Maria", "maria@northwind.example", TENANT, REQUEST, None, "Urgent", (), NOW,
)  # fmt: skip
TAKEN = replace(URGENT, state=MailState.DELIVERED, delivered_at=NOW, tried_at=NOW, attempts=1)
BEGUN = replace(SIGNED, break_glass=replace(SIGNED.break_glass, cooling_since=NOW, cooling_until=NOW + 2 * HOUR))  # type: ignore[type-var]  # it has one


def begins() -> Scene:
    entries = (
        Draft(Action.MAIL_DELIVERED, TENANT, request=REQUEST, data={"mail": "M-2"}),
        Draft(Action.BREAK_GLASS_COOLING, TENANT, request=REQUEST),
    )
    postman = replace(CLOCK, id="mail", name="mail")
    return Scene((*COMPANY, SIGNED, URGENT), postman, Action.MAIL_DELIVERED, (TAKEN, BEGUN), entries=entries)


def test_cooling_begins_with_the_urgent_letter_that_is_accepted() -> None:
    """REQ-108."""
    begins().check()


def since(at: datetime, until: datetime) -> Scene:
    glass = replace(BEGUN.break_glass, cooling_since=at, cooling_until=until)  # type: ignore[type-var]  # it has one
    return begins().writing(replace(BEGUN, break_glass=glass))


@pytest.mark.parametrize(
    ("scene", "promise"),
    [
        (lambda: begins().without(TAKEN), "P3"),
        (lambda: begins().stored(replace(URGENT, event="break_glass.declared")).writing(replace(TAKEN, event="break_glass.declared")), "P3"),
        (lambda: begins().stored(replace(URGENT, request_id="R-2")).writing(replace(TAKEN, request_id="R-2")), "P3"),
        (lambda: begins().writing(replace(URGENT, attempts=1, tried_at=NOW, last_error="450 later")), "P3"),
        (lambda: begins().stored(TAKEN), "P3"),
        (lambda: since(NOW - HOUR, NOW + HOUR), "P3"),
        (lambda: since(NOW, NOW + HOUR), "P3"),
        (lambda: begins().by(acting(SUE)), "P12"),
    ],
)  # fmt: skip
def test_nothing_else_starts_the_two_hours(scene: Callable[[], Scene], promise: str) -> None:
    """REQ-108: no letter, another one, another request's, one that was put off, one of before, another moment, staff."""
    assert promise in scene().broken()
    with pytest.raises(GuardRefused):
        scene().check()


FRESH = timedelta(hours=2)
STALE = replace(ALARMED, emergency=replace(HARM, declared_at=NOW - 3 * HOUR))
GONE = replace(STALE, emergency=replace(HARM, declared_at=NOW - 3 * HOUR, lapsed_at=NOW - HOUR))
TOLD = Draft(Action.EMERGENCY_LAPSED, TENANT, request=REQUEST, data={"effective_at": time_text(NOW - HOUR)})


def lapsing() -> Scene:
    return Scene((*COMPANY, STALE), CLOCK, Action.EMERGENCY_LAPSED, (GONE,), entries=(TOLD,))


def declaring_again() -> Scene:
    code = proof(SUE, "emergency.declare")
    declared = Draft(Action.EMERGENCY_DECLARED, TENANT, request=REQUEST)
    return Scene(
        (*COMPANY, STALE, code), acting(SUE, "P-1"), Action.EMERGENCY_DECLARED, (ALARMED, used(code)),
        entries=(TOLD, declared),
    )  # fmt: skip


@pytest.mark.parametrize(
    "scene",
    [
        lapsing,
        declaring_again,
        lambda: lapsing().by(acting(BEN)),
        lambda: lapsing().stored(replace(SETTINGS, kill_switch=True)),
        lambda: lapsing().stored(replace(STALE, state=RequestState.DENIED)).writing(replace(GONE, state=RequestState.DENIED)),
        lambda: replace(declaring_again().stored(GONE), entries=declaring_again().entries[1:]),
    ],
)  # fmt: skip
def test_a_void_emergency_goes_on_record_by_whoever_is_up(scene: Callable[[], Scene]) -> None:
    """REQ-109: also where the tenant is shut, and whatever became of the request."""
    scene().check()


def lapsed_at(at: datetime, told: datetime) -> Scene:
    said = replace(TOLD, data={"effective_at": time_text(told)})
    return replace(lapsing().writing(replace(GONE, emergency=replace(GONE.emergency, lapsed_at=at))), entries=(said,))  # type: ignore[type-var]  # it has one


@pytest.mark.parametrize(
    ("scene", "promise"),
    [
        (lambda: lapsing().stored(ALARMED).writing(replace(ALARMED, emergency=replace(HARM, lapsed_at=NOW + FRESH))), "P3"),
        (lambda: lapsing().stored(ALARMED), "P3"),
        (lambda: lapsed_at(NOW, NOW - HOUR), "P3"),
        (lambda: lapsed_at(NOW, NOW), "P3"),
        (lambda: lapsed_at(NOW - HOUR, NOW), "P3"),
        (lambda: lapsing().by(acting(ODA)), "P12"),
        (lambda: lapsing().by(AS_MARIA), "P12"),
        (lambda: lapsing().stored(OPENED).writing(replace(OPENED, emergency=replace(OPENED.emergency, lapsed_at=NOW + FRESH))), "P3"),  # type: ignore[type-var]  # it has one
        (lambda: lapsing().stored(GONE).writing(STALE), "P3"),
        (lambda: lapsing().stored(GONE), "P3"),
        (lambda: lapsing().writing(replace(GONE, emergency=replace(GONE.emergency, reason="a trifle"))), "P3"),  # type: ignore[type-var]  # it has one
        (lambda: lapsing().writing(replace(GONE, state=RequestState.APPROVED)), "P3"),
        (lambda: replace(declaring_again(), entries=declaring_again().entries[1:]), "P3"),
        (lambda: replace(declaring_again(), entries=(TOLD,)), "P3"),
        (lambda: declaring_again().stored(GONE), "P3"),
        (lambda: declaring_again().writing(replace(ALARMED, emergency=replace(HARM, lapsed_at=NOW))), "P3"),
        (lambda: declaring_again().stored(PENDING), "P3"),
    ],
)  # fmt: skip
def test_what_is_not_void_never_lapses_and_what_is_void_is_not_hidden(scene: Callable[[], Scene], promise: str) -> None:
    """REQ-109, REQ-401: too early, at another time, by somebody it is not for, over a countersigned one, twice, left out."""
    assert promise in scene().broken()
    with pytest.raises(GuardRefused):
        scene().check()
