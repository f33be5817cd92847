"""`demo fill`: a large, valid and deterministic history for trials of size.

The same arguments give the same bytes, the epoch included. Chains, twins and digests are those that `apply` makes, so
`audit verify --all` says verified and any console syncs it. The file appears under its name only when it is complete.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from app.demo.history import History
from app.demo.ledger import Ledger
from app.demo.loader import loading
from app.demo.populace import founders
from storage.errors import Misconfigured
from storage.shared.opening import create_file

Progress = Callable[[int, int], None]

FIXED_END = datetime(2026, 1, 1, tzinfo=UTC)
"""Where history ends unless told otherwise: a constant, so that the same arguments give the same bytes."""


@dataclass(frozen=True, slots=True)
class Filled:
    """What was written."""

    entries: int
    tenants: int
    running: int
    epoch: str


def fill(
    shared: Path,
    entries: int,
    tenants: int,
    *,
    running: int = 0,
    at: datetime | None = None,
    progress: Progress | None = None,
) -> Filled:
    """Write `entries` operator entries over `tenants` tenants into a new database at `shared`, the last of them just
    before `at`; `running` sessions are active at that moment. Raises Misconfigured for what cannot be."""
    end = at or FIXED_END
    engineers = min(6 + entries // 10_000, 400) + running
    least = founders(engineers, tenants) + running * 8
    if tenants < 1 or entries < least:
        raise Misconfigured(f"{entries} entries are too few", f"{tenants} tenants and their staff take {least} or more")
    if shared.exists():
        raise Misconfigured(f"{shared} exists already", "fill writes a new database: name another file")
    seed = f"countersign fill {entries} {tenants} {running} {end.isoformat()}"
    epoch = hashlib.sha256(seed.encode()).hexdigest()[:32]
    half = shared.with_name(shared.name + ".filling")
    half.unlink(missing_ok=True)
    try:
        create_file(half)
        with loading(half) as loader:
            ledger = Ledger(loader.put)
            History(ledger, random.Random(seed), end, running).write(
                entries, engineers, tenants, progress or (lambda done, total: None)
            )
            ledger.close(epoch)
        half.replace(shared)
    finally:
        half.unlink(missing_ok=True)
    return Filled(entries, tenants, running, epoch)
