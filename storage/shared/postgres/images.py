"""SQL that proves images, generated from the row classes: `written_out` gives the canonical text of what a table's row
may hold, and null for what it may not; so an image is right when it is that very text.

Every Change pays for it, and what PL/pgSQL takes most time for is to begin an expression, node by node, anew in each
transaction. So the types of all fields are asked for by one constant path (`v @@ 'strict …'`), the text is one
`concat`, and what occurs more than once (a time, a list, a value inside a row) is a function: it begins only once.
"""

from __future__ import annotations

import dataclasses
import types
import typing
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from typing import Any

from storage.models.row import row_types

BOUND = 2**53
_IS_TIME = """create or replace function countersign.is_time(told text) returns boolean language plpgsql immutable as $$
begin
  return told is null
    or translate(told, '123456789', '000000000') = '0000-00-00T00:00:00.000000Z' and left(told, 10)::date is not null
      and substr(told, 12, 2) < '24' and substr(told, 15, 2) < '60' and substr(told, 18, 2) < '60';
end $$"""
_TEXTS = """create or replace function countersign.written_texts(v jsonb) returns text language plpgsql immutable as $$
declare written text := '';
begin
  if v = '[]' then
    return '[]';
  elsif v @@ 'strict !exists($[*].type() ? (@ != "string"))' then
    for n in 0 .. jsonb_array_length(v) - 1 loop
      written := concat(written, ',', v->n);
    end loop;
    return concat('[', substr(written, 2), ']');
  end if;
  return null;
end $$"""
_OBJECT = """create or replace function countersign.{name}(v jsonb) returns text language plpgsql immutable strict as $$
begin
  return {text};
end $$"""
_OBJECTS = """create or replace function countersign.{name}s(v jsonb) returns text
language plpgsql immutable strict as $$
declare written text := '';
begin
  if v = '[]' then
    return '[]';
  elsif jsonb_typeof(v) = 'array' then
    for n in 0 .. jsonb_array_length(v) - 1 loop
      written := written || ',' || countersign.{name}(v->n);
    end loop;
    return '[' || substr(written, 2) || ']';
  end if;
  return null;
end $$"""


def statements() -> Iterator[str]:
    """What `written_out` needs."""
    yield _IS_TIME
    yield _TEXTS
    inner: dict[str, Any] = {}
    for kind in row_types().values():
        for hint in typing.get_type_hints(kind).values():
            found = _inside(hint)[0]
            if dataclasses.is_dataclass(found):
                inner[_name(found)] = found
    for name, found in sorted(inner.items()):
        yield _OBJECT.format(name=name, text=written(found))
        yield _OBJECTS.format(name=name)


def written(kind: type) -> str:
    """An expression: the canonical text of `v`, null if it is no value of this class. (Beyond BOUND, or of a time that
    no calendar has, it raises an error of class 22 or gives null.)"""
    hints = typing.get_type_hints(kind)
    names = sorted(field.name for field in dataclasses.fields(kind))
    path = " && ".join(_path(name, hints[name]) for name in names)
    times = "".join(f" and countersign.is_time(v->>'{name}')" for name in names if _inside(hints[name])[0] is datetime)
    first, *others = (f"""'"{name}":', {_text(name, hints[name])}""" for name in names)
    parts = ", ".join([first.replace("'", "'{", 1), *(one.replace("'", "',", 1) for one in others)])
    return f"case when v @@ 'strict {path}'{times} then concat({parts}, '}}') end"


def _path(name: str, hint: Any) -> str:
    """Whether the field is of its type, as a predicate of SQL/JSON path. An absent one makes it unknown."""
    kind, many, optional = _inside(hint)
    where = f"$.{name}"
    if many:
        if isinstance(kind, type) and issubclass(kind, StrEnum):
            return f"!exists({where}[*] ? ({' && '.join(f'@ != {_quoted(one)}' for one in kind)}))"
        return f'{where}.type() == "array"'
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        said = " || ".join(f"{where} == {_quoted(one)}" for one in kind)
    elif kind is bool:
        said = f'{where}.type() == "boolean"'
    elif kind is int:
        said = f"{where} < {BOUND} && {where} > -{BOUND}"
    elif dataclasses.is_dataclass(kind):
        said = f'{where}.type() == "object"'
    elif kind in (str, datetime):
        said = f'{where}.type() == "string"'
    else:
        raise TypeError(f"no SQL for a field of type {hint!r}")
    return f"({where} == null || {said})" if optional else f"({said})"


def _text(name: str, hint: Any) -> str:
    """The field's text, null or another where it is not of its type."""
    kind, many, optional = _inside(hint)
    value = f"v->'{name}'"
    if dataclasses.is_dataclass(kind):
        called = f"countersign.{_name(kind)}{'s' if many else ''}"
        return f"coalesce({called}(nullif({value}, 'null')), 'null')" if optional else f"{called}({value})"
    if many:
        return f"countersign.written_texts({value})"
    if kind is int:
        number = f"({value})::bigint"
        return f"case when {value} = 'null' then 'null' else ({number})::text end" if optional else number
    return value


def _inside(hint: Any) -> tuple[Any, bool, bool]:
    """The type inside; whether it is a list of it; whether null stands for none."""
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        kind, many, _ = _inside(next(one for one in arguments if one is not type(None)))
        return kind, many, True
    if origin is tuple:
        return arguments[0], True, False
    return hint, False, False


def _name(kind: Any) -> str:
    return "written_" + "".join(f"_{c.lower()}" if c.isupper() else c for c in kind.__name__).removeprefix("_")


def _quoted(one: StrEnum) -> str:
    return f'"{one.value}"'
