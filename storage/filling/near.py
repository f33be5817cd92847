"""The console's side: orders a new replica, or that its own be brought forward, and reports how far it is."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from storage.filling import frames
from storage.filling.frames import Cut
from storage.filling.reader import Order

SUFFIX = ".filling-"
_KEPT = {"MALLOC_MMAP_THRESHOLD_": str(2**27), "MALLOC_TRIM_THRESHOLD_": str(2**27)}
"""Each chunk takes and frees some megabytes: glibc shall not ask the system for them anew every time."""
CHUNK = 1000
"""Entries a pull. Larger ones only take more memory."""


@dataclass(frozen=True, slots=True)
class Filled:
    """A complete replica file, up to where the history was sound; `sound`: that was all that was asked for."""

    path: Path
    sound: bool


@asynccontextmanager
async def filled(
    place: str, replica: Path, witness: Path, upto: int, progress: Callable[[int, int], None]
) -> AsyncIterator[Filled | None]:
    """The file of a new replica, or None if none could be made; what is not taken away in the block is removed after
    it. Cancelling ends the processes."""
    _sweep(replica)
    new = replica.with_name(f"{replica.name}{SUFFIX}{os.getpid()}")
    try:
        sound = await _read(Order(place, str(replica), str(new), str(witness), upto, CHUNK), progress)
        yield Filled(new, sound) if sound is not None and new.exists() else None
    finally:
        new.unlink(missing_ok=True)


async def brought_forward(
    place: str, replica: Path, witness: Path, upto: int, progress: Callable[[int, int], None]
) -> None:
    """A replica that stands far back, in transactions of their own, as far as the history is sound; whatever stops it,
    an ordinary pull goes on from where the replica then stands. Cancelling ends the processes."""
    await _read(Order(place, str(replica), "", str(witness), upto, CHUNK), progress)


async def _read(order: Order, progress: Callable[[int, int], None]) -> bool | None:
    """Have the reader do it: whether all was sound; None if it did not come to an end."""
    reader = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "storage.filling.reader",
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
        env=_KEPT | os.environ,
    )  # fmt: skip
    assert reader.stdin is not None and reader.stdout is not None
    try:
        reader.stdin.write(frames.packed(tuple(order)))
        with contextlib.suppress(Cut):
            while True:
                done, total = await _step(reader.stdout)
                if done is None:
                    return bool(total)
                progress(done, total)
        return None
    finally:
        with contextlib.suppress(ProcessLookupError):
            reader.kill()
        await reader.wait()


async def _step(stream: asyncio.StreamReader) -> tuple[int | None, int]:
    try:
        length = frames.length(await stream.readexactly(frames.HEADER_BYTES))
        done, total = frames.unpacked(await stream.readexactly(length))
    except asyncio.IncompleteReadError:
        raise Cut from None
    return done, total


def _sweep(replica: Path) -> None:
    """Remove what fillings left behind that were killed."""
    for file in replica.parent.glob(f"{replica.name}{SUFFIX}*"):
        pid = file.name.rpartition("-")[2]
        if not pid.isdigit() or int(pid) == os.getpid() or not _runs(int(pid)):
            file.unlink(missing_ok=True)


def _runs(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
