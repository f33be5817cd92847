"""How the three processes talk: length-prefixed `marshal` frames over pipes. All of them are this very program.

Rows travel as columns, each column's texts or hashes joined to one: to name thousands of small values one by one costs
more than what they hold.
"""

from __future__ import annotations

import marshal
import struct
from collections.abc import Iterator, Sequence
from typing import IO, Any

_LENGTH = struct.Struct("<Q")
HEADER_BYTES = _LENGTH.size
_HASH_BYTES = 32


class Cut(Exception):
    """The other end is gone in mid-sentence."""


def joined(*columns: Sequence[Any]) -> list[Any]:
    """Columns, none of them empty and each of one type: texts joined with line feeds unless one of them holds one,
    hashes joined as they are, anything else as it came."""
    return [_joined(column) for column in columns]


def rows(columns: Sequence[Any]) -> Iterator[tuple[Any, ...]]:
    """The rows of columns that were `joined`."""
    return zip(*map(_apart, columns), strict=True)


def _joined(column: Sequence[Any]) -> Any:
    if isinstance(column[0], str):
        text = "\n".join(column)
        return text if text.count("\n") == len(column) - 1 else column
    if isinstance(column[0], bytes) and set(map(len, column)) == {_HASH_BYTES}:
        return b"".join(column)
    return column


def _apart(column: Any) -> Sequence[Any]:
    if isinstance(column, str):
        return column.split("\n")
    if isinstance(column, bytes):
        return [column[place : place + _HASH_BYTES] for place in range(0, len(column), _HASH_BYTES)]
    return column  # type: ignore[no-any-return]  # a list or tuple, as it came


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
