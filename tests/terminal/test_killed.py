"""`kill -9` at any moment, of real commands and of real consoles: what was acknowledged is there, once; the logs have
no gap; and the home's own copy recovers by itself (issue 2, must show 4)."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from tests.terminal.headless import ANN, Home
from tests.terminal.headless import home as home  # the fixtures, by their names
from tests.terminal.headless import prepared as prepared
from tests.terminal.pty import Pty, plain

LATEST_SECONDS = {"command": 1.5, "console": 3.0}
"""Nobody is killed later than this after their start, but for those that are killed at their word."""
AT_ITS_WORD = 0.3
"""The share that is killed the moment it has said that it is done."""


@dataclass
class Killer:
    """Starts them, kills them, and remembers what each had said before."""

    home: Home
    session: str
    rng: random.Random
    who: str = ANN
    database: str = ""
    acknowledged: set[str] = field(default_factory=set)
    killed: int = 0

    def _moment(self, kind: str) -> float | None:
        return None if self.rng.random() < AT_ITS_WORD else self.rng.uniform(0, LATEST_SECONDS[kind])

    def _program(self) -> list[str]:
        where = ["--database", self.database] if self.database else []
        return [sys.executable, "-m", "app", "--home", str(self.home.path), "--as", self.who, *where]

    def command(self, name: str) -> None:
        """`countersign session log`; its word is the document on stdout."""
        moment = self._moment("command")
        words = ["session", "log", self.session, "--kind", "record", "--name", name, "--json"]
        run = subprocess.Popen([*self._program(), *words], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        assert run.stdout is not None
        with run.stdout as stdout:
            if moment is None:
                said = stdout.read(1)
            else:
                with contextlib.suppress(subprocess.TimeoutExpired):  # as meant: it is still at work
                    run.wait(moment)
                said = b""
            self.killed += run.poll() is None
            run.kill()
            run.wait()
            said += stdout.read()
        if said:
            self.acknowledged.add(name)

    def console(self, name: str) -> None:
        """`l`, a name, `^S` in a console; its word is the notification."""
        moment = self._moment("console")
        word = f"logged in {self.session}"
        steps = [("live · rev", "2"), ("RUNNING", "l"), ("Log what you viewed", name), (name, "\x13"), (word, "")]
        with Pty(self._program(), env=dict(os.environ)) as terminal:
            started, since = time.monotonic(), 0  # a minute was too short on a machine that was busy with ten suites
            while steps and (moment is None or time.monotonic() < started + moment):
                assert time.monotonic() < started + 180, terminal.text()[-2000:]
                terminal.read(0.02)
                wanted, keys = steps[0]
                if wanted in plain(bytes(terminal.output[since:])):
                    since = len(terminal.output)
                    terminal.write(keys)
                    steps.pop(0)
            os.kill(terminal.pid, signal.SIGKILL)
            terminal.wait_quiet()
            if word in terminal.text():
                self.acknowledged.add(name)
        self.killed += 1

    def recorded(self) -> list[str]:
        """The names of the views in the shared database."""
        with contextlib.closing(sqlite3.connect(self.home.database)) as shared:
            return [name for (name,) in shared.execute("SELECT json_extract(image, '$.name') FROM session_view")]


@pytest.mark.parametrize("kills", [20, pytest.param(200, marks=pytest.mark.long)])
def test_random_kills_lose_no_acknowledged_command_and_leave_no_gap(home: Home, kills: int) -> None:
    killer = Killer(home, home.inside()["id"], random.Random(f"kills {kills}"))
    ways: tuple[Callable[[str], None], ...] = (killer.command, killer.command, killer.console)
    for number in range(kills):
        ways[number % len(ways)](f"look-{number:03}")

    recorded = killer.recorded()
    lost = killer.acknowledged.difference(recorded)
    print(
        f"\n{kills} runs, {killer.killed} killed at work: {len(killer.acknowledged)} acknowledged, {len(lost)} lost, "
        f"{len(set(recorded) - killer.acknowledged)} done and not yet told"
    )
    assert not lost
    assert len(recorded) == len(set(recorded)), "none is there twice"
    assert killer.acknowledged, "some came as far as their word"

    assert home.process("audit", "verify", "--all", "--json").document["faults"] == []
    shown = home.process("session", "show", killer.session, "--json").document
    assert shown["views"] == len(recorded), "the home's own copy has them all"
    assert home.process("doctor").status == 0
    assert not list(home.path.rglob("*.corrupt-*")), "and it needed no making anew"
