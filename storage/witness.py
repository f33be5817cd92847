"""The heads this console has seen, in a file of its own.

The replica can be lost and built again; then only this file knows that the log once reached number N with that hash. A
cut tail or a rewritten history is noticed against it even by a fresh replica (REQ-405). The file is replaced atomically
and never goes back: a head is only ever exchanged for one with a higher number.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Mapping
from pathlib import Path

from storage.errors import Corrupt
from storage.log.entry import OPERATOR, Head

_MANY = 500
_SECONDS_BETWEEN_LARGE_SAVES = 2.0


class Witness:
    """Per log the highest number seen, with its hash, of the history named by `epoch`. Raises Corrupt if the file is
    there but unreadable: a witness that cannot be heard is no witness, and somebody must look."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.epoch: str | None = None
        self.heads: dict[str, Head] = {}
        self._stamp = (0, 0)
        self._saved: dict[str, Head] = {}
        self._saved_at = 0.0
        self._merge()

    def head(self, log: str) -> Head | None:
        """The newest entry of a log that this console has ever verified."""
        return self.heads.get(log)

    def contradicts(self, log: str, seq: int, entry_hash: str) -> bool:
        """Whether another entry with this number was seen as the head of this log."""
        known = self.heads.get(log)
        return known is not None and known.seq == seq and known.hash != entry_hash

    def saw(self, epoch: str, heads: Mapping[str, Head]) -> None:
        """Take note of verified heads; on disk after `save`."""
        self.epoch = epoch
        for log, head in heads.items():
            known = self.heads.get(log)
            if known is None or head.seq > known.seq:
                self.heads[log] = head

    def save(self, *, at_once: bool = False) -> None:
        """Write what is new. With very many logs the file is written every other second at most, except `at_once`:
        the operator log's entries name the hashes of all others, so little hangs on the difference."""
        if self.heads == self._saved or self.epoch is None:
            return
        recent = time.monotonic() - self._saved_at < _SECONDS_BETWEEN_LARGE_SAVES
        if recent and not at_once and len(self.heads) > _MANY:
            return
        self._merge()
        self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        text = json.dumps(
            {"epoch": self.epoch, "heads": {log: [head.seq, head.hash] for log, head in sorted(self.heads.items())}}
        )
        fresh = self.path.with_name(f"{self.path.name}.new-{os.getpid()}")
        with fresh.open("w", encoding="utf-8") as handle:
            handle.write(text)
            handle.flush()
            os.fsync(handle.fileno())
        fresh.replace(self.path)
        self._stamp = self._stat()
        self._saved = dict(self.heads)
        self._saved_at = time.monotonic()

    def _merge(self) -> None:
        """Take in what another process of the same home has seen."""
        stamp = self._stat()
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            data = json.loads(self.path.read_text(encoding="utf-8"))
            epoch = str(data["epoch"])
            heads = {str(log): Head(int(seq), str(entry_hash)) for log, (seq, entry_hash) in data["heads"].items()}
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise Corrupt(
                f"the file of heads seen, {self.path}, is unreadable: {error}",
                "have somebody look at it; move it away to begin a new one, which forgets what this console saw",
            ) from error
        if self.epoch is None or self.epoch == epoch:
            self.saw(epoch, heads)
            self._saved = heads if OPERATOR in heads else {}

    def _stat(self) -> tuple[int, int]:
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return (0, 0)
        return (found.st_ino, found.st_mtime_ns)
