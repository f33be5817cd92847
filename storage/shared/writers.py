"""The fair queue of writers (design.md, "Known traps"): SQLite's busy handler starves them, a turnstile of two file
locks does not.

Whoever wants to write first takes the lock of the *turnstile*, then the lock of the *turn*, and gives the turnstile
back as soon as the turn is theirs. A writer that has just finished and wants to write again therefore finds the
turnstile held by the next one in line, and cannot overtake it. Locks are `flock`s: a killed process gives its own back
at once. Within a process the tasks queue up first come, first served.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from storage.errors import Misconfigured, Offline


class WriterQueue:
    """One per open shared database. `patience` (seconds) bounds the wait for the turn; beyond it: Offline."""

    def __init__(self, database: Path, patience: float = 30.0) -> None:
        self._database = database
        self._patience = patience
        self._tasks = asyncio.Lock()
        self._turnstile = database.with_name(database.name + ".queue")
        self._turn = database.with_name(database.name + ".turn")

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Hold the only right to write while the block runs."""
        async with self._tasks:
            place = _Place(_open(self._turnstile), _open(self._turn))
            if not place.taken_at_once():
                await self._wait_in_line(place)
            try:
                yield
            finally:
                place.close()

    async def _wait_in_line(self, place: _Place) -> None:
        """Block in a thread, never the event loop. A daemon, so that a lock that never comes cannot keep a process
        from ending."""
        loop = asyncio.get_running_loop()
        reached: asyncio.Future[None] = loop.create_future()
        threading.Thread(target=place.wait, args=(loop, reached), name="countersign-writer", daemon=True).start()
        mine = False
        try:
            async with asyncio.timeout(self._patience):
                await reached
            mine = True
        except TimeoutError:
            raise Offline(
                f"{self._database} has been locked by another writer for {self._patience:.0f} s",
                "see which process hangs while writing, end it, then try again",
            ) from None
        finally:
            if not mine:
                place.abandon()


class _Place:
    """A place in the line, with open files of its own (a `flock` belongs to the open file, so two places never share a
    lock by mistake). Closing the files gives both locks back."""

    def __init__(self, turnstile: int, turn: int) -> None:
        self._turnstile, self._turn = turnstile, turn
        self._deciding = threading.Lock()
        self._reached = self._abandoned = False

    def taken_at_once(self) -> bool:
        """Nobody waits and nobody writes: no thread is needed."""
        try:
            fcntl.flock(self._turnstile, fcntl.LOCK_EX | fcntl.LOCK_NB)
            fcntl.flock(self._turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            fcntl.flock(self._turnstile, fcntl.LOCK_UN)
        return True

    def wait(self, loop: asyncio.AbstractEventLoop, reached: asyncio.Future[None]) -> None:
        """Runs in a thread: blocks until the turn is ours, or was abandoned meanwhile; then it is passed on."""
        fcntl.flock(self._turnstile, fcntl.LOCK_EX)
        fcntl.flock(self._turn, fcntl.LOCK_EX)
        fcntl.flock(self._turnstile, fcntl.LOCK_UN)
        with self._deciding:
            self._reached = True
            if self._abandoned:
                self.close()
                return
        with suppress(RuntimeError):  # the loop was closed: the process is ending, and its locks with it
            loop.call_soon_threadsafe(_tell, reached)

    def abandon(self) -> None:
        """Whoever stood here has gone: pass the turn on, now or when it comes."""
        with self._deciding:
            self._abandoned = True
            if self._reached:
                self.close()

    def close(self) -> None:
        os.close(self._turn)
        os.close(self._turnstile)


def _tell(reached: asyncio.Future[None]) -> None:
    if not reached.done():
        reached.set_result(None)


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o666)
    except OSError as error:
        raise Misconfigured(
            f"{path} cannot be opened: {error.strerror}",
            "whoever uses the shared SQLite file must be able to write its directory",
        ) from error
