"""A long, valid history on PostgreSQL: what `demo fill` writes into a file, copied row by row as a superuser with the
guards off meanwhile. Chains, digests and columns are the same on both forms, so it is as true as the file."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import psycopg

from storage.shared.postgres.install import install
from tests.postgres import Cluster

_COLUMNS = {
    "operator_log": {"seq": "int8", "hash": "bytea", "body": "text"},
    "tenant_log": {"tenant_id": "text", "seq": "int8", "hash": "bytea", "body": "text"},
    "log_head": {"log": "text", "epoch": "text", "seq": "int8", "hash": "bytea"},
}
_ROW = {"id": "text", "image": "text", "rev": "int8"}


def copied(file: Path, server: Cluster) -> str:
    """The name of a new database with the history of a filled file."""
    name = server.fresh("template0", "filled")
    install(server.url(name))
    with closing(sqlite3.connect(file)) as source, psycopg.connect(server.url(name)) as target:
        found = source.execute("SELECT name FROM sqlite_schema WHERE type = 'table' AND sql LIKE '%STRICT%'").fetchall()
        guards = target.execute(
            "select tgrelid::regclass::text, tgname from pg_trigger as t join pg_class as c on c.oid = t.tgrelid"
            " where c.relnamespace = 'countersign'::regnamespace and not tgisinternal"
        ).fetchall()
        for table, guard in guards:
            target.execute(f"alter table {table} disable trigger {guard}".encode())
        target.execute("delete from countersign.log_head")
        for (table,) in found:
            columns = _COLUMNS.get(table, _ROW)
            names = ", ".join(columns)
            statement = f'copy countersign."{table}" ({names}) from stdin (format binary)'
            with target.cursor().copy(statement.encode()) as copy:
                copy.set_types(list(columns.values()))
                for row in source.execute(f"SELECT {names} FROM {table}"):
                    copy.write_row(row)
        for table, guard in guards:
            target.execute(f"alter table {table} enable always trigger {guard}".encode())
    with psycopg.connect(server.url(name), autocommit=True) as connection:
        connection.execute("vacuum (analyze)")
    return name
