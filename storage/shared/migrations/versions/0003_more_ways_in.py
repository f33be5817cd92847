"""Break-glass, emergencies and who may countersign when: reviews, the incident register, office hours and the rota."""

from __future__ import annotations

from alembic import op

from storage.shared.migrations.making import make_row_table

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Create the tables."""
    connection = op.get_bind()
    make_row_table(connection, "review", "tenant_id", "request_id", "signed_at")
    make_row_table(connection, "incident", "request_id")
    make_row_table(connection, "office_hours")
    make_row_table(connection, "on_call_shift", "ends_at")
