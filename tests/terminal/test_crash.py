"""An error that nobody expected, in the running console: words and the log file's path, never a traceback (ux.md,
Manners); the terminal is a person's again, and the exit status is 70."""

from __future__ import annotations

import json
import os
import sys

import pytest

from tests.terminal.headless import SUE, Home
from tests.terminal.headless import home as home  # the fixtures, by their names
from tests.terminal.headless import prepared as prepared
from tests.terminal.pty import Pty

QUEUE = "from screens.queue import QueueScreen as queue\n"
BREAK = {
    "in what a key does": "queue.do_filter = lambda self: {}['what-nobody-has']",
    "in a worker": "async def act(self): {}['what-nobody-has']\nqueue.do_filter = act",
    "in what is drawn": "from widgets.bars import TopBar as bar\n"
    "def act(self):\n    bar.render = lambda self: {}['what-nobody-has']\n    self.query_one(bar).refresh()\n"
    "queue.do_filter = act",
}


@pytest.mark.parametrize("where", BREAK)
def test_an_error_nobody_expected_is_told_in_words_and_kept_in_the_log_file(home: Home, where: str) -> None:
    broken = f"{QUEUE}{BREAK[where]}\nfrom app.__main__ import main\nmain()"
    command = [sys.executable, "-c", broken, "--home", str(home.path), "--as", SUE]
    with Pty(command, env=dict(os.environ)) as terminal:
        terminal.wait_for("live")
        before = len(terminal.output)
        terminal.write("/")
        _, status = os.waitpid(terminal.pid, 0)
        terminal.wait_quiet()
        said = bytes(terminal.output[before:])

    log = home.path / "logs" / "countersign.log"
    after = said.rpartition(b"\x1b[?1049l")[2].decode()
    assert os.waitstatus_to_exitcode(status) == 70
    assert b"\x1b[?1049l" in said, "the terminal's own screen is back"
    assert "an error in Countersign itself: KeyError" in after
    assert str(log) in "".join(after.split("\r\n"))
    assert b"Traceback" not in said and b"console.py" not in said
    (line,) = [json.loads(one) for one in log.read_text("utf-8").splitlines()]
    assert line["event"] == "crash" and "what-nobody-has" in line["exception"]
