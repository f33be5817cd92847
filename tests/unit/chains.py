"""Chains made by hand, with the standard library only: what the verifier reads, written by none of our writers."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass


@dataclass(frozen=True)
class Entry:
    """An entry as stored."""

    seq: int
    hash: bytes
    body: str


def sealed(body: dict[str, object]) -> Entry:
    text = json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return Entry(int(str(body["seq"])), hashlib.sha256(b"\0" + text.encode()).digest(), text)


def chain(log: str, length: int) -> list[Entry]:
    """A sound log of so many entries."""
    entries: list[Entry] = []
    prev = "0" * 64
    for seq in range(1, length + 1):
        body = {"v": 1, "log": log, "seq": seq, "prev": prev, "at": f"2026-03-02T09:00:{seq % 60:02}.000000Z"}
        entries.append(sealed({**body, "action": "request.created", "reason": f"the {seq}th, so say “Ärzte”"}))
        prev = entries[-1].hash.hex()
    return entries
