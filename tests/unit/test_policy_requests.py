"""Every refusal of the rules over requests, by requirement (REQ-101 … 107, 110, 114, 115, 202)."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.policy import requests as policy
from app.policy.duty import Duty
from app.policy.people import Place
from app.policy.requests import RequestForm
from storage.models import (
    ConsentLink,
    Contact,
    ContactRole,
    Exchange,
    LinkKind,
    Mode,
    RequestState,
    TenantMode,
    TenantStatus,
)
from tests.unit.samples import ANN, DANA, EVA, MARIA, NOOR, NOW, RAJ, decision, form, place, request

TWIN = Contact("nw/ann", "nw", "Ann L.", "Ann+shop@OPS.example", (ContactRole.TENANT_ADMIN, ContactRole.USER))


def test_a_good_form_passes_every_rule() -> None:
    """REQ-101 … 103: and each rule says so."""
    verdict = policy.may_create(form(), ANN, place(), NOW)
    assert verdict.allowed, verdict.why()
    assert all(finding.why for finding in verdict.findings)


@pytest.mark.parametrize(
    ("wanted", "where", "required", "words"),
    [
        (form(ticket=""), place(), "REQ-101", "ticket is missing"),
        (form(ticket="T" * 65), place(), "REQ-101", "at most 64"),
        (form(ticket="T-1\x1b]52"), place(), "REQ-101", "U+001B"),
        (form(reason=""), place(), "REQ-101", "reason is missing"),
        (form(reason="x" * 2001), place(), "REQ-101", "at most 2,000"),
        (form(scope=" "), place(), "REQ-101", "scope is missing"),
        (form(scope="x" * 1001), place(), "REQ-101", "at most 1,000"),
        (form(records=0), place(), "REQ-101", "how many records"),
        (form(records=10**7), place(), "REQ-101", "how many records"),
        (form(minutes=0), place(), "REQ-201", "1 to 240"),
        (form(minutes=241), place(), "REQ-201", "1 to 240"),
        (form(target_id="nw/law"), place(), "REQ-101", "Legal is no user"),
        (form(target_id="nw/nobody"), place(), "REQ-101", "nw/nobody is no user"),
        (form(target_id=""), place(), "REQ-101", "no user is chosen whose view you need"),
        (form(reason="troubleshooting"), place(), "REQ-102", "5 different words"),
        (form(reason="The customer asked me to log in"), place(), "REQ-102", "asked"),
        (form(tried=()), place(), "REQ-103", "less invasive"),
        (form(why_not=""), place(), "REQ-103", "missing"),
        (form(why_not="customer asked me to log in"), place(), "REQ-103", "did not do"),
        (form(), place(without=MARIA.id), "REQ-104", "no tenant admin"),
        (form(), place(TWIN), "REQ-107", "Ann L., a contact of Northwind"),
        (form(), place(kill_switch=True), "REQ-110", "supers included"),
        (form(), place(mode=TenantMode.FORBIDDEN), "REQ-110", "forbidden"),
        (form(), place(status=TenantStatus.SUSPENDED), "REQ-110", "suspended"),
        (form(), place(status=TenantStatus.DEPROVISIONED), "REQ-110", "deprovisioned"),
        (form(again_of="R-9"), place(), "REQ-114", "no request of this tenant"),
    ],
)
def test_what_is_refused_is_refused_in_words(wanted: RequestForm, where: Place, required: str, words: str) -> None:
    refusals = policy.may_create(wanted, ANN, where, NOW).refusals
    assert required in {finding.rule for finding in refusals}
    assert words in "; ".join(finding.why for finding in refusals if finding.rule == required)


def test_nobody_at_the_operator_can_open_a_shut_tenant() -> None:
    """REQ-110: the refusal names the tenant's own people as those who could."""
    refusal = policy.may_create(form(), DANA, place(kill_switch=True), NOW).refusals[0]
    assert "only Northwind's own admins" in refusal.who_could
    assert "Maria Santos" in refusal.who_could


def test_a_consent_only_tenant_is_open_by_consent() -> None:
    """REQ-110."""
    assert policy.may_create(form(), ANN, place(mode=TenantMode.CONSENT_ONLY), NOW).allowed


def test_only_what_is_over_can_be_asked_again() -> None:
    """REQ-114: and then its reason is no copy."""
    again = form(again_of="R-1")
    open_still = policy.may_create(again, ANN, place(), NOW, (), request())
    assert "still open" in open_still.why()
    assert policy.may_create(again, ANN, place(), NOW, (), request(RequestState.DENIED)).allowed
    elsewhere = replace(request(RequestState.DENIED), tenant_id="other")
    assert not policy.may_create(again, ANN, place(), NOW, (), elsewhere).allowed


def test_a_request_expires_and_an_approval_lapses_by_time() -> None:
    """REQ-104, REQ-201: to the second, whoever records it."""
    day = timedelta(hours=24)
    assert policy.state_at(request(), NOW + day - timedelta(seconds=1)) is RequestState.PENDING
    assert policy.state_at(request(), NOW + day) is RequestState.EXPIRED
    approved = request(RequestState.APPROVED)
    assert policy.state_at(approved, NOW + timedelta(hours=8)) is RequestState.LAPSED
    assert policy.state_at(request(RequestState.DENIED), NOW + 9 * day) is RequestState.DENIED


@given(
    st.sampled_from(["tenant_id", "target_id", "scope", "ticket", "reason", "records", "minutes", "mode"]),
    st.text(min_size=1),
    st.integers(10, 10**6),
)
def test_changing_any_of_the_content_makes_another_digest(name: str, words: str, number: int) -> None:
    """REQ-115: tenant, target, scope, mode, minutes, ticket, reason."""
    before = form(minutes=5, records=5)
    value = number if name in ("records", "minutes") else Mode.FULL if name == "mode" else "other " + words
    assert policy.content_digest(replace(before, **{name: value})) != policy.content_digest(before)  # type: ignore[arg-type]


def test_a_tenant_admin_decides_while_it_waits() -> None:
    """REQ-105."""
    assert policy.may_approve(request(), MARIA, ANN, place(), None, 20, NOW).allowed


@pytest.mark.parametrize(
    ("case", "required", "words"),
    [
        ({"admin": EVA}, "REQ-105", "not an admin"),
        ({"admin": None}, "REQ-105", "not an admin"),
        ({"admin": replace(MARIA, removed=True), "place": place(without=MARIA.id)}, "REQ-105", "any more"),
        ({"admin": TWIN, "place": place(TWIN)}, "REQ-107", "the same person"),
        ({"request": request(RequestState.APPROVED)}, "REQ-107", "was approved by Maria Santos at 09:00 UTC"),
        ({"request": request(RequestState.DENIED, decided_at=NOW)}, "REQ-107", "was denied by Maria Santos"),
        ({"request": request(RequestState.WITHDRAWN)}, "REQ-107", "withdrawn"),
        ({"now": NOW + timedelta(hours=24)}, "REQ-107", "nobody decided"),
        ({"place": place(kill_switch=True)}, "REQ-110", "kill switch"),
        ({"minutes": 31}, "REQ-115", "1 to 30"),
        ({"minutes": 0}, "REQ-115", "1 to 30"),
        ({"engineer": replace(ANN, deactivated_at=NOW)}, "REQ-701", "no longer active"),
        ({"request": replace(request(), scope="everything")}, "REQ-115", "not the one"),
    ],
)
def test_approvals_that_are_refused(case: dict[str, object], required: str, words: str) -> None:
    facts = {
        "request": request(),
        "admin": MARIA,
        "engineer": ANN,
        "place": place(),
        "decision": decision(request()),
        "minutes": None,
        "now": NOW,
    } | case
    refusals = policy.may_approve(**facts).refusals  # type: ignore[arg-type]
    assert words in "; ".join(finding.why for finding in refusals if finding.rule == required)


def test_a_link_works_once_in_time_and_for_its_own_decision() -> None:
    """REQ-105, REQ-115: single-use, bound to the content, expires with the request."""
    asked = request()
    link = ConsentLink("hash", LinkKind.DENY, asked.id, MARIA.id, asked.content_digest, asked.expires_at)
    assert policy.is_usable(link, "deny", asked, None, NOW).allowed
    assert "can only deny" in policy.is_usable(link, "approve", asked, None, NOW).why()
    used = replace(link, used_at=NOW)
    denied = request(RequestState.DENIED, decided_at=NOW)
    assert (
        "used at 09:00 UTC: R-1 was denied by Maria"
        in policy.is_usable(used, "deny", denied, decision(denied), NOW).why()
    )
    assert "expired at" in policy.is_usable(link, "deny", asked, None, asked.expires_at).why()
    changed = replace(link, content_digest="other")
    assert not policy.is_usable(changed, "deny", asked, None, NOW).allowed


def test_only_the_requester_withdraws_and_only_what_is_open() -> None:
    """REQ-107."""
    assert policy.may_withdraw(request(), ANN, NOW).allowed
    assert policy.may_withdraw(request(RequestState.APPROVED), ANN, NOW).allowed
    assert "the engineer who asked" in policy.may_withdraw(request(), RAJ, NOW).why()
    for state in (RequestState.DENIED, RequestState.WITHDRAWN, RequestState.USED, RequestState.EXPIRED):
        assert not policy.may_withdraw(request(state), ANN, NOW).allowed
    assert not policy.may_withdraw(request(), ANN, NOW + timedelta(hours=24)).allowed


def test_an_answer_needs_a_question() -> None:
    """REQ-115."""
    question = Exchange("question", MARIA.id, MARIA.name, NOW, "which refund?")
    reply = Exchange("answer", ANN.id, ANN.name, NOW, "8841")
    assert "no tenant admin waits" in policy.may_answer(request(), ANN, NOW).why()
    assert policy.may_answer(request(exchanges=(question,)), ANN, NOW).allowed
    assert not policy.may_answer(request(exchanges=(question, reply)), ANN, NOW).allowed
    assert not policy.may_answer(request(exchanges=(question,)), RAJ, NOW).allowed


def test_full_mode_is_countersigned_by_another_person_once() -> None:
    """REQ-202, REQ-107."""
    full = request(mode=Mode.FULL)
    assert policy.may_countersign(full, DANA, ANN, place(), Duty(), NOW).allowed
    assert policy.may_countersign(full, RAJ, ANN, place(), Duty(), NOW).allowed
    assert "other than Ann Lee" in policy.may_countersign(full, ANN, ANN, place(), Duty(), NOW).why()
    assert "auditor" in policy.may_countersign(full, NOOR, ANN, place(), Duty(), NOW).why()
    assert "nothing to countersign" in policy.may_countersign(request(), DANA, ANN, place(), Duty(), NOW).why()
    dana_too = Contact("nw/d", "nw", "Dana", "dana+home@ops.example", (ContactRole.USER,))
    assert "neither enter nor decide" in policy.may_countersign(full, DANA, ANN, place(dana_too), Duty(), NOW).why()
    assert "kill switch" in policy.may_countersign(full, DANA, ANN, place(kill_switch=True), Duty(), NOW).why()
    signed = replace(full, countersigned_by=RAJ.id)
    said = policy.may_countersign(signed, DANA, ANN, place(), Duty(), NOW).why()
    assert "was countersigned already" in said and RAJ.id not in said, "a person is told no number of a person"
    assert (
        "was declined"
        in policy.may_countersign(replace(full, declined_by=RAJ.id), DANA, ANN, place(), Duty(), NOW).why()
    )
    assert "too late" in policy.may_countersign(full, DANA, ANN, place(), Duty(), NOW + timedelta(hours=24)).why()


def test_a_no_needs_no_open_tenant() -> None:
    """REQ-202: declining takes privilege away."""
    assert policy.may_decline(request(mode=Mode.FULL), DANA, ANN, place(kill_switch=True), NOW).allowed
    assert not policy.may_decline(request(mode=Mode.FULL), ANN, ANN, place(), NOW).allowed
    assert not policy.may_decline(request(), DANA, ANN, place(), NOW).allowed
