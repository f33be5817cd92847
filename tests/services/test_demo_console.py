"""`countersign demo` in a real terminal: nothing to set up, and the world moves while one watches (REQ-803)."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.terminal.tmux import NeverShown, Terminal

ROOT = Path(__file__).parent.parent.parent
REV = re.compile(r"rev ([\d,]+)")


def console(home: Path, *more: str, columns: int = 120, rows: int = 36) -> Terminal:
    command = [sys.executable, "-m", "app", "--home", str(home), "demo", *more]
    return Terminal(command, columns=columns, rows=rows, env={"PYTHONPATH": str(ROOT)})


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture
def engineer(home: Path) -> Iterator[Terminal]:
    with console(home) as terminal:
        terminal.wait_for("COUNTERSIGN", "F9", "ann@ops", "rev ", seconds=90)
        yield terminal


def revision(screen: str) -> int:
    found = REV.search(screen)
    return int(found[1].replace(",", "")) if found else 0


def wait_beyond(terminal: Terminal, rev: int, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if revision(terminal.screen()) > rev:
            return
        time.sleep(0.05)  # the poll of a condition
    raise NeverShown(f"nothing was done beyond rev {rev}; the screen was:\n{terminal.screen()}")


def test_the_demo_comes_up_by_itself_and_colleagues_act_while_one_watches(engineer: Terminal) -> None:
    assert "NEEDS ME" in engineer.screen()
    wait_beyond(engineer, revision(engineer.screen()))


def test_the_mailbox_pane_plays_the_tenant_and_the_queue_shows_the_decision(engineer: Terminal) -> None:
    """The letter about one's own request waits; `a` approves it by its link (REQ-105)."""
    engineer.press("F9")
    engineer.wait_for("you are the tenant's admin here", "Ann Castellan asks to enter Proseware")
    engineer.press("a")
    engineer.wait_for("link     approved")
    engineer.press("Escape")
    engineer.wait_for("Proseware", "approved", gone=("you are the tenant's admin here",))


def test_a_code_is_typed_by_a_key_and_starts_the_session(engineer: Terminal) -> None:
    """REQ-702 without a telephone: F8 types the code that is right now."""
    engineer.press("1")
    engineer.wait_for("NEEDS ME", "approved")
    engineer.press("s")
    engineer.wait_for("A fresh code")
    engineer.press("F8")
    engineer.press("Enter")
    engineer.wait_for("inside now", gone=("A fresh code",))


def test_a_second_console_in_another_terminal_shares_the_world(engineer: Terminal, home: Path) -> None:
    with console(home, "--as", "super", columns=80, rows=24) as other:
        other.wait_for("dana@ops", "F9", "rev ", seconds=60)
        wait_beyond(other, revision(engineer.screen()) - 1)
