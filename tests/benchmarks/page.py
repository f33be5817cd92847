"""docs/benchmarks.md: a section for each benchmark, renewed by itself; the others stay as they were last measured."""

from __future__ import annotations

import inspect
import os
import platform
import re
import sqlite3
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import ModuleType

from tests.benchmarks.figure import Figure

PAGE = Path(__file__).parent.parent.parent / "docs" / "benchmarks.md"

HEAD = """# What it costs

Made by `make bench`, which renews every section, or by `python -m tests.benchmarks --write NAME …`, which renews those.
The machines are shared and noisy: ratios are taken within one run, latencies are medians unless they say otherwise, and
nothing here is asserted by a test. The load average is the machine's, over the minute in which the section began.
"""


def title(module: ModuleType) -> str:
    """The first line of a benchmark's docstring."""
    return (inspect.getdoc(module) or module.__name__).splitlines()[0].rstrip(".")


def section(module: ModuleType, figures: Sequence[Figure], load: float) -> str:
    """What was measured, how, when, and the figures."""
    how = (inspect.getdoc(module) or "").partition("\n\n")[2].strip()
    when = (
        f"Measured {datetime.now(UTC):%Y-%m-%d}, load average {load:.0f}: Python {platform.python_version()}, "
        f"SQLite {sqlite3.sqlite_version}, {os.cpu_count()} cores, {platform.machine()}."
    )
    table = "\n".join(["| what | measured | goal | |", "|---|---|---|---|", *(figure.row() for figure in figures)])
    return "\n\n".join(part for part in (f"## {title(module)}", how, when, table) if part) + "\n"


def renew(new: str, path: Path = PAGE) -> None:
    """Put a section in the place of the one with its title, or at the end."""
    there = re.split(r"^(?=## )", path.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:] if path.exists() else []
    heading = new.splitlines()[0]
    kept = [one.rstrip("\n") + "\n" for one in there]
    places = [number for number, one in enumerate(kept) if one.splitlines()[0] == heading]
    if places:
        kept[places[0]] = new
    else:
        kept.append(new)
    path.write_text("\n".join([HEAD, *kept]), encoding="utf-8")
