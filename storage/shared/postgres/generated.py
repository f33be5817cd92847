"""SQL that follows from the row classes: each table's image, checked for form and shape, and the reading and writing of
rows by table name. Generated, so that a field added to a row class needs no second thought; plain `CASE`s rather than
dynamic SQL, so that plans are kept and no name from outside ever becomes SQL.

An image is right when rebuilding it field by field, keys sorted, types as the class says, gives the very same text: so
it is canonical (RFC 8785), without duplicate or foreign keys, and every console can decode it. A field that is absent
is rebuilt with its default: so what is written must have it, and `completed` reads an image of before the class had it.
"""

from __future__ import annotations

import dataclasses
import json
import types
import typing
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from enum import StrEnum
from typing import Any

from storage.log.actions import Action
from storage.models.row import canonical, defaults, encode, row_types
from storage.shared.postgres import images
from storage.shared.reading import row_tables
from storage.shared.writing import COMMAND

_TIME = r"^[0-9]{4}-[01][0-9]-[0-3][0-9]T([01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9]\.[0-9]{6}Z$"
_HEADER = "language plpgsql"
_NO_TABLE = "raise exception using errcode = 'CS003', message = 'no table ' || coalesce(table_name, '?');"


def statements() -> Iterator[str]:
    """Every generated function."""
    yield _image_of()
    yield _completed()
    yield from images.statements()
    yield _by_table(
        "written_out(table_name text, v jsonb) returns text",
        lambda table: f"return {images.written(row_types()[table])};" if table != COMMAND else "return null;",
        "stable",
        otherwise="return null;",
    )
    yield _by_table(
        "row_image(table_name text, key text) returns text",
        lambda table: f'return (select image from countersign."{table}" where id = key);',
        "stable",
    )
    yield _by_table(
        "rev_of(table_name text, key text) returns bigint",
        lambda table: f'return coalesce((select rev from countersign."{table}" where id = key), 0);',
        "stable",
    )
    yield _by_table(
        "put(table_name text, key text, new_image text, new_rev bigint, fresh boolean) returns boolean",
        _put,
        "volatile",
        after="  return fresh;\n",
    )
    actions = json.dumps(dict.fromkeys((action.value for action in Action), 1))
    yield (
        "create or replace function countersign.is_action(code text) returns boolean language sql immutable"
        f" as $$ select {_literal(actions)}::jsonb ? code $$"
    )


def private_digests() -> str:
    """The view of what staff may know of private rows: that they are there, and their digests."""
    private = [table for table, kind in sorted(row_types().items()) if kind.PRIVATE] + [COMMAND]
    parts = (
        f"select '{table}'::text as table_name, id, rev, encode(sha256(convert_to(image, 'UTF8')), 'hex') as digest"
        f' from countersign."{table}"'
        for table in private
    )
    return "create or replace view countersign.private_digest as " + " union all ".join(parts)


def _by_table(signature: str, body: Callable[[str], str], volatility: str, after: str = "", otherwise: str = "") -> str:
    otherwise = otherwise or _NO_TABLE
    return (
        f"create or replace function countersign.{signature} {volatility} {_HEADER} as $$\nbegin\n"
        f"{_halved(sorted(row_tables()), body, otherwise)}{after}end $$"
    )


def _halved(tables: list[str], body: Callable[[str], str], otherwise: str) -> str:
    """The one table's statement, found by halves: a CASE asks one table after the other, and each question costs."""
    tables = sorted(tables)
    if len(tables) == 1:
        return f"if table_name = '{tables[0]}' then\n{body(tables[0])}\nelse {otherwise}\nend if;\n"
    half = len(tables) // 2
    low, high = (_halved(part, body, otherwise) for part in (tables[:half], tables[half:]))
    return f"if table_name < '{tables[half]}' collate \"C\" then\n{low}else\n{high}end if;\n"


def _put(table: str) -> str:
    return (
        f'if fresh then insert into countersign."{table}" (id, image, rev) values (key, new_image, new_rev);\n'
        f'      else update countersign."{table}" set image = new_image, rev = new_rev where id = key; end if;'
    )


def _image_of() -> str:
    cases = "\n".join(
        f"    when {_literal(table)} then return {_of_class('v', kind)};" for table, kind in sorted(row_types().items())
    )
    return (
        "create or replace function countersign.image_of(table_name text, v jsonb) returns text stable"
        f" {_HEADER} as $$\nbegin\n  case table_name\n{cases}\n    else return null;\n  end case;\nend $$"
    )


def _of_class(source: str, cls: type) -> str:
    """The canonical text of an object, null if a field is not what it must be."""
    hints = typing.get_type_hints(cls)
    names = sorted(field.name for field in dataclasses.fields(cls))
    absent = {name: _default(value) for name, value in defaults(cls).items()}
    values = {name: f"coalesce({source}->'{name}', {absent[name]})" for name in absent}
    parts = [f"""'"{name}":' || {_of_type(values.get(name, f"{source}->'{name}'"), hints[name])}""" for name in names]
    return "'{' || " + " || ',' || ".join(parts) + " || '}'"


def _completed() -> str:
    """An image as stored, with the fields that its class gained since."""
    kinds = {table: kind for table, kind in row_types().items() if defaults(kind)}
    return _by_table(
        "completed(table_name text, v jsonb) returns jsonb",
        lambda table: f"return {_with_defaults(table, kinds[table]) if table in kinds else 'v'};",
        "stable",
        otherwise="return v;",
    )


def _with_defaults(table: str, kind: type) -> str:
    hints = typing.get_type_hints(kind)
    inner = {name: hint for name, hint in hints.items() if _may_lack_something(hint)}
    if not inner:
        return f"{_default(defaults(kind))} || v"
    whole = " and ".join([_has_all("v", kind), *(_is_whole(f"v->'{name}'", hint) for name, hint in inner.items())])
    return f"case when {whole} then v else coalesce(countersign.image_of({_literal(table)}, v)::jsonb, v) end"


def _is_whole(value: str, hint: Any) -> str:
    """Whether nothing is absent in an object, or in none; of lists and deeper things it is not asked."""
    kinds = [one for one in typing.get_args(hint) or (hint,) if one is not type(None)]
    inside = typing.get_type_hints(kinds[0]).values() if dataclasses.is_dataclass(kinds[0]) else [None]
    if (
        len(kinds) != 1
        or typing.get_origin(hint) is tuple
        or any(one is None or _may_lack_something(one) for one in inside)
    ):
        return "false"
    return f"(jsonb_typeof({value}) = 'null' or {_has_all(value, kinds[0])})"


def _has_all(value: str, kind: Any) -> str:
    names = ",".join(field.name for field in dataclasses.fields(kind))
    return f"{value} ?& '{{{names}}}'"


def _may_lack_something(hint: Any) -> bool:
    """Whether a value of this type holds objects with fields that may be absent."""
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return bool(defaults(hint)) or any(map(_may_lack_something, typing.get_type_hints(hint).values()))
    return any(map(_may_lack_something, typing.get_args(hint)))


def _default(value: Any) -> str:
    return f"{_literal(canonical(encode(value)))}::jsonb"


def _of_type(value: str, hint: Any) -> str:
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        inner = next(one for one in arguments if one is not type(None))
        return f"case when jsonb_typeof({value}) = 'null' then 'null' else {_of_type(value, inner)} end"
    if origin is tuple:
        return _of_list(value, arguments[0])
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        return f"({_of_class(f'({value})', hint)})"
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return _when("string", value, f"({value}) #>> '{{}}' in ({_list(one.value for one in hint)})")
    if hint is datetime:
        text = f"(({value}) #>> '{{}}')"
        return _when("string", value, f"{text} ~ '{_TIME}' and left({text}, 10)::date is not null")
    if hint is int:
        return _when("number", value, f"abs(({value})::bigint) < 9007199254740992", f"({value})::bigint::text")
    if hint is bool:
        return _when("boolean", value)
    if hint is str:
        return _when("string", value)
    raise TypeError(f"no SQL for a field of type {hint!r}")


def _of_list(value: str, hint: Any) -> str:
    return (
        "(select case when count(*) = count(part) then '[' || coalesce(string_agg(part, ',' order by place), '') || ']'"
        f" end from (select {_of_type('item', hint)} as part, place from jsonb_array_elements("
        f"case when jsonb_typeof({value}) = 'array' then {value} end) with ordinality as list(item, place)) as parts)"
    )


def _when(kind: str, value: str, condition: str = "true", text: str = "") -> str:
    return f"case when jsonb_typeof({value}) = '{kind}' and {condition} then {text or f'({value})::text'} end"


def _list(values: Iterable[str]) -> str:
    return ",".join(_literal(value) for value in values)


def _literal(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"
