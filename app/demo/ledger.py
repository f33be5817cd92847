"""Writes history by the million: the same rows, digests, twins and chains as `apply` makes, without its waiting.

One entry costs tens of microseconds here, because bodies are put together from ready-made pieces of JSON instead of
being encoded anew. `tests/unit/test_fill.py` holds every piece to `compose` and to the rows' own images, byte by byte.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from datetime import datetime
from functools import lru_cache
from hashlib import sha256
from json.encoder import encode_basestring as quoted
from operator import attrgetter
from typing import Any

from storage.log.entry import GENESIS, OPERATOR
from storage.models import Actor, Row
from storage.models.row import canonical

BATCH = 5_000
"""Rows per `executemany`."""

Written = tuple[str, str, str]
"""(table, key, image): a row written under an entry."""


@lru_cache(4096)
def _hour(hours: int) -> str:
    return time.strftime("%Y-%m-%dT%H:", time.gmtime(hours * 3600))


def stamp(us: int) -> str:
    """Microseconds since 1970 as the one stored form of a time."""
    seconds, rest = divmod(us, 1_000_000)
    hours, seconds = divmod(seconds, 3600)
    return f"{_hour(hours)}{seconds // 60:02d}:{seconds % 60:02d}.{rest:06d}Z"


_FIELDS: dict[str, tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]] = {}


def _fields(value: Any) -> tuple[tuple[str, ...], Callable[[Any], tuple[Any, ...]]]:
    """A row's field names as JSON, in order, and what takes all values at once; worked out once for each class."""
    kind = type(value).__name__
    if kind not in _FIELDS:
        names = sorted(field.name for field in dataclasses.fields(value))
        _FIELDS[kind] = tuple(f'"{name}":' for name in names), attrgetter(*names)
    return _FIELDS[kind]


def image(value: Any) -> str:
    """A row's image, several times as fast as the row's own; also of the values that stand in rows."""
    names, get = _fields(value)
    return f"{{{','.join([name + _text(one) for name, one in zip(names, get(value), strict=True)])}}}"


def _text(value: Any) -> str:
    """Any value of a row as JSON. All times are UTC here."""
    if value is None:
        return "null"
    if isinstance(value, str):
        return quoted(value)
    if isinstance(value, datetime):
        return f'"{value.isoformat(timespec="microseconds")[:-6]}Z"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, tuple):
        return f"[{','.join([_text(one) for one in value])}]"
    return image(value)


def actor_json(actor: Actor) -> str:
    """The `actor` of an entry as JSON text."""
    return canonical({"kind": actor.kind.value, "id": actor.id, "name": actor.name, "email": actor.email})


@dataclasses.dataclass(frozen=True, slots=True)
class Pieces:
    """The parts of an entry's body that are alike for a whole case: JSON text that starts with a comma, or empty."""

    tenant: str | None = None
    request: str = ""
    session: str = ""
    target: str = ""
    ticket: str = ""
    tail: str = dataclasses.field(init=False)
    """Everything after `seq`."""

    def __post_init__(self) -> None:
        tenant = f',"tenant":{canonical(self.tenant)}' if self.tenant is not None else ""
        object.__setattr__(self, "tail", f'{self.session}{self.target}{tenant}{self.ticket},"v":1}}')


@dataclasses.dataclass(frozen=True, slots=True)
class Said:
    """What one entry says beyond its case: JSON text of each part, each starting with a comma, or empty."""

    after: str = ""
    before: str = ""
    data: str = ""
    reason: str = ""


def said(**parts: object) -> Said:
    """`Said` from plain values: `said(reason="…", data={…})`."""
    return Said(**{name: f',"{name}":{canonical(value)}' for name, value in parts.items()})  # type: ignore[arg-type]  # any JSON


NOTHING = Said()


class Ledger:
    """Both kinds of log and all rows, on their way into one SQLite file. `put` takes SQL and rows, as `executemany`
    would. Entries come in time order."""

    def __init__(self, put: Callable[[str, list[Any]], None]) -> None:
        self._put = put
        self._head: tuple[int, str] = (0, GENESIS)
        self._tenant_heads: dict[str, tuple[int, str]] = {}
        self._operator: list[tuple[int, bytes, str]] = []
        self._tenant: list[tuple[str, int, bytes, str]] = []
        self._settled: dict[str, list[tuple[str, str, int]]] = {}
        self._open: dict[tuple[str, str], tuple[str, int]] = {}

    @property
    def entries(self) -> int:
        """How many entries the operator log has."""
        return self._head[0]

    def append(
        self,
        action: str,
        actor: str,
        ip: str,
        at: str,
        change: str,
        pieces: Pieces,
        words: Said,
        open_rows: tuple[Row, ...] = (),
        settled: tuple[Written, ...] = (),
        open_images: tuple[Written, ...] = (),
    ) -> None:
        """One Change of one entry. `open_rows` and `open_images` may be written again later, `settled` may not.
        Keys must need no escaping in JSON."""
        seq = self._head[0] + 1
        command = f'{{"answer":{{}},"at":"{at}","id":"{change}","last":{seq}}}'
        written = [*open_images, *[(row.TABLE, row.id, image(row)) for row in open_rows]]
        listed = [
            f'["{table}","{key}","{sha256(text.encode()).hexdigest()}"]'
            for table, key, text in (*written, *settled, ("command", change, command))
        ]
        listed.sort()
        for table, key, text in written:
            self._open[table, key] = (text, seq)
        for table, key, text in settled:
            self._settle(table, key, text, seq)
        self._settle("command", change, command, seq)
        self._link(
            f'{{"action":"{action}","actor":{actor}{words.after},"at":"{at}"{words.before},"change":"{change}"'
            f'{words.data},"ip":"{ip}","log":"',
            words.reason,
            f'{pieces.request},"rows":[{",".join(listed)}],"seq":{seq}',
            pieces,
        )

    def _link(self, start: str, reason: str, middle: str, pieces: Pieces) -> None:
        """Put the entry, and its twin first, at the end of their chains."""
        (last, prev), tail, ref = self._head, pieces.tail, ""
        seq = last + 1
        if pieces.tenant is not None:
            number, before = self._tenant_heads.get(pieces.tenant, (0, GENESIS))
            number += 1
            log = f"tenant:{pieces.tenant}"
            twin = (
                f'{start}{log}","prev":"{before}"{reason},"ref":{{"log":"operator","seq":{seq}}}'
                f'{pieces.request},"seq":{number}{tail}'
            )
            leaf = sha256(b"\x00" + twin.encode()).digest()
            self._tenant_heads[pieces.tenant] = (number, leaf.hex())
            self._tenant.append((pieces.tenant, number, leaf, twin))
            ref = f',"ref":{{"hash":"{leaf.hex()}","log":"{log}","seq":{number}}}'
        body = f'{start}{OPERATOR}","prev":"{prev}"{reason}{ref}{middle}{tail}'
        leaf = sha256(b"\x00" + body.encode()).digest()
        self._head = (seq, leaf.hex())
        self._operator.append((seq, leaf, body))
        if len(self._operator) >= BATCH:
            self._flush_logs()

    def settle(self, table: str, key: str) -> None:
        """Say that an open row will not be written again."""
        self._settle(table, key, *self._open.pop((table, key)))

    def _settle(self, table: str, key: str, text: str, rev: int) -> None:
        rows = self._settled.setdefault(table, [])
        rows.append((key, text, rev))
        if len(rows) >= BATCH:
            self._flush_rows(table)

    def close(self, epoch: str) -> None:
        """Write what is left, and the heads."""
        for table, key in list(self._open):
            self.settle(table, key)
        for table in self._settled:
            self._flush_rows(table)
        self._flush_logs()
        heads = [(OPERATOR, *self._head)]
        heads += [(f"tenant:{tenant}", *head) for tenant, head in self._tenant_heads.items()]
        self._put("DELETE FROM log_head WHERE log = ?", [(OPERATOR,)])
        self._put(
            "INSERT INTO log_head (log, epoch, seq, hash) VALUES (?, ?, ?, ?)",
            [(log, epoch, seq, bytes.fromhex(leaf)) for log, seq, leaf in heads],
        )

    def _flush_rows(self, table: str) -> None:
        rows = self._settled[table]
        self._put(f"INSERT INTO {table} (id, image, rev) VALUES (?, ?, ?)", rows)
        rows.clear()

    def _flush_logs(self) -> None:
        insert = "INSERT INTO operator_log (seq, hash, body) VALUES (?, ?, ?)"
        self._put(insert, self._operator)
        self._operator.clear()
        insert = "INSERT INTO tenant_log (tenant_id, seq, hash, body) VALUES (?, ?, ?, ?)"
        self._put(insert, self._tenant)
        self._tenant.clear()
