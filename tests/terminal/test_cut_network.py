"""Two consoles on one PostgreSQL, a third whose network is cut: what each shows before, during and after (issue 3, must
show 1; REQ-802)."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.faults.team import Person, Server, Team, made
from tests.faults.wire import Wire
from tests.terminal.headless import ASK, Home
from tests.terminal.tmux import Terminal

ASKED = {**ASK, "--tenant": "fabrikam", "--target": "eva", "--mode": "read_only", "--minutes": "30"}
ANEW = ("request", "create", *(word for pair in ASKED.items() for word in pair))
SIZE = {"columns": 80, "rows": 24}


class Office:
    """Ann behind a network of her own, Raj and Sue beside the server; each at a console of 80×24."""

    def __init__(self, server: Server, team: Team, wire: Wire, home: Path, stack: ExitStack) -> None:
        self.database, self.wire, self.home, self._stack = team.database, wire, home, stack
        self.socket = server.home
        self.people = {one.name: one for one in team.people}

    def url(self, person: Person) -> str:
        if person.name == "ann":
            return person.url(self.database, self.wire.port)
        return f"postgresql://{person.role}@/{self.database}?host={self.socket}"

    def sits_down(self, name: str) -> Terminal:
        person = self.people[name]
        flags = ["--home", str(self.home / name), "--database", self.url(person), "--as", person.email]
        command = [sys.executable, "-m", "app", *flags]
        environment = {"NO_COLOR": "1", "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
        terminal = self._stack.enter_context(Terminal(command, env=environment, **SIZE))
        terminal.wait_for("live · rev", seconds=60)
        return terminal

    def notes(self, terminal: Terminal, name: str) -> None:
        """Log a view in one's running session."""
        terminal.press("2")
        terminal.wait_for("RUNNING", seconds=60)
        terminal.press("l")
        terminal.wait_for("Log what you viewed", seconds=60)
        terminal.type(name)
        terminal.wait_for(name, seconds=60)
        terminal.press("C-s")


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    with ExitStack() as stack:
        server = Server()
        stack.callback(server.close)
        team = made(server)
        wire = Wire(server.socket)
        stack.callback(wire.close)
        yield Office(server, team, wire, tmp_path, stack)


def seen(terminal: Terminal, **records: int) -> str:
    """The board, once it counts so many records seen by each."""
    return terminal.wait_for_match(
        *(rf"{name.title()} Ops .* {count}/~2" for name, count in records.items()), seconds=60
    )


def test_what_three_consoles_show_while_the_network_of_one_is_cut(office: Office) -> None:
    ann, raj, sue = (office.sits_down(name) for name in ("ann", "raj", "sue"))
    sue.press("2")
    seen(sue, ann=0, raj=0)

    # before: what one does, the others see
    office.notes(ann, "invoice-before")
    for screen in (ann, sue):
        assert "live · rev" in seen(screen, ann=1, raj=0)

    # during: said with its age; words are kept, what adds privilege is refused with the reason; others work on
    office.wire.cut()
    ann.wait_for("OFFLINE", "reading the copy", seconds=60)
    office.notes(ann, "invoice-during")
    kept = ann.wait_for("OFFLINE", "1 queued, not in force", seconds=60)
    assert re.search(r"OFFLINE (now|\d+[sm])", kept), kept
    office.notes(raj, "ledger-during")
    for screen in (raj, sue):
        shown = seen(screen, ann=1, raj=1)
        assert "live · rev" in shown and "OFFLINE" not in shown, "nobody else sees what is not in force"
    seen(ann, ann=1, raj=0)
    person = office.people["ann"]
    flags = ("--database", office.url(person), *ANEW, "--otp", "000000")
    refused = Home(office.home / "ann").run(*flags, who=person.email)
    assert refused.status == 4 and "what adds privilege needs the shared database itself" in refused.err, refused

    # after: sent once, caught up, by itself
    office.wire.mend()
    ann.wait_for("live · rev", seconds=60, gone=("OFFLINE", "queued, not in force"))
    for screen in (ann, raj, sue):
        assert "live · rev" in seen(screen, ann=2, raj=1)
