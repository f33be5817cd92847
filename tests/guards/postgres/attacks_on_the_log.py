"""Attacks on the log itself and on what belongs together: entries, rows, numbers, times, actors."""

# ruff: noqa: E501  (what an attacker types stays as typed)

from __future__ import annotations

from tests.guards.postgres.attacker import Attacker, Json, Strike, attack, canonical


def withdrawing(it: Attacker, actor: Json | None = None, entry: Json | None = None, **more: object) -> Json:
    """A lawful Change of Ann's, to be spoilt."""
    gone = it.row("request", it.company.pending, state="withdrawn")
    about = it.about("request.withdrawn", it.company.pending)
    return it.change(actor or it.me(), [{**about, **(entry or {})}], ("request", gone, 0), **more)


@attack("ann", "no refusal")
def a_lawful_withdrawal(it: Attacker) -> Strike:
    """(To see that the others fail for the right reason: the very same Change, unspoilt, is applied.)"""
    return it.striking(withdrawing(it))


@attack("dee", "CSP12")
def deactivated_withdraws(it: Attacker) -> Strike:
    """A deactivated person, whose log-in was forgotten, records something under their own name."""
    return it.striking(it.change(it.me(), [{"action": "log.exported", "data": {"log": "operator"}}]))


@attack("dee", "CSP12")
def deactivated_gives_a_code(it: Attacker) -> Strike:
    """A deactivated person begins a step-up."""
    return lambda: it.sql("select countersign.step_up_begin('000000', 'session.start', '10.0.0.9')")


@attack("noor", "CSP12", "CSP01")
def an_auditor_changes_something(it: Attacker) -> Strike:
    """An auditor withdraws a request."""
    return it.striking(withdrawing(it))


@attack("ann,raj,lee,noor,dee", "CSP01")
def a_foreign_actor(it: Attacker) -> Strike:
    """Act as Dana, a super, by writing her name into the Change."""
    return it.striking(it.change(it.me(name="dana"), [{"action": "log.exported", "data": {"log": "operator"}}]))


@attack("ann", "CSP01")
def another_name(it: Attacker) -> Strike:
    """Act under one's own id, but under Dana's name."""
    return it.striking(withdrawing(it, {**it.me(), "name": "Dana Weiss"}))


@attack("ann,portal,gate", "CSP01")
def as_the_platform(it: Attacker) -> Strike:
    """Act as the platform's system."""
    return it.striking(withdrawing(it, {**it.clock(), "id": "platform", "name": "platform"}))


@attack("gate", "CSP12")
def the_gate_does_more_than_it_may(it: Attacker) -> Strike:
    """The gate's log-in withdraws a request under its own name."""
    return it.striking(withdrawing(it, {**it.clock(), "kind": "gate", "id": "gate", "name": "gate"}))


@attack("ann", "CS002")
def back_dated(it: Attacker) -> Strike:
    """Send a Change that is dated an hour ago."""
    return it.striking(withdrawing(it, at=it.later(hours=-1)))


@attack("ann", "CS001")
def on_an_old_reading(it: Attacker) -> Strike:
    """Send a Change that rests on a revision which is no more."""
    change = withdrawing(it)
    change["reads"] = [[t, k, rev - 1] for t, k, rev in change["reads"]]
    return it.striking(change)


@attack("ann", "CSP02")
def unread(it: Attacker) -> Strike:
    """Overwrite a row without saying what one had read."""
    return it.striking(withdrawing(it, reads=[]))


@attack("ann", "CSP03")
def an_entry_without_a_change(it: Attacker) -> Strike:
    """Put into the log that the tenant approved, and change nothing."""
    return it.striking(it.change(it.me(), [it.about("request.withdrawn", it.company.pending)]))


@attack("ann", "CSP02", "CSP03")
def a_change_without_its_entry(it: Attacker) -> Strike:
    """Withdraw, and call it an export of the log."""
    gone = it.row("request", it.company.pending, state="withdrawn")
    return it.striking(it.change(it.me(), [{"action": "log.exported"}], ("request", gone, 0)))


@attack("ann", "CS003")
def no_entry_at_all(it: Attacker) -> Strike:
    """Withdraw without any entry."""
    return it.striking({**withdrawing(it), "entries": []})


@attack("ann", "CS003")
def under_an_entry_that_is_not_there(it: Attacker) -> Strike:
    """Write a row under the seventh entry of a Change that has one."""
    change = withdrawing(it)
    change["writes"][0][3] = 7
    return it.striking(change)


@attack("ann", "CSP03")
def two_entries_for_one_act(it: Attacker) -> Strike:
    """Withdraw once, and have it in the log twice."""
    change = withdrawing(it)
    return it.striking({**change, "entries": change["entries"] * 2})


@attack("ann", "CSP03")
def hidden_from_the_tenant(it: Attacker) -> Strike:
    """Withdraw with an entry that names no tenant, so that it misses in the tenant's log."""
    return it.striking(withdrawing(it, entry={"tenant": None}))


@attack("ann", "CSP03")
def in_another_tenants_log(it: Attacker) -> Strike:
    """Withdraw with an entry that goes to another tenant's log."""
    return it.striking(withdrawing(it, entry={"tenant": "contoso"}))


@attack("ann", "CSP03")
def under_another_ticket(it: Attacker) -> Strike:
    """Withdraw with an entry that names another ticket."""
    return it.striking(withdrawing(it, entry={"ticket": "T-0"}))


@attack("ann", "CS003")
def an_action_made_up(it: Attacker) -> Strike:
    """Record an act that no list knows."""
    return it.striking(withdrawing(it, entry={"action": "request.forgotten"}))


@attack("ann", "CS003")
def an_image_of_another_row(it: Attacker) -> Strike:
    """Write one row's image under another's key: the digest would be another row's."""
    change = withdrawing(it)
    change["writes"][0][1] = it.company.ready
    return it.striking(change)


@attack("ann", "CS003")
def an_image_that_reads_two_ways(it: Attacker) -> Strike:
    """Write an image with a key twice, which two readers may read differently."""
    change = withdrawing(it)
    image = change["writes"][0][2]
    change["writes"][0][2] = image[:-1] + ',"state":"approved"}'
    return it.striking(change)


@attack("ann", "CS003")
def into_a_table_of_no_rows(it: Attacker) -> Strike:
    """Write into the table that says which log-in is whom."""
    change = withdrawing(it)
    change["writes"].append(["login", "x", '{"id":"x"}', 0])
    return it.striking(change)


@attack("ann", "CS003")
def a_command_row_of_ones_own(it: Attacker) -> Strike:
    """Write the answer that a colleague's next command will get."""
    change = withdrawing(it)
    change["writes"].append(["command", "x", '{"id":"x"}', 0])
    return it.striking(change)


@attack("ann,raj", "CSP12")
def promoting_oneself(it: Attacker) -> Strike:
    """Make an account for oneself, as a super."""
    person = {**it.row("staff", it.company.people["ann"]), "id": "U-NEW", "email": "new@ops.example", "role": "super", "created_at": it.now()}  # fmt: skip
    return it.striking(
        it.change(it.me(), [{"action": "staff.added", "data": {"staff": "U-NEW"}}], ("staff", person, 0))
    )


@attack("ann,lee", "CSP12", "CSP03")
def changing_a_role(it: Attacker) -> Strike:
    """Overwrite one's account with another role."""
    who = it.me()["id"]
    person = it.row("staff", who, role="auditor" if it.name == "lee" else "super")
    return it.striking(it.change(it.me(), [{"action": "staff.added", "data": {"staff": who}}], ("staff", person, 0)))


@attack("lee", "CSP12")
def a_second_account(it: Attacker) -> Strike:
    """A super makes a second account for a person, under a +tag."""
    person = {**it.row("staff", it.company.people["ann"]), "id": "U-NEW", "email": "Ann+2@OPS.example", "created_at": it.now()}  # fmt: skip
    return it.striking(
        it.change(it.me(), [{"action": "staff.added", "data": {"staff": "U-NEW"}}], ("staff", person, 0))
    )


@attack("ann", "CSP12")
def a_colleagues_second_factor(it: Attacker) -> Strike:
    """Replace a colleague's second factor by one's own, with a true code."""
    own = {"id": it.company.people["raj"], "sealed_secret": "JBSWY3DPEHPK3PXP", "recovery_hashes": [], "last_step": 0, "failures": 0, "locked_until": None}  # fmt: skip
    entry = {"action": "credential.enrolled", "data": {"staff": own["id"]}}
    return it.striking(it.change(it.me(it.proof("staff.enrol")), [entry], ("credential", own, 0)))


@attack("ann", "CSP12")
def deactivating_a_super(it: Attacker) -> Strike:
    """An engineer deactivates a super."""
    gone = it.row("staff", it.company.people["lee"], deactivated_at=it.now())
    return it.striking(
        it.change(it.me(), [{"action": "staff.deactivated", "data": {"staff": gone["id"]}}], ("staff", gone, 0))
    )


@attack("ann", "no refusal")
def the_same_id_twice(it: Attacker) -> Strike:
    """Send a Change twice with one id and other content the second time: it gets the first one's answer, and no more."""
    change = withdrawing(it)
    it.apply(change)
    other = it.row("request", it.company.ready, state="withdrawn")
    again = {**change, "writes": [["request", other["id"], canonical(other), 0]]}

    def strike() -> object:
        assert it.apply(again)["repeated"]
        assert it.row("request", it.company.ready)["state"] == "approved"
        return None

    return strike
