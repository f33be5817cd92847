"""Faults of the person's own machine: a full disk under the copy, a clock that is a day wrong."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import subprocess
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager
from datetime import datetime, timedelta, tzinfo
from pathlib import Path

import pytest

import storage.clock
from storage.models import Session
from tests.faults.field import Field
from tests.faults.page import tell
from tests.faults.team import Server, Team

ROUNDS = pytest.mark.parametrize("rounds", [1, pytest.param(100, marks=pytest.mark.long)])


class Disk:
    """A small disk for the consoles' homes. Mounted where we may; elsewhere no file may grow any more."""

    def __init__(self, path: Path) -> None:
        path.mkdir()
        self.path = path
        mount = ["mount", "-t", "tmpfs", "-o", "size=48m", "countersign-test", str(path)]
        self.mounted = os.geteuid() == 0 and subprocess.run(mount, capture_output=True, check=False).returncode == 0

    @property
    def how(self) -> str:
        return "a tmpfs without a free byte" if self.mounted else "RLIMIT_FSIZE"

    def full(self) -> AbstractContextManager[None]:
        """Not a byte more while in the context."""
        return self._filled() if self.mounted else self._limited()

    @contextlib.contextmanager
    def _filled(self) -> Iterator[None]:
        filler = self.path / "filler"
        with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
            for size in (1 << 20, 1 << 12, 1):
                with contextlib.suppress(OSError):
                    while True:
                        file.write(b"\0" * size)
        try:
            yield
        finally:
            filler.unlink()

    @contextlib.contextmanager
    def _limited(self) -> Iterator[None]:
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (1, before[1]))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)

    def close(self) -> None:
        if self.mounted:
            subprocess.run(["umount", "-l", str(self.path)], check=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    small = Disk(tmp_path / "disk")
    yield small
    small.close()


@pytest.fixture
async def on_small_disk(server: Server, team: Team, disk: Disk) -> AsyncIterator[Field]:
    field = Field(server, team, disk.path, "disk")
    await field.open()
    yield field
    await field.close()


@ROUNDS
async def test_a_full_disk_under_the_copy(on_small_disk: Field, disk: Disk, rounds: int) -> None:
    """What is said to be in force is; what cannot be kept is said not to be; with space again everybody catches up."""

    async def strike(field: Field) -> None:
        away = field.chance.random() < 0.3
        with disk.full():
            if away:  # and nothing can be kept either
                field.wire.cut()
            await field.more(field.chance.randint(2, 8))
        if away:
            field.wire.mend()

    await _judged(on_small_disk, strike, rounds, "disk full under the copy", disk.how)


class Laptop:
    """The clock of this machine, as far as the console can see it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.off, true = timedelta(), time.time
        laptop = self

        class Wrong(datetime):
            @classmethod
            def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]  # Self, which it is
                return datetime.now(tz) + laptop.off

        monkeypatch.setattr(storage.clock, "datetime", Wrong)
        monkeypatch.setattr(time, "time", lambda: true() + laptop.off.total_seconds())


@ROUNDS
async def test_a_laptop_whose_clock_is_a_day_wrong(field: Field, monkeypatch: pytest.MonkeyPatch, rounds: int) -> None:
    """REQ-209: commands are in force at the shared clock's time, countdowns right within a second, under any local
    clock, also for a console that is opened under it, and when it jumps while the console is open."""
    laptop = Laptop(monkeypatch)
    worst = 0.0

    async def strike(field: Field) -> None:
        nonlocal worst
        laptop.off = field.chance.choice([timedelta(days=1), timedelta(days=-1), timedelta(hours=-7), timedelta()])
        late = field.consoles[field.chance.randrange(len(field.consoles))]
        await late.reopen()
        late.start_typing()
        if field.chance.random() < 0.3:
            field.wire.cut()
            await field.noticed()
            field.wire.mend()
        await field.more(field.chance.randint(4, 8))
        for one in field.consoles:
            worst = max(worst, await asyncio.to_thread(_off_by, field, one.place.clock.now, one.person.session))
            if one.person.session:
                session = one.place.replica.view("").get(Session, one.person.session)
                assert session is not None and session.is_active(one.place.clock.now())

    await _judged(field, strike, rounds, "laptop's clock a day wrong", "countdowns right within a second")
    assert worst < 1.0, worst


def _off_by(field: Field, now: Callable[[], datetime], session: str) -> float:
    """Seconds between the shared clock and what a console takes for it; the round trip is between two looks."""
    with field.ledger.connection() as connection:
        before = now()
        found = connection.execute("select clock_timestamp()").fetchone()
        after = now()
    assert found is not None and isinstance(found[0], datetime)
    return max((before - found[0]).total_seconds(), (found[0] - after).total_seconds(), 0.0)


async def _judged(field: Field, strike: Callable[[Field], Awaitable[None]], rounds: int, fault: str, note: str) -> None:
    tally = await field.rounds(rounds, strike)
    row = field.row(fault, note)
    tell(row)
    assert not tally.troubles, "\n".join(tally.troubles[:20])
    assert (row.lost, row.twice, row.gaps, row.stuck) == (0, 0, 0, 0)
    assert row.of == rounds * len(field.consoles)
    assert row.converged == row.of or rounds == 1  # `make test` asserts no duration
