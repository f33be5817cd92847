"""A portal in a process of its own, as an operator runs it, on a home that tests prepared."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx


@dataclass(frozen=True)
class Portal:
    """A running portal. `url` is where it listens."""

    url: str

    def client(self, **named: object) -> httpx.Client:
        """Somebody with a program, not a browser."""
        return httpx.Client(base_url=self.url, timeout=30, **named)  # type: ignore[arg-type]  # httpx's own names


@contextmanager
def serving(home: Path, *flags: str, **environment: str) -> Iterator[Portal]:
    """`countersign serve` on this home, on a free port, until the test is over."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("COUNTERSIGN_")}
    process = subprocess.Popen(
        [sys.executable, "-m", "app", "--home", str(home), *flags, "serve", "--port", "0"],
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env={**inherited, "NO_COLOR": "1", **environment},
    )
    assert process.stderr is not None
    said = ""
    try:
        for line in process.stderr:
            said += line
            if found := re.search(r"serving on (http://\S+);", line):
                yield Portal(found[1])
                return
        raise AssertionError(f"the portal did not start:\n{said}")
    finally:
        process.terminate()
        try:
            process.wait(30)
        finally:
            process.kill()
            process.stderr.close()
