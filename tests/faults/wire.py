"""The network between a console and its server, which misbehaves when told to: cut, slow, stalled, or silently gone.

A TCP proxy in a thread of its own. It drops connections, holds bytes back and loses them with their connection; what
does arrive arrives in order, as TCP has it.
"""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")
_PIECE = 1 << 16


class Wire:
    """Listens on `port` of the loopback; `target` is the socket of whichever server stands behind it now."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._links: set[_Link] = set()
        self._server: asyncio.Server | None = None
        self._delay = 0.0
        self._flowing = asyncio.Event()
        self._flowing.set()
        self._lost = False
        self._thread = threading.Thread(target=self._loop.run_forever, name="wire", daemon=True)
        self._thread.start()
        self._do(self._listen)

    def cut(self) -> None:
        """Every connection breaks at once, and no new one is let in."""
        self._do(self._cut)

    def slow(self, seconds: float) -> None:
        """Everything takes so much longer in each direction."""
        self._do(lambda: self._set(delay=seconds))

    def stall(self) -> None:
        """Nothing moves, nothing breaks; what was on its way arrives later."""
        self._do(self._stall)

    def lose(self) -> None:
        """A firewall forgets: connections that stand never carry a byte again, and nobody is told. New ones are
        answered by nobody."""
        self._do(self._lose)

    def mend(self) -> None:
        """As good as new, for new connections; those that were lost stay lost."""
        self._do(self._mend)

    def close(self) -> None:
        self._do(self._end)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _do(self, work: Callable[[], object]) -> None:
        async def run() -> None:
            done = work()
            if asyncio.iscoroutine(done):
                await done

        asyncio.run_coroutine_threadsafe(run(), self._loop).result(20)

    async def _listen(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _cut(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None
        for link in tuple(self._links):
            link.abort()

    async def _end(self) -> None:
        await self._cut()
        rest = asyncio.all_tasks() - {asyncio.current_task()}
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    def _set(self, delay: float) -> None:
        self._delay = delay

    def _stall(self) -> None:
        self._flowing.clear()

    def _lose(self) -> None:
        self._lost = True
        for link in self._links:
            link.lost = True

    async def _mend(self) -> None:
        self._delay, self._lost = 0.0, False
        self._flowing.set()
        if self._server is None:
            await self._listen()

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        link = _Link(writer, lost=self._lost)
        self._links.add(link)
        try:
            await self._flowing.wait()
            if link.lost:
                await reader.read()  # until the other side gives up
                return
            theirs, back = await asyncio.open_unix_connection(str(self.target))
            link.writers.append(back)
            await asyncio.gather(self._carry(link, reader, back), self._carry(link, theirs, writer))
        except (OSError, asyncio.CancelledError):
            pass  # no server there, broken off, or the wire is taken down: the connection ends, as in earnest
        finally:
            self._links.discard(link)
            link.abort()

    async def _carry(self, link: _Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Pass on what comes in, in order, each piece when its time has come."""
        held: deque[tuple[float, bytes]] = deque()
        arrived = asyncio.Event()

        async def deliver() -> None:
            while True:
                while not held:
                    arrived.clear()
                    await arrived.wait()
                due, piece = held.popleft()
                await asyncio.sleep(max(0.0, due - self._loop.time()))
                await self._flowing.wait()
                if link.lost:
                    continue
                if not piece:
                    break
                writer.write(piece)
                await writer.drain()
            with contextlib.suppress(OSError):
                writer.write_eof()

        delivering = asyncio.create_task(deliver())
        try:
            while True:
                piece = await reader.read(_PIECE)
                held.append((self._loop.time() + self._delay, piece))
                arrived.set()
                if not piece:
                    break
            if link.lost:
                return link.abort()  # one side has given up; the other's keepalive would, in its own time
            await delivering
        finally:
            delivering.cancel()


class _Link:
    """One connection, both sides."""

    def __init__(self, writer: asyncio.StreamWriter, *, lost: bool) -> None:
        self.writers, self.lost = [writer], lost

    def abort(self) -> None:
        for writer in self.writers:
            writer.transport.abort()
