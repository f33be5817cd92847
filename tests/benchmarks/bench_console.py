"""The console on a pseudo-terminal: cold start, keys in a log of a million entries, memory, and what it costs to wait.

Latency is from the key's byte written to the last byte of the repaint read. BENCH_ENTRIES sets another size; BENCH_HOME
names a directory that is filled the first time and used as it is from then on: a million entries take minutes.
"""

from __future__ import annotations

import asyncio
import os
import re
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from app.bootstrap import open_workplace
from app.demo.fill import fill
from app.launch import Launch
from tests.benchmarks.figure import Figure
from tests.terminal.pty import Pty, plain

ENTRIES = int(os.environ.get("BENCH_ENTRIES", "1000000"))
RUNNING = 500
KEYS = {
    "down": "\x1b[B",
    "up": "\x1b[A",
    "page down": "\x1b[6~",
    "page up": "\x1b[5~",
    "end": "\x1b[F",
    "home": "\x1b[H",
}
REPEATS = 40
SILENCE = 0.05
"""Seconds without a byte after which a repaint counts as finished; not part of the latency."""
STARTS = 7
IDLE_SECONDS = 20.0
CLOCK = re.compile(r"live · rev [\d,]+ ✓ · \d\d:\d\d:\d\d \S+\s*")
"""The status line and nothing else."""


def run() -> list[Figure]:
    """All figures of the console."""
    with tempfile.TemporaryDirectory() as directory:
        large = Path(os.environ.get("BENCH_HOME", str(Path(directory) / "large")))
        if not large.exists():
            filled_home(large, ENTRIES, 0)
        small = filled_home(Path(directory) / "small", 6000, RUNNING)
        figures = _cold_start(small)
        empty_bytes = _audit_memory(filled_home(Path(directory) / "empty", 3000, 0))
        figures += _keys(large, empty_bytes)
        return figures + _waiting(small)


def filled_home(path: Path, entries: int, running: int) -> Path:
    """A home with a filled shared database, copied and verified, in which somebody is known."""
    (path / "data").mkdir(parents=True)
    shared = path / "data" / "shared.db"
    fill(shared, entries, 50, running=running, at=datetime.now(UTC))
    database = sqlite3.connect(shared)
    (email,) = database.execute("SELECT email FROM staff WHERE role = 'super' ORDER BY id LIMIT 1").fetchone()
    database.close()
    (path / "state").mkdir()
    (path / "state" / "identity").write_text(email + "\n", encoding="utf-8")

    async def copy() -> None:
        place = await open_workplace(Launch.of(home=str(path), environment={}))
        await place.sync.pull()
        await place.close()

    asyncio.run(copy())
    return path


def _entries_in(home: Path) -> int:
    database = sqlite3.connect(home / "data" / "shared.db")
    (entries,) = database.execute("SELECT seq FROM log_head WHERE log = 'operator'").fetchone()
    database.close()
    return int(entries)


def terminal_environment() -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return {**kept, "LANG": "C.UTF-8", "COLORTERM": "truecolor"}


def _open(home: Path, columns: int = 120, rows: int = 36) -> Pty:
    command = [sys.executable, "-m", "app", "--home", str(home)]
    return Pty(command, columns=columns, rows=rows, env=terminal_environment())


def _cold_start(home: Path) -> list[Figure]:
    bare_times, own_times, list_times, help_times = [], [], [], []
    for _ in range(STARTS):  # in turns, so that the machine's moods meet all alike
        began = time.perf_counter()
        with Pty(
            [sys.executable, "-m", "tests.benchmarks.bare_app"], columns=120, rows=36, env=terminal_environment()
        ) as one:
            one.wait_for("READY")
            bare_times.append(time.perf_counter() - began)
        began = time.perf_counter()
        with _open(home) as one:
            one.wait_for("1 Queue")
            own_times.append(time.perf_counter() - began)
            one.wait_for("R-")
            list_times.append(time.perf_counter() - began)
        began = time.perf_counter()
        subprocess.run([sys.executable, "-m", "app", "--help"], stdout=subprocess.DEVNULL, check=True)
        help_times.append(time.perf_counter() - began)
    plain, own, listed, helped = (statistics.median(one) for one in (bare_times, own_times, list_times, help_times))
    return [
        Figure("a bare Textual application, first frame with content", f"{plain * 1000:.0f} ms"),
        _most("console, first frame (skeleton)", own / plain, "× bare", 2.2),
        _most("console, first frame with the replica's list", listed / plain, "× bare", 2.2),
        _most("countersign --help", helped / plain, "× bare", 0.4),
    ]


def _keys(home: Path, empty_bytes: int) -> list[Figure]:
    with _open(home) as console:
        console.wait_for("live", seconds=120)
        console.wait_quiet(0.5)
        opening = _press(console, "3")
        _settle(console)
        memory = console.memory() - empty_bytes
        cpu = console.cpu_seconds()
        latencies = {name: [] for name in KEYS}  # type: dict[str, list[float]]
        for _ in range(REPEATS):
            for name in ("down", "down", "page down", "page down", "up", "page up", "end", "page up", "home"):
                latencies[name].append(_press(console, KEYS[name]))
        cpu = console.cpu_seconds() - cpu
    everything = [one for found in latencies.values() for one in found]
    figures = [
        _most(f"audit viewer opens, {_entries_in(home):,} entries", opening * 1000, "ms", 500),
        _most("any key, median", _percentile(everything, 50) * 1000, "ms", 10),
        _most("any key, 99th percentile", _percentile(everything, 99) * 1000, "ms", 25),
    ]
    for name, found in latencies.items():
        words = f"{_percentile(found, 50) * 1000:.1f} / {_percentile(found, 99) * 1000:.1f} ms"
        figures.append(Figure(f"{name}, median / 99th percentile", words))
    figures.append(
        Figure("processor time a key, whatever else the machine does", f"{cpu / len(everything) * 1000:.1f} ms")
    )
    return [*figures, _most("memory above an empty log", memory / 2**20, "MiB", 40)]


def _audit_memory(home: Path) -> int:
    with _open(home) as console:
        console.wait_for("live")
        console.wait_quiet(0.5)
        _press(console, "3")
        _settle(console)
        return console.memory()


def _settle(console: Pty) -> None:
    """Until the processor rests: what is loaded behind the first list is loaded."""
    until = time.monotonic() + 20
    before = console.cpu_seconds()
    while time.monotonic() < until:
        console.wait_quiet(2.0, 2.0)
        now = console.cpu_seconds()
        if now - before < 0.15:
            return
        before = now


def _press(console: Pty, key: str) -> float:
    """Seconds from the key to the last byte of what it paints. Once a second the clock in the status line repaints: a
    read that holds nothing else is not the key's doing, before or after it. Where it comes in the way the key waits
    for it, and that counts."""
    while console.read(SILENCE):
        pass
    began = time.perf_counter()
    console.write(key)
    last = began
    patience = 2.0
    while found := console.read(patience):
        if not CLOCK.fullmatch(plain(found)):
            last = time.perf_counter()
            patience = SILENCE
    return last - began


def _waiting(home: Path) -> list[Figure]:
    """500 sessions run, 30 rows are in view, nobody touches a key."""
    with _open(home) as console:
        console.wait_for("live")
        console.write("2")
        _settle(console)
        began, cpu, written = time.monotonic(), console.cpu_seconds(), len(console.output)
        while time.monotonic() - began < IDLE_SECONDS:
            console.read(0.5)
        seconds = time.monotonic() - began
        share = (console.cpu_seconds() - cpu) / seconds * 100
        rate = (len(console.output) - written) / seconds
    return [
        _most(f"{RUNNING} running sessions, nobody types: processor", share, "% of a core", 2),
        _most(f"{RUNNING} running sessions, nobody types: terminal output", rate / 1000, "kB/s", 4),
    ]


def _percentile(values: Sequence[float], percent: int) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, len(ordered) * percent // 100)]


def _most(what: str, value: float, unit: str, goal: float) -> Figure:
    return Figure(what, f"{value:.1f} {unit}", f"≤ {goal:g} {unit}", value <= goal)
