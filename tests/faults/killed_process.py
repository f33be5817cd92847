"""A console without a screen in a process of its own, which types until it is killed. Forked from a server that has
imported everything once, so that a process costs milliseconds."""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import os
from importlib import import_module
from multiprocessing.context import ForkServerContext
from pathlib import Path

from app.bootstrap import open_workplace
from app.launch import Launch
from app.services.sessions import log_view
from app.upkeep import keep_up
from storage.errors import Offline
from storage.models import ViewKind
from storage.sync import ChangeSet

for _heavy in (
    "app.server",
    "app.settings_layers",
    "app.services.desk",
    "storage.models.tables",
    "storage.sync",
    "psycopg",
):
    import_module(_heavy)  # once, in the server, not in each process


def server() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.faults.killed_process"])
    return context


def type_until_killed(home: Path, url: str, email: str, session: str, prefix: str, told: object) -> None:
    """The body of a process: logs one view after another, and tells the name of each once it has been answered."""
    asyncio.run(_type(home, url, email, session, prefix, told.fileno()))  # type: ignore[attr-defined]  # a Connection


async def _type(home: Path, url: str, email: str, session: str, prefix: str, told: int) -> None:
    place = await open_workplace(Launch.of(database=url, home=str(home), identity=email, environment={}))
    with contextlib.suppress(Offline):
        await place.sync.pull()
    following = asyncio.gather(place.sync.run(_unheard), keep_up(place, 0.05))
    number = 0
    while not following.done():
        name = f"{prefix}-{number}"
        await place.desk.run(log_view, place.actor(), session, ViewKind.SCREEN, name)
        os.write(told, f"{name}\n".encode())
        number += 1


def _unheard(_: ChangeSet) -> None:
    """There is no screen."""
