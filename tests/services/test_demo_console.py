"""`countersign demo` in a real terminal: nothing to set up, and the world moves while one watches (REQ-803)."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.terminal.tmux import NeverShown, Terminal

ROOT = Path(__file__).parent.parent.parent
REV = re.compile(r"rev ([\d,]+)")
SAME_COUNT = re.compile(r"1 Queue ([1-9]\d*) .*\n +\1 open")


def console(home: Path, *more: str, columns: int = 120, rows: int = 36) -> Terminal:
    command = [sys.executable, "-m", "app", "--home", str(home), "demo", *more]
    return Terminal(command, columns=columns, rows=rows, env={"PYTHONPATH": str(ROOT)})


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("demo")


@pytest.fixture
def engineer(home: Path) -> Iterator[Terminal]:
    with console(home) as terminal:
        terminal.wait_for("1 Queue", "F9", "ann@ops", "rev ", seconds=90)
        yield terminal


def revision(screen: str) -> int:
    found = REV.search(screen)
    return int(found[1].replace(",", "")) if found else 0


def wait_beyond(terminal: Terminal, rev: int, seconds: float = 60) -> None:
    wait_until(terminal, lambda screen: revision(screen) > rev, f"nothing was done beyond rev {rev}", seconds)


def wait_until(terminal: Terminal, condition: Callable[[str], object], complaint: str, seconds: float = 60) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        if condition(terminal.screen()):
            return
        time.sleep(0.05)  # the poll of a condition
    raise NeverShown(f"{complaint}; the screen was:\n{terminal.screen()}")


def test_the_tab_counts_what_the_queue_calls_open(engineer: Terminal) -> None:
    """ux.md, principle 5: one number, counted in one way."""
    wait_until(engineer, SAME_COUNT.search, "the tab and the list count differently")


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
    type_code(engineer)
    engineer.wait_for("inside now", gone=("A fresh code",))


def test_the_whole_path_by_keys(home: Path) -> None:
    """Ask, consent, start, log a view, end: by nothing but keys, in a world that needs no set-up (REQ-803)."""
    reason = "Refund 8841 shows completed, but the money never arrived; the stored state has to be compared live."
    with console(home) as terminal:
        terminal.wait_for("1 Queue", "F9", "rev ", seconds=90)
        end_what_runs(terminal)
        terminal.press("1", "n")
        terminal.wait_for("Ask for access")
        for text, shown, field in (("coho", "Coho Vineyards", "✓ Coho"), ("gino", "Gino Serra", "✓ Gino Serra")):
            terminal.type(text)
            terminal.wait_for(shown)
            terminal.press("Enter")
            terminal.wait_for(field)
        for text, keys in (
            ("T-51001", ("Tab",)),
            (reason, ("Tab", "Space", *["Tab"] * 5)),
            ("the log does not show the stored state of the payment", ("Tab",)),
            ("refund 8841", ("Tab",)),
            ("2", ()),
        ):
            terminal.type(text)
            terminal.wait_for(text[:20])
            terminal.press(*keys)
        terminal.wait_for("ready: ^S sends it")
        terminal.press("C-s")
        terminal.wait_for("A fresh code: send the request")
        type_code(terminal)
        terminal.wait_for("T-51001", "awaits tenant", gone=("A fresh code",))
        terminal.press("F9")
        terminal.wait_for("Coho Vineyards (T-51001)")  # the letters are delivered within a second
        press_until(terminal, "Home", "subject  Ann Castellan asks to enter Coho Vineyards (T-51001)")
        terminal.press("a")
        terminal.wait_for("link     approved")
        terminal.press("Escape")
        terminal.wait_for("ready to start", "T-51001", gone=("you are the tenant's admin here",))
        terminal.press("s")
        terminal.wait_for("now?")  # the code of the request covers the start for two minutes
        terminal.press("y")
        terminal.wait_for("inside now", "T-51001")
        terminal.press("2")
        stand_on_mine(terminal)
        terminal.press("l")
        terminal.wait_for("Log what you viewed")
        terminal.type("refund 8841")
        terminal.press("C-s")
        terminal.wait_for("1 record in 1 view")
        terminal.press("x")
        terminal.wait_for("cause found")
        terminal.type("the bank's answer was lost")
        terminal.press("C-s")
        terminal.wait_for("1 Queue", gone=("cause found",))
        terminal.wait_for("▸ 6/8")


def press_until(terminal: Terminal, key: str, shown: str) -> None:
    """Press a key until the screen says so: what is listed may still be coming in."""
    until = time.monotonic() + 20
    while shown not in terminal.screen():
        if time.monotonic() > until:
            raise NeverShown(terminal.screen())
        terminal.press(key)
        time.sleep(0.3)  # the poll of a condition


def type_code(terminal: Terminal) -> None:
    """F8 types the code; while it is used up there is none, and the next is waited for."""
    until = time.monotonic() + 45
    while time.monotonic() < until:
        terminal.press("F8")
        time.sleep(0.3)  # the poll of a condition
        if re.search(r"│ \d{6} ", terminal.screen()):
            terminal.press("Enter")
            return
    raise NeverShown(terminal.screen())


def stand_on_mine(terminal: Terminal) -> None:
    """Move the cursor of the board to Ann's running session."""
    terminal.wait_for("RUNNING")
    for number in range(40):  # the row may still be coming in: from the top again, every few steps
        terminal.press("Home" if number % 5 == 0 else "Down")
        until = time.monotonic() + 0.7
        while time.monotonic() < until:  # a key takes a moment to show
            if re.search(r"^▸ [^\n]*▓[^\n]*Ann Cast", terminal.screen(), re.MULTILINE):
                return
            time.sleep(0.05)  # the poll of a condition
    raise NeverShown(terminal.screen())


def end_what_runs(terminal: Terminal) -> None:
    """An engineer has one session at a time."""
    terminal.press("2")
    screen = terminal.wait_for("left", "running")
    if any("Ann Cast" in line and "▓" in line for line in screen.splitlines()):
        stand_on_mine(terminal)
        terminal.press("x")
        terminal.wait_for("cause found")
        terminal.type("seen")
        terminal.press("C-s")
        terminal.wait_for("1 Queue", gone=("cause found",))


def test_a_second_console_in_another_terminal_shares_the_world(engineer: Terminal, home: Path) -> None:
    with console(home, "--as", "super", columns=80, rows=24) as other:
        other.wait_for("dana@ops", "F9", "rev ", seconds=60)
        wait_beyond(other, revision(engineer.screen()) - 1)
