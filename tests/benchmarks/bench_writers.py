"""Eight processes that write at the same time: the fair queue of writers."""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path

from storage.shared.opening import create_file
from tests.benchmarks.figure import Figure
from tests.services.writing_process import check_history, together

PROCESSES, COMMANDS, GOAL = 8, 200, 1.0


def run() -> list[Figure]:
    """Every process sends its commands one after the other, as fast as they are taken; afterwards the file is checked:
    nothing lost, no gap, the chains whole."""
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "shared.db"
        create_file(path)
        began = time.perf_counter()
        written = together(path, PROCESSES, COMMANDS)
        seconds = time.perf_counter() - began
        check_history(path, {change_id for one in written for change_id in one.ids})
    waits = [wait for one in written for wait in one.waits]
    what = f"{PROCESSES} processes × {COMMANDS} commands"
    return [
        Figure(f"{what}, nothing lost, no gap: worst wait", *_words(max(waits)), max(waits) <= GOAL),
        Figure(f"{what}: median wait", f"{statistics.median(waits) * 1000:.0f} ms"),
        Figure(f"{what}, the processes' start included", f"{len(waits) / seconds:,.0f} commands/s"),
    ]


def _words(worst: float) -> tuple[str, str]:
    return f"{worst * 1000:.0f} ms", f"≤ {GOAL * 1000:.0f} ms"
