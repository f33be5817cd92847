"""One connection to PostgreSQL that comes back by itself: opened at first use, given up when it breaks or stalls, and
opened anew for whoever asks next. Whoever waits for it longer than the patience of a person is told "offline".

No prepared statements (unless whoever uses it knows that nobody stands between) and no session state: it must also work
through a PgBouncer in transaction mode.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from storage.shared.postgres.faults import in_our_words
from storage.shared.postgres.silence import bounded

if TYPE_CHECKING:
    import psycopg

    Connection = psycopg.AsyncConnection[tuple[object, ...]]

CONNECT_SECONDS = 5
_OPTIONS: dict[str, str | int] = {
    "connect_timeout": CONNECT_SECONDS,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 15_000,
    "application_name": "countersign",
}


logging.getLogger("psycopg").addHandler(logging.NullHandler())
"""What it warns of is told in our words; without a handler Python would write it over a person's screen."""


class Line:
    """`silence`: seconds without a byte after which the connection is given up; `patience`: seconds in all, where
    silence cannot be told."""

    def __init__(self, url: str, patience: float = 15.0, silence: float = 6.0) -> None:
        self._url, self._patience, self._silence = url, patience, silence
        self._turn = asyncio.Lock()
        self._connection: Connection | None = None
        self._doubted = False
        self.reached = False
        """Whether the newest use had a connection: where there was none, trying once more at once is no help."""

    @asynccontextmanager
    async def use(self) -> AsyncIterator[Connection]:
        """The connection, for one caller at a time, in autocommit. psycopg's errors leave as ours; a block that ends
        in mid-statement costs the connection, so that nobody inherits its state."""
        async with self._turn:
            self.reached = False
            with in_our_words():
                connection = await self._opened()
                self.reached = True
                try:
                    with bounded(connection, self._silence, self._patience):
                        yield connection
                finally:
                    if connection.closed or not self._idle(connection):
                        await self.drop()

    @staticmethod
    def _idle(connection: Connection) -> bool:
        import psycopg

        return connection.info.transaction_status is psycopg.pq.TransactionStatus.IDLE

    async def _opened(self) -> Connection:
        if self._doubted:
            self._doubted = False
            await self.drop()
        if self._connection is None or self._connection.closed:
            self._connection = await connect(self._url)
        return self._connection

    def doubt(self) -> None:
        """Another line over the same network broke or fell silent: the next use does not trust this connection."""
        self._doubted = True

    async def drop(self) -> None:
        """Give the connection up; the next use opens another."""
        connection, self._connection = self._connection, None
        if connection is not None:
            with suppress(Exception):  # it is being given up, whatever its state
                await connection.close()

    async def close(self) -> None:
        """Close when whoever uses it is done."""
        async with self._turn:
            await self.drop()


async def connect(url: str) -> Connection:
    """A connection in autocommit with our options where the URL leaves them open. Raises psycopg's errors."""
    import psycopg

    return await psycopg.AsyncConnection.connect(url, autocommit=True, prepare_threshold=None, **options(url))


def options(url: str) -> dict[str, Any]:
    """Ours, where the address leaves them open."""
    from psycopg.conninfo import conninfo_to_dict

    given = conninfo_to_dict(url)
    return {name: value for name, value in _OPTIONS.items() if name not in given}
