"""The first schema: rows with their images, the logs with their heads, and the triggers that keep them.

Made from `storage.models.tables` as they are: nobody has a database of an earlier form. Before revision 0002 changes
those tables, this revision is to keep its own copy of them.
"""

from __future__ import annotations

from alembic import op

from storage.models.tables import ROW_TABLES, metadata
from storage.shared.triggers import trigger_statements

SEARCHED_IN_REPLICAS_ONLY = {
    "operator_log": ("action", "actor_id", "tenant", "request", "session", "ticket", "change"),
    "tenant_log": ("action",),
}
"""PostgreSQL must store what it generates: parsing each entry ten times over cost 170 µs under everyone's lock."""

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Create every table, index and trigger."""
    metadata.create_all(op.get_bind())
    if op.get_bind().dialect.name == "sqlite":
        for statement in trigger_statements(ROW_TABLES):
            op.get_bind().exec_driver_sql(statement)
    else:
        for table, columns in SEARCHED_IN_REPLICAS_ONLY.items():
            for column in columns:
                op.drop_column(table, column)
