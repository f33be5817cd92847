"""One true history for all tests of sync: told once, copied for each."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from storage.shared.sqlite import SqliteShared
from storage.shared.vault import OpenVault, Vault, new_key
from tests.clock import ManualClock
from tests.sync.behind import Intruder
from tests.sync.story import Console, console, tell


@pytest.fixture
def vault(request: pytest.FixtureRequest, sealing: Vault) -> Vault:
    """PostgreSQL checks codes itself: there secrets are not sealed."""
    if "form" in request.fixturenames and request.getfixturevalue("form") == "postgres":
        return OpenVault(new_key())
    return sealing


@pytest.fixture(scope="session")
def told(template: Path, sealing: Vault, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shared file after the story."""
    home = tmp_path_factory.mktemp("told")
    path = home / "shared.db"
    shutil.copyfile(template, path)

    async def telling() -> None:
        clock = ManualClock()
        shared = await SqliteShared.open(path, sealing, clock)
        story = console(shared, home, clock)
        await tell(story, sealing)
        await story.close()
        await shared.close()

    asyncio.run(telling())
    return path


@pytest.fixture
def shared_path(told: Path, tmp_path: Path) -> Path:
    path = tmp_path / "shared.db"
    shutil.copyfile(told, path)
    return path


@pytest.fixture(scope="session")
def told_postgres(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The name of a database on the test run's PostgreSQL after the same story; only ever cloned."""
    from tests.postgres import cluster, template
    from tests.team import TeamShared

    name = cluster().fresh(template(), "told")

    async def telling() -> None:
        clock = ManualClock()
        shared = TeamShared(cluster(), name, clock)
        story = console(shared, tmp_path_factory.mktemp("told"), clock)
        await tell(story, OpenVault(new_key()))
        await story.close()
        await shared.close()

    asyncio.run(telling())
    return name


@pytest.fixture
def postgres_database(told_postgres: str) -> Iterator[str]:
    from tests.postgres import cluster

    name = cluster().fresh(told_postgres)
    yield name
    cluster().drop(name)


@pytest.fixture
def behind(shared_path: Path) -> Intruder:
    """Someone with the file and sqlite3."""
    return Intruder(shared_path)


@pytest.fixture
async def mine(shared: SqliteShared, tmp_path: Path, clock: ManualClock) -> AsyncIterator[Console]:
    """A console that has seen the whole story."""
    one = console(shared, tmp_path, clock)
    await one.sync.pull()
    yield one
    await one.close()
