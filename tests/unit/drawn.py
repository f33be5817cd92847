"""Rows and values of the models, drawn by Hypothesis: every table, every field, whatever its type."""

from __future__ import annotations

import dataclasses
import types
import typing
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from hypothesis import strategies as st

EXACT = 2**53 - 1
texts = st.text(st.characters(exclude_categories=["Cs"]))
nasty = st.sampled_from(
    ["", "\x00", '"', "\\", "/", "\x1b]52;c;aGk=\x07", "\u2028\u2029", "é", "é", "😀", "\ufffe", "\x7f"]
)
strings = texts | nasty
moments = st.datetimes(timezones=st.just(UTC))


def values_of(hint: Any) -> st.SearchStrategy[Any]:
    """Values of a row field's type, whatever the type is: a new one that is not covered here fails the test."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return st.none() | values_of(next(a for a in arguments if a is not type(None)))
    if origin is tuple:
        return st.lists(values_of(arguments[0]), max_size=3).map(tuple)
    if hint is datetime:
        return moments
    if hint is bool:
        return st.booleans()
    if hint is int:
        return st.integers(-EXACT, EXACT)
    if hint is str:
        return strings
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return st.sampled_from(hint)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return rows_of(hint)
    raise AssertionError(f"no values for {hint!r}")


def rows_of(kind: type[Any]) -> st.SearchStrategy[Any]:
    hints = typing.get_type_hints(kind)
    return st.builds(kind, **{f.name: values_of(hints[f.name]) for f in dataclasses.fields(kind)})
