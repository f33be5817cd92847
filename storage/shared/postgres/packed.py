"""Many entries and rows at once: each column of a chunk comes as one value, its parts joined, and is taken apart here.

As rows they cost twice as much on this side, and COPY comes as rows too. No canonical JSON holds a line feed and every
hash has 32 bytes: where somebody falsified that, the counts do not agree, and the caller reads the chunk as it stands,
so that what is wrong is told of the right entry.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat
from typing import Any

from storage.log.entry import OPERATOR
from storage.shared.interface import StoredEntry, StoredRow
from storage.shared.reading import TENANT, is_private, row_tables

WORTH_IT = 500
_HASH_BYTES = 32
_LAST = (
    "(select coalesce(max(seq), %(after)s) from"
    " (select seq from countersign.operator_log where seq > %(after)s order by seq limit %(limit)s) as pulled)"
)
_LOG = (
    "string_agg(seq::text, ' '), string_agg(hash, ''), coalesce(bool_and(octet_length(hash) = 32), true),"
    " string_agg(body, E'\\n')"
)
_ENTRIES = (
    f"select count(*), '', {_LOG} from (select seq, hash, body from countersign.operator_log"
    " where seq > %(after)s order by seq limit %(limit)s) as entry"
)
_TWINS = (
    f"select count(*), string_agg(tenant_id, E'\\n'), {_LOG} from"
    " (select tenant_id, seq, hash, body from countersign.tenant_log"
    f" where operator_seq > %(after)s and operator_seq <= {_LAST} order by operator_seq) as twin"
)
_OF_TABLE = (
    "select {name}, count(*), string_agg(id, E'\\n'), string_agg(rev::text, ' '), {image}, {digest}"
    " from countersign.{source} where rev > b.low and rev <= b.high{end}"
)
_ROWS = " union all ".join(
    [
        _OF_TABLE.format(name=f"'{t}'", image="string_agg(image, E'\\n')", digest="''", source=f'"{t}"', end="")
        for t in row_tables()
        if not is_private(t)
    ]
    + [
        _OF_TABLE.format(
            name="table_name", image="''", digest="string_agg(digest, E'\\n')", source="private_digest",
            end=" group by table_name",
        )
    ]
)  # fmt: skip
STATEMENTS = (
    _ENTRIES,
    _TWINS,
    f"select r.* from (select %(after)s::bigint as low, {_LAST} as high) as b, lateral ({_ROWS}) as r",
)


def unpacked(
    entries: list[Any], twins: list[Any], rows: list[Any]
) -> tuple[list[StoredEntry], list[StoredEntry], list[StoredRow]] | None:
    """The results of the statements as entries, twins and rows; None if they cannot be told apart."""
    try:
        return list(_entries(*entries[0])), list(_entries(*twins[0])), [row for one in rows for row in _rows(*one)]
    except _Mixed:
        return None


class _Mixed(Exception):
    """A separator stands in the data."""


def _entries(count: int, tenants: str, seqs: str, hashes: bytes, whole: bool, bodies: str) -> Iterator[StoredEntry]:
    if count == 0:
        return iter(())
    if not whole:
        raise _Mixed
    logs = map(TENANT.__add__, _parts(tenants, count)) if tenants else repeat(OPERATOR, count)
    parts = (hashes[place : place + _HASH_BYTES] for place in range(0, len(hashes), _HASH_BYTES))
    made = zip(logs, map(int, seqs.split(" ")), parts, _parts(bodies, count), strict=True)
    return map(StoredEntry._make, made)


def _rows(table: str, count: int, keys: str, revs: str, images: str, digests: str) -> Iterator[StoredRow]:
    if count == 0:
        return iter(())
    columns = [_parts(text, count) if text else repeat("", count) for text in (images, digests)]
    return map(
        StoredRow._make,
        zip(repeat(table, count), _parts(keys, count), map(int, revs.split(" ")), *columns, strict=True),
    )


def _parts(text: str, count: int) -> list[str]:
    parts = text.split("\n")
    if len(parts) != count:
        raise _Mixed
    return parts
