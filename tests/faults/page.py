"""The fault table, as the fault suite found it."""

# ruff: noqa: E501  (a line of the table is as long as it is)

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "faults.md"
HEAD = """# Faults

What happens to a team when something breaks. Several consoles work on one PostgreSQL, each over a log-in of its own, and
give one command after another while the fault strikes; then every answer that a person was given is held against what
the database holds. Written by the fault suite (`COUNTERSIGN_FAULTS_PAGE=1 pytest tests/faults -m long -s`).

- **in force / kept**: commands that the console said were in force, or kept in the outbox, *queued, not in force*;
- **lost**: of these, how many are not in the log; **twice**: how many are there more than once;
- **gaps**: numbers missing, links or hashes wrong in any log, or a console's copy that differs from the database;
- **converged**: consoles that were live, at the head and with an empty outbox 10 s after the fault's end, of all;
- **stuck**: outboxes or consoles that had not come back after a minute;
- **load**: the load average of this machine (two cores) near the end.

Rows of 1 round are the short run of `make test`, not the hundred that are asked for. The load was read off by hand for the
rows of 100; those at 30 ran at low priority beside many other programs.

| fault | rounds | consoles | in force | kept | lost | twice | gaps | converged ≤ 10 s | median | slowest | stuck | lasted | load | on |
|---|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|---|
"""


@dataclass(frozen=True)
class Row:
    """One fault's line. `median` and `slowest` are seconds from the fault's end until a console has converged."""

    fault: str
    rounds: int
    consoles: int
    applied: int
    kept: int
    lost: int
    twice: int
    gaps: int
    converged: int
    of: int
    median: float
    slowest: float
    stuck: int
    seconds: float
    note: str = ""

    def line(self) -> str:
        name = f"{self.fault} ({self.note})" if self.note else self.fault
        share = f"{self.converged:,} of {self.of:,}"
        return (
            f"| {name} | {self.rounds} | {self.consoles} | {self.applied:,} | {self.kept:,} | {self.lost} | {self.twice} "
            f"| {self.gaps} | {share} | {self.median:.1f} s | {self.slowest:.1f} s | {self.stuck} "
            f"| {self.seconds / 60:.0f} min | {os.getloadavg()[1]:.0f} | {time.strftime('%Y-%m-%d', time.gmtime())} |"
        )


def tell(row: Row) -> None:
    """Print the line; where asked for, put it in the page in place of the same fault's earlier one."""
    print("\n" + row.line())
    if not os.environ.get("COUNTERSIGN_FAULTS_PAGE"):
        return
    lines = PAGE.read_text("utf-8").splitlines() if PAGE.exists() else []
    known = {line.split("|")[1].split("(")[0].strip(): line for line in lines if line.startswith("| ")}
    known.pop("fault", None)
    known[row.fault] = row.line()
    PAGE.write_text(HEAD + "\n".join(known.values()) + "\n", "utf-8")
