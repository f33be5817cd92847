"""The portal: links to sign in, sessions of browsers, API keys."""

from __future__ import annotations

from alembic import op

from storage.shared.migrations.making import make_row_table

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Create the tables."""
    connection = op.get_bind()
    make_row_table(connection, "sign_in_link", "contact_id")
    make_row_table(connection, "portal_session", "contact_id")
    make_row_table(connection, "api_key", "tenant_id")
