"""Whatever anyone does in whatever order, by every way in there is, from two consoles of which one lags, is cut off and
has a wrong clock, with the mail down for hours: the promises hold, on either form of the shared database.

Hypothesis drives the real services on a real shared database with two real replicas and the real postman, and compares
every answer with a model of its own (`machine.beliefs`); at the end of each story the log alone is read, and must tell
of no broken promise (`machine.history`). A console that has not pulled may refuse what is allowed by now, never allow
what is not.
"""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.services.machine.apart import Apart
from tests.services.machine.door import AtTheDoor
from tests.services.machine.grounds import ground
from tests.services.machine.promises import Promises


class OnAFile(Apart, AtTheDoor, Promises):
    """The company, with everything that is done there."""


class OnAServer(OnAFile):
    form = "postgres"


COMPANIES = {"sqlite": OnAFile, "postgres": OnAServer}
DEEP = (
    *("entered by consent", "entered by break_glass", "entered by emergency", "consent.veto", "reviews.sign"),
    *("consent.deny kept", "endings.end kept", "requests.withdraw kept", "requests.answer", "platform.move_tenant"),
    *("api_keys.change_settings", "sign_in.enter", "endings.force_end", "requests.decline kept"),
)
"""What a thousand stories must have come to, or they were told too timidly."""


def run(form: str, examples: int, steps: int) -> None:
    ground(form)  # made outside of what Hypothesis times and repeats
    COMPANIES[form].reached.clear()
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
    """REQ-101 … 211, 502 … 504, 602, 603, 802: a short run; a story on a server takes three times as long."""
    run(form, 20 if form == "sqlite" else 10, 30)


@pytest.mark.long
def test_the_promises_hold_for_a_thousand_companies(form: str) -> None:
    """Issue 2, "must show" 5, and issue 4, "must show" 8: 1,000 runs of 50 steps, that come to everything there is."""
    run(form, 1000, 50)
    assert all(COMPANIES[form].reached[what] for what in DEEP), COMPANIES[form].reached
