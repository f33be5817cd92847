"""Noticing that the shared database has changed: LISTEN, which is a hint without payload, and a slow poll beside it.

Where LISTEN does not work (a pooler in transaction mode, which hands the session to others) the head is polled alone.
Whether a hint arrives is tried out wherever somebody stands between: a pooler accepts LISTEN and then stays silent.
"""

from __future__ import annotations

import asyncio
import math
import random
import secrets
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, suppress
from typing import TYPE_CHECKING

from storage.shared.interface import Hint
from storage.shared.postgres.faults import in_our_words
from storage.shared.postgres.line import connect
from storage.shared.postgres.silence import bounded, shut

if TYPE_CHECKING:
    from storage.shared.postgres.line import Connection

SLOW_SECONDS = 10.0
"""About so long after the last hint the next comes unasked. In between, once, the connection must show that it lives.
Both are drawn anew each time, a fifth more or less: two hundred consoles do not ask in step."""
POLL_SECONDS = 1.0
CHANNEL = "countersign"
_SILENCE_SECONDS = 4.0
_TRIAL_SECONDS = 1.0
_BURST_SECONDS = 0.05
"""Notifications that come faster than this are looked into before anybody pulls for them: anyone may send them."""
_HEAD = "select seq from countersign.log_head where log = 'operator'"


class Watcher:
    """`listening` says whether hints arrive (None until it is known); without them changes are seen by polling.
    `quiet`: the newest hint was that nothing was seen, and nobody has pulled since."""

    def __init__(self, url: str, slow_seconds: float = SLOW_SECONDS, poll_seconds: float = POLL_SECONDS) -> None:
        self._url, self._slow, self._poll = url, slow_seconds, poll_seconds
        self.listening: bool | None = None
        self.quiet = False
        self._connection: Connection | None = None

    def doubt(self) -> None:
        """Another connection over the same network broke or fell silent: this one is given up, and whoever follows
        begins anew, rather than finds out in ten seconds."""
        if self._connection is not None:
            shut(self._connection)

    async def hints(self) -> AsyncIterator[Hint]:
        """A hint at once, whenever something was committed, and at least every `slow_seconds`. Raises Offline when the
        connection breaks or falls silent: whoever follows pulls, is told, and begins anew."""
        async with aclosing(self._hints()) as hints:
            async for hint in hints:
                self.quiet = hint is Hint.SLOW
                yield hint

    async def _hints(self) -> AsyncGenerator[Hint]:
        with in_our_words():
            connection = self._connection = await connect(self._url)
        try:
            self.listening = await self._is_heard(connection)
            if self.listening:
                await self._run(connection, f"listen {CHANNEL}")
                connection.prepare_threshold = 1  # one small question for hours: to plan it costs more than to answer
            head = await self._run(connection, _HEAD)
            yield Hint.SLOW
            told = time.monotonic()
            while True:
                heard = await self._wait(connection)
                if heard and time.monotonic() - told > _BURST_SECONDS:
                    yield Hint.MOVED
                    told = time.monotonic()
                    continue
                if self.listening and not heard and time.monotonic() - told >= self._slow * 0.8:
                    yield Hint.SLOW  # whoever pulls now looks at the head, over the same network
                    told = time.monotonic()
                    continue
                seen = await self._run(connection, _HEAD)  # also tells whether this connection still lives
                if seen != head:
                    head = seen
                    yield Hint.MOVED
                elif time.monotonic() - told >= self._slow * 0.8:
                    yield Hint.SLOW
                else:
                    await asyncio.sleep(_BURST_SECONDS if heard else 0)
                    continue
                told = time.monotonic()
        finally:
            self._connection = None
            with suppress(Exception):  # it is given up, whatever its state
                await connection.close()

    async def _is_heard(self, connection: Connection) -> bool:
        """Whether notifications reach this session. With nobody between the server's process is the one that greeted
        us; a pooler makes a number up. Then a notification is sent over another connection, to a name of its own."""
        if await self._run(connection, "select pg_backend_pid()") == connection.info.backend_pid:
            return True
        name = f"{CHANNEL}_trial_{secrets.token_hex(8)}"
        await self._run(connection, f"listen {name}")
        with in_our_words():
            async with await connect(self._url) as other:
                await self._run(other, f"notify {name}")
            with bounded(connection, _SILENCE_SECONDS, _SILENCE_SECONDS):
                heard = [one async for one in connection.notifies(timeout=_TRIAL_SECONDS, stop_after=1)]
        await self._run(connection, f"unlisten {name}")
        return bool(heard)

    async def _wait(self, connection: Connection) -> bool:
        """Until a notification came (True), or it is time to look at the head."""
        seconds = min(self._slow / 2, math.inf if self.listening else self._poll) * random.uniform(0.8, 1.2)
        if not self.listening:
            await asyncio.sleep(seconds)
            return False
        with in_our_words():
            return bool([one async for one in connection.notifies(timeout=seconds, stop_after=1)])

    async def _run(self, connection: Connection, statement: str) -> int:
        """The number that a statement says, 0 if it says none. Raises Offline after a few seconds of silence."""
        with in_our_words(), bounded(connection, _SILENCE_SECONDS, _SILENCE_SECONDS):
            cursor = await connection.execute(statement)
            found = await cursor.fetchone() if cursor.description else None
        return int(str(found[0])) if found else 0
