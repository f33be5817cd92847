"""What someone does behind the program's back with `sqlite3` is told by a running console within seconds, and by
`audit verify` with exit status 1: which log, which number, what is wrong (REQ-403, 404, 405; issue 2, must show 3)."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.sync.behind import Intruder
from tests.terminal.headless import SUE, Home
from tests.terminal.headless import home as home  # the fixtures, by their names
from tests.terminal.headless import prepared as prepared
from tests.terminal.tmux import Terminal

Told = tuple[str, int, str]
"""Log, number, and words of what is wrong."""


def one_byte(behind: Intruder) -> Told:
    behind.run("UPDATE operator_log SET body = replace(body, 'Sue Park', 'Sue Bark') WHERE seq = 7")
    return "operator", 7, "bytes do not have the stored hash"


def one_byte_in_a_tenants_log(behind: Intruder) -> Told:
    behind.run(
        "UPDATE tenant_log SET body = replace(body, '\"v\":1', '\"v\":3') WHERE tenant_id = 'northwind' AND seq = 2"
    )
    return "tenant:northwind", 2, "bytes do not have the stored hash"


def an_entry_deleted(behind: Intruder) -> Told:
    behind.run("DELETE FROM operator_log WHERE seq = 9")
    return "operator", 9, "missing"


def two_entries_swapped(behind: Intruder) -> Told:
    behind.run(
        "UPDATE operator_log SET seq = -9 WHERE seq = 9",
        "UPDATE operator_log SET seq = 9 WHERE seq = 10",
        "UPDATE operator_log SET seq = 10 WHERE seq = -9",
    )
    return "operator", 9, "number 10"


def the_tail_cut(behind: Intruder) -> Told:
    """The heads are set back too: only who saw the head can know."""
    ((last,),) = behind.ask("SELECT seq FROM log_head WHERE log = 'operator'")
    assert isinstance(last, int)
    behind.run(
        f"DELETE FROM operator_log WHERE seq = {last}",
        f"DELETE FROM tenant_log WHERE operator_seq = {last}",
        "UPDATE log_head SET (seq, hash) = (SELECT seq, hash FROM operator_log ORDER BY seq DESC LIMIT 1)"
        " WHERE log = 'operator'",
        "UPDATE log_head SET (seq, hash) = (SELECT seq, hash FROM tenant_log WHERE tenant_id = 'northwind'"
        " ORDER BY seq DESC LIMIT 1) WHERE log = 'tenant:northwind'",
    )
    return "operator", last, f"this console saw number {last}"


def row_edited(table: str) -> Callable[[Intruder], Told]:
    def edit(behind: Intruder) -> Told:
        ((key, rev),) = behind.ask(f"SELECT id, rev FROM {table} ORDER BY id LIMIT 1")
        behind.run((f"UPDATE {table} SET image = json_set(image, '$.note', 'edited') WHERE id = ?", (key,)))
        assert isinstance(rev, int)
        return "operator", rev, f"table {table}, row {key}"

    return edit


BEHIND_THE_BACK: dict[str, Callable[[Intruder], Told]] = {
    "one byte": one_byte,
    "one byte in a tenant's log": one_byte_in_a_tenants_log,
    "an entry deleted": an_entry_deleted,
    "two entries swapped": two_entries_swapped,
    "the tail cut": the_tail_cut,
    **{f"a row of {table}": row_edited(table) for table in ("settings", "session_view", "credential", "command")},
}


@pytest.mark.parametrize("deed", BEHIND_THE_BACK)
def test_a_running_console_and_the_verifier_say_which_log_which_number_and_what(home: Home, deed: str) -> None:
    session = home.inside()
    home.ok("session", "log", session["id"], "--kind", "record", "--name", "refund 8841", who="ann@ops.example")
    home.ok("audit", "verify", "--all")
    command = [sys.executable, "-m", "app", "--home", str(home.path), "--as", SUE]
    with Terminal(command, columns=200, rows=50, env={"PYTHONPATH": str(Path.cwd())}) as console:
        console.wait_for("live · rev", "✓")
        log, number, what = BEHIND_THE_BACK[deed](Intruder(home.database))
        console.wait_for("FAULT")
        console.press("!")
        console.wait_for("FAULTS in the history", f"✗ {log}  no. {number:,}", what)

    verified = home.here("audit", "verify", "--all", "--json", who=SUE)
    assert verified.status == 1
    faults = verified.document["faults"]
    assert any((one["log"], one["seq"]) == (log, number) and what in one["what"] for one in faults), faults
