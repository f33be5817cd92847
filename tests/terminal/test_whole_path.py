"""The whole path by keys, in a real terminal, with a second console watching (issue 2: ask → consent → start → log a
view → end), on the command's own home: what a person with two hands and a mailbox would do."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.terminal.headless import ANN, SUE, Home
from tests.terminal.headless import home as home  # the fixtures, by their names
from tests.terminal.headless import prepared as prepared
from tests.terminal.tmux import Terminal

REASON = "Refund 8841 shows completed, payment event 991 never reached the bank; only the live ledger row tells why"


def console(home: Home, who: str, columns: int, rows: int) -> Terminal:
    """A console of this person; the homes differ where two run, the shared database is one."""
    command = [sys.executable, "-m", "app", "--home", str(home.path), "--as", who]
    return Terminal(command, columns=columns, rows=rows, env={"PYTHONPATH": str(Path.cwd())})


@pytest.fixture(params=[(80, 24), (120, 36), (200, 50)], ids=lambda size: f"{size[0]}x{size[1]}")
def ann(home: Home, request: pytest.FixtureRequest) -> Iterator[Terminal]:
    with console(home, ANN, *request.param) as terminal:
        terminal.wait_for("live")
        yield terminal


def test_ask_consent_start_view_end_by_keys_while_a_super_watches(home: Home, ann: Terminal) -> None:
    """REQ-101, 104, 105, 201, 205, 206, 210, 801."""
    with console(home, SUE, 120, 36) as super_console:
        super_console.wait_for("live")
        _ask(ann, home)
        super_console.wait_for("T-48271", "awaits tenant")

        home.process("worker", "--once")  # the consoles deliver within a second themselves; no need to wait for it
        home.process("consent", "approve", home.token("maria"))
        ann.wait_for("approved")

        ann.press("s")
        ann.wait_for("now?")
        ann.press("y")  # the code given for asking covers the start for two minutes (REQ-702)
        ann.wait_for("RUNNING")
        super_console.press("2")
        super_console.wait_for("RUNNING", "Northwind")

        ann.press("l")
        ann.wait_for("Log what you viewed")  # the name has the focus
        ann.type("payment event 991")
        ann.press("C-s")
        super_console.wait_for("payment event 991")

        ann.wait_for("RUNNING", gone=["Log what you viewed"])
        ann.press("x")
        ann.wait_for("cause found")
        ann.type("the callback was lost")
        ann.press("C-s")
        ann.wait_for("ENDED TODAY")
        super_console.wait_for("ENDED TODAY")

    assert home.ok("session", "list", "--active", "--json").document == []
    assert home.ok("audit", "verify", "--all").status == 0


def _ask(ann: Terminal, home: Home) -> None:
    """The form, by Tab alone."""
    ann.press("n")
    ann.wait_for("Ask for access")
    for typed, offered in (("northw", "Northwind Travel"), ("maria", "Maria Santos")):
        ann.type(typed)
        ann.wait_for(offered)
        ann.press("Enter")
        ann.wait_for(f"✓ {offered}")
    for text in ("T-48271", REASON):
        ann.type(text)
        ann.press("Tab")
    ann.press("Space")  # logs
    ann.press(*["Tab"] * 5)
    ann.type("the logs end at the gateway and hold no ledger state")
    ann.press("Tab")
    ann.type("refund 8841, payment event 991")
    ann.press("Tab")
    ann.type("2")
    ann.press("C-s")
    ann.wait_for("code")
    ann.type(home.code(ANN))
    ann.press("Enter")
    ann.wait_for("awaits tenant")
