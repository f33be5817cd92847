"""Evidence of a fork or of tampering: what was expected, what was found, both in full, kept as JSON files.

Written once per finding, never overwritten, never removed by the program.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from storage.log.chain import Fault
from storage.models.row import time_text

_PER_FILE = 100


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
