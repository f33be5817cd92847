"""A connection on which nothing comes any more is given up by whoever waits, without asking the other side.

A firewall that forgets, a machine that is gone: nobody is told, and TCP itself may take minutes. So the wait is bounded
by *silence*: seconds without a byte, where the system can tell (a long answer over a slow line is no silence), else by
the whole time. The socket is shut down rather than the task cancelled: psycopg answers a cancellation by asking the
server to cancel, and then waits for that.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from storage.errors import Offline

if TYPE_CHECKING:
    from storage.shared.postgres.line import Connection

_LOOK_SECONDS = 0.25
_LAST_DATA_RECEIVED = slice(52, 56)
"""Of Linux's `struct tcp_info`: milliseconds since the last byte came in."""


@contextmanager
def bounded(connection: Connection, silence: float, patience: float) -> Iterator[None]:
    """Give the connection up after `silence` seconds without a byte; where that cannot be seen (a local socket, another
    system), after `patience` seconds in all. Raises Offline then."""
    watch = _Watch(connection, silence, patience)
    try:
        yield
    except Exception as error:
        if not watch.gave_up:
            raise
        words = f"the shared database has not answered for {watch.waited():.0f} s"
        raise Offline(words, "it is tried again by itself") from error
    finally:
        watch.end()


class _Watch:
    """Looks now and then how long the connection has been silent, and shuts it down."""

    def __init__(self, connection: Connection, silence: float, patience: float) -> None:
        self._connection, self._silence, self._patience = connection, silence, patience
        self._loop, self._began, self.gave_up = asyncio.get_running_loop(), time.monotonic(), False
        self._timer = self._loop.call_later(_LOOK_SECONDS, self._look)

    def waited(self) -> float:
        return time.monotonic() - self._began

    def _look(self) -> None:
        quiet = _quiet_for(self._connection)
        if self.waited() > self._patience if quiet is None else min(self.waited(), quiet) > self._silence:
            self.gave_up = True
            shut(self._connection)
        else:
            self._timer = self._loop.call_later(_LOOK_SECONDS, self._look)

    def end(self) -> None:
        self._timer.cancel()


def _quiet_for(connection: Connection) -> float | None:
    """Seconds since the last byte came in; None where the system does not say."""
    if not hasattr(socket, "TCP_INFO") or connection.closed:
        return None
    try:
        with _socket_of(connection) as sock:
            told = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _LAST_DATA_RECEIVED.stop)
    except OSError:
        return None
    return int.from_bytes(told[_LAST_DATA_RECEIVED], byteorder="little") / 1000 if len(told) >= 56 else None


def shut(connection: Connection) -> None:
    """Whoever waits on this connection is told at once that it is over."""
    with suppress(OSError):
        if not connection.closed:
            with _socket_of(connection) as sock:
                sock.shutdown(socket.SHUT_RDWR)


def _socket_of(connection: Connection) -> socket.socket:
    """A handle of our own on the connection's socket, to be closed without closing that."""
    return socket.socket(fileno=os.dup(connection.fileno()))
