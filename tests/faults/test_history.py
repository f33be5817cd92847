"""A promoted standby that had not received the last commits, and an old backup in the place of the database: whoever
saw more says that the history does not continue, keeps the evidence, refuses what adds privilege, and never quietly
forgets what it saw (design.md, "The core idea"; REQ-405)."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.services.sessions import start
from app.services.tenants import TenantRecord, import_records
from storage.errors import ForkedHistory
from tests.faults.console import WorkingConsole
from tests.faults.field import PATIENCE, SOON, Field
from tests.faults.page import tell
from tests.faults.team import Server, Team, made
from tests.faults.wire import Wire

ROUNDS = pytest.mark.parametrize("rounds", [1, pytest.param(100, marks=pytest.mark.long)])


class Story:
    """Rounds of lost history: what they came to, added up over all fields."""

    def __init__(self) -> None:
        self.rounds = self.applied = self.lost = self.untold = self.consoles = 0
        self.took: list[float] = []
        self.began = time.monotonic()

    async def told(self, field: Field, saw: list[WorkingConsole], mended: float) -> None:
        """Every console that saw what is lost says so, and holds on to it."""
        waiting = list(saw)

        def look() -> bool:
            for one in [one for one in waiting if one.place.sync.status.live and one.place.sync.status.forked]:
                waiting.remove(one)
                self.took.append(time.monotonic() - mended)
            return not waiting

        await field.until(look, PATIENCE)
        self.untold += len(waiting)
        assert not waiting, [one.place.sync.status for one in waiting]
        for one in saw:
            await self._holds_on(one)

    async def _holds_on(self, one: WorkingConsole) -> None:
        status, place = one.place.sync.status, one.place
        assert any("saw" in fault.what or "another history" in fault.what for fault in status.faults), status.faults
        assert list(place.launch.paths.evidence.glob("*.json")), "the evidence is kept"
        before = place.replica.position()
        actor = place.actor()
        with pytest.raises(ForkedHistory):
            if one.person.session:
                await place.desk.run(start, actor, "R-AAAAAA", otp="000000")
            else:
                await place.desk.run(import_records, actor, [TenantRecord("not-now", "Not now", "free")])
        with pytest.raises(ForkedHistory):
            await place.sync.pull()
        assert place.replica.position() == before, "nothing was resynchronised"
        assert not one.answers.crashes, one.answers.crashes

    def row(self, field: Field, fault: str) -> None:
        self.applied += sum(len(one.answers.applied) for one in field.consoles)
        row = field.row(fault, f"{self.lost} commands gone with the old server, each told by every console that saw it")
        took = sorted(self.took)
        tell(
            type(row)(
                fault, self.rounds, self.consoles, self.applied, 0, self.untold, 0, 0,
                sum(seconds <= SOON for seconds in took), len(took) + self.untold, took[len(took) // 2], took[-1],
                self.untold, time.monotonic() - self.began, row.note,
            )
        )  # fmt: skip
        assert took[-1] <= SOON or self.rounds == 1  # `make test` asserts no duration


async def _commands(field: Field, answers: int) -> None:
    """Everybody works, then rests; all are at the head."""
    for one in field.consoles:
        one.start_typing()
    await field.more(answers)
    await field.converged(time.monotonic())


def _lost(field: Field) -> int:
    """Acknowledged commands that are not in the database that answers now."""
    field.ledger.seq, field.ledger.hash, field.ledger.heads = 0, "0" * 64, {}
    field.ledger.done.clear()
    field.ledger.read_on()
    assert (field.ledger.gaps, field.ledger.broken) == (0, 0)
    return sum(not field.ledger.done[name] for one in field.consoles for name in one.answers.applied)


@pytest.fixture
def primaries() -> Iterator[list[Server]]:
    """Servers of this test; the last is the primary of the day."""
    running: list[Server] = [Server()]
    yield running
    for one in running:
        one.gone()


@ROUNDS
async def test_a_promoted_standby_that_lost_commits(primaries: list[Server], tmp_path: Path, rounds: int) -> None:
    """Those who saw the lost commits say so; whose copy ends before them just goes on."""
    story = Story()
    team = await asyncio.to_thread(made, primaries[0])
    field = Field(primaries[0], team, tmp_path, "promotion", database=team.database)
    for number in range(rounds):
        primary = primaries[-1]
        await field.anew(primary, f"-{number}")
        replication = Wire(primary.socket)
        standby = await asyncio.to_thread(primary.standby, replication.port)
        primaries.append(standby)
        await _commands(field, 6)
        assert await field.until(_caught_up(field))
        away = WorkingConsole(
            team.people[1], team.people[1].url(field.database, field.port), tmp_path / f"away-{number}"
        )
        await away.open()
        await away.close()

        replication.cut()
        reached = field.ledger.head()
        await _commands(field, field.chance.randint(4, 8))
        seen = field.ledger.head()
        assert seen > reached
        await asyncio.to_thread(primary.kill)
        await asyncio.to_thread(standby.promote)
        field.ledger.url = standby.url(field.database)
        field.wire.cut()
        if field.chance.random() < 0.5:  # the lost numbers are given again
            await _somebody_else(field, standby, tmp_path / f"else-{number}", seen - reached + 1)
        reached = field.ledger.head()
        field.wire.target = standby.socket
        field.wire.mend()
        await story.told(field, field.consoles, time.monotonic())
        story.lost += _lost(field)

        await away.open()
        assert await field.until(lambda: away.settled(field.ledger.head())), away.why_not(reached)  # noqa: B023 - awaited right here
        copy = away.place.replica.path  # its upkeep may write between two looks, but not for ever
        assert await field.until(lambda: not field.ledger.differences(copy)), field.ledger.differences(copy)  # noqa: B023 - awaited right here
        assert not away.place.sync.status.forked
        await away.act()
        assert away.answers.applied, away.answers
        await away.close()
        story.rounds, story.consoles = story.rounds + 1, len(field.consoles)
        replication.close()
        if number + 1 < rounds:
            story.applied += sum(len(one.answers.applied) for one in field.consoles)
        primaries.remove(primary)
        primary.gone()
    story.row(field, "standby promoted without the last commits")
    await field.close()


async def _somebody_else(field: Field, server: Server, home: Path, acts: int) -> None:
    """Works on the server that is there now, without having seen what the other one lost."""
    person = field.team.people[-1]
    other = WorkingConsole(person, f"postgresql://{person.role}@/{field.database}?host={server.home}", home)
    await other.open()
    for _ in range(acts):
        await other.act()
    assert len(other.answers.applied) == acts, other.answers
    await other.close()


def _caught_up(field: Field) -> Callable[[], bool]:
    def look() -> bool:
        with field.ledger.connection() as connection:
            found = connection.execute("select replay_lsn = pg_current_wal_lsn() from pg_stat_replication").fetchone()
        return found is not None and bool(found[0])

    return look


@ROUNDS
async def test_an_old_backup_in_the_place_of_the_database(
    server: Server, team: Team, tmp_path: Path, rounds: int
) -> None:
    """docs/deploy.md, "Backups": dumped, worked on, restored under the same name."""
    story = Story()
    field = Field(server, team, tmp_path, "backup")
    for number in range(rounds):
        await field.anew(server, f"-{number}")
        await _commands(field, 5)
        dump = server.home / "backup.dump"
        await asyncio.to_thread(server.dump, field.database, dump)
        reached = field.ledger.head()
        await _commands(field, field.chance.randint(4, 8))
        assert field.ledger.head() > reached
        field.wire.cut()
        await asyncio.to_thread(server.restore, field.database, dump)
        field.wire.mend()
        await story.told(field, field.consoles, time.monotonic())
        story.lost += _lost(field)
        story.rounds, story.consoles = story.rounds + 1, len(field.consoles)
        if number + 1 < rounds:
            story.applied += sum(len(one.answers.applied) for one in field.consoles)
    story.row(field, "old backup restored")
    await field.close()
