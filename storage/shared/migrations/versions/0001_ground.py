"""The first schema: rows with their images, the logs with their heads, and the triggers that keep them."""

from __future__ import annotations

from alembic import op
from sqlalchemy import Column, Computed, LargeBinary, MetaData, Table, Text

from storage.models.tables import Key, Number, json_text
from storage.shared.migrations.making import make_row_table
from storage.shared.triggers import log_triggers

revision = "0001"
down_revision = None

ROWS = {
    "command": (),
    "consent_link": ("request_id",),
    "contact": ("tenant_id", "email"),
    "credential": (),
    "decision": ("request_id",),
    "mail": ("state", "to_email", "request_id", "created_at"),
    "request": ("tenant_id", "engineer_id", "ticket", "state", "created_at", "expires_at"),
    "session": ("request_id", "tenant_id", "engineer_id", "ticket", "started_at", "expires_at", "ended_at"),
    "session_view": ("session_id", "at"),
    "settings": (),
    "staff": ("email", "role"),
    "standing": (),
    "step_up": ("staff_id",),
    "tenant": ("name",),
}
SEARCHED_ON_SQLITE = {
    "operator_log": ("action", "actor.id", "tenant", "request", "session", "ticket", "change"),
    "tenant_log": ("action",),
}
"""PostgreSQL must store what it generates: parsing each entry ten times over cost 170 µs under everyone's lock."""
ASKED_BY_GUARDS = {
    "consent_link": ("request_id",),
    "contact": ("tenant_id", "email"),
    "decision": ("request_id",),
    "mail": ("state",),
    "session": ("tenant_id", "engineer_id", "expires_at", "ended_at"),
    "staff": ("email", "role"),
}
"""What PostgreSQL generates of a row, for the same reason: consoles search their replicas. A later revision that needs
another column there adds it."""


def upgrade() -> None:
    """Create every table, index and trigger."""
    connection = op.get_bind()
    for name, searched in ROWS.items():
        asked = searched if connection.dialect.name == "sqlite" else ASKED_BY_GUARDS.get(name, ())
        make_row_table(connection, name, *asked)
    metadata = MetaData()
    Table(
        "operator_log",
        metadata,
        Column("seq", Number, primary_key=True, autoincrement=False),
        *_entry("operator_log"),
        sqlite_strict=True,
    )
    Table(
        "tenant_log",
        metadata,
        Column("tenant_id", Key, primary_key=True, nullable=False),
        Column("seq", Number, primary_key=True, autoincrement=False),
        *_entry("tenant_log"),
        Column("operator_seq", Number, Computed(json_text("body", "ref", "seq"), persisted=False), index=True),
        sqlite_strict=True,
    )
    Table(
        "log_head",
        metadata,
        Column("log", Key, primary_key=True, nullable=False),
        Column("epoch", Text, nullable=False),
        Column("seq", Number, nullable=False),
        Column("hash", LargeBinary, nullable=False),
        sqlite_strict=True,
    )
    metadata.create_all(connection)
    if connection.dialect.name == "sqlite":
        for statement in log_triggers():
            connection.exec_driver_sql(statement)


def _entry(table: str) -> list[Column[bytes] | Column[str]]:
    """Hash, body and what is generated from the body."""
    searched: tuple[str, ...] = ("at",)
    if op.get_bind().dialect.name == "sqlite":
        searched += SEARCHED_ON_SQLITE[table]
    generated = [
        Column(path.replace(".", "_"), Key, Computed(json_text("body", *path.split(".")), persisted=False))
        for path in searched
    ]
    return [Column("hash", LargeBinary, nullable=False), Column("body", Text, nullable=False), *generated]
