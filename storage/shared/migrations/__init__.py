"""The schema's history (alembic), run by program: no alembic.ini, no command of its own.

`HEAD` and `REVISIONS` are repeated here as plain text so that opening a database costs no import of alembic (a third
of a second); a test holds them to what the scripts say.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sqlalchemy import Connection

REVISIONS: tuple[str, ...] = ("0001", "0002", "0003")
"""Every revision there is, oldest first."""
HEAD = REVISIONS[-1]
SCRIPTS = Path(__file__).parent


def upgrade(connection: Connection) -> None:
    """Bring the schema behind this connection to HEAD, inside the transaction that is open on it."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, HEAD)
