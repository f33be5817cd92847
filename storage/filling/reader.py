"""Pulls a long history, verifies every chunk as any pull does, and hands what is sound to the writer. Run by `near` as
`python -m storage.filling.reader`, with an order as one frame on stdin (see `Order`).

What is verified, chunk by chunk: that it continues the chunk before (the stored hash of the entry asked from, the
epoch); numbers, links and hashes of the operator log; every twin in its place in its tenant's own chain, naming and
named and telling the same; every row's image against the digest in the entry of its revision, and that every digest has
its row, here or rewritten under a later entry, which is awaited; the heads that this console ever saw. It stops before
the first chunk in which anything is amiss. Progress goes to stdout as frames: `(entries done, entries there are)`, at
last `(None, whether all of it was sound)`.
"""

from __future__ import annotations

import gc
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import IO, Any, NamedTuple

from storage.filling import frames
from storage.filling.frames import Part
from storage.log.chain import GENESIS, Link
from storage.log.entry import OPERATOR, Head
from storage.shared.columns import Columns, Mixed, columns_of, pulled_of
from storage.sync_checked import RowKey, check_rows, public_tables
from storage.sync_chunk import check_entries
from storage.sync_quick import Digests, Seen, look, sound_rows
from storage.witness import Witness

MOST_AWAITED = 300_000
"""Rows that wait for a later entry to vouch for them; memory is bounded by it."""
_PIPE_BYTES = 1 << 20


class Order(NamedTuple):
    """`place` is where the shared database is (`SharedDatabase.place`), `empty` a replica whose tables are copied into
    the file `new`, `witness` the file of heads seen, `upto` where to stop."""

    place: str
    empty: str
    new: str
    witness: str
    upto: int
    chunk: int


class Filling:
    """What has been verified so far: the chains' ends, and the digests whose row is still to come."""

    def __init__(self, epoch: str | None, witness: Witness) -> None:
        self.epoch, self._witness = epoch, witness
        self.link = Link()
        self.tenants: dict[str, Link] = {}
        self.awaited: dict[RowKey, tuple[int, bytes]] = {}

    def take(self, columns: Columns) -> list[Part] | None:
        """Verify the next chunk: what to write, or None if anything in it is not as it should be."""
        if self.epoch is None:
            self.epoch = columns.epoch
        continues = self.link.seq == 0 or (columns.anchor is not None and columns.anchor.hex() == self.link.hash)
        if columns.epoch != self.epoch or not continues or not columns.entries.size:
            return None
        if any((rows.table in public_tables()) == bool(rows.digests) for rows in columns.rows):
            return None  # of private tables only digests come, of all others never
        seen = look(columns.entries, columns.twins, self.link, self._link_of, self._witness)
        came = sound_rows(columns.rows, seen.listed) if seen is not None else None
        if seen is None or came is None:
            worded = self._look_closely(columns)
            if worded is None:
                return None
            seen, came = worded
        self.link = seen.link
        self.tenants.update(seen.tenant_links)
        for key in self.awaited.keys() & came.keys():
            del self.awaited[key]
        for key in seen.listed.keys() - came.keys():
            seq, digest = seen.listed[key]
            self.awaited[key] = (seq, bytes.fromhex(digest))
        logs = (("operator_log", columns.entries), ("tenant_log", columns.twins))
        return [frames.log_part(*log) for log in logs if log[1].size] + list(map(frames.row_part, columns.rows))

    def _look_closely(self, columns: Columns) -> tuple[Seen, Digests] | None:
        """Entry by entry and row by row, what is not recognised at a glance; None if anything is wrong."""
        try:
            pulled = pulled_of(columns, Head(self.link.seq, self.link.hash))
        except Mixed:
            return None
        checked = check_entries(pulled, self.link, self._link_of, self._witness)
        check_rows(pulled.rows, checked)
        if checked.broken or checked.findings or len(checked.settled) != len(pulled.rows):
            return None
        listed = {key: (seq, digest.hex()) for key, (seq, digest) in checked.digests.items()}
        came = {key: listed[key] for key in checked.settled}
        return Seen(checked.link, checked.tenant_links, listed), came

    def _link_of(self, log: str) -> Link:
        return self.tenants.get(log, Link(0, GENESIS))

    def end(self) -> tuple[str | None, list[tuple[str, int, bytes]], list[tuple[Any, ...]]]:
        """The last frame."""
        heads = {OPERATOR: self.link, **self.tenants}
        return (
            self.epoch,
            [(log, link.seq, bytes.fromhex(link.hash)) for log, link in heads.items()],
            [(*key, *digest) for key, digest in self.awaited.items()],
        )


Pull = Callable[[Head, int], Columns | None]
"""The entries with so many numbers after a position; None if they cannot be had by columns."""


def fill(order: Order, pull: Pull, to_writer: IO[bytes], tell: Callable[[tuple[int, int]], None]) -> bool:
    """Everything up to `order.upto`, the next chunk fetched while one is verified; whether all was sound."""
    witness = Witness(Path(order.witness))
    filling = Filling(witness.epoch, witness)
    sound = True
    with ThreadPoolExecutor(1) as fetching:
        coming = fetching.submit(pull, Head(), min(order.chunk, order.upto))
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
    if filling.link.seq:
        frames.send(to_writer, filling.end())
    return sound and filling.link.seq == order.upto


def _last(columns: Columns | None) -> Head | None:
    """Where a chunk ends, as it says itself."""
    if columns is None or not columns.entries.size:
        return None
    return Head(int(columns.entries.seqs.rpartition(" ")[2]), columns.entries.hashes[-32:].hex())


def _run(order: Order, tell: Callable[[tuple[int, int]], None]) -> bool:
    command = [sys.executable, "-m", "storage.filling.writer", order.empty, order.new]
    writer = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, pipesize=_PIPE_BYTES)
    assert writer.stdin is not None
    try:
        with source(order.place) as connection:
            sound = fill(order, pull_from(connection), writer.stdin, tell)
        writer.stdin.close()
        if writer.wait() != 0:
            raise OSError("the new replica could not be written")
        return sound
    finally:
        writer.kill()


def source(place: str) -> closing[Any]:
    """A connection to the shared database: nothing but reads go over it."""
    if place.startswith("sqlite:///"):
        from storage.shared.connections import plain_reader

        return closing(plain_reader(Path(place.removeprefix("sqlite:///"))))
    import psycopg

    from storage.shared.postgres.line import options

    return closing(psycopg.connect(place, autocommit=True, prepare_threshold=None, **options(place)))


def pull_from(connection: Any) -> Pull:
    """What fetches the next chunk over it; blocks."""
    if isinstance(connection, sqlite3.Connection):
        from storage.shared.connections import Transaction
        from storage.shared.reading import read_pulled

        def chunk(after: Head, limit: int) -> Columns | None:
            connection.execute("BEGIN")
            try:
                return columns_of(read_pulled(Transaction(connection), after, limit))
            except Mixed:
                return None
            finally:
                connection.execute("COMMIT")

        return chunk
    from storage.shared.postgres.reading import read_columns

    return lambda after, limit: read_columns(connection, after, limit)


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
