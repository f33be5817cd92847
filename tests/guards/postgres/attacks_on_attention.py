"""Attacks on what others can do: locks held against them, the server's files and memory, functions that are not meant."""

# ruff: noqa: E501  (what an attacker types stays as typed)

from __future__ import annotations

import json

import psycopg

from storage.models.row import parse_time, time_text
from tests.guards.postgres.attacker import Attacker, Json, Strike, attack
from tests.guards.postgres.attacks_on_consent import decision
from tests.guards.postgres.attacks_on_rights import NO_RIGHT, may_make_temporary_tables, typed

TOO_LARGE = "CS003"
TOO_DEEP = ("54001", "CS003", "CSP02")

# ── locks ──


@attack("ann", "no refusal")
def a_lock_on_a_colleagues_code(it: Attacker) -> Strike:
    """Take the advisory locks that a name could be guessed for: a super still gives a code at once."""
    it.sql("select pg_advisory_lock(hashtextextended('countersign attempt ' || %s, 0))", it.company.people["lee"])
    it.sql("select pg_advisory_lock(hashtextextended('countersign log-ins', 0))")
    lee = it.another("lee")
    lee.sql("set lock_timeout = '2s'")
    return lambda: lee.proof("session.force_end")


@attack("ann,portal", NO_RIGHT)
def a_lock_on_a_row(it: Attacker) -> Strike:
    """SELECT … FOR UPDATE, FOR SHARE of a colleague's standing, to hold up their commands."""
    return typed(it, "select 1 from countersign.standing for share")


@attack("ann,gate", NO_RIGHT)
def a_lock_in_the_mildest_mode_that_hurts(it: Attacker) -> Strike:
    """LOCK TABLE in SHARE mode, which stops writers only."""
    return typed(it, "begin; lock table countersign.operator_log in share mode; commit")


@attack("ann", NO_RIGHT)
def a_lock_on_the_log_ins(it: Attacker) -> Strike:
    """LOCK TABLE of the log-ins, so that nobody can be deactivated."""
    return typed(it, "begin; lock table countersign.login in access share mode; commit")


# ── the server ──


@attack("ann,portal", NO_RIGHT)
def a_program_of_the_server(it: Attacker) -> Strike:
    """COPY … FROM PROGRAM, to run a shell as the server."""
    may_make_temporary_tables(it)
    it.sql("create temp table seen (line text)")
    return typed(it, "copy seen from program 'id'")


@attack("ann", NO_RIGHT)
def a_file_of_the_server(it: Attacker) -> Strike:
    """Read a file of the server."""
    return typed(it, "select pg_read_file('postgresql.conf')")


@attack("ann", NO_RIGHT)
def a_large_object_from_a_file(it: Attacker) -> Strike:
    """Import a file of the server as a large object."""
    return typed(it, "select lo_import('/etc/passwd')")


@attack("ann,noor,gate", NO_RIGHT)
def a_disk_full_of_temporary_tables(it: Attacker) -> Strike:
    """Fill the server's disk with a temporary table."""
    return typed(it, "create temp table filling as select repeat('x', 1000) as x from generate_series(1, 1000000000)")


@attack("ann,portal,worker", NO_RIGHT)
def a_disk_full_of_large_objects(it: Attacker) -> Strike:
    """Fill the server's disk with large objects, which nobody sees in any table."""
    return typed(
        it, "select lo_from_bytea(0, convert_to(repeat('x', 1000000), 'UTF8')) from generate_series(1, 1000000)"
    )


@attack("ann", NO_RIGHT)
def an_empty_large_object(it: Attacker) -> Strike:
    """Make a large object to be filled piece by piece."""
    return typed(it, "select lo_create(0)")


@attack("ann,noor", NO_RIGHT)
def sorting_without_end(it: Attacker) -> Strike:
    """Lift the limit on files that sorting leaves on the disk."""
    return typed(it, "set temp_file_limit = -1")


@attack("lee,portal", TOO_LARGE)
def a_change_of_seventy_million_letters(it: Attacker) -> Strike:
    """The largest that even whoever imports whole files may not send: the head would be held for seconds."""
    return sent(it, it.change(it.me(name="lee"), [{"action": "log.exported", "data": {"words": "x" * 70_000_000}}]))


@attack("ann", "no refusal")
def bells_without_end(it: Attacker) -> Strike:
    """Notify every console ten thousand times, from a transaction that then hangs while it listens: others go on."""
    it.sql("begin")
    it.sql("listen countersign")
    it.sql("select pg_notify('countersign', n::text) from generate_series(1, 10000) as n")
    lee = it.another("lee")
    lee.sql("set lock_timeout = '2s'")
    return lambda: lee.apply(lee.change(lee.me(), [{"action": "log.exported", "data": {"log": "operator"}}]))


@attack("ann,noor,portal", NO_RIGHT)
def secrets_by_their_statistics(it: Attacker) -> Strike:
    """Read what the planner remembers of the secrets' column."""
    return typed(it, "select stavalues1 from pg_statistic where starelid = 'countersign.credential'::regclass")


@attack("ann", "no refusal")
def a_colleagues_statement(it: Attacker) -> Strike:
    """Read in pg_stat_activity what colleagues are sending, codes included: it is not shown."""
    lee = it.another("lee")
    lee.sql("select 'secret of lee'")

    def strike() -> None:
        seen = it.sql("select query from pg_stat_activity where usename = %s", it.company.role("lee"))
        assert seen and all("secret" not in query for (query,) in seen)

    return strike


@attack("ann,lee,noor,portal,gate,worker", "no refusal")
def whatever_anybody_may_call(it: Attacker) -> Strike:
    """List every function of the schema that one may call: no others than are meant for one."""
    meant = {"apply", "clock", "whoami", "admission"}
    if it.name in ("ann", "lee", "noor"):
        meant |= {"step_up_begin", "step_up", "staff_login_add", "staff_login_remove"}
    meant |= {"portal": {"shut"}, "worker": {"staff_login_remove", "departed", "watchdog", "take_lease"}}.get(
        it.name, set()
    )

    def strike() -> None:
        found = {
            name
            for (name,) in it.sql(
                "select p.proname from pg_proc as p where p.pronamespace = 'countersign'::regnamespace"
                " and has_function_privilege(p.oid, 'execute')"
            )
        }
        assert found <= meant, found - meant

    return strike


def sent(it: Attacker, change: Json) -> Strike:
    """Refused for its size, not for what else is wrong with it."""

    def strike() -> None:
        try:
            it.apply(change)
        except psycopg.Error as refused:
            assert "is too large" in str(refused), refused
            raise

    return strike


@attack("ann", TOO_LARGE)
def a_change_of_ten_million_letters(it: Attacker) -> Strike:
    """One Change as large as it can be sent, to hold the head while it is looked at."""
    return sent(it, it.change(it.me(), [{"action": "log.exported", "data": {"words": "x" * 10_000_000}}]))


@attack("ann", TOO_LARGE)
def ten_thousand_writes(it: Attacker) -> Strike:
    """One Change with ten thousand rows."""
    rows = [["mail", f"M-{n}", json.dumps({"id": f"M-{n}"}), 0] for n in range(10_000)]
    return sent(it, it.change(it.me(), [{"action": "log.exported"}], writes=rows, reads=[]))


@attack("ann", TOO_LARGE)
def two_thousand_entries(it: Attacker) -> Strike:
    """One Change with two thousand entries, each lawful by itself."""
    return sent(it, it.change(it.me(), [{"action": "log.exported"}] * 2000))


@attack("ann", TOO_LARGE)
def fifty_thousand_reads(it: Attacker) -> Strike:
    """One Change that rests on fifty thousand rows, each looked up while the head is held."""
    reads = [["mail", f"M-{n}", 0] for n in range(50_000)]
    return sent(it, it.change(it.me(), [{"action": "log.exported"}], writes=[], reads=reads))


@attack("ann", *TOO_DEEP)
def a_deep_change(it: Attacker) -> Strike:
    """JSON nested as deep as the parser goes, and then some."""
    return lambda: it.sql("select countersign.apply(%s::jsonb)", '{"id":' * 20_000 + "1" + "}" * 20_000)


# ── letters ──


@attack("ann", "CSP05")
def a_declaration_no_super_hears_of(it: Attacker) -> Strike:
    """Declare break-glass, and leave the letters to the supers out."""
    now, request = it.now(), it.company.undecided
    said = {"reason": "it burns", "declared_at": now, "countersigned_by": None, "countersigned_at": None, "cooling_since": None, "cooling_until": None}  # fmt: skip
    row = it.row("request", request, state="declared", break_glass=said)
    me = it.me(it.proof("break_glass.declare"))
    return it.striking(it.change(me, [it.about("break_glass.declared", request)], ("request", row, 0), told=False))


@attack("ann", "CSP05")
def a_request_no_admin_hears_of(it: Attacker) -> Strike:
    """Ask for access and write to nobody at the tenant, so that silence looks like a busy admin."""
    now, asked = it.now(), it.row("request", it.company.pending)
    until = time_text(parse_time(now) + (parse_time(asked["expires_at"]) - parse_time(asked["created_at"])))
    row = {**asked, "id": "R-SILENT", "created_at": now, "expires_at": until}
    entry = {**it.about("request.created", it.company.pending), "request": "R-SILENT"}
    return it.striking(it.change(it.me(it.proof("request.create")), [entry], ("request", row, 0), told=False))


@attack("ann", "CSP05")
def an_alarm_silenced(it: Attacker) -> Strike:
    """Meet the rate limit, mark the supers as alerted for an hour, and write to none of them."""
    quiet = it.row("standing", it.company.people["ann"], limit_alerted_at=it.now())
    asked = it.row("request", it.company.ready)
    said = {"engineer": quiet["id"], "wanted_tenant": asked["tenant_id"], "why": "5 sessions in the last hour"}
    met = {"action": "rate_limit.met", "request": asked["id"], "ticket": asked["ticket"], "data": said}
    return it.striking(it.change(it.me(), [met], ("standing", quiet, 0)))


@attack("raj", "CSP05")
def the_same_letter_twice(it: Attacker) -> Strike:
    """Write the same to an administrator twice, beside a lawful act, until they read nothing of ours any more."""
    request, full = it.row("request", it.company.full), it.company.full
    me = it.me()
    first = {
        "event": "request.declined", "to_id": "northwind/maria", "to_name": "Maria Santos", "to_email": "maria@northwind.example",
        "tenant_id": "northwind", "request_id": full, "session_id": None, "subject": "About your request", "links": [],
        "created_at": it.now(), "facts": "{}", "text": "", "urgent": False, "state": "queued", "attempts": 0, "tried_at": None,
        "last_error": None, "delivered_at": None, "failed_at": None, "answer": None,
    }  # fmt: skip
    declined = {**request, "declined_by": me["id"]}
    return it.striking(
        it.change(
            me,
            [it.about("request.declined", full)],
            ("request", declined, 0),
            ("decision", decision(it, full, "decline", me["id"], me["name"]), 0),
            ("mail", {"id": "M-ONE", **first}, 0),
            ("mail", {"id": "M-TWO", **first}, 0),
        )
    )
