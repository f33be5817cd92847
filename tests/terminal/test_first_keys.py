"""Keys pressed while the console is still starting do what they say, or say once why not (ux.md)."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.terminal.headless import ANN, Home
from tests.terminal.headless import home as home  # the fixtures, by their names
from tests.terminal.headless import prepared as prepared
from tests.terminal.tmux import Terminal


def starting(home: Home) -> Terminal:
    command = [sys.executable, "-m", "app", "--home", str(home.path), "--as", ANN]
    terminal = Terminal(command, columns=80, rows=24, env={"PYTHONPATH": str(Path.cwd())})
    terminal.wait_for("1 Queue")
    return terminal


def test_number_keys_in_a_burst_end_where_the_last_one_says(home: Home) -> None:
    """A screen on the way, shown for the first time, eats none of them."""
    with starting(home) as terminal:
        terminal.type("234")
        terminal.wait_for("log head", "Northwind Travel")
        terminal.wait_for("live")
        terminal.type("1231")
        terminal.wait_for("no open requests")


def test_the_form_opens_before_the_shared_database_is_open(home: Home) -> None:
    with starting(home) as terminal:
        terminal.type("n")
        terminal.wait_for("Ask for access")


def test_what_must_wait_says_so_once(home: Home) -> None:
    with starting(home) as terminal:
        terminal.type("swcaws4")
        screen = terminal.wait_for("log head")
        assert screen.count("Not now") <= 1
