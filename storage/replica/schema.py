"""What a replica file is made of.

The row tables and the logs are the very tables of `storage.models.tables`, generated columns included, so a query reads
the same on either side; but for a few columns that nobody asks for here (`LEFT_OUT`). A row's revision names the entry
that vouches for it. Beside them stand `digest` — what entries vouch for and this file does not hold: the rows of
private tables, and those still on their way — and `pending`: digests whose row is still on its way, because a later
entry of the same pull rewrites it.

Keys are unique indexes rather than PRIMARY KEYs, so that a long history is taken in without them (`storage.filling`).
"""

from __future__ import annotations

import re
import sqlite3
import zlib
from functools import cache
from pathlib import Path

PRIVATE = frozenset({"command", "credential"})
"""Vouched for by digest, never copied here (secrets, and answers that concern nobody else)."""

SEARCHED = ("tenant", "actor_id", "session", "request", "ticket", "action", "at")
"""Columns of the operator log that the audit viewer filters by. An index ends with the rowid, which is `seq`: filtered
entries come in order without sorting."""

LEFT_OUT = {"operator_log": ("change",), "tenant_log": ("at", "action", "operator_seq"), "session_view": ("at",)}
"""SQLite works out every generated column of a row that comes, virtual ones too: half the cost of a twin."""

_OWN = (
    "CREATE TABLE digest (table_name TEXT NOT NULL, key TEXT NOT NULL, rev INTEGER NOT NULL, sha256 BLOB NOT NULL)"
    " STRICT",
    "CREATE UNIQUE INDEX key_of_digest ON digest (table_name, key)",
    "CREATE TABLE pending (table_name TEXT NOT NULL, key TEXT NOT NULL, rev INTEGER NOT NULL,"
    " PRIMARY KEY (table_name, key)) STRICT, WITHOUT ROWID",
    # Emergencies that wait for a second super, or are void without a record: looked for every second, few ever.
    "CREATE INDEX waiting_emergency ON request (image ->> '$.emergency.declared_at')"
    " WHERE image ->> '$.emergency.countersigned_at' IS NULL AND image ->> '$.emergency.lapsed_at' IS NULL"
    " AND image ->> '$.emergency.declared_at' IS NOT NULL",
)
_SEARCHED_COLUMN = re.compile(rf"(?m)^(\s*(?:{'|'.join(SEARCHED)}) TEXT GENERATED .*) VIRTUAL")
_GENERATED = r",\s*{} \w+ GENERATED ALWAYS AS .* VIRTUAL"
_KEY = re.compile(r",\s*PRIMARY KEY \(((?:id|tenant_id, seq))\)")


@cache
def version() -> int:
    """The stamp (`PRAGMA user_version`) of files of this shape: it follows from the texts that define the shape, so
    that nobody can change a table and forget to raise a number."""
    here = Path(__file__)
    sources = (here, here.parent.parent / "models" / "tables.py")
    return zlib.crc32(b"".join(path.read_bytes() for path in sources)) & 0x7FFFFFFF | 1


def create(connection: sqlite3.Connection) -> None:
    """Make every table in an empty file. Imports SQLModel: only a new file pays for that."""
    from sqlalchemy.dialects import sqlite
    from sqlalchemy.schema import CreateIndex, CreateTable

    from storage.models.tables import metadata

    dialect = sqlite.dialect()
    for table in metadata.sorted_tables:
        if table.name in PRIVATE:
            continue
        made = str(CreateTable(table).compile(dialect=dialect))
        if table.name == "operator_log":
            # Taken from the body once, not once for each index. What no index holds stays virtual: a copy that nothing
            # is compared with could be damaged and nobody would know.
            made = _SEARCHED_COLUMN.sub(r"\1 STORED", made)
        left_out = LEFT_OUT.get(table.name, ())
        for column in left_out:
            made = re.sub(_GENERATED.format(column), "", made)
        connection.execute(_KEY.sub("", made))
        for columns in _KEY.findall(made):
            connection.execute(f"CREATE UNIQUE INDEX key_of_{table.name} ON {table.name} ({columns})")
        for index in sorted(table.indexes, key=lambda index: str(index.name)):
            if not any(column.name in left_out for column in index.columns):
                connection.execute(str(CreateIndex(index).compile(dialect=dialect)))
    for column in SEARCHED:
        connection.execute(f"CREATE INDEX ix_operator_log_{column} ON operator_log ({column})")
    for statement in _OWN:
        connection.execute(statement)
    connection.execute(f"PRAGMA user_version = {version()}")
