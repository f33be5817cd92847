"""A row and its image.

Every row of the shared database is stored as its *image*: the canonical JSON text (RFC 8785) of a frozen dataclass,
kept verbatim. The columns that SQL searches by are generated from the image by the database itself, so they cannot
disagree with what the log's digest vouches for (design.md, "What the digest vouches for is what the console shows").
The domain of an image: strings, integers below 2**53, booleans, null, lists, objects with ASCII keys. No floats.

A class may gain fields, each with a default: images from before lack them and are read with it. What is written always
has every field, and a digest is always over the text as stored.
"""

from __future__ import annotations

import dataclasses
import hashlib
import json
import types
import typing
from collections.abc import Callable
from datetime import UTC, datetime
from enum import StrEnum
from functools import cache
from typing import Any, ClassVar, Self

Json = None | bool | int | str | list["Json"] | dict[str, "Json"]
Decoder = Callable[[Any], Any]

_ROWS: dict[str, type[Row]] = {}
_encoder = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"), allow_nan=False)


def canonical(value: Json) -> str:
    """RFC 8785 text of `value` on the image domain; a property test holds it to the `rfc8785` package byte by byte.
    Raises ValueError for a lone surrogate, which no UTF-8 and so no digest can hold."""
    text = _encoder.encode(value)
    if not text.isascii():
        text.encode()
    return text


def time_text(moment: datetime) -> str:
    """RFC 3339 in UTC with microseconds, the one form in which a time is stored. Refuses naive times."""
    if moment.tzinfo is None:
        raise ValueError(f"a time without a zone: {moment!r}")
    return moment.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + "Z"


def parse_time(text: str) -> datetime:
    """The inverse of `time_text`. Raises ValueError on any other form."""
    if type(text) is not str or not text.endswith("Z"):
        raise ValueError(f"not a UTC time: {text!r}")
    return datetime.fromisoformat(text)


@dataclasses.dataclass(frozen=True, slots=True)
class Row:
    """One row of the shared database: a frozen value whose first field, `id`, is its key within TABLE."""

    TABLE: ClassVar[str] = ""
    PRIVATE: ClassVar[bool] = False
    """Private rows are vouched for by digest like all others, but never copied to a replica (secrets)."""

    id: str

    def __init_subclass__(cls, **kwargs: object) -> None:
        super(Row, cls).__init_subclass__(**kwargs)
        if cls.TABLE:
            _ROWS[cls.TABLE] = (
                cls  # dataclass(slots=True) makes a second class: the last one registered is the real one
            )

    def image(self) -> str:
        """The canonical JSON text that is stored and whose SHA-256 the log entry lists."""
        return canonical(encode(self))

    @classmethod
    def from_image(cls, image: str) -> Self:
        """The row that an image holds. Raises ValueError if the text is no image of this table."""
        kind: Any = row_type(cls.TABLE)
        return typing.cast(Self, _decoder(kind)(json.loads(image)))


def row_type(table: str) -> type[Row]:
    """The row class of a table. Raises KeyError for a table that is not ours."""
    return _ROWS[table]


def row_types() -> dict[str, type[Row]]:
    """Every table's row class, by table name."""
    return dict(_ROWS)


def digest(image: str) -> str:
    """SHA-256 of an image as lower-case hex, as it stands in an entry's `rows`."""
    return hashlib.sha256(image.encode()).hexdigest()


def encode(value: Any) -> Json:
    """A row, or any value that may stand in one, as JSON data on the image domain."""
    if isinstance(value, StrEnum):
        return value.value
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, int):
        if abs(value) >= 2**53:
            raise ValueError(f"an integer beyond 2**53 has no exact image: {value}")
        return value
    if isinstance(value, datetime):
        return time_text(value)
    if isinstance(value, (tuple, list)):
        return [encode(item) for item in value]
    if isinstance(value, dict):
        if not all(isinstance(key, str) and key.isascii() for key in value):
            raise ValueError(f"keys must be ASCII text: {list(value)!r}")  # else RFC 8785 sorts them otherwise
        return {key: encode(item) for key, item in value.items()}
    if dataclasses.is_dataclass(value):
        return {f.name: encode(getattr(value, f.name)) for f in dataclasses.fields(value)}
    raise ValueError(f"{type(value).__name__} has no image")


def decode(hint: Any, data: Json) -> Any:
    """The inverse of `encode` for a value of this type. Raises ValueError where it is none."""
    return _decoder(hint)(data)


@cache
def _decoder(hint: Any) -> Decoder:
    """How to read a field of this type back from JSON data."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        inner = _decoder(next(a for a in arguments if a is not type(None)))
        return lambda data: None if data is None else inner(data)
    if origin is tuple:
        return _list_decoder(_decoder(arguments[0]))
    if hint is datetime:
        return parse_time
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return _dataclass_decoder(hint)
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return hint
    if hint in (str, int, bool):
        return _exactly(hint)
    return lambda data: data


def _list_decoder(item: Decoder) -> Decoder:
    def read(data: Any) -> Any:
        if type(data) is not list:
            raise ValueError(f"expected a list, found {data!r}")
        return tuple(item(one) for one in data)

    return read


def _exactly(kind: type) -> Decoder:
    def check(data: Any) -> Any:
        if type(data) is not kind:
            raise ValueError(f"expected {kind.__name__}, found {data!r}")
        return data

    return check


def _dataclass_decoder(cls: type) -> Decoder:
    """A field that is absent takes its default: images that were stored before a class gained it stay readable. One
    that the class does not know stays an error: it was written by a newer program, whose meaning nobody may drop."""
    hints = typing.get_type_hints(cls)
    fields = {f.name: _decoder(hints[f.name]) for f in dataclasses.fields(cls)}
    needed = {f.name for f in dataclasses.fields(cls)} - defaults(cls).keys()

    def read(data: Any) -> Any:
        if not isinstance(data, dict) or not (needed <= data.keys() <= fields.keys()):
            raise ValueError(f"not an image of {cls.__name__}")
        return cls(**{name: fields[name](value) for name, value in data.items()})

    return read


def defaults(cls: type) -> dict[str, Any]:
    """The fields of a row, or of a value in one, that may be absent from an image, with what they then are."""
    found = {f.name: f.default for f in dataclasses.fields(cls) if f.default is not dataclasses.MISSING}
    made = {
        f.name: f.default_factory() for f in dataclasses.fields(cls) if f.default_factory is not dataclasses.MISSING
    }
    return found | made
