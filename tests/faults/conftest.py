"""One server and one team for all faults of a process; a database of its own and fresh consoles for each fault."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.faults.field import Field
from tests.faults.team import Server, Team, made


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.close()


@pytest.fixture(scope="session")
def team(server: Server) -> Team:
    return made(server)


@pytest.fixture
async def field(server: Server, team: Team, tmp_path: Path, request: pytest.FixtureRequest) -> AsyncIterator[Field]:
    """Everybody at their console, over a network that works."""
    one = Field(server, team, tmp_path, request.node.name)
    await one.open()
    yield one
    await one.close()
