"""kill -9 of a console while it asks, keeps and sends, over PostgreSQL: what it had said is in the log, once; its home
recovers by itself; nobody else notices (issue 2, must show 4; issue 3, section 4)."""

from __future__ import annotations

import asyncio
import random
import time
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from tests.faults.console import WorkingConsole
from tests.faults.field import Field
from tests.faults.killed_process import server, type_until_killed
from tests.faults.page import tell
from tests.faults.team import Person
from tests.terminal.headless import Home
from tests.terminal.test_killed import Killer

ROUNDS = pytest.mark.parametrize("rounds", [2, pytest.param(100, marks=pytest.mark.long)])


class Victims:
    """Each person's second machine, where consoles die. `killed`: processes of each kind."""

    def __init__(self, field: Field, home: Path) -> None:
        self.field, self.home = field, home
        self.killed = {"console without a screen": 0, "console in a terminal": 0, "command": 0}

    def damaged(self) -> list[Path]:
        """Copies that were set aside."""
        return list(self.home.rglob("*.corrupt-*"))

    async def one_dies(self, number: int) -> tuple[WorkingConsole, list[str]]:
        """Its home, opened again, and what the dead one had said."""
        field, person = self.field, self.field.team.people[number % 3]
        home, prefix = self.home / f"{person.name}-victim", f"{person.name}-dies-{number}"
        url = person.url(field.database, field.port)
        if number % 10 == 9:
            said = await asyncio.to_thread(self._real, person, url, home, prefix, number)
        else:
            said = await asyncio.to_thread(self._forked, person, url, home, prefix)
            self.killed["console without a screen"] += 1
        self.field.wire.mend()
        return WorkingConsole(person, url, home), said

    def _forked(self, person: Person, url: str, home: Path, prefix: str) -> list[str]:
        """Killed after some words, anywhere within the next command; every other time over a network that is cut."""
        context, chance = server(), self.field.chance
        ours, theirs = context.Pipe(duplex=False)
        process = context.Process(
            target=type_until_killed, args=(home, url, person.email, person.session, prefix, theirs)
        )
        process.start()
        theirs.close()
        said = self._heard(ours, chance)
        process.kill()
        process.join()
        with open(ours.fileno(), "rb", closefd=False) as pipe:
            said += pipe.read().split(b"\n")
        ours.close()
        return [line.decode() for line in said if line]

    def _heard(self, ours: Connection, chance: random.Random) -> list[bytes]:
        cut_after = chance.randint(1, 3) if chance.random() < 0.5 else None
        said = []
        with open(ours.fileno(), "rb", buffering=0, closefd=False) as pipe:
            for number in range(chance.randint(1, 6)):
                if number == cut_after:
                    self.field.wire.cut()
                line = bytearray()
                while not line.endswith(b"\n"):
                    piece = pipe.read(1)
                    assert piece, "it ended by itself"
                    line += piece
                said.append(bytes(line).strip())
        if cut_after is not None and chance.random() < 0.5:
            self.field.wire.mend()
        until = time.monotonic() + chance.uniform(0, 0.1)
        while time.monotonic() < until:  # anywhere within the next command
            pass
        return said

    def _real(self, person: Person, url: str, home: Path, prefix: str, number: int) -> list[str]:
        """The program itself: a console in a terminal, or a command."""
        killer = Killer(Home(home), person.session, self.field.chance, who=person.email, database=url)
        if number % 20 == 9:
            killer.console(prefix)
            self.killed["console in a terminal"] += 1
        else:
            killer.command(prefix)
            self.killed["command"] += killer.killed
        return sorted(killer.acknowledged)


@ROUNDS
async def test_a_killed_console_loses_nothing_it_said(field: Field, tmp_path: Path, rounds: int) -> None:
    victims = Victims(field, tmp_path)
    lost: list[str] = []
    said_in_all = 0
    first = 9 if rounds == 2 else 0  # a short run sees the program itself, and one forked
    for number in range(first, first + rounds):
        again, said = await victims.one_dies(number)
        ended = time.monotonic()
        await again.open()
        await field.until(lambda: again.settled(field.ledger.head()))  # noqa: B023 - awaited right here
        field.tally.took.append(time.monotonic() - ended)
        assert again.settled(field.ledger.head()), again.why_not(field.ledger.head())
        await field.converged(ended)
        field.audit()
        lost += [name for name in said if field.ledger.done[name] != 1]
        said_in_all += len(said)
        assert not again.place.sync.status.faults and not again.answers.crashes
        assert not field.ledger.differences(again.place.replica.path)
        await again.close()
    assert not victims.damaged(), "no copy needed making anew"
    assert max(field.ledger.done.values()) == 1
    await field.compare_all()
    field.tally.lost += len(lost)
    field.applied = said_in_all
    killed = ", ".join(f"{count} × {kind}" for kind, count in victims.killed.items())
    row = field.row("kill -9 of a console", killed)
    tell(row)
    assert not lost and not field.tally.troubles, (lost, field.tally.troubles[:10])
    assert (row.twice, row.gaps, row.stuck) == (0, 0, 0)
    assert row.converged == row.of or rounds == 2  # `make test` asserts no duration
