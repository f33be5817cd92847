"""Entries as lines of the table: by number over the whole log, or by the list that a filter found."""

from __future__ import annotations

import sqlite3
from array import array
from collections.abc import Sequence
from datetime import tzinfo
from typing import Any, overload

from screens.audit_detail import words
from storage.log.actions import IMPERSONATION
from storage.replica.queries.log import Entry, bodies_between, bodies_of, entry_of, tenant_names
from widgets.cells import Cell, Tone, Toned
from widgets.columns import Column
from widgets.moments import parse_utc, short_text
from widgets.rows import RowView
from widgets.text import visible

COLUMNS = (
    Column("seq", "no.", 9, least=7, priority=3, right=True),
    Column("at", "time", 14),
    Column("actor", "who", 14, least=10, priority=2),
    Column("action", "what", 21, least=18),
    Column("tenant", "tenant", 18, least=10, priority=1),
    Column("about", "about", 8, priority=4),
    Column("ticket", "ticket", 9, least=8, priority=5),
    Column("words", "words", 30, least=14, priority=6, grow=1),
)

ALARMING = frozenset(
    {"step_up.refused", "step_up.locked", "session.force_ended", "kill_switch.turned_on", "rate_limit.met"}
)
LONGEST_CELL = 200
"""Characters of a text that a line can need; the rest is in the details."""


class LogRows:
    """The newest `count` entries of a log, addressed by their number alone: no list of ids is kept."""

    def __init__(self, connection: sqlite3.Connection, log: str, newest: int, zone: tzinfo | None) -> None:
        self._connection, self._log, self._newest, self._zone = connection, log, newest, zone
        self._names = tenant_names(connection)

    def count(self) -> int:
        return self._newest

    def rows(self, start: int, number: int) -> Sequence[RowView]:
        last = self._newest - start
        first = max(1, last - number + 1)
        bodies = bodies_between(self._connection, self._log, first, last)
        # A hole in the numbers is a fault that the badge tells; here it must not shift what stands below it.
        return Lines(range(last, first - 1, -1), bodies, self._names, self._zone)

    def index_of(self, key: str) -> int | None:
        return self._newest - int(key) if 0 < int(key) <= self._newest else None


class FoundRows:
    """What a filter found, newest first."""

    def __init__(self, connection: sqlite3.Connection, log: str, numbers: array[int], zone: tzinfo | None) -> None:
        self._connection, self._log, self._numbers, self._zone = connection, log, numbers, zone
        self._names = tenant_names(connection)

    def count(self) -> int:
        return len(self._numbers)

    def rows(self, start: int, number: int) -> Sequence[RowView]:
        wanted = self._numbers[start : start + number]
        bodies = bodies_of(self._connection, self._log, wanted)
        return Lines(wanted, bodies, self._names, self._zone)

    def index_of(self, key: str) -> int | None:
        wanted, low, high = int(key), 0, len(self._numbers)
        while low < high:  # newest first: the numbers fall
            middle = (low + high) // 2
            if self._numbers[middle] > wanted:
                low = middle + 1
            else:
                high = middle
        return low if low < len(self._numbers) and self._numbers[low] == wanted else None


class Lines(Sequence[RowView]):
    """A window of lines, each made when it is first looked at: a page needs thirty of 256."""

    def __init__(
        self, numbers: Sequence[int], bodies: dict[int, str], names: dict[str, str], zone: tzinfo | None
    ) -> None:
        self._numbers, self._bodies, self._names, self._zone = numbers, bodies, names, zone
        self._made: dict[int, RowView] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, index: int) -> RowView: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[RowView]: ...
    def __getitem__(self, index: int | slice) -> RowView | Sequence[RowView]:
        if isinstance(index, slice):
            return [self[one] for one in range(*index.indices(len(self)))]
        made = self._made.get(index)
        if made is None:
            seq = self._numbers[index]
            body = self._bodies.get(seq)
            made = missing_line(seq) if body is None else entry_line(entry_of(seq, body), self._names, self._zone)
            self._made[index] = made
        return made


def entry_line(entry: Entry, names: dict[str, str], zone: tzinfo | None) -> RowView:
    """One entry as a line."""
    data = entry.data
    action = str(data.get("action", ""))
    inside = action.startswith(IMPERSONATION)
    shown = ("⇢ " if inside else "") + action.removeprefix(IMPERSONATION)
    actor = data.get("actor")
    who = str(actor.get("name") or actor.get("email") or actor.get("id")) if isinstance(actor, dict) else ""
    tenant = _text(data, "tenant")
    cells: tuple[Cell, ...] = (
        Toned(str(entry.seq), Tone.DIM),
        Toned(moment_of(data, zone), Tone.DIM),
        _short(who),
        Toned(_short(shown), Tone.BAD if action in ALARMING else Tone.ACCENT if inside else Tone.PLAIN),
        _short(names.get(tenant, tenant)),
        Toned(_short(_text(data, "session") or _text(data, "request")), Tone.DIM),
        _short(_text(data, "ticket")),
        _short(words_of(data)),
    )
    return RowView(str(entry.seq), cells)


def missing_line(seq: int) -> RowView:
    """A number without an entry."""
    cells = (str(seq), "", "", Toned("✗ entry missing", Tone.BAD), "", "", "", "")
    return RowView(str(seq), cells)


def moment_of(data: dict[str, Any], zone: tzinfo | None) -> str:
    """When an entry was made; what is no time is shown as it stands."""
    text = _text(data, "at")
    at = parse_utc(text)
    return short_text(at, zone) if at else visible(text)


def words_of(data: dict[str, Any]) -> str:
    """What a line says at its end: the reason, else what was viewed, else the details."""
    if reason := _text(data, "reason"):
        return reason
    details = data.get("data")
    if not isinstance(details, dict):
        return ""
    if name := details.get("name"):
        beyond = "" if details.get("within_scope", True) else "OUTSIDE SCOPE "
        fields = details.get("fields")
        return f"{beyond}{name}" + (f": {words(fields)}" if fields else "")
    return " · ".join(f"{name.replace('_', ' ')} {words(value)}" for name, value in details.items())


def _text(data: dict[str, Any], name: str) -> str:
    value = data.get(name)
    return value if isinstance(value, str) else ""


def _short(text: str) -> str:
    return visible(text[:LONGEST_CELL])
