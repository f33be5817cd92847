"""Fixtures that every test may use: a clock to move by hand, a vault, and a real shared database of its own.

Tests of services and of sync run on both forms of the shared database; a test that asks for `shared_path` speaks of the
file, and runs on SQLite only; one that asks for `postgres_database` on PostgreSQL only.
"""

from __future__ import annotations

import asyncio
import faulthandler
import functools
import inspect
import os
import shutil
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from storage.shared.interface import SharedDatabase
from storage.shared.opening import create_file
from storage.shared.sqlite import SqliteShared
from storage.shared.vault import Vault, new_key
from tests.clock import ManualClock

BOTH_FORMS = ("tests.services", "tests.sync", "tests.web", "tests.guards.test_rules_off_findings")

# Seconds. No test takes a tenth of it; one that hangs says where every thread stands and takes its process along, and
# the run goes on without it: a run that waits for ever tells nobody anything.
# A coroutine that hangs is told to stop sooner: then it fails by itself, with the line where it waited.
LONGEST, LONGEST_WAIT = 600, 300
_UNCAPTURED = pytest.StashKey[int]()


settings.register_profile("countersign", deadline=None)  # the machine may stall; durations are no test of ours
settings.load_profile("countersign")


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_UNCAPTURED] = os.dup(2)  # pytest puts a file of its own there while a test runs


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    if item.get_closest_marker("long"):
        return (yield)
    faulthandler.dump_traceback_later(LONGEST, exit=True, file=item.config.stash[_UNCAPTURED])
    try:
        return (yield)
    finally:
        faulthandler.cancel_dump_traceback_later()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        is_short = item.get_closest_marker("long") is None
        if is_short and isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
            item.obj = _bounded(item.obj)


def _bounded(test: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    @functools.wraps(test)
    async def run(*args: object, **kwargs: object) -> None:
        async with asyncio.timeout(LONGEST_WAIT):
            await test(*args, **kwargs)

    return run


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "form" in metafunc.fixturenames:
        forms = ["sqlite", "postgres"] if metafunc.module.__name__.startswith(BOTH_FORMS) else ["sqlite"]
        if "shared_path" in metafunc.fixturenames:
            forms = ["sqlite"]
        elif "postgres_database" in metafunc.fixturenames:
            forms = ["postgres"]
        metafunc.parametrize("form", forms)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture(scope="session")
def sealing() -> Vault:
    """The installation's vault, whatever the form of the shared database."""
    return Vault(new_key())


@pytest.fixture(scope="session")
def vault(sealing: Vault) -> Vault:
    """The vault of tests that know one form only."""
    return sealing


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new, empty shared database, made once: alembic takes longer than a test. Never opened, only copied."""
    path = tmp_path_factory.mktemp("template") / "shared.db"
    create_file(path)
    return path


@pytest.fixture
def shared_path(template: Path, tmp_path: Path) -> Path:
    """A file of its own with a shared database as `create` leaves it."""
    path = tmp_path / "shared.db"
    shutil.copyfile(template, path)
    return path


@pytest.fixture
def postgres_database() -> Iterator[str]:
    """A database of its own on the test run's PostgreSQL, as `install` leaves it."""
    from tests.postgres import cluster, template

    name = cluster().fresh(template())
    yield name
    cluster().drop(name)


@pytest.fixture
def place(form: str, request: pytest.FixtureRequest) -> Path | str:
    """Where the shared database of this form lies: a file's path, or a database's name."""
    where: Path | str = request.getfixturevalue("postgres_database" if form == "postgres" else "shared_path")
    return where


@pytest.fixture
async def shared(place: Path | str, vault: Vault, clock: ManualClock) -> AsyncIterator[SharedDatabase]:
    database: SharedDatabase
    if isinstance(place, str):
        from tests.postgres import cluster
        from tests.team import TeamShared

        database = TeamShared(cluster(), place, clock)
    else:
        database = await SqliteShared.open(place, vault, clock)
    yield database
    await database.close()
