"""P1 to P12 against hostile colleagues: every attack is refused by the database with nothing changed; what only an owner
or a superuser can do is found out by a running console. COUNTERSIGN_ATTACKS_PAGE=1 writes docs/attacks.md."""

# ruff: noqa: E501  (what an attacker types stays as typed)

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from storage.errors import CountersignError
from storage.log.verify import Fault
from storage.replica.engine import Replica
from storage.shared.postgres import room
from storage.shared.postgres.shared import PostgresShared
from storage.shared.reading import row_tables
from storage.sync import Sync
from storage.witness import Witness
from tests.clock import ManualClock
from tests.guards.postgres import (
    attacks_as_owner,
    attacks_at_once,
    attacks_by_programs,
    attacks_on_attention,
    attacks_on_consent,
    attacks_on_other_ways,
    attacks_on_rights,
    attacks_on_sessions,
    attacks_on_the_log,
    attacks_on_the_switch,
    attacks_on_void_emergencies,
    attacks_on_words,
)
from tests.guards.postgres.attacker import ATTACKS, DETECTED, Attack, Attacker
from tests.guards.postgres.company import Company, company
from tests.guards.postgres.page import Result, write
from tests.postgres import cluster

MODULES = (
    attacks_on_consent,
    attacks_on_other_ways,
    attacks_on_void_emergencies,
    attacks_on_sessions,
    attacks_on_the_log,
    attacks_on_rights,
    attacks_on_the_switch,
    attacks_on_attention,
    attacks_on_words,
    attacks_by_programs,
    attacks_at_once,
    attacks_as_owner,
)
RESULTS: list[Result] = []
OF_THEIR_OWN = {
    "guesses_rolled_back",
    "against_the_kill_switch",
    "into_a_forbidden_tenant",
    "into_a_suspended_tenant",
    "the_same_code_again",
    "a_replayed_step_up",
    "taking_a_mark_away",
    "starting_against_a_mark",
    "cooling_by_another_letter",
    "cooling_by_a_letter_to_a_super",
    "an_inheritance_child",
    "shadowing_a_table",
    "shadowing_a_function",
    "a_program_of_the_server",
}
"""Attacks that change the scene while they set it: each has a database of its own."""
STATE = " union all ".join(
    [f"select '{table}', count(*), md5(string_agg(id || rev || image, '|' order by id)) from countersign.\"{table}\"" for table in row_tables()]
    + [
        f"select '{log}', count(*), md5(string_agg(encode(hash, 'hex') || body, '|' order by hash)) from countersign.{log}"
        for log in ("operator_log", "tenant_log")
    ]
    + ["select 'heads', count(*), md5(string_agg(log || epoch || seq || encode(hash, 'hex'), '|' order by log)) from countersign.log_head"]
    + ["select 'shut', count(*), md5(string_agg(tenant_id || by, '|' order by tenant_id, by)) from countersign.shutting"]
    + ["select 'logins', count(*), md5(string_agg(role_name || kind || id, '|' order by role_name)) from countersign.login"]
)  # fmt: skip


@pytest.fixture(scope="session")
def victim() -> Company:
    return company()


@pytest.fixture(scope="session")
def common(victim: Company) -> str:
    """The database of all attacks that leave nothing behind."""
    return copied(victim)


def copied(victim: Company) -> str:
    """A copy of the company's database, with what `init` sets for a database rather than in it."""
    name = cluster().fresh(victim.database, "a")
    with psycopg.connect(cluster().url(name), autocommit=True) as line:
        room.keep(line)
    return name


@pytest.fixture
def database(request: pytest.FixtureRequest, victim: Company) -> Iterator[str]:
    attack: Attack = request.node.callspec.params["attack"]
    if attack.name not in OF_THEIR_OWN and not {"no refusal", "one wins", *DETECTED} & set(attack.outcome):
        yield request.getfixturevalue("common")
        return
    name = copied(victim)
    yield name
    cluster().drop(name)


@pytest.fixture(scope="session", autouse=True)
def the_page() -> Iterator[None]:
    yield
    if os.environ.get("COUNTERSIGN_ATTACKS_PAGE"):
        write(Path("docs/attacks.md"), RESULTS)


def named(attack: Attack) -> str:
    return f"{attack.name}-{attack.by}"


REFUSED = [one for one in ATTACKS if one.outcome != DETECTED]


@pytest.mark.parametrize("attack", REFUSED, ids=named)
def test_an_attack_is_refused_and_nothing_changes(attack: Attack, victim: Company, database: str) -> None:
    it = Attacker(victim, database, attack.by)
    try:
        strike = attack.run(it)
        before = sorted(it.as_superuser(STATE))
        if attack.outcome == ("no refusal",):
            strike()
            return
        with pytest.raises(psycopg.Error) as refusal:
            strike()
        refused = refusal.value
        if it.line.info.transaction_status:
            it.line.rollback()
        assert refused.sqlstate in attack.outcome, refused
        if "one wins" not in attack.outcome:
            assert sorted(it.as_superuser(STATE)) == before
        words = (refused.diag.message_primary or "").splitlines()[0]
        RESULTS.append(Result(attack.by, attack.words, f"refused: {refused.sqlstate}", words))
    finally:
        it.close()


@pytest.mark.parametrize("attack", [one for one in ATTACKS if one.outcome == DETECTED], ids=named)
async def test_what_cannot_be_refused_is_found_out(
    attack: Attack, victim: Company, database: str, tmp_path: Path
) -> None:
    """The console was in sync before; whatever comes after is seen by its next pull, or by the check of everything that
    the pull starts, because the guards bear another mark."""
    shared = PostgresShared(cluster().url(database, "countersign_worker"), look_seconds=0)
    replica = Replica.open(tmp_path / "replica.db")
    console = Sync(shared, replica, Witness(tmp_path / "witness.json"), ManualClock(datetime.now(UTC)))  # type: ignore[arg-type]  # any Clock will do where nothing is measured
    it = Attacker(victim, database, attack.by)
    try:
        assert (await console.pull()).faults == ()
        attack.run(it)()
        begun = time.perf_counter()
        how, faults = await _found(console)
        took = time.perf_counter() - begun
        assert faults, "nobody noticed"
        RESULTS.append(
            Result(attack.by, attack.words, f"detected by {how} in {took * 1000:.0f} ms", str(faults[0].what))
        )
    finally:
        it.close()
        await console.close()
        replica.close()
        await shared.close()


async def _found(console: Sync) -> tuple[str, tuple[Fault, ...]]:
    try:
        faults = (await console.pull()).faults
    except CountersignError:
        faults = console.status.faults
    if faults or console.status.faults:
        return "the next pull", faults or console.status.faults
    assert console.alarmed, "the pull saw nothing that would make the console look closer"
    return "the check that the next pull starts", await console.check_everything()


def test_there_are_enough_attacks() -> None:
    real = [one for one in ATTACKS if one.outcome != ("no refusal",)]
    assert len({one.name for one in real}) >= 80 and MODULES
    assert {one.by for one in real} >= {"ann", "lee", "noor", "dee", "portal", "gate", "worker", "postgres"}
