"""Pulls a long history, verifies every chunk as any pull does (`storage.filling.verified`), and hands what is sound to
the writer of a new replica, or to the one that brings a replica forward. Run by `near` as
`python -m storage.filling.reader`, with an order as one frame on stdin (see `Order`).

It stops before the first chunk in which anything is amiss. Progress goes to stdout as frames: `(entries done, entries
there are)`, at last `(None, whether all of it was sound)`.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import IO, NamedTuple

from storage.filling import frames
from storage.filling.source import Pull, pull_from, source
from storage.filling.verified import Filling
from storage.log.entry import Head
from storage.replica.engine import Replica
from storage.shared.columns import Columns
from storage.witness import Witness

MOST_AWAITED = 300_000
"""Rows that wait for a later entry to vouch for them; memory is bounded by it."""
LEG = 20_000
"""So many entries at most are one transaction of a replica that is brought forward."""
_LEG_SECONDS = 5.0
"""So long at most others of the same home wait for it, however slow the network is."""
_PIPE_BYTES = 1 << 20
_FORWARD = "storage.filling.forward"


class Order(NamedTuple):
    """`place` is where the shared database is (`SharedDatabase.place`); `replica` one whose tables are copied into the
    file `new`, or, where `new` is "", the one to be brought forward; `witness` the file of heads seen; `upto` where to
    stop."""

    place: str
    replica: str
    new: str
    witness: str
    upto: int
    chunk: int


def fill(order: Order, pull: Pull, to_writer: IO[bytes], tell: Callable[[tuple[int, int]], None]) -> bool:
    """Everything up to `order.upto`, the next chunk fetched while one is verified; whether all was sound."""
    filling, sound, began = _beginning(order), True, time.monotonic()
    first = Head(filling.link.seq, filling.link.hash)
    with ThreadPoolExecutor(1) as fetching:
        coming = fetching.submit(pull, first, min(order.chunk, order.upto - first.seq))
        while sound:
            columns = coming.result()
            last = _last(columns)
            going_on = last is not None and last.seq < order.upto
            if last is not None and going_on:
                coming = fetching.submit(pull, last, min(order.chunk, order.upto - last.seq))
            frame = filling.take(columns) if columns is not None else None
            if frame is not None:
                frames.send(to_writer, frame)
                tell((filling.link.seq, order.upto))
            sound = frame is not None and len(filling.awaited) <= MOST_AWAITED
            if not going_on:
                break
            if not order.new and (filling.unsent >= LEG or time.monotonic() - began > _LEG_SECONDS) and filling.unsent:
                frames.send(to_writer, tuple(filling.end()))
                began = time.monotonic()
    if filling.unsent:
        frames.send(to_writer, tuple(filling.end()))
    return sound and filling.link.seq == order.upto


def _beginning(order: Order) -> Filling:
    witness = Witness(Path(order.witness))
    if order.new:
        return Filling(witness.epoch, witness)
    with closing(Replica(Path(order.replica)).new_reader()) as connection:
        return Filling.going_on(connection, witness)


def _last(columns: Columns | None) -> Head | None:
    """Where a chunk ends, as it says itself."""
    if columns is None or not columns.entries.size:
        return None
    return Head(int(columns.entries.seqs.rpartition(" ")[2]), columns.entries.hashes[-32:].hex())


def _run(order: Order, tell: Callable[[tuple[int, int]], None]) -> bool:
    program = ["storage.filling.writer", order.replica, order.new] if order.new else [_FORWARD, order.replica]
    command = [sys.executable, "-m", *program]
    writer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, pipesize=_PIPE_BYTES)
    assert writer.stdin is not None
    try:
        with source(order.place) as connection:
            sound = fill(order, pull_from(connection), writer.stdin, tell)
        writer.stdin.close()
        if writer.wait() != 0:
            raise OSError("the replica could not be written")
        return sound
    finally:
        writer.kill()


def main() -> None:
    """Until done, or until whoever ordered it goes away."""
    os.nice(5)  # whoever draws comes first
    gc.disable()  # chunks come and go by themselves: a tenth of the time went into looking for cycles
    order = Order(*frames.receive(sys.stdin.buffer))

    def leave_with_the_console() -> None:
        while os.read(sys.stdin.fileno(), 1):
            pass
        os._exit(1)

    threading.Thread(target=leave_with_the_console, daemon=True).start()
    out = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    try:
        sound = _run(order, lambda step: frames.send(out, step))
    except Exception as error:  # the outermost edge: the ordinary pull will meet it again, and say it
        raise SystemExit(f"{type(error).__name__}: {error}") from error
    frames.send(out, (None, sound))


if __name__ == "__main__":
    main()
