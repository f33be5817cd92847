"""Who may act, and who counts as the same person (REQ-107, REQ-701)."""

from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from datetime import timedelta

import pytest

from app.policy import people
from storage.models import Contact, ContactRole
from tests.unit.samples import ANN, DANA, EVA, MARIA, NOOR, NOW, RAJ, place


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("ann@ops.example", "ANN@OPS.example"),
        ("ann@ops.example", "ann+travel@ops.example"),
        ("ann+a@ops.example", "Ann+b+c@ops.example "),
        ("ａｎｎ@ops.example", "ann@ops.example"),
    ],
)
def test_the_same_person_is_known_under_other_spellings(one: str, other: str) -> None:
    """REQ-107: the same person counts, not the same account."""
    assert people.same_person(one, other)


@pytest.mark.parametrize("other", ["anne@ops.example", "ann@ops.example.org", "a+nn@ops.example", "ops.example"])
def test_other_people_stay_other_people(other: str) -> None:
    assert not people.same_person("ann@ops.example", other)


def test_deactivated_staff_can_do_nothing() -> None:
    """REQ-701."""
    gone = replace(ANN, deactivated_at=NOW)
    assert "deactivated" in people.may_act(gone, NOW).why()


def test_temporary_staff_end_with_their_date() -> None:
    """REQ-701: to the second."""
    temporary = replace(ANN, until=NOW + timedelta(seconds=1))
    assert people.may_act(temporary, NOW).allowed
    assert "ended" in people.may_act(temporary, NOW + timedelta(seconds=1)).why()


def test_an_auditor_changes_nothing() -> None:
    """REQ-701: reads everything, changes nothing."""
    assert "auditor" in people.may_act(NOOR, NOW).why()


def test_a_contact_of_the_tenant_cannot_enter_it() -> None:
    """REQ-107: under another spelling of the address either; a removed contact is none."""
    twin = Contact("nw/ann", "nw", "Ann L.", "Ann+shop@OPS.example", (ContactRole.USER,))
    verdict = people.is_no_contact(ANN, place(twin))
    assert verdict.refusals[0].rule == "REQ-107"
    assert people.is_no_contact(ANN, place(replace(twin, removed=True))).allowed
    assert people.is_no_contact(ANN, place()).allowed


def test_a_second_person_is_another_person() -> None:
    """REQ-202: not the same account, not the same person under another; the words say who could."""
    verdict = people.is_second_person(ANN, ANN)
    assert "other than Ann Lee" in verdict.why()
    assert not people.is_second_person(replace(DANA, email="ann+super@ops.example"), ANN).allowed
    assert people.is_second_person(RAJ, ANN).allowed


def test_one_account_for_a_person() -> None:
    """REQ-701: named accounts only; who has left may come back."""
    staff = (ANN, DANA)
    assert "already" in people.may_add(DANA, "ANN+2@ops.example", staff, NOW).why()
    assert people.may_add(DANA, "ann@ops.example", (replace(ANN, deactivated_at=NOW), DANA), NOW).allowed


def test_only_a_super_adds_and_deactivates() -> None:
    """REQ-701."""
    assert "only a super" in people.may_add(ANN, "new@ops.example", (ANN, DANA), NOW).why()
    assert "only a super" in people.may_deactivate(RAJ, ANN, (ANN, RAJ, DANA), NOW).why()
    assert people.may_deactivate(DANA, ANN, (ANN, DANA), NOW).allowed


def test_the_last_super_stays() -> None:
    """REQ-701: or nobody could ever add staff again. A temporary super does not count."""
    temporary = replace(RAJ, role=DANA.role, until=NOW + timedelta(days=1))
    assert "last super" in people.may_deactivate(DANA, DANA, (ANN, DANA, temporary), NOW).why()


def test_whoever_is_gone_cannot_be_deactivated_again() -> None:
    """REQ-701."""
    assert not people.may_deactivate(DANA, replace(ANN, deactivated_at=NOW), (DANA,), NOW).allowed


def test_those_who_decide_are_named() -> None:
    assert place().whoever_decides() == "Maria Santos of Northwind"
    assert place(without=MARIA.id).admins == ()
    assert place().contact(EVA.id) is EVA


def test_offices_have_time_zones_on_a_machine_that_knows_none() -> None:
    """REQ-111: a slim container brings no time zones; the package does."""
    program = "from app.policy.duty import zone_of; print(zone_of('Europe/Lisbon'))"
    done = subprocess.run(
        [sys.executable, "-c", program],
        env=os.environ | {"PYTHONTZPATH": ""},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.stdout.strip() == "Europe/Lisbon", done.stderr
