"""The audit viewer."""

from __future__ import annotations

from screens.main import MainScreen


class AuditScreen(MainScreen):
    """Every entry of the operator's log, newest first."""

    MODE = "audit"
