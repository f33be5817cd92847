"""How the three processes talk: length-prefixed `marshal` frames over pipes. All of them are this very program."""

from __future__ import annotations

import marshal
import struct
from typing import IO, Any

_LENGTH = struct.Struct("<Q")
HEADER_BYTES = _LENGTH.size


class Cut(Exception):
    """The other end is gone in mid-sentence."""


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
    stream.write(packed(value))
    stream.flush()


def receive(stream: IO[bytes]) -> Any:
    """The next frame. Raises Cut when there is none."""
    return unpacked(_exactly(stream, length(_exactly(stream, HEADER_BYTES))))


def _exactly(stream: IO[bytes], size: int) -> bytes:
    data = stream.read(size)
    if len(data) != size:
        raise Cut
    return data
