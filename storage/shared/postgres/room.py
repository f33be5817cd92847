"""Nobody with a log-in fills the server's disk beside the log: no temporary tables, large objects or endless sorting.

PostgreSQL lets every log-in do all three, and a full disk stops everybody. What the installer has no right to forbid (a
superuser's matters, where a provider keeps that log-in) stays as it is, and `doctor` says so. The first and the last
are the database's own, not its content's: a copy or a restored dump has them again after `init --upgrade`.
"""

from __future__ import annotations

from typing import Any

MAKERS = ("lo_creat(integer)", "lo_create(oid)", "lo_from_bytea(oid, bytea)")
"""Whatever makes a large object; importing a file of the server's is a superuser's anyway."""
SORTED_AT_MOST = "2GB"
"""Of temporary files, for each connection: a bootstrap of a long history sorts nothing, and `psql` may."""


def keep(connection: Any) -> None:
    """As far as the installer may. Anyone may then still write Changes: each is in the log, under their name."""
    found = connection.execute(
        "select quote_ident(d.datname), pg_has_role(d.datdba, 'usage'), r.rolsuper from pg_database as d, pg_roles as r"
        " where d.datname = current_database() and r.rolname = current_user"
    ).fetchone()
    database, owns, super_ = found
    if owns or super_:
        connection.execute(f"revoke temporary on database {database} from public")
    if super_:
        for maker in MAKERS:
            connection.execute(f"revoke execute on function pg_catalog.{maker} from public")
        connection.execute(f"alter database {database} set temp_file_limit = '{SORTED_AT_MOST}'")
