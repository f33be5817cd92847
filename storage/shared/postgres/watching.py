"""Noticing that the shared database has changed: LISTEN, which is a hint without payload, and a slow poll beside it.

Where LISTEN does not work (a pooler in transaction mode, which hands the session to others) the head is polled alone.
Whether a hint arrives is tried out: a pooler may well accept LISTEN and then stay silent.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from storage.errors import CountersignError, Offline
from storage.shared.interface import Hint
from storage.shared.postgres.faults import in_our_words
from storage.shared.postgres.line import CONNECT_SECONDS, connect

if TYPE_CHECKING:
    from storage.shared.postgres.line import Connection

SLOW_SECONDS = 5.0
POLL_SECONDS = 1.0
CHANNEL = "countersign"
_HEAD = "select seq from countersign.log_head where log = 'operator'"


class Watcher:
    """`listening` says whether hints arrive (None until it is known); without them changes are seen by polling."""

    def __init__(self, url: str, slow_seconds: float = SLOW_SECONDS, poll_seconds: float = POLL_SECONDS) -> None:
        self._url, self._slow, self._poll = url, slow_seconds, poll_seconds
        self.listening: bool | None = None

    async def hints(self) -> AsyncIterator[Hint]:
        """A hint at once, whenever something was committed, and at least every `slow_seconds`. Raises Offline when the
        connection breaks: whoever follows pulls, is told, and begins anew."""
        connection = await self._connected()
        try:
            head = await self._head(connection)
            yield Hint.SLOW
            told = time.monotonic()
            while True:
                heard = await self._wait(connection, told)
                seen = head if heard is None else await self._head(connection)
                if seen != head or heard:
                    head = seen
                    yield Hint.MOVED
                    told = time.monotonic()
                elif time.monotonic() - told >= self._slow:
                    yield Hint.SLOW
                    told = time.monotonic()
        finally:
            with suppress(Exception):  # it is given up, whatever its state
                await connection.close()

    async def _connected(self) -> Connection:
        with in_our_words():
            try:
                async with asyncio.timeout(CONNECT_SECONDS + 1):
                    connection = await connect(self._url)
                    await connection.execute(f"listen {CHANNEL}")
            except TimeoutError as error:
                raise Offline("the shared database does not answer", "it is tried again by itself") from error
        if self.listening is None:
            self.listening = await self._is_heard(connection)
        return connection

    async def _is_heard(self, connection: Connection) -> bool:
        """Whether this very session is the one that listens, and keeps being it from statement to statement."""
        try:
            with in_our_words():
                backends = set[Any]()
                for _ in range(3):
                    found = await (
                        await connection.execute(
                            "select pg_backend_pid(), exists (select 1 from pg_listening_channels() as c where c = %s)",
                            (CHANNEL,),
                        )
                    ).fetchone()
                    backends.add(found)
        except CountersignError:
            return False
        return len(backends) == 1 and bool(next(iter(backends))[1])

    async def _wait(self, connection: Connection, told: float) -> bool | None:
        """Until a notification came (True), it is time to look at the head (False), or for the slow hint (None)."""
        left = max(0.01, self._slow - (time.monotonic() - told))
        with in_our_words():
            if not self.listening:
                await asyncio.sleep(min(left, self._poll * random.uniform(0.8, 1.2)))
                return False
            async for _ in connection.notifies(timeout=left, stop_after=1):
                return True
            return None

    async def _head(self, connection: Connection) -> int:
        with in_our_words():
            try:
                async with asyncio.timeout(CONNECT_SECONDS):
                    found = await (await connection.execute(_HEAD)).fetchone()
            except TimeoutError as error:
                raise Offline("the shared database does not answer", "it is tried again by itself") from error
        return int(str(found[0])) if found else 0
