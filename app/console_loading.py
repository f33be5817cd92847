"""What is too heavy for the first frame: imported by name in a thread while the replica's list is already shown, and
then handed to the screens."""

from __future__ import annotations

import importlib
from functools import partial
from typing import TYPE_CHECKING

from screens.context import ConsoleContext

if TYPE_CHECKING:
    from app.bootstrap import Workplace

HEAVY = (
    "app.settings_layers",
    "storage.models.tables",
    "storage.shared.vault",
    "storage.sync",
    "app.services.desk",
    "app.enrolment",
    "app.upkeep",
)
ON_FILE = ("storage.shared.sqlite",)
ON_SERVER = ("app.server", "psycopg")


def load_heavy(on_postgres: bool = False) -> None:
    """Import them, so that opening the workplace does not stop the interface."""
    for name in (*HEAVY, *(ON_SERVER if on_postgres else ON_FILE)):
        importlib.import_module(name)


def furnish(context: ConsoleContext, workplace: Workplace) -> None:
    """Give the screens what has been opened."""
    from app.bootstrap import client_address
    from app.console_verify import verifier
    from app.enrolment import new_enrolment

    context.desk = workplace.desk
    context.shared = workplace.shared
    context.clock = workplace.clock
    context.verify = verifier(workplace)
    context.new_enrolment = partial(new_enrolment, vault=workplace.vault)
    context.address = client_address()
    context.legal_email = workplace.launch.settings.operator.legal_email
