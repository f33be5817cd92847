"""`doctor` on PostgreSQL: whatever somebody with the owner's rights loosens is named, with what to do."""

from __future__ import annotations

import psycopg
import pytest

from storage.shared.guards.case import Limits
from storage.shared.postgres.checks import Finding, examine
from storage.shared.postgres.install import install
from tests.postgres import cluster

ROLE = "doctors_guest"


@pytest.fixture(scope="module")
def installed() -> str:
    """A database as `init` leaves it, with the real clock; never connected to again."""
    name = cluster().fresh("template0", "doctor")
    install(cluster().url(name))
    with psycopg.connect(cluster().url(name), autocommit=True) as connection:
        connection.execute(
            f"do $$ begin create role {ROLE} login createdb; exception when duplicate_object then null; end $$"
        )
    return name


def looked_at(database: str) -> dict[str, Finding]:
    return {found.name: found for found in examine(cluster().url(database))}


def test_what_was_just_installed_is_well_and_looks_the_same_to_everybody(installed: str) -> None:
    found = looked_at(installed)
    assert {name for name, one in found.items() if not one.well} <= {"durability"}  # the test run's server has it off
    worker = {one.name: one for one in examine(cluster().url(installed, "countersign_worker"))}
    assert worker["fingerprint"] == found["fingerprint"]
    install(cluster().url(installed))
    assert looked_at(installed)["fingerprint"] == found["fingerprint"]


@pytest.mark.parametrize(
    ("deed", "part", "words"),
    [
        ("alter table countersign.operator_log disable trigger all", "guards", "on operator_log is off"),
        ("alter table countersign.staff enable trigger p02_never", "guards", "p02_never on staff is off"),
        ("drop trigger p02_listed on countersign.session", "guards", "p02_listed on session is missing"),
        ("grant update on countersign.staff to countersign_staff", "rights", "countersign_staff has UPDATE on staff"),
        ("grant select on countersign.credential to public", "rights", "public has SELECT on credential"),
        ("grant execute on function countersign.put to countersign_staff", "rights", "may call put"),
        ("grant create on schema countersign to countersign_staff", "rights", "may create in countersign"),
        (
            "do $$ begin execute 'grant temporary on database ' || current_database() || ' to public'; end $$",
            "room",
            "fill the disk with temporary tables",
        ),
        (
            "create or replace function countersign.refuse(promise text, words text) returns void language plpgsql"
            " as $$ begin end $$",
            "functions",
            "refuse is altered",
        ),
        ("alter function countersign.apply(jsonb) reset search_path", "functions", "apply has another search path"),
        ("alter function countersign.put security definer", "functions", "put runs with other rights"),
        (
            "create function countersign.guard_off() returns void language sql as 'select'",
            "functions",
            "guard_off is foreign",
        ),
        ("create table countersign.notes ()", "schema", "notes"),
        ("create table sly () inherits (countersign.decision)", "inheritance", "sly"),
        (f"grant countersign_staff to {ROLE}", "log-ins", ROLE),
    ],
)
def test_what_is_loosened_is_named(installed: str, deed: str, part: str, words: str) -> None:
    database = cluster().fresh(installed)
    try:
        with psycopg.connect(cluster().url(database), autocommit=True) as connection:
            connection.execute(deed)
        found = looked_at(database)[part]
        assert not found.well and words in found.what and found.advice
    finally:
        with psycopg.connect(cluster().url(), autocommit=True) as connection:
            connection.execute(f"revoke countersign_staff from {ROLE}")
        cluster().drop(database)


def test_the_guards_hold_people_to_the_operators_limits_and_doctor_says_when_a_config_says_others(
    installed: str,
) -> None:
    """REQ-112: `init --upgrade` writes [limits] where the guards read them."""
    name = cluster().fresh(installed, "limits")
    ours = Limits(starts_per_hour=3, tenants_per_day=2, step_up_reuse_seconds=0)
    install(cluster().url(name), limits=ours)
    asked = {found.name: found for found in examine(cluster().url(name, "countersign_worker"), ours)}
    assert asked["limits"].well and "starts per hour: 3" in asked["limits"].what
    asked = {found.name: found for found in examine(cluster().url(name), Limits())}
    assert not asked["limits"].well
    assert "starts_per_hour is 3 there, 5 here" in asked["limits"].what
    install(cluster().url(name))
    asked = {found.name: found for found in examine(cluster().url(name), ours)}
    assert asked["limits"].well, "an upgrade that is told nothing about limits leaves them"
