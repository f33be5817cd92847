"""Making a large history: `demo fill`, chains and digests included.

BENCH_ENTRIES sets another size.
"""

from __future__ import annotations

import os
import tempfile
import time
from pathlib import Path

from app.demo.fill import fill
from tests.benchmarks.figure import Figure

ENTRIES, TENANTS, GOAL = int(os.environ.get("BENCH_ENTRIES", "1000000")), 200, 10_000


def run() -> list[Figure]:
    """Fill once; the schema's making and the indexes count."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "shared.db"
        began = time.perf_counter()
        fill(path, ENTRIES, TENANTS)
        seconds = time.perf_counter() - began
        size = path.stat().st_size / ENTRIES
    rate = ENTRIES / seconds
    return [
        Figure(f"demo fill, {ENTRIES:,} entries", f"{rate:,.0f} entries/s", f"≥ {GOAL:,} entries/s", rate >= GOAL),
        Figure("file size an entry, twin and rows included", f"{size / 1024:.1f} KiB"),
    ]
