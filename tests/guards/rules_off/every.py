"""Every move there is, in one company for each form of the shared database; and how it is run."""

from __future__ import annotations

from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.guards.rules_off.desk import Tally
from tests.guards.rules_off.door import Door
from tests.guards.rules_off.inside import Inside
from tests.guards.rules_off.other_ways import OtherWays
from tests.guards.rules_off.people import People
from tests.guards.rules_off.scene import staged
from tests.guards.rules_off.shutting import Shutting


class Company(OtherWays, Inside, Shutting, People, Door):
    """On an SQLite file."""


class OnAServer(Company):
    form = "postgres"


COMPANIES: dict[str, type[Company]] = {"sqlite": Company, "postgres": OnAServer}


def run(company: type[Company], examples: int, steps: int, shrink: bool = True) -> Tally:
    """The same stories in every run; what was seen in them."""
    staged(company.form)  # made outside of what Hypothesis times and repeats
    company.tally = Tally()
    run_state_machine_as_test(
        company,
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=True,
            database=None,
            print_blob=False,
            report_multiple_bugs=False,
            phases=[Phase.generate, *([Phase.shrink] if shrink else [])],
        ),
    )
    return company.tally
