"""Evidence of a fork or of tampering: what was expected, what was found, both in full, kept as JSON files.

Written once per finding, never overwritten, never removed by the program.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from storage.log.chain import Fault
from storage.models.row import time_text

_PER_FILE = 100
_MOST = 1000
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault with what stands on either side: texts and numbers as they were read."""

    fault: Fault
    expected: dict[str, str | int | None] = field(default_factory=dict)
    found: dict[str, str | int | None] = field(default_factory=dict)


def keep(directory: Path, findings: Sequence[Finding], now: datetime) -> Path | None:
    """Write findings to a new file in `directory` and return its path; None if there is nothing to write. Of a large
    batch the first hundred stand in full, the others by their words."""
    if not findings:
        return None
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    document = {
        "found_at": time_text(now),
        "findings": [
            {
                "log": finding.fault.log,
                "seq": finding.fault.seq,
                "what": finding.fault.what,
                "expected": finding.expected,
                "found": finding.found,
            }
            for finding in findings[:_PER_FILE]
        ],
        "further": [str(finding.fault) for finding in findings[_PER_FILE:]],
    }
    text = json.dumps(document, ensure_ascii=True, indent=1)
    stamp = now.strftime("%Y%m%dT%H%M%S%f")
    number = 0
    while True:
        path = directory / f"{stamp}-{os.getpid()}-{number}.json"
        try:
            with path.open("x", encoding="utf-8") as handle:
                handle.write(text + "\n")
                handle.flush()
                os.fsync(handle.fileno())
        except FileExistsError:
            number += 1
            continue
        return path


class Docket:
    """The faults this process has found, each once, the first thousand of them; what is new is kept as evidence."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.faults: tuple[Fault, ...] = ()
        self._known: set[tuple[str, int, str]] = set()

    def note(self, findings: Sequence[Finding], now: datetime) -> tuple[Fault, ...]:
        """Take in findings; returns the faults not known before."""
        new: list[Finding] = []
        for finding in findings:
            identity = _identity(finding.fault)
            if identity not in self._known and len(self._known) < _MOST:
                self._known.add(identity)
                new.append(finding)
        if not new:
            return ()
        added = tuple(finding.fault for finding in new)
        try:
            keep(self.directory, new, now)
        except OSError as error:  # the fault is told all the same, and that it could not be kept
            added += (Fault(added[0].log, added[0].seq, f"the evidence could not be kept: {error}"),)
        self.faults += added
        return added


def _identity(fault: Fault) -> tuple[str, int, str]:
    """What makes two faults the same: a row is one fault per entry in whichever words it was noticed, and a log that
    was cut is cut once, however far it has grown again."""
    row, is_row, _ = fault.what.partition(": ")
    return fault.log, fault.seq, row if is_row and row.startswith("table ") else _NUMBER.sub("#", fault.what)
