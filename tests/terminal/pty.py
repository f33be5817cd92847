"""A program on a pseudo-terminal of its own: its bytes as they come out, keys going in. No sleeps: wait for bytes.

`tests.terminal.tmux` shows what a person sees; this shows what a terminal is told.
"""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Self

CSI = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]")
OSC = re.compile(rb"\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
OTHER = re.compile(rb"\x1b(?:[PX^_].*?\x1b\\|[ -/]*[0-~])", re.DOTALL)


class Pty:
    """Runs `command` with this size and environment; use it as a context. Output is read when something is waited
    for, and kept whole in `output`."""

    def __init__(self, command: Sequence[str], *, columns: int = 120, rows: int = 36, env: Mapping[str, str]) -> None:
        self.output = bytearray()
        self.ended = False
        self.pid, self._file = pty.fork()
        if self.pid == 0:
            os.execvpe(command[0], list(command), {**env, "TERM": "xterm-256color", "COLUMNS": "", "LINES": ""})
        fcntl.ioctl(self._file, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def write(self, keys: str | bytes) -> None:
        """Press keys: letters as they are, others as a terminal sends them ("\\x1b[B" is Down)."""
        os.write(self._file, keys.encode() if isinstance(keys, str) else keys)

    def read(self, seconds: float) -> bytes:
        """What comes within `seconds`; b"" if nothing does, or the program has ended."""
        if self.ended or not select.select([self._file], [], [], seconds)[0]:
            return b""
        try:
            found = os.read(self._file, 1 << 16)
        except OSError:  # the other side is closed: how Linux tells that the program has ended
            found = b""
        if not found:
            self.ended = True
        self.output += found
        return found

    def wait_until(self, condition: Callable[[], bool], seconds: float = 30) -> None:
        """Read until the condition holds. Raises AssertionError with the last text otherwise."""
        until = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > until or self.ended:
                raise AssertionError(f"never shown; the last text was:\n{self.text()[-3000:]}")
            self.read(0.1)

    def wait_for(self, words: str, *, after: int = 0, seconds: float = 30) -> int:
        """Read until `words` were written after byte `after`; where the output ends then."""
        self.wait_until(lambda: words in plain(bytes(self.output[after:])), seconds)
        return len(self.output)

    def wait_quiet(self, silence: float = 0.3, seconds: float = 30) -> None:
        """Read until nothing has come for `silence` seconds."""
        until = time.monotonic() + seconds
        while self.read(silence) and time.monotonic() < until:
            pass

    def text(self) -> str:
        """Everything written so far without its control sequences."""
        return plain(bytes(self.output))

    def close(self) -> None:
        """End the program."""
        try:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        except (ProcessLookupError, ChildProcessError):
            pass  # it has ended by itself and was waited for
        os.close(self._file)

    def hang_up(self) -> None:
        """The terminal goes away, as when a window is closed or a connection is lost."""
        os.close(self._file)
        self._file = os.open(os.devnull, os.O_RDWR)
        self.ended = True

    def memory(self) -> int:
        """Resident bytes of the program."""
        return int(Path(f"/proc/{self.pid}/statm").read_text("ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def cpu_seconds(self) -> float:
        """Processor time of the program so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text("utf-8").rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def plain(output: bytes) -> str:
    """Output without its control sequences."""
    for pattern in (OSC, CSI, OTHER):
        output = pattern.sub(b"", output)
    return output.decode("utf-8", "replace")
