"""Attacks by whoever owns the database: refused while the triggers stand, and once they are taken off, found out by a
running console."""

# ruff: noqa: E501  (what an attacker types stays as typed)

from __future__ import annotations

import json

from tests.guards.postgres.attacker import DETECTED, Attacker, Strike, attack

OWNER = "set role countersign_owner"


def typed(it: Attacker, *texts: str) -> Strike:
    def strike() -> object:
        for text in texts:
            it.sql(text)
        return None

    return strike


CHANGED = 'update countersign.request set image = replace(image, \'"state":"pending"\', \'"state":"approved"\')'


@attack("postgres", "CSP02")
def owner_updates_a_row(it: Attacker) -> Strike:
    """The owner UPDATEs a request to approved."""
    it.sql(OWNER)
    return typed(it, CHANGED)


@attack("postgres", "CSP02")
def superuser_updates_as_a_replica(it: Attacker) -> Strike:
    """The superuser sets session_replication_role = replica and UPDATEs a request."""
    it.sql("set session_replication_role = replica")
    return typed(it, CHANGED)


@attack("postgres", "CSP02")
def owner_deletes_a_row(it: Attacker) -> Strike:
    """The owner DELETEs a decision."""
    it.sql(OWNER)
    return typed(it, "delete from countersign.decision")


@attack("postgres", "CSP02")
def owner_inserts_a_row(it: Attacker) -> Strike:
    """The owner INSERTs a consent link under an old number."""
    it.sql(OWNER)
    return typed(
        it,
        "insert into countersign.consent_link (id, image, rev) select 'x', image, rev from countersign.consent_link limit 1",
    )


@attack("postgres", "CSP02")
def owner_calls_the_function_that_writes(it: Attacker) -> Strike:
    """The owner calls `put` by hand, the function that writes rows for `apply`."""
    it.sql(OWNER)
    return typed(it, "select countersign.put('request', id, replace(image, '\"pending\"', '\"approved\"'), rev + 1, false) from countersign.request where image like '%\"pending\"%'")  # fmt: skip


LIKE_PUT = """
create function public.put(table_name text, key text, new_image text, new_rev bigint, fresh boolean) returns boolean language plpgsql as $$
begin
  update countersign."request" set image = new_image, rev = new_rev where id = key;
  return fresh;
end $$;
create function public.write_change(change jsonb, pieces text[], listed text[], fresh boolean[], seq bigint, hash text, at text) returns jsonb language plpgsql as $$
declare ok boolean;
begin
  ok := public.put('request', change->>'id', change->>'image', seq, false);
  return change;
end $$;
create function public.apply(change jsonb) returns jsonb language plpgsql as $$
begin
  return public.write_change(change, '{}', '{}', '{}', (change->>'rev')::bigint, '', '');
end $$"""


@attack("postgres", "CSP02")
def superuser_makes_functions_like_ours(it: Attacker) -> Strike:
    """The superuser makes functions of the same names, with the same statements, and lets them write a request."""
    it.sql(LIKE_PUT)
    return typed(it, "select public.apply(jsonb_build_object('id', id, 'image', replace(image, 'pending', 'approved'), 'rev', rev + 1)) from countersign.request where image like '%\"pending\"%'")  # fmt: skip


FORGED = (
    'update countersign."request" set image = new_image, rev = new_rev where id = key{}\n'
    "PL/pgSQL function countersign.put(text,text,text,bigint,boolean) line 14 at SQL statement\n"
    "PL/pgSQL function countersign.write_change(jsonb,text[],text[],boolean[],bigint,text,text) line 48 at assignment\n"
    "PL/pgSQL function countersign.apply(jsonb) line 51 at RETURN{}"
)


@attack("postgres", "42601")
def superuser_forges_the_account_of_who_calls(it: Attacker) -> Strike:
    """The superuser EXECUTEs a statement whose text goes on as PostgreSQL's account of who called it."""
    return typed(it, "do $do$ begin execute $sql$" + FORGED.format('"', '"') + "$sql$; end $do$")


@attack("postgres", "CSP02")
def superuser_forges_it_in_a_comment(it: Attacker) -> Strike:
    """The same in a comment, on a temporary function's variables."""
    body = FORGED.replace("new_image", "image || ' '").replace("new_rev", "rev + 1").replace("= key", "= id")
    return typed(it, "do $do$ begin execute $sql$" + body.format('/*"', "*/") + "$sql$; end $do$")


@attack("postgres", "CSP01")
def owner_changes_an_entry(it: Attacker) -> Strike:
    """The owner changes an entry's reason."""
    it.sql(OWNER)
    return typed(it, "update countersign.operator_log set body = replace(body, 'Refund', 'Rebate')")


@attack("postgres", "CSP01")
def owner_deletes_an_entry(it: Attacker) -> Strike:
    """The owner deletes the newest entries of a tenant's log."""
    it.sql(OWNER)
    return typed(it, "delete from countersign.tenant_log where seq > 2")


@attack("postgres", "CSP01")
def owner_truncates(it: Attacker) -> Strike:
    """The owner TRUNCATEs the log."""
    it.sql(OWNER)
    return typed(it, "truncate countersign.operator_log")


@attack("postgres", "CSP02")
def superuser_truncates_rows_as_a_replica(it: Attacker) -> Strike:
    """The superuser TRUNCATEs the sessions, with session_replication_role = replica."""
    it.sql("set session_replication_role = replica")
    return typed(it, "truncate countersign.session")


@attack("postgres", "CSP01")
def owner_moves_the_head_back(it: Attacker) -> Strike:
    """The owner sets the head back, so that numbers repeat."""
    it.sql(OWNER)
    return typed(it, "update countersign.log_head set seq = seq - 1 where log = 'operator'")


@attack("postgres", "CSP01")
def owner_skips_numbers(it: Attacker) -> Strike:
    """The owner INSERTs an entry that leaves a gap."""
    it.sql(OWNER)
    return typed(it, "insert into countersign.operator_log (seq, hash, body) select seq + 5, hash, body from countersign.operator_log order by seq desc limit 1")  # fmt: skip


@attack("postgres", "CSP01")
def owner_repeats_an_entry(it: Attacker) -> Strike:
    """The owner INSERTs the newest entry once more, under the next number."""
    it.sql(OWNER)
    return typed(it, "insert into countersign.operator_log (seq, hash, body) select seq + 1, hash, body from countersign.operator_log order by seq desc limit 1")  # fmt: skip


@attack("postgres", "CSP01")
def superuser_forges_a_linked_entry(it: Attacker) -> Strike:
    """The superuser INSERTs an entry in Lee's name, numbered, linked and hashed as it should be."""
    lee = json.dumps({key: value for key, value in it.me(name="lee").items() if key not in ("ip", "step_up")})
    body = f"""(select jsonb_set(jsonb_set(body::jsonb || jsonb_build_object('actor', '{lee}'::jsonb), '{{seq}}', to_jsonb(seq + 1)), '{{prev}}', to_jsonb(encode(hash, 'hex')))::text
               from countersign.operator_log order by seq desc limit 1)"""
    return typed(it, f"insert into countersign.operator_log (seq, hash, body) select (select max(seq) + 1 from countersign.operator_log), sha256('\\x00'::bytea || convert_to(b, 'UTF8')), b from (select {body} as b) as x")  # fmt: skip


@attack("postgres", "CSP01")
def superuser_applies_as_staff(it: Attacker) -> Strike:
    """The superuser calls `apply` as Lee."""
    return it.striking(it.change(it.me(name="lee"), [{"action": "log.exported", "data": {"log": "operator"}}]))


def untied(it: Attacker, table: str, text: str) -> Strike:
    return typed(it, f"alter table countersign.{table} disable trigger all", text)


@attack("postgres", *DETECTED)
def superuser_takes_the_triggers_off_and_updates(it: Attacker) -> Strike:
    """The superuser disables the triggers and UPDATEs a request to approved."""
    return untied(it, "request", CHANGED)


@attack("postgres", *DETECTED)
def superuser_takes_the_triggers_off_and_deletes(it: Attacker) -> Strike:
    """The superuser disables the triggers and DELETEs the decisions."""
    return untied(it, "decision", "delete from countersign.decision")


@attack("postgres", *DETECTED)
def superuser_rewrites_history(it: Attacker) -> Strike:
    """The superuser disables the triggers and rewrites an entry."""
    return untied(it, "operator_log", "update countersign.operator_log set body = replace(body, 'Refund', 'Rebate')")


@attack("postgres", *DETECTED)
def superuser_cuts_the_log(it: Attacker) -> Strike:
    """The superuser disables the triggers and cuts the newest entries off, head and all."""
    return typed(
        it,
        "alter table countersign.operator_log disable trigger all",
        "alter table countersign.log_head disable trigger all",
        "delete from countersign.operator_log where seq > 20",
        "update countersign.log_head set seq = 20, hash = (select hash from countersign.operator_log where seq = 20) where log = 'operator'",
    )


@attack("postgres", *DETECTED)
def superuser_empties_a_tenants_log(it: Attacker) -> Strike:
    """The superuser disables the triggers and TRUNCATEs the tenants' logs."""
    return untied(it, "tenant_log", "truncate countersign.tenant_log")


@attack("postgres", *DETECTED)
def superuser_breeds_a_child(it: Attacker) -> Strike:
    """The superuser makes an inheritance child of the requests, with a row of its own in it."""
    return typed(
        it,
        "create table countersign.sneaked (check (true)) inherits (countersign.request)",
        "insert into countersign.sneaked (id, image, rev) select 'R-SNEAKED', replace(image, id, 'R-SNEAKED'), rev from only countersign.request limit 1",
    )


@attack("postgres", *DETECTED)
def superuser_gives_another_epoch(it: Attacker) -> Strike:
    """The superuser disables the triggers and gives the log another epoch, as a restored copy would have."""
    return untied(it, "log_head", "update countersign.log_head set epoch = 'other'")


def put_back(it: Attacker, table: str, text: str) -> Strike:
    """As somebody would who knows that guards are looked at: off, strike, and on again as they were, in one commit."""
    return typed(
        it,
        f"do $$ begin alter table countersign.{table} disable trigger all; {text};"
        f" alter table countersign.{table} enable trigger all;"
        f" alter table countersign.{table} enable always trigger p0{2 if table == 'request' else 1}_never;"
        f" alter table countersign.{table} enable always trigger p0{2 if table == 'request' else 1}_{'listed' if table == 'request' else 'follows'}; end $$",
    )


@attack("postgres", *DETECTED)
def superuser_puts_the_guards_back(it: Attacker) -> Strike:
    """The superuser disables the triggers, UPDATEs a request to approved and enables them again, in one commit."""
    return put_back(it, "request", CHANGED)


@attack("postgres", *DETECTED)
def superuser_rewrites_history_and_puts_the_guards_back(it: Attacker) -> Strike:
    """The superuser disables the triggers, rewrites an entry and enables them again, in one commit."""
    return put_back(it, "operator_log", "update countersign.operator_log set body = replace(body, 'Refund', 'Rebate')")


@attack("postgres", *DETECTED)
def superuser_replaces_a_guard_and_puts_it_back(it: Attacker) -> Strike:
    """The superuser replaces the function of a guard, DELETEs the decisions and puts the function back, in one commit."""
    return typed(
        it,
        """do $do$ declare guard text; begin
             select pg_get_functiondef('countersign.never'::regproc) into guard;
             create or replace function countersign.never() returns trigger language plpgsql as $$ begin return null; end $$;
             delete from countersign.decision;
             execute guard; end $do$""",
    )


@attack("postgres", *DETECTED)
def superuser_writes_around_by_a_rule(it: Attacker) -> Strike:
    """The superuser makes a rule by which letters are never stored."""
    return typed(it, "create rule nowhere as on insert to countersign.mail do instead nothing")


@attack("postgres", *DETECTED)
def superuser_drops_a_guard(it: Attacker) -> Strike:
    """The superuser drops the trigger that lists rows, and INSERTs a consent link under an old number."""
    return typed(
        it,
        "drop trigger p02_listed on countersign.consent_link",
        "insert into countersign.consent_link (id, image, rev) select 'x', replace(image, id, 'x'), rev from countersign.consent_link limit 1",
    )
