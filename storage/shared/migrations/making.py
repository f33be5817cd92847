"""How a revision makes a table of rows: the key, the image, the revision number, and the columns that SQL searches by,
each generated from the image (`storage.models.tables`).

Revisions name their tables and columns themselves: the models go on, a revision stays what it was.
"""

from __future__ import annotations

from sqlalchemy import Column, Computed, Connection, MetaData, Table, Text

from storage.models.tables import Key, Number, json_text
from storage.shared.triggers import row_triggers


def make_row_table(connection: Connection, name: str, *searched: str) -> None:
    """Make a table of rows, its indexes, and on SQLite its triggers (PostgreSQL's are installed with the guards)."""
    columns = [
        Column(column, Key, Computed(json_text("image", column), persisted=False), index=True) for column in searched
    ]
    table = Table(
        name,
        MetaData(),
        Column("id", Key, primary_key=True, nullable=False),
        Column("image", Text, nullable=False),
        Column("rev", Number, nullable=False, index=True),
        *columns,
        sqlite_strict=True,
    )
    table.create(connection)
    if connection.dialect.name == "sqlite":
        for statement in row_triggers(name):
            connection.exec_driver_sql(statement)
