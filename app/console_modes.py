"""Which screen stands behind which mode. Each module is read when its screen is first shown."""

from __future__ import annotations

from collections.abc import Callable

from screens.context import ConsoleContext
from screens.main import MainScreen


def _queue(context: ConsoleContext) -> MainScreen:
    from screens.queue import QueueScreen

    return QueueScreen(context)


def _sessions(context: ConsoleContext) -> MainScreen:
    from screens.sessions import SessionsScreen

    return SessionsScreen(context)


def _audit(context: ConsoleContext) -> MainScreen:
    from screens.audit import AuditScreen

    return AuditScreen(context)


def _tenants(context: ConsoleContext) -> MainScreen:
    from screens.tenants import TenantsScreen

    return TenantsScreen(context)


def _review(context: ConsoleContext) -> MainScreen:
    from screens.review import ReviewScreen

    return ReviewScreen(context)


MODES: dict[str, Callable[[ConsoleContext], MainScreen]] = {
    "queue": _queue,
    "sessions": _sessions,
    "audit": _audit,
    "tenants": _tenants,
    "review": _review,
}
