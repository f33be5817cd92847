"""A terminal that goes away takes its console with it, whoever had started that (REQ-703: a line that breaks)."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from tests.terminal.headless import ANN, Home
from tests.terminal.headless import home as home  # the fixtures, by their names
from tests.terminal.headless import prepared as prepared
from tests.terminal.pty import Pty

WAITS = """
import signal, subprocess, sys
signal.signal(signal.SIGHUP, lambda *_: None)
console = subprocess.Popen(sys.argv[2:])
with open(sys.argv[1], "w") as file:
    file.write(str(console.pid))
console.wait()
"""
"""As make, sudo or a script does: it hears of the hang-up, and waits for what it started."""


@pytest.mark.parametrize("leader", ["itself", "somebody who waits for it"])
def test_no_console_is_left_on_a_terminal_that_is_gone(home: Home, tmp_path: Path, leader: str) -> None:
    console = [sys.executable, "-m", "app", "--home", str(home.path), "--as", ANN]
    told = tmp_path / "pid"
    command = console if leader == "itself" else [sys.executable, "-c", WAITS, str(told), *console]
    environment = {**os.environ, "PYTHONPATH": str(Path.cwd())}
    with Pty(command, columns=80, rows=24, env=environment) as terminal:
        terminal.wait_for("live")
        pid = terminal.pid if leader == "itself" else int(told.read_text())
        terminal.hang_up()
        until = time.monotonic() + 30
        while is_running(pid):
            assert time.monotonic() < until, "the console runs on without a terminal"
            time.sleep(0.05)  # the poll of a condition


def is_running(pid: int) -> bool:
    """A process that has ended may still stand in the table, until somebody asks how."""
    try:
        return Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False
