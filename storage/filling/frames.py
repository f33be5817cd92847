"""How the three processes talk: length-prefixed `marshal` frames over pipes. All of them are this very program.

Rows travel by columns, each column's texts, numbers or hashes joined to one value, as the reader got them: to name
thousands of small values one by one costs more than what they hold.
"""

from __future__ import annotations

import marshal
import struct
from collections.abc import Callable, Iterator, Sequence
from itertools import repeat
from typing import IO, Any, NamedTuple

from storage.replica.bulk import DIGEST, OPERATOR_LOG, TENANT_LOG
from storage.shared.columns import LogColumns, RowColumns, hashes, numbers

_LENGTH = struct.Struct("<Q")
HEADER_BYTES = _LENGTH.size

INTO = {"operator_log": OPERATOR_LOG, "tenant_log": TENANT_LOG, "digest": DIGEST}
"""What is no table of rows."""
Part = tuple[str, tuple[tuple[str, Any], ...]]
"""What is to be written into a table: its name and the columns, each with its kind (see `_APART`)."""


class End(NamedTuple):
    """What ends a transaction (sent as a plain tuple): the log's end before it, the heads that moved as `(log, epoch,
    number, hash)`, and every digest whose row a later entry rewrites as `(table, key, rev, sha256)`."""

    epoch: str
    before: tuple[Any, ...]
    heads: list[tuple[str, str, int, bytes]]
    awaited: list[tuple[str, str, int, bytes]]


_APART: dict[str, Callable[[Any], Any]] = {
    "texts": lambda column: column.split("\n"),
    "numbers": numbers,
    "hashes": hashes,
    "hex": lambda column: hashes(bytes.fromhex(column)),
    "same": lambda column: repeat(*column),
}


class Cut(Exception):
    """The other end is gone in mid-sentence."""


def log_part(table: str, log: LogColumns) -> Part:
    """Entries, as `operator_log` and `tenant_log` hold them."""
    columns = (("numbers", log.seqs), ("hashes", log.hashes), ("texts", log.bodies))
    return table, (("texts", log.tenants), *columns) if log.tenants else columns


def row_part(rows: RowColumns) -> Part:
    """Rows, as their table holds them; of private ones the digests, as `digest` does."""
    keys, revs = ("texts", rows.keys), ("numbers", rows.revs)
    if rows.digests:
        return "digest", (("same", (rows.table, rows.size)), keys, revs, ("hex", rows.digests))
    return rows.table, (keys, ("texts", rows.images), revs)


def rows(columns: Sequence[tuple[str, Any]]) -> Iterator[tuple[Any, ...]]:
    """The rows of a frame's columns."""
    return zip(*[_APART[kind](column) for kind, column in columns], strict=True)


def packed(value: Any) -> bytes:
    """A frame with its header."""
    frame = marshal.dumps(value)
    return _LENGTH.pack(len(frame)) + frame


def length(header: bytes) -> int:
    """How many bytes follow the header."""
    return int(_LENGTH.unpack(header)[0])


def unpacked(frame: bytes) -> Any:
    """What was packed."""
    return marshal.loads(frame)


def send(stream: IO[bytes], value: Any) -> None:
    """One frame. Raises BrokenPipeError when nobody reads any more."""
    frame = marshal.dumps(value)
    stream.write(_LENGTH.pack(len(frame)))
    stream.write(frame)
    stream.flush()


def receive(stream: IO[bytes]) -> Any:
    """The next frame. Raises Cut when there is none."""
    return unpacked(_exactly(stream, length(_exactly(stream, HEADER_BYTES))))


def _exactly(stream: IO[bytes], size: int) -> bytes:
    data = stream.read(size)
    if len(data) != size:
        raise Cut
    return data
