"""A chunk of the history by columns: each column's texts joined with line feeds, its numbers with blanks, its hashes as
they are. A thousand entries are then a dozen values: to receive, compare and hand on those costs a fraction of what a
thousand tuples cost.

No canonical JSON holds a line feed and every hash has 32 bytes. Where somebody falsified that, the counts do not agree,
and whoever takes a column apart notices.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import repeat
from typing import NamedTuple

from storage.log.entry import OPERATOR, Head
from storage.shared.interface import Pulled, StoredEntry, StoredRow

TENANT = "tenant:"
HASH_BYTES = 32


class Mixed(Exception):
    """A separator stands in the data: the parts cannot be told apart."""


class LogColumns(NamedTuple):
    """Entries of the operator log, where `tenants` is "", or of tenants' logs."""

    size: int
    tenants: str
    seqs: str
    hashes: bytes
    bodies: str


class RowColumns(NamedTuple):
    """Rows of one table. Of a private one `images` is "", of any other `digests` is."""

    table: str
    size: int
    keys: str
    revs: str
    images: str
    digests: str


class Columns(NamedTuple):
    """What `Pulled` holds, by columns."""

    epoch: str
    head: Head
    anchor: bytes | None
    entries: LogColumns
    twins: LogColumns
    rows: tuple[RowColumns, ...]


NO_ENTRIES = LogColumns(0, "", "", b"", "")


def texts(column: str, count: int) -> list[str]:
    """The texts of a column. Raises Mixed unless there are `count`."""
    found = column.split("\n")
    if len(found) != count:
        raise Mixed
    return found


def numbers(column: str) -> Iterator[int]:
    """The numbers of a column."""
    return map(int, column.split(" "))


def hashes(column: bytes) -> list[bytes]:
    """The hashes of a column."""
    return [column[place : place + HASH_BYTES] for place in range(0, len(column), HASH_BYTES)]


def entries_apart(log: LogColumns) -> list[StoredEntry]:
    """One by one. Raises Mixed."""
    if log.size == 0:
        return []
    logs = map(TENANT.__add__, texts(log.tenants, log.size)) if log.tenants else repeat(OPERATOR, log.size)
    made = zip(logs, numbers(log.seqs), hashes(log.hashes), texts(log.bodies, log.size), strict=True)
    return list(map(StoredEntry._make, made))


def rows_apart(tables: Sequence[RowColumns]) -> list[StoredRow]:
    """One by one. Raises Mixed."""
    return [row for table in tables if table.size for row in _rows_of(*table)]


def _rows_of(table: str, count: int, keys: str, revs: str, images: str, digests: str) -> Iterator[StoredRow]:
    columns = [texts(text, count) if text else repeat("", count) for text in (images, digests)]
    made = zip(repeat(table, count), texts(keys, count), numbers(revs), *columns, strict=True)
    return map(StoredRow._make, made)


def pulled_of(columns: Columns, after: Head, guards: str = "") -> Pulled:
    """What was asked for `after` a position, one by one. Raises Mixed."""
    entries = entries_apart(columns.entries)
    return Pulled(
        epoch=columns.epoch,
        head=columns.head,
        anchor=columns.anchor,
        entries=tuple(entries),
        tenant_entries=tuple(entries_apart(columns.twins)),
        rows=tuple(rows_apart(columns.rows)) if entries else (),
        more=(entries[-1].seq if entries else after.seq) < columns.head.seq,
        guards=guards,
    )


def columns_of(pulled: Pulled) -> Columns:
    """The other way round. Raises Mixed where a hash has not 32 bytes."""
    by_table: dict[str, list[StoredRow]] = {}
    for row in pulled.rows:
        by_table.setdefault(row.table, []).append(row)
    entries, twins = log_columns(pulled.entries), log_columns(pulled.tenant_entries)
    rows = tuple(_row_columns(table, rows) for table, rows in by_table.items())
    return Columns(pulled.epoch, pulled.head, pulled.anchor, entries, twins, rows)


def log_columns(entries: Sequence[StoredEntry]) -> LogColumns:
    """Entries by columns. Raises Mixed where a hash has not 32 bytes."""
    if not entries:
        return NO_ENTRIES
    logs, seqs, found, bodies = zip(*entries, strict=True)
    if set(map(len, found)) != {HASH_BYTES}:
        raise Mixed
    tenants = "\n".join([log.removeprefix(TENANT) for log in logs]) if logs[0] != OPERATOR else ""
    return LogColumns(len(entries), tenants, " ".join(map(str, seqs)), b"".join(found), "\n".join(bodies))


def _row_columns(table: str, rows: list[StoredRow]) -> RowColumns:
    _, keys, revs, images, digests = zip(*rows, strict=True)
    private = any(digests)
    return RowColumns(
        table,
        len(rows),
        "\n".join(keys),
        " ".join(map(str, revs)),
        "" if private else "\n".join(images),
        "\n".join(digests) if private else "",
    )
