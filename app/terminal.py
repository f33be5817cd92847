"""The terminal that the console was started on, and what to do when it is gone.

The system tells a hang-up to the terminal's session leader alone. Where that is not the console and lives on (make,
sudo, a script that waits for us), nobody tells the console: the terminal then reads as "end of file" for ever, and
waiting for keys becomes a loop that takes a whole processor.
"""

from __future__ import annotations

import os
import select
import signal


class Terminal:
    """Made while the terminal is there. Nothing to look at where keys do not come from one."""

    def __init__(self, keys: int = 0) -> None:
        self._poll = select.poll()
        if os.isatty(keys):
            self._poll.register(keys, 0)  # no event asked for: a hang-up is told anyway

    def is_gone(self) -> bool:
        return any(event & (select.POLLHUP | select.POLLERR | select.POLLNVAL) for _, event in self._poll.poll(0))

    @staticmethod
    def hang_up() -> None:
        """End as a process ends whose terminal tells it of a hang-up itself."""
        signal.signal(signal.SIGHUP, signal.SIG_DFL)
        signal.raise_signal(signal.SIGHUP)
