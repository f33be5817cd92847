"""Hostile text in every field that comes from outside reaches the terminal harmless, byte by byte (issue 2, section 4).

A real console on a real pseudo-terminal walks through every screen; everything it writes is parsed by a strict grammar
of what a terminal may be told. Whatever is not in it fails.
"""

from __future__ import annotations

import os
import re
import sys
import unicodedata
from pathlib import Path

import pytest

from tests.terminal.hostile import POISONS, prepare_home
from tests.terminal.pty import Pty, plain

OURS = re.compile(
    rb"\x1b\[[0-9;:<=>?]*[ -/]*[mHJKlhu]|\x1b\[\?[0-9]+\$p"  # colours, cursor, modes, and Textual asking for modes
    rb"|\x1b\][0-9]*;Countersign\x07"  # the window's title
    rb"|\x1b\]22;[a-z-]+(?:\x07|\x1b\\)"  # the pointer's shape
    rb"|\x1b[78=>]|\x1bP=[0-9]s\x1b\\|\x1b_G[^\x1b]*\x1b\\"
    rb"|[\r\n\x07]"
)
FORBIDDEN = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
DOWN, ENTER, ESCAPE = "\x1b[B", "\r", "\x1b"


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory, template: Path) -> Path:
    path = tmp_path_factory.mktemp("hostile")
    prepare_home(path, template)
    return path


def faults(output: bytes) -> list[str]:
    """Everything in the output that we never meant to say."""
    rest = OURS.sub(b"", output)
    text = rest.decode("utf-8", "surrogateescape")
    return [
        f"{unicodedata.name(c, hex(ord(c)))} in …{text[max(0, i - 20) : i + 20]!r}…"
        for i, c in enumerate(text)
        if unicodedata.category(c) in FORBIDDEN
    ][:5]


def open_console(home: Path, columns: int, rows: int, **env: str) -> Pty:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "VIRTUAL_ENV") if name in os.environ}
    command = [sys.executable, "-m", "app", "--home", str(home)]
    return Pty(command, columns=columns, rows=rows, env={**kept, "LANG": "C.UTF-8", "COLORTERM": "truecolor", **env})


@pytest.mark.parametrize(("columns", "rows"), [(80, 24), (200, 50)])
def test_hostile_text_reaches_the_terminal_harmless_on_every_screen(home: Path, columns: int, rows: int) -> None:
    with open_console(home, columns, rows) as console:
        console.wait_for("live")
        for mode in "1234":
            console.write(mode)
            console.wait_quiet()
            for _ in range(2 * len(POISONS)):
                console.write(DOWN)
                console.wait_quiet(0.03)
            for key in (ENTER, ESCAPE, "/", "\x1b", "?", ESCAPE, "!", ESCAPE):
                console.write(key)
                console.wait_quiet(0.15)
        assert not faults(bytes(console.output))
        shown = plain(bytes(console.output))
        assert "␛]52;c;" in shown
        assert "[bold red]EVIL-MARK" in shown


def test_each_entry_in_full_is_harmless_too(home: Path) -> None:
    with open_console(home, 120, 60) as console:
        console.wait_for("live")
        console.write("3")
        console.wait_quiet()
        for _ in range(6 * len(POISONS) + 1):
            console.write(ENTER)
            console.wait_quiet(0.04)
            console.write("G")
            console.wait_quiet(0.03)
            console.write(ESCAPE)
            console.wait_quiet(0.08)
            console.write(DOWN)
            console.wait_quiet(0.03)
        assert not faults(bytes(console.output))
        shown = plain(bytes(console.output))
        for mark in ("⟨U+202E⟩", "␀", "⟨U+009B⟩", "⟨U+200B⟩", "⟨U+E0041⟩", "marks⟩"):
            assert mark in shown


def test_without_colour_there_is_none_and_the_cursor_shows(home: Path) -> None:
    with open_console(home, 80, 24, NO_COLOR="1") as console:
        console.wait_for("live")
        console.write("3")
        console.wait_quiet()
        colours = re.findall(rb"\x1b\[([0-9;:]*)m", bytes(console.output))
        used = {int(one) for sequence in colours for one in re.split(rb"[;:]", sequence) if one}
        assert not used & {*range(30, 39), *range(40, 49), *range(90, 98), *range(100, 108)}
        assert "▸" in console.text()
