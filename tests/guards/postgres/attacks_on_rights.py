"""Attacks with plain SQL: what a log-in has no right to, and what rights there are used for harm."""

# ruff: noqa: E501  (what an attacker types stays as typed)

from __future__ import annotations

from tests.guards.postgres.attacker import Attacker, Strike, attack

NO_RIGHT = "42501"
EVERYONE = "ann,lee,noor,dee,portal,gate,worker"


def typed(it: Attacker, text: str) -> Strike:
    return lambda: it.sql(text)


def may_make_temporary_tables(it: Attacker) -> None:
    """As on a server whose owner gave that right back: the attack is then stopped by what comes next."""
    it.as_superuser(f"grant temporary on database {it.database} to public")


@attack(EVERYONE, NO_RIGHT)
def updating_a_row(it: Attacker) -> Strike:
    """UPDATE a request to approved."""
    return typed(it, "update countersign.request set image = replace(image, 'pending', 'approved')")


@attack("ann,lee,portal", NO_RIGHT)
def inserting_an_entry(it: Attacker) -> Strike:
    """INSERT an entry into the log."""
    return typed(
        it,
        "insert into countersign.operator_log (seq, hash, body) select seq + 1, hash, body from countersign.operator_log",
    )


@attack("ann,lee,worker", NO_RIGHT)
def deleting_entries(it: Attacker) -> Strike:
    """DELETE the newest entries."""
    return typed(it, "delete from countersign.operator_log where seq > 10")


@attack("ann,lee,gate", NO_RIGHT)
def truncating_the_log(it: Attacker) -> Strike:
    """TRUNCATE the log."""
    return typed(it, "truncate countersign.operator_log")


@attack("ann", NO_RIGHT)
def moving_the_head(it: Attacker) -> Strike:
    """Move the log's head, to skip numbers."""
    return typed(it, "update countersign.log_head set seq = seq + 10")


@attack("ann,noor,portal,gate,worker", NO_RIGHT)
def reading_secrets(it: Attacker) -> Strike:
    """Read the second factors' secrets."""
    return typed(it, "select * from countersign.credential")


@attack("ann", NO_RIGHT)
def reading_codes_in_flight(it: Attacker) -> Strike:
    """Read codes that colleagues have just typed."""
    return typed(it, "select * from countersign.attempt")


@attack("ann", NO_RIGHT)
def reading_answers(it: Attacker) -> Strike:
    """Read the answers to colleagues' commands."""
    return typed(it, "select * from countersign.command")


@attack("ann,portal", NO_RIGHT)
def writing_a_row_by_its_function(it: Attacker) -> Strike:
    """Call the function that writes rows for `apply`."""
    return typed(it, "select countersign.put('request', 'R', '{}', 1, true)")


@attack("ann,portal", NO_RIGHT)
def writing_a_change_unguarded(it: Attacker) -> Strike:
    """Call the function that writes a Change once the guards have passed it."""
    return typed(it, "select countersign.write_change('{}', '{}', '{}', '{}', 1, '', '')")


@attack("ann", NO_RIGHT)
def computing_anothers_code(it: Attacker) -> Strike:
    """Have the database compute codes."""
    return typed(it, "select countersign.totp('x', 1)")


@attack("ann,lee", NO_RIGHT)
def disabling_triggers(it: Attacker) -> Strike:
    """ALTER TABLE … DISABLE TRIGGER ALL."""
    return typed(it, "alter table countersign.request disable trigger all")


@attack("ann,lee", NO_RIGHT)
def as_a_replica(it: Attacker) -> Strike:
    """SET session_replication_role = replica, which silences ordinary triggers."""
    return typed(it, "set session_replication_role = replica")


@attack("ann,lee,portal", NO_RIGHT)
def becoming_the_owner(it: Attacker) -> Strike:
    """SET ROLE to the owner of everything."""
    return typed(it, "set role countersign_owner")


@attack("ann", NO_RIGHT)
def becoming_the_portal(it: Attacker) -> Strike:
    """SET ROLE to the portal's role."""
    return typed(it, "set role countersign_portal")


@attack("ann", NO_RIGHT)
def becoming_a_colleague(it: Attacker) -> Strike:
    """SET SESSION AUTHORIZATION to a colleague."""
    return typed(it, f'set session authorization "{it.company.role("lee")}"')


@attack("ann", "CSP01")
def hiding_behind_the_group(it: Attacker) -> Strike:
    """SET ROLE to the staff group, to be nobody: the actor is still the log-in."""
    it.sql("set role countersign_staff")
    return it.striking(it.change(it.me(name="lee"), [{"action": "log.exported", "data": {"log": "operator"}}]))


@attack("ann", NO_RIGHT)
def granting_oneself_a_role(it: Attacker) -> Strike:
    """GRANT oneself the portal's role."""
    return typed(it, f'grant countersign_portal to "{it.company.role("ann")}"')


@attack("ann", NO_RIGHT)
def a_log_in_of_ones_own(it: Attacker) -> Strike:
    """CREATE ROLE, to have a second log-in."""
    return typed(it, "create role mallory login")


@attack("ann,lee", NO_RIGHT)
def being_somebody_else_by_the_table(it: Attacker) -> Strike:
    """Write into the table that says whose a log-in is."""
    return typed(it, "update countersign.login set id = 'x'")


@attack("ann", NO_RIGHT)
def an_inheritance_child(it: Attacker) -> Strike:
    """Make a child table of a row table, whose rows would be read with the parent's."""
    may_make_temporary_tables(it)
    return typed(it, "create temp table sneaked () inherits (countersign.request)")


@attack("ann", NO_RIGHT)
def a_rule_on_a_table(it: Attacker) -> Strike:
    """CREATE RULE, to turn inserts aside."""
    return typed(it, "create rule away as on insert to countersign.operator_log do instead nothing")


@attack("ann", NO_RIGHT)
def a_function_in_the_schema(it: Attacker) -> Strike:
    """Replace a guard by one that finds everything right."""
    return typed(
        it, "create or replace function countersign.guard_p04(c jsonb) returns void language sql as 'select 1'"
    )


@attack("ann", NO_RIGHT)
def locking_a_table(it: Attacker) -> Strike:
    """LOCK TABLE, so that nobody can end a session."""
    return lambda: _in_a_transaction(it, "lock table countersign.session in access exclusive mode")


@attack("ann", NO_RIGHT)
def locking_the_head(it: Attacker) -> Strike:
    """SELECT … FOR UPDATE on the head, to stop the whole company."""
    return lambda: _in_a_transaction(it, "select * from countersign.log_head for update")


def _in_a_transaction(it: Attacker, text: str) -> object:
    with it.line.transaction():
        return it.sql(text)


@attack("ann", NO_RIGHT)
def ending_a_colleagues_connection(it: Attacker) -> Strike:
    """pg_terminate_backend on a colleague's connection."""
    pid = it.another("lee").sql("select pg_backend_pid()")[0][0]
    return typed(it, f"select pg_terminate_backend({pid})")


@attack("ann", "CSP01")
def shadowing_a_table(it: Attacker) -> Strike:
    """A temporary table `login` that says one is Lee, and pg_temp first in the search path."""
    may_make_temporary_tables(it)
    it.sql("create temp table login as select current_user::text as role_name, 'staff'::text as kind, 'x'::text as id")
    it.sql("create temp table staff (id text, image text, rev bigint)")
    it.sql("set search_path = pg_temp, countersign, public")
    return it.striking(it.change(it.me(name="lee"), [{"action": "log.exported", "data": {"log": "operator"}}]))


@attack("ann", "CSP01")
def shadowing_a_function(it: Attacker) -> Strike:
    """Temporary functions and an operator with the names that guards use."""
    may_make_temporary_tables(it)
    it.sql(
        "create function pg_temp.clock_timestamp() returns timestamptz language sql as $$ select now() - interval '1 day' $$"
    )
    it.sql("create function pg_temp.never(jsonb, jsonb) returns boolean language sql as 'select false'")
    it.sql("create operator pg_temp.<> (leftarg = jsonb, rightarg = jsonb, function = pg_temp.never)")
    it.sql("set search_path = pg_temp, pg_catalog")
    return it.striking(it.change(it.me(name="lee"), [{"action": "log.exported", "data": {"log": "operator"}}]))
