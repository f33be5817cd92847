"""Many entries and rows at once: each column of a chunk comes as one value (`storage.shared.columns`).

As rows they cost twice as much on this side, and COPY comes as rows too. Where somebody falsified what the columns rely
on, the caller reads the chunk as it stands, so that what is wrong is told of the right entry.
"""

from __future__ import annotations

from typing import Any

from storage.shared.columns import LogColumns, RowColumns
from storage.shared.reading import is_private, row_tables

WORTH_IT = 500
_LAST = (
    "(select coalesce(max(seq), %(after)s) from"
    " (select seq from countersign.operator_log where seq > %(after)s order by seq limit %(limit)s) as pulled)"
)
_UPTO = "(%(after)s::bigint + %(limit)s)"
_LOG = (
    "string_agg(seq::text, ' '), string_agg(hash, ''), coalesce(bool_and(octet_length(hash) = 32), true),"
    " string_agg(body, E'\\n')"
)
_ENTRIES = (
    f"select count(*), '', {_LOG} from (select seq, hash, body from countersign.operator_log"
    " where seq > %(after)s order by seq limit %(limit)s) as entry"
)
_ENTRIES_UPTO = (
    f"select count(*), '', {_LOG} from (select seq, hash, body from countersign.operator_log"
    f" where seq > %(after)s and seq <= {_UPTO} order by seq) as entry"
)
_TWINS = (
    f"select count(*), string_agg(tenant_id, E'\\n'), {_LOG} from"
    " (select tenant_id, seq, hash, body from countersign.tenant_log"
    " where operator_seq > %(after)s and operator_seq <= {last} order by operator_seq) as twin"
)
_OF_TABLE = (
    "select {name}, count(*), string_agg(id, E'\\n'), string_agg(rev::text, ' '), {image}, {digest}"
    " from countersign.{source} where rev > b.low and rev <= b.high{end}"
)
_OF_TABLES = " union all ".join(
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
_ROWS = f"select r.* from (select %(after)s::bigint as low, {{last}} as high) as b, lateral ({_OF_TABLES}) as r"
STATEMENTS = (_ENTRIES, _TWINS.format(last=_LAST), _ROWS.format(last=_LAST))
"""The next `limit` entries after a number, wherever they stand."""
STATEMENTS_UPTO = (_ENTRIES_UPTO, _TWINS.format(last=_UPTO), _ROWS.format(last=_UPTO))
"""The entries with the `limit` numbers after a number: the same where none is missing, at two thirds of the server's
work."""


def columns(
    entries: list[Any], twins: list[Any], rows: list[Any]
) -> tuple[LogColumns, LogColumns, tuple[RowColumns, ...]] | None:
    """The results of the statements; None where a hash has not 32 bytes."""
    if not (entries[0][4] and twins[0][4]):
        return None
    return _log(*entries[0]), _log(*twins[0]), tuple(RowColumns(*one) for one in rows if one[1])


def _log(count: int, tenants: str, seqs: str, hashes: bytes, _whole: bool, bodies: str) -> LogColumns:
    return LogColumns(count, tenants or "", seqs or "", hashes or b"", bodies or "")
