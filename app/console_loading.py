"""What is too heavy for the first frame, imported by name in a thread while the replica's list is already shown."""

from __future__ import annotations

import importlib

HEAVY = (
    "app.settings",
    "storage.models.tables",
    "storage.shared.vault",
    "storage.shared.sqlite",
    "storage.sync",
    "app.services.desk",
)


def load_heavy() -> None:
    """Import them, so that opening the workplace does not stop the interface."""
    for name in HEAVY:
        importlib.import_module(name)
