"""Whatever anyone does in whatever order, from two consoles that may lag behind each other: the promises hold, on
either form of the shared database.

Hypothesis drives the real services on a real shared database with two real replicas, and compares every answer with a
model of its own (`machine.model`). A console that has not pulled may refuse what is allowed by now, never allow what is
not.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.services.machine.around import Around
from tests.services.machine.grounds import ground
from tests.services.machine.promises import Promises
from tests.services.machine.requests import OnRequests
from tests.services.machine.sessions import OnSessions


class OnAFile(OnRequests, OnSessions, Around, Promises):
    """The company, with everything that is done there."""


class OnAServer(OnAFile):
    form = "postgres"


COMPANIES = {"sqlite": OnAFile, "postgres": OnAServer}


def run(form: str, examples: int, steps: int) -> None:
    ground(form)  # made outside of what Hypothesis times and repeats
    run_state_machine_as_test(
        COMPANIES[form],
        settings=settings(
            max_examples=examples,
            stateful_step_count=steps,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            print_blob=True,
            database=None,
        ),
    )


def test_the_promises_hold_whatever_anyone_does(form: str) -> None:
    """REQ-101 … 209: a short run."""
    run(form, 20, 30)


@pytest.mark.long
def test_the_promises_hold_for_a_thousand_companies(form: str) -> None:
    """Issue 2, "must show" 5: 1,000 runs of 50 steps."""
    run(form, 1000, 50)
