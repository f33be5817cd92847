"""Rules off (issue 3, section 2): random command transactions as staff, as tenants and as programs, with `app/policy`
switched off; the database lets through exactly what the policy would have allowed. And it is seen to notice: whichever
guard is taken away, the machine finds that something is let through."""

from __future__ import annotations

import psycopg
import pytest

from tests.guards.rules_off.desk import LetThrough
from tests.guards.rules_off.every import COMPANIES, OnAServer, run
from tests.postgres import cluster, template

GUARDS = (
    *("guard_p03", "guard_p04", "guard_p04_other_ways", "guard_p05", "guard_p05_the_tenants_door", "guard_p06"),
    *("guard_p06_other_ways", "guard_p07", "guard_p08", "guard_p08_on_duty", "guard_p09", "guard_p10", "guard_p11"),
    *("guard_p12", "guard_p12_reviews"),
)
"""The guards of P3 to P12. P1 and P2, and what is told to whom (P90 on), are about Changes that no command makes."""


def test_the_database_lets_through_exactly_what_the_policy_allows() -> None:
    """P1 to P12: a modest run, the same in every run of the suite; and not one that met nothing."""
    tally = run(COMPANIES["postgres"], 16, 40)
    assert len(tally.commands("allowed") & tally.commands("refused")) >= 25, tally.table()
    assert len(tally.rules()) >= 35, tally.table()


@pytest.mark.long
def test_over_four_hundred_stories() -> None:
    """Issue 4, Must show 8: twenty thousand moves, or near; nearly every command was seen both ways."""
    tally = run(COMPANIES["postgres"], 400, 50)
    print(tally.table())
    assert len(tally.commands("allowed") & tally.commands("refused")) >= 42, tally.table()
    assert len(tally.rules()) >= 60, tally.table()


@pytest.mark.long
@pytest.mark.parametrize("guard", GUARDS)
def test_a_guard_that_is_taken_away_is_missed(guard: str) -> None:
    """The machine itself is proven: without this one guard, the database lets through what policy refuses."""

    class Loosened(OnAServer):
        loosened = (
            f"create or replace function countersign.{guard}(the_case jsonb) returns void language plpgsql stable"
            " as $$ begin end $$"
        )

    with pytest.raises(LetThrough) as found:
        run(Loosened, 400, 40, shrink=False)
    assert Loosened.tally.found is not None
    print("without {}: found in story {}, after {} moves: {}".format(guard, *Loosened.tally.found, found.value))


def test_every_guard_of_a_promise_is_taken_away_once() -> None:
    """A guard that is added takes part."""
    with psycopg.connect(cluster().url(template()), autocommit=True) as line:
        there = line.execute(
            "select proname from pg_proc where pronamespace = 'countersign'::regnamespace"
            " and proname ~ '^guard_p(0[3-9]|1[0-2])' order by 1"
        ).fetchall()
    assert [name for (name,) in there] == sorted(GUARDS)
