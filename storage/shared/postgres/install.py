"""Making and upgrading the database: roles, tables, functions, guards, rights; as a superuser, or as a role that may
create roles and owns the database. Running it again changes nothing that is right already.

Everything belongs to a role that cannot log in. Guards are found by their name (`guard_pNN…`): adding one is dropping a
file into `sql/guards`.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from storage.errors import Misconfigured
from storage.log.entry import GENESIS, OPERATOR
from storage.shared.guards.case import Limits
from storage.shared.migrations import upgrade
from storage.shared.postgres import room
from storage.shared.postgres.limits import hold_to

SQL = Path(__file__).parent / "sql"
SCHEMA = "countersign"
FIRST_GUARDS = ("guard_p01", "guard_p02", "guard_p12")
"""Who acts and with what is asked before what they do."""
TIMEOUTS = {
    "statement_timeout": "30s",
    "lock_timeout": "10s",
    "idle_in_transaction_session_timeout": "5s",
    "tcp_keepalives_idle": "15",
    "tcp_keepalives_interval": "5",
    "tcp_keepalives_count": "3",
}
"""Of every log-in: nobody sits on the head for long, and a connection whose network is gone does not count against the
person's 20 for longer than half a minute (the server's own default is more than two hours)."""


@dataclass(frozen=True, slots=True)
class Roles:
    """The roles' names. Roles are the cluster's, not the database's: two installations in it need two prefixes."""

    prefix: str = SCHEMA

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[a-z][a-z0-9_]{0,40}", self.prefix):
            raise Misconfigured(f"{self.prefix!r} is no prefix for roles", "letters, digits and _, lower case")

    @property
    def owner(self) -> str:
        return f"{self.prefix}_owner"

    @property
    def staff(self) -> str:
        return f"{self.prefix}_staff"

    @property
    def services(self) -> dict[str, str]:
        """The programs' log-ins by kind."""
        return {kind: f"{self.prefix}_{kind}" for kind in ("portal", "gate", "worker")}

    def filled(self, sql: str) -> str:
        """SQL text with the roles' names in the places kept for them."""
        for kind, name in {"owner": self.owner, "staff": self.staff, **self.services}.items():
            sql = sql.replace(f"@{kind}@", name)
        return sql


def install(url: str, roles: Roles | None = None, limits: Limits | None = None) -> None:
    """Make or upgrade the schema in the database at `url`; blocks. Guards hold people to `limits`, if they are given:
    else to what they are held to already. Raises Misconfigured or Offline in words."""
    import psycopg
    from sqlalchemy import create_engine
    from sqlalchemy.exc import DBAPIError

    from storage.shared.postgres.faults import in_our_words

    roles = roles or Roles()
    engine = create_engine("postgresql+psycopg://", creator=lambda: psycopg.connect(url))
    try:
        with in_our_words(DBAPIError), engine.begin() as connection:
            raw = connection.connection.driver_connection
            _roles(raw, roles)
            _schema(raw, roles, lambda: upgrade(connection))
            _people(raw)
            room.keep(raw)
            if limits is not None:
                hold_to(raw, limits)
    finally:
        engine.dispose()


def _roles(connection: Any, roles: Roles) -> None:
    there = {name for (name,) in connection.execute("select rolname from pg_roles").fetchall()}
    for name in (roles.owner, roles.staff):
        if name not in there:
            connection.execute(f"create role {name} nologin")
    for name in roles.services.values():
        if name not in there:
            connection.execute(f"create role {name} login")
        for setting, value in TIMEOUTS.items():
            connection.execute(f"alter role {name} set {setting} = '{value}'")
    connection.execute(f"alter role {roles.owner} createrole")  # its functions make and end the people's log-ins
    connection.execute(f"grant {roles.staff} to {roles.owner} with admin option")
    connection.execute(f"grant {', '.join(roles.services.values())} to {roles.owner}")  # whose connections it may end
    connection.execute(f"grant {roles.owner} to current_user")


def _people(connection: Any) -> None:
    """Log-ins that an earlier version made get this version's timeouts (new ones: 037_staff_logins.sql)."""
    connection.execute("reset role")
    found = connection.execute(
        f"select l.role_name from {SCHEMA}.login as l join pg_roles as r on r.rolname = l.role_name"
        " where l.kind = 'staff' and starts_with(l.role_name, 'cs_')"
    )
    for (name,) in found.fetchall():
        for setting, value in TIMEOUTS.items():
            connection.execute(f"alter role {name} set {setting} = '{value}'")


def _schema(connection: Any, roles: Roles, migrate: Callable[[], None]) -> None:
    """Tables from the one set of models, then functions, guards, rights: all in the caller's transaction."""
    connection.execute(f"create schema if not exists {SCHEMA} authorization {roles.owner}")
    _pgcrypto(connection, roles)
    connection.execute(f"set local role {roles.owner}")
    connection.execute(f"set local search_path = {SCHEMA}")
    migrate()
    _take_away_what_is_not_ours(connection, roles)
    for path in sorted(SQL.glob("0[1-3]*.sql")):
        connection.execute(roles.filled(path.read_text()))
    connection.execute(hmac(connection))
    for statement in _derived():
        connection.execute(statement)
    connection.execute((SQL / "040_step_up.sql").read_text())
    for path in sorted((SQL / "guards").glob("*.sql")):
        connection.execute(roles.filled(path.read_text()))
    connection.execute(check_all(connection))
    connection.execute(
        "insert into log_head (log, epoch, seq, hash) select %s, %s, 0, %s where not exists (select from log_head)",
        (OPERATOR, secrets.token_hex(16), bytes.fromhex(GENESIS)),
    )
    for kind, name in roles.services.items():
        connection.execute("insert into login values (%s, %s, %s) on conflict do nothing", (name, kind, kind))
    connection.execute(roles.filled((SQL / "090_grants.sql").read_text()))


def _pgcrypto(connection: Any, roles: Roles) -> None:
    """Where the server has it; for our own functions alone, though everybody may call what an extension brings."""
    if not connection.execute("select 1 from pg_available_extensions where name = 'pgcrypto'").fetchone():
        return
    connection.execute(f"create extension if not exists pgcrypto schema {SCHEMA}")
    if _schema_of_pgcrypto(connection) == SCHEMA:
        connection.execute(f"revoke execute on all functions in schema {SCHEMA} from public")
        connection.execute(f"grant execute on all functions in schema {SCHEMA} to {roles.owner}")


def _schema_of_pgcrypto(connection: Any) -> str:
    """Empty where there is none."""
    there = connection.execute(
        "select n.nspname from pg_extension e join pg_namespace n on n.oid = e.extnamespace where extname = 'pgcrypto'"
    ).fetchone()
    return str(there[0]) if there else ""


def _take_away_what_is_not_ours(connection: Any, roles: Roles) -> None:
    """Functions of another version, and foreign ones; those that a trigger or an index stands on are replaced later."""
    from storage.shared.postgres.shipped import FREE, shipped

    ours = shipped(roles).functions
    found = connection.execute(
        "select p.proname, p.prosrc, p.oid::regprocedure::text from pg_proc as p"
        " where p.pronamespace = %s::regnamespace and not exists (select from pg_depend as d"
        " where d.objid = p.oid and d.deptype = 'e' or d.refobjid = p.oid)",
        (SCHEMA,),
    ).fetchall()
    for name, body, signature in found:
        if name not in FREE and (name, body) not in ours:
            connection.execute(f"drop function {signature}")


def _derived() -> Iterator[str]:
    from storage.shared.postgres import generated

    yield from generated.statements()
    yield generated.private_digests()


def hmac(connection: Any) -> str:
    """HMAC-SHA-1 by pgcrypto where it is, else by our own lines."""
    there = _schema_of_pgcrypto(connection)
    body = f"{there}.hmac(message, secret, 'sha1')" if there else f"{SCHEMA}.hmac_sha1_plain(secret, message)"
    return (
        f"create or replace function {SCHEMA}.hmac_sha1(secret bytea, message bytea) returns bytea language sql"
        f" immutable strict as $$ select {body} $$"
    )


def check_all(connection: Any) -> str:
    """The function that calls every guard there is."""
    found = connection.execute(
        "select proname from pg_proc where pronamespace = %s::regnamespace and proname ~ '^guard_p[0-9]{2}'", (SCHEMA,)
    ).fetchall()
    names = sorted((name for (name,) in found), key=lambda name: (not name.startswith(FIRST_GUARDS), name))
    head = f"create or replace function {SCHEMA}.check_all(the_case jsonb) returns void language plpgsql"
    return f"{head} as $${calls(names)}$$"


def calls(guards: Iterable[str]) -> str:
    """Every guard in turn, in one expression: PL/pgSQL would take longer to begin a statement for each."""
    asked = ",\n    ".join(f"{SCHEMA}.{name}(the_case)" for name in guards)
    return f"\ndeclare asked text;\nbegin\n  asked := concat('', {asked or 'null'});\nend "
