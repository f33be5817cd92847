"""Verification as the audit viewer asks for it: the shared database, against what this console has seen."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from app.bootstrap import Workplace
from storage.log.verify import Progress, Report, verify_all
from storage.models.tables import ROW_TABLES
from storage.witness import Witness


def verifier(workplace: Workplace) -> Callable[[Progress], Awaitable[Report]]:
    """The callable for `ConsoleContext.verify`."""

    async def verify(progress: Progress) -> Report:
        seen = Witness(workplace.launch.witness_path)
        return await verify_all(workplace.shared, ROW_TABLES, seen=seen, progress=progress)

    return verify
