"""`make bench`: run every bench_*.py beside this file (each has `run() -> list[Figure]`), write docs/benchmarks.md.

Name some to run only those and print them: `python -m tests.benchmarks console sync`.
"""

from __future__ import annotations

import importlib
import os
import platform
import sqlite3
import sys
from datetime import UTC, datetime
from pathlib import Path

from tests.benchmarks.figure import Figure

HERE = Path(__file__).parent
PAGE = HERE.parent.parent / "docs" / "benchmarks.md"


def _page(sections: dict[str, list[Figure]]) -> str:
    lines = [
        "# What it costs",
        "",
        "Made by `make bench`. The machines are shared and noisy: ratios are taken within one run, latencies are",
        "medians unless they say otherwise, and nothing here is asserted by a test.",
        "",
        f"Last run {datetime.now(UTC):%Y-%m-%d}: Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, "
        f"{os.cpu_count()} cores, {platform.machine()}.",
    ]
    for name, figures in sections.items():
        lines += ["", f"## {name}", "", "| what | measured | goal | |", "|---|---|---|---|"]
        lines += [figure.row() for figure in figures]
    return "\n".join(lines) + "\n"


def main(wanted: list[str]) -> int:
    names = sorted(path.stem.removeprefix("bench_") for path in HERE.glob("bench_*.py"))
    unknown = set(wanted) - set(names)
    if unknown:
        print(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(names)}", file=sys.stderr)
        return 2
    sections: dict[str, list[Figure]] = {}
    for name in wanted or names:
        module = importlib.import_module(f"tests.benchmarks.bench_{name}")
        title = (module.__doc__ or name).strip().splitlines()[0].rstrip(".")
        print(f"== {title}", flush=True)
        sections[title] = module.run()
        for figure in sections[title]:
            print(figure.row(), flush=True)
    if not wanted:
        PAGE.write_text(_page(sections))
        print(f"written: {PAGE}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
