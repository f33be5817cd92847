"""A PgBouncer in transaction mode between consoles and server: everything works, by polling alone, and the console says
so (issue 3, section 1; docs/deploy.md)."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import socket
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from tempfile import mkdtemp

import pytest

from tests.faults.field import Field
from tests.faults.page import tell
from tests.faults.team import Server, Team

ROUNDS = pytest.mark.parametrize("rounds", [1, pytest.param(100, marks=pytest.mark.long)])
SETTINGS = """
[databases]
* = host={host}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = trust
auth_file = {home}/users.txt
pool_mode = transaction
default_pool_size = 5
server_login_retry = 1
logfile = {home}/log
"""


class Pooler:
    """A PgBouncer of the test's own."""

    def __init__(self, server: Server, team: Team) -> None:
        program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
        assert program is not None, "this test needs pgbouncer: `make tools` finds or installs it"
        self._program, self._user = program, server.user
        self.home = Path(mkdtemp(prefix="cs-pb-", dir="/tmp"))
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = int(free.getsockname()[1])
        (self.home / "users.txt").write_text("".join(f'"{one.role}" ""\n' for one in team.people))
        settings = SETTINGS.format(host=server.home, port=self.port, home=self.home)
        (self.home / "pgbouncer.ini").write_text(settings)
        if self._user is not None:
            shutil.chown(self.home, self._user)
        self._process = self._started()

    def _started(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [self._program, "-q", self.home / "pgbouncer.ini"],
            user=self._user, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        )  # fmt: skip

    def answers(self) -> bool:
        with socket.socket() as one:
            return one.connect_ex(("127.0.0.1", self.port)) == 0

    def kill(self) -> None:
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def start(self) -> None:
        self._process = self._started()

    def close(self) -> None:
        self.kill()
        shutil.rmtree(self.home)


@pytest.fixture
async def pooled(server: Server, team: Team, tmp_path: Path) -> AsyncIterator[tuple[Field, Pooler]]:
    pooler = Pooler(server, team)
    field = Field(server, team, tmp_path, "pooler", port=pooler.port)
    assert await field.until(pooler.answers)
    await field.open()
    yield field, pooler
    await field.close()
    pooler.close()


@ROUNDS
async def test_through_a_pooler_in_transaction_mode(pooled: tuple[Field, Pooler], rounds: int) -> None:
    """Nothing is heard, everything is seen; the pooler dies and the server is restarted behind it meanwhile."""
    field, pooler = pooled

    async def strike(field: Field) -> None:
        what = field.chance.randrange(3)
        if what == 0:
            pooler.kill()
            await field.more(field.chance.randint(1, 4))
            pooler.start()
            assert await field.until(pooler.answers)
        elif what == 1:
            await asyncio.to_thread(field.server.restart)
        await field.more(field.chance.randint(2, 6))
        assert await field.until(lambda: all(one.place.shared.listening is False for one in field.consoles))

    tally = await field.rounds(rounds, strike)
    row = field.row("through PgBouncer in transaction mode", "it dies, or the server is restarted behind it")
    tell(row)
    assert not tally.troubles, "\n".join(tally.troubles[:20])
    assert (row.lost, row.twice, row.gaps, row.stuck) == (0, 0, 0, 0)
    assert row.of == rounds * len(field.consoles)
    assert row.converged == row.of or rounds == 1  # `make test` asserts no duration
