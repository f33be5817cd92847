"""Rules off (issue 3, section 2): random command transactions as staff, as tenants and as programs, with `app/policy`
switched off; the database lets through exactly what the policy would have allowed."""

from __future__ import annotations

from tests.guards.rules_off.every import COMPANIES, run


def test_the_database_lets_through_exactly_what_the_policy_allows() -> None:
    """P1 to P12: a modest run, the same in every run of the suite; and not one that met nothing."""
    tally = run(COMPANIES["postgres"], 22, 40)
    assert len(tally.commands("allowed") & tally.commands("refused")) >= 16, tally.table()
    assert len(tally.rules()) >= 25, tally.table()
