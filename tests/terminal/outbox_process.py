"""Processes of one home that queue and send until they are killed. Forked from a server that has imported everything
once, so that a process costs milliseconds."""

from __future__ import annotations

import asyncio
import multiprocessing
import os
from importlib import import_module
from multiprocessing.context import ForkServerContext
from pathlib import Path

from app.bootstrap import open_workplace
from app.launch import Launch
from app.services.outbox import Queued
from app.services.sessions import log_view
from storage.models import ViewKind

for _heavy in (
    "app.settings_layers",
    "app.services.desk",
    "app.services.sessions",
    "storage.models.tables",
    "storage.shared.sqlite",
    "storage.shared.vault",
    "storage.sync",
    "sqlalchemy.ext.asyncio",
    "aiosqlite",
):
    import_module(_heavy)  # once, in the server, not in each process


def server() -> ForkServerContext:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.terminal.outbox_process"])
    return context


def queue_until_killed(home: Path, who: str, session: str, name: str, told: object) -> None:
    """The body of a process: queues views, and tells the id of each once it is kept, a line each."""
    asyncio.run(_queue(home, who, session, name, told.fileno()))  # type: ignore[attr-defined]  # a Connection


async def _queue(home: Path, who: str, session: str, name: str, told: int) -> None:
    place = await open_workplace(Launch.of(home=str(home), identity=who, environment={}))
    number = 0
    while True:
        done = await place.desk.run(log_view, place.actor(), session, ViewKind.SCREEN, f"{name}-{number}")
        assert isinstance(done, Queued) and done.kept is not None
        os.write(told, f"{done.kept.id}\n".encode())
        number += 1


def send_until_killed(home: Path, who: str, told: object) -> None:
    """The body of a process: sends what is kept; tells when it begins, and when nothing is left."""
    asyncio.run(_send(home, who, told.fileno()))  # type: ignore[attr-defined]  # as above


async def _send(home: Path, who: str, told: int) -> None:
    place = await open_workplace(Launch.of(home=str(home), identity=who, environment={}))
    await place.sync.pull()
    os.write(told, b"begun\n")
    while place.desk.outbox is not None and place.desk.outbox.waiting():
        await place.desk.send_queued()
    os.write(told, b"done\n")
    await place.close()
