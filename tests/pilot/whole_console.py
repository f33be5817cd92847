"""The whole console on a home of its own: a filled shared database, copied once, cloned for every test."""

from __future__ import annotations

import asyncio
import shutil
import sqlite3
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path

from textual.pilot import Pilot

from app.bootstrap import open_workplace
from app.console import CountersignApp
from app.demo.fill import fill
from app.launch import Launch
from screens.audit import AuditScreen

ENTRIES = 3000


def make_home(path: Path) -> Path:
    """A home in which a super is remembered, its replica up to date."""
    (path / "data").mkdir(parents=True)
    shared = path / "data" / "shared.db"
    fill(shared, ENTRIES, 12, running=4, at=datetime.now(UTC))
    database = sqlite3.connect(shared)
    (email,) = database.execute("SELECT email FROM staff WHERE role = 'super' ORDER BY id LIMIT 1").fetchone()
    database.close()
    (path / "state").mkdir()
    (path / "state" / "identity").write_text(email + "\n", encoding="utf-8")

    async def copy() -> None:
        place = await open_workplace(Launch.of(home=str(path), environment={}))
        await place.sync.pull()
        await place.close()

    asyncio.run(copy())
    return path


@asynccontextmanager
async def console(
    template: Path, tmp_path: Path, size: tuple[int, int] = (120, 36), environment: Mapping[str, str] | None = None
) -> AsyncIterator[tuple[CountersignApp, Pilot[None]]]:
    """The console, live."""
    home = tmp_path / "home"
    shutil.copytree(template, home)
    app = CountersignApp(Launch.of(home=str(home), environment=environment or {}))
    async with app.run_test(size=size) as pilot:
        await until(pilot, lambda: (status := app.context.sync_status()) is not None and status.live)
        yield app, pilot


async def until(pilot: Pilot[None], condition: Callable[[], bool], seconds: float = 20) -> None:
    """Let the console work until the condition holds."""
    for _ in range(int(seconds / 0.02)):
        if condition():
            return
        await pilot.pause(0.02)
    raise AssertionError("it never happened")


def audit(app: CountersignApp) -> AuditScreen:
    screen = app.screen_stack[0]
    assert isinstance(screen, AuditScreen)
    return screen
