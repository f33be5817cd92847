"""What the rules-off machine has found, each once more by itself: where the database was weaker than the policy, or
stricter. Both forms, where it says nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from app.services import break_glass, consent, emergency, expiry, requests, rota, sign_in, staff, tenants
from app.services.command import CLOCK
from storage.errors import GuardRefused
from storage.models import (
    Contact,
    ContactRole,
    EmergencyCategory,
    EndKind,
    LinkKind,
    OfficeSpan,
    PortalSession,
    Request,
    RequestState,
    Session,
    Shift,
    SignInLink,
    Staff,
    TenantMode,
)
from tests.guards.rules_off.dice import Dice
from tests.guards.rules_off.every import COMPANIES, Company
from tests.guards.rules_off.scene import LEGAL, staged

RIGHT = Dice(1, steady=True)


@contextmanager
def opened(form: str) -> Iterator[Company]:
    """The scene, with the moves at hand."""
    staged(form)
    machine = COMPANIES[form]()
    machine.open(1)
    yield machine
    machine.teardown()


@pytest.fixture
def company(form: str) -> Iterator[Company]:
    with opened(form) as company:
        yield company


@pytest.fixture
def on_a_server() -> Iterator[Company]:
    with opened("postgres") as company:
        yield company


def in_adatum(company: Company, state: RequestState) -> Request:
    every = [company.row(Request, key) for key in company.requests]
    return next(one for one in every if one.tenant_id == "adatum" and one.state is state)


def test_nobody_of_the_operator_asks_for_a_tenant(on_a_server: Company) -> None:
    """REQ-107, REQ-115, P4: Lee is an admin of Adatum and a super here: neither decides for it, nor asks back."""
    company = on_a_server
    request = in_adatum(company, RequestState.PENDING)
    (link,) = (one for one in company.links(request) if one.contact_id == "adatum/lee" and one.kind is LinkKind.APPROVE)
    lee = company.bearer(company.row(Contact, "adatum/lee"))
    assert not company.attempt(RIGHT, consent.ask, lee, link.id, "Which of the two?")
    assert not company.attempt(RIGHT, consent.approve, lee, link.id)


@pytest.mark.parametrize("wanted", [{"kill_switch": True}, {"mode": TenantMode.CONSENT_ONLY}])
def test_an_admin_who_is_of_the_operator_as_well_may_shut_the_tenant(company: Company, wanted: dict[str, bool]) -> None:
    """REQ-110, P4: what is under way there is vetoed by it, whoever turns the switch."""
    request = in_adatum(company, RequestState.DECLARED)
    lee = company.bearer(company.row(Contact, "adatum/lee"))
    assert company.attempt(RIGHT, tenants.change_settings, lee, "adatum", **wanted)
    assert company.row(Request, request.id).state is RequestState.VETOED


def test_nobody_raises_an_emergency_for_who_has_left(company: Company) -> None:
    """REQ-109, REQ-701, P12: neither declared nor countersigned; nor for an auditor, who enters nowhere."""
    every = [company.row(Request, key) for key in company.requests]
    (request,) = (
        one for one in every if one.engineer_id == company.named("max").id and one.state is RequestState.PENDING
    )
    words = (EmergencyCategory.SAFETY, company.words("Dosage"), LEGAL)
    assert not company.attempt(RIGHT, emergency.declare, company.named("lee"), request.id, *words)
    noor = company.named("noor")
    form = company.filled_in(RIGHT, "northwind")
    anew = (noor.id, form, EmergencyCategory.SAFETY, company.words("Dosage"), LEGAL)
    assert not company.attempt(RIGHT, emergency.declare_anew, company.named("lee"), *anew)


def test_a_second_super_does_not_sign_for_who_has_left(company: Company) -> None:
    """REQ-109, REQ-108, REQ-701, P12: they left between the first signature and the second."""
    every = [company.row(Request, key) for key in company.requests]
    alarmed = next(
        one
        for one in every
        if one.emergency is not None and one.tenant_id == "northwind" and one.state is RequestState.PENDING
    )
    declared = next(
        one for one in every if one.state is RequestState.DECLARED and one.engineer_id == alarmed.engineer_id
    )
    assert company.attempt(RIGHT, staff.deactivate, company.named("dana"), alarmed.engineer_id)
    assert not company.attempt(RIGHT, emergency.countersign, company.named("lee"), alarmed.id, LEGAL)
    assert not company.attempt(RIGHT, break_glass.countersign, company.named("lee"), declared.id)


@pytest.mark.parametrize(
    "span", [(8, "09:00", "18:00"), (1, "18:00", "09:00"), (1, "9:00", "18:00"), (1, "09:00", "24:01")]
)
def test_office_hours_are_stretches_of_weekdays(company: Company, span: tuple[int, str, str]) -> None:
    """REQ-111, P12: hours that never come, or compare as no hours do, would shut the office, or leave it open."""
    assert not company.attempt(RIGHT, rota.set_hours, company.named("dana"), "UTC", (OfficeSpan(*span),))
    assert company.attempt(RIGHT, rota.set_hours, company.named("dana"), "UTC", (OfficeSpan(7, "00:00", "24:00"),))


def test_whoever_has_left_writes_nothing_down_in_the_clocks_name(on_a_server: Company) -> None:
    """REQ-701, P12: Tess's temporary account is over, her log-in is still there."""
    company = on_a_server
    tess = company.named("tess")
    every = [company.row(Session, key) for key in company.sessions]
    (session,) = (one for one in every if one.engineer_id == tess.id)
    company.clock.advance(hours=5)
    company.pull()
    view = company.world.replica.view(company.fresh_change())
    recorded = expiry.record_session_expiry(view, CLOCK, session.id, now=company.now)
    refused = company.sent(recorded, over=company.world.actor(tess))
    assert isinstance(refused, GuardRefused) and refused.promise == "P12"
    assert company.sent(recorded, over=company.world.actor(company.named("dana"))) is None


def test_the_clock_has_ended_what_a_colleague_writes_down(company: Company) -> None:
    """REQ-203, P12: whoever records an expiry did not end the session."""
    every = [company.row(Session, key) for key in company.sessions]
    (session,) = (one for one in every if one.engineer_id == company.named("raj").id)
    company.clock.set(session.expires_at)
    assert company.attempt(RIGHT, expiry.record_session_expiry, company.named("dana"), session.id)
    ended = company.row(Session, session.id)
    assert (ended.end_kind, ended.ended_by) == (EndKind.CLOCK, "clock")


@pytest.mark.parametrize("state", [RequestState.DECLARED, RequestState.COOLING])
def test_what_is_under_way_is_not_asked_again(on_a_server: Company, state: RequestState) -> None:
    """REQ-114, P7: break-glass that waits or cools is as open as what waits for the tenant."""
    company = on_a_server
    earlier = next(one for one in map(partial(company.row, Request), company.requests) if one.state is state)
    engineer = company.row(Staff, earlier.engineer_id)
    form = replace(company.filled_in(RIGHT, earlier.tenant_id), again_of=earlier.id)
    assert not company.attempt(RIGHT, requests.create, engineer, form)
    assert company.attempt(RIGHT, requests.withdraw, engineer, earlier.id)
    assert company.attempt(RIGHT, requests.create, engineer, form)


def test_a_portal_session_that_is_over_is_not_left(company: Company) -> None:
    """REQ-602, P5: what time has ended nobody ends once more, at another time."""
    admin = next(one for one in company.contacts("northwind") if one.has(ContactRole.TENANT_ADMIN))
    assert company.attempt(RIGHT, sign_in.ask, sign_in.door("198.51.100.7"), admin.id)
    company.deliver(RIGHT)
    links = company.rows(SignInLink, lambda one: one.expires_at)
    (link,) = (key for key in links if company.row(SignInLink, key).contact_id == admin.id)
    bearer, door = company.bearer(admin), "1" * 64
    assert company.attempt(RIGHT, sign_in.enter, bearer, link, door)
    company.clock.set(company.row(PortalSession, door).expires_at)
    assert not company.attempt(RIGHT, sign_in.leave, bearer, door)


def test_a_shift_that_is_over_is_not_cancelled(company: Company) -> None:
    """REQ-111, P12: who was on call yesterday stays so on record."""
    dana = company.named("dana")
    begins, ends = company.now, company.now + timedelta(hours=8)
    assert company.attempt(RIGHT, rota.set_shift, dana, company.named("lee").id, begins, ends)
    (shift,) = (key for key in company.rows(Shift, lambda one: one.set_at) if company.row(Shift, key).ends_at == ends)
    company.clock.set(ends)
    assert not company.attempt(RIGHT, rota.cancel_shift, dana, shift)
