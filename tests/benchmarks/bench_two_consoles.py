"""Two consoles on one machine: a key in one, a repaint in the other."""

from __future__ import annotations

import sqlite3
import statistics
import sys
import tempfile
import time
from pathlib import Path

from tests.benchmarks.bench_console import filled_home, terminal_environment
from tests.benchmarks.figure import Figure
from tests.terminal.pty import Pty

ENTRIES, ACTS, GOAL = 3000, 30, 250


def run() -> list[Figure]:
    """An engineer logs what was looked at, in a session that runs; a super watches the board in another home."""
    with tempfile.TemporaryDirectory() as directory:
        home = filled_home(Path(directory) / "engineer", ENTRIES, 1)
        shared = home / "data" / "shared.db"
        engineer, watcher = _people(shared)
        with _console(home, shared, engineer) as here, _console(home.parent / "super", shared, watcher) as there:
            for console in (here, there):
                console.wait_for("live", seconds=60)
                console.write("2")
                console.wait_for("RUNNING")
                console.wait_quiet(1.5, 5)
            waits = [_act(here, there, f"record{number:03}") for number in range(ACTS)]
    median, worst = statistics.median(waits) * 1000, max(waits) * 1000
    return [
        Figure(
            f"key in one console to the other's screen, {ACTS} acts, median (worst)",
            f"{median:.0f} ms ({worst:.0f} ms)",
            f"≤ {GOAL} ms",
            median <= GOAL,
        )
    ]


def _people(shared: Path) -> tuple[str, str]:
    """Whose session runs, and a super to watch it."""
    database = sqlite3.connect(shared)
    (engineer,) = database.execute(
        "SELECT email FROM staff WHERE id = (SELECT engineer_id FROM session WHERE ended_at IS NULL LIMIT 1)"
    ).fetchone()
    (watcher,) = database.execute(
        "SELECT email FROM staff WHERE role = 'super' AND email <> ? ORDER BY id LIMIT 1", (engineer,)
    ).fetchone()
    database.close()
    return engineer, watcher


def _console(home: Path, shared: Path, who: str) -> Pty:
    flags = ["--home", str(home), "--database", f"sqlite:///{shared}", "--as", who]
    return Pty([sys.executable, "-m", "app", *flags], columns=160, rows=45, env=terminal_environment())


def _act(here: Pty, there: Pty, name: str) -> float:
    """Seconds from the key that commits to the name standing on the other screen."""
    here.write("l")
    here.wait_for("Log what you viewed", after=len(here.output))
    here.write("\t" + name)
    here.wait_quiet(0.2, 2)
    seen = len(there.output)
    began = time.perf_counter()
    here.write("\x13")
    there.wait_for(name, after=seen, seconds=10)
    took = time.perf_counter() - began
    here.wait_quiet(0.2, 2)
    return took
