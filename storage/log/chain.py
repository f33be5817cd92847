"""One entry after the other: the verifier's rules for a chain. Shares no code with the writer, imports nothing of ours.

An entry's hash is SHA-256(0x00 ‖ body); its body holds its log's name, its number and `prev`, the hash of the entry
before it (64 zeros at the start). An operator entry lists the digests of the rows written with it and names its twin in
a tenant's log, number and hash; the twin names it back. All of that is checked here, and nothing is re-serialised.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, NamedTuple, Protocol

OPERATOR = "operator"
GENESIS = "0" * 64
Body = dict[str, Any]
_scan = json.JSONDecoder().raw_decode


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong, and where: the log and the number of the entry; for a row, of the entry that vouches for it."""

    log: str
    seq: int
    what: str

    def __str__(self) -> str:
        return f"{log_words(self.log)}, number {self.seq}: {self.what}"


class EntryLike(Protocol):
    """An entry as stored."""

    @property
    def seq(self) -> int: ...
    @property
    def hash(self) -> bytes: ...
    @property
    def body(self) -> str: ...


class HeadLike(Protocol):
    """A log's newest number and hash (hex)."""

    @property
    def seq(self) -> int: ...
    @property
    def hash(self) -> str: ...


class Link(NamedTuple):
    """Where a chain stands: the last number and its hash in hex."""

    seq: int = 0
    hash: str = GENESIS


def log_words(log: str) -> str:
    """A log's name as people say it."""
    return f"log of tenant {log.removeprefix('tenant:')}" if log.startswith("tenant:") else f"{log} log"


def leaf(body: str) -> bytes:
    """The hash of a body as stored. A byte that is no UTF-8 (read as a lone surrogate) is hashed as that byte."""
    return sha256(b"\x00" + body.encode("utf-8", "surrogateescape")).digest()


def sound_body(log: str, seq: int, entry_hash: bytes, text: str, before: Link) -> Body | None:
    """The body of an entry that is the next one and in which `check_gap` and `check_entry` find nothing wrong; None if
    there is anything for them to say. A third of their time: nearly every entry that ever comes is sound."""
    try:
        if sha256(b"\x00" + text.encode()).digest() != entry_hash:
            return None
        body, end = _scan(text)
    except (ValueError, RecursionError):
        return None
    if type(body) is not dict or end != len(text) or seq != before.seq + 1:
        return None
    if body.get("seq") != seq or body.get("prev") != before.hash or body.get("log") != log:
        return None
    return body


def check_entry(log: str, entry: EntryLike, before: Link) -> tuple[Body, str]:
    """One entry against the one before it: its body as data, and "" or in words what is wrong with it. That numbers
    are missing between the two is `check_gap`'s matter."""
    wrong: list[str] = []
    if leaf(entry.body) != entry.hash:
        wrong.append("its bytes do not have the stored hash (the body or the hash was changed)")
    try:
        body = json.loads(entry.body)
    except ValueError:
        body = None
    if not isinstance(body, dict):
        return {}, "; ".join([*wrong, "its body is not a JSON object"])
    if body.get("log") != log:
        wrong.append(f"its body belongs to the {log_words(str(body.get('log')))}")
    if body.get("seq") != entry.seq:
        wrong.append(f"its body says number {body.get('seq')}")
    if body.get("prev") != before.hash and entry.seq == before.seq + 1:
        wrong.append(f"it is not linked to number {before.seq}: prev is not that entry's hash")
    return body, "; ".join(wrong)


def check_gap(log: str, entry: EntryLike, before: Link) -> Fault | None:
    """The fault, if this entry's number is not the next: it stands under the first number that is not there."""
    if entry.seq == before.seq + 1:
        return None
    if entry.seq <= before.seq:
        return Fault(log, entry.seq, f"it comes after number {before.seq}")
    if entry.seq == before.seq + 2:
        return Fault(log, before.seq + 1, "the entry is missing")
    return Fault(log, before.seq + 1, f"the entries up to number {entry.seq - 1} are missing")


def sound_twins(operator_seq: int, body: Body, twin_hash: str, twin: Body) -> bool:
    """Whether `check_twins` has nothing to say."""
    get, told = body.get, twin.get
    return bool(
        body["ref"].get("hash") == twin_hash
        and told("ref") == {"log": OPERATOR, "seq": operator_seq}
        and told("action") == get("action")
        and told("actor") == get("actor")
        and told("at") == get("at")
        and told("change") == get("change")
        and told("tenant") == get("tenant")
    )


def check_twins(operator_seq: int, body: Body, twin_hash: str, twin: Body) -> str:
    """Whether an operator entry and its twin name each other and tell the same; "" or what is wrong with the twin."""
    wrong: list[str] = []
    if twin_hash != body["ref"].get("hash"):
        wrong.append(f"it is not the entry that operator number {operator_seq} names by hash")
    if twin.get("ref") != {"log": OPERATOR, "seq": operator_seq}:
        wrong.append(f"it does not name operator number {operator_seq} as its twin")
    different = [name for name in ("action", "actor", "at", "change", "tenant") if twin.get(name) != body.get(name)]
    if different:
        wrong.append(f"it tells {', '.join(different)} differently from operator number {operator_seq}")
    return "; ".join(wrong)


def head_words(last: Link, head: HeadLike) -> str:
    """How a log's last entry disagrees with its recorded head; "" if it does not."""
    if last.seq < head.seq:
        return f"the log ends at number {last.seq}, its recorded head is number {head.seq}: the tail was cut"
    if last.seq > head.seq:
        return f"the recorded head is number {head.seq}, but the log goes on to number {last.seq}"
    if last.hash != head.hash:
        return "the recorded head's hash is not the last entry's hash"
    return ""
