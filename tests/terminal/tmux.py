"""A console in a real terminal: tmux runs it, keys go in, the screen comes out as text. No sleeps: wait for words."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import time
import uuid
from collections.abc import Callable, Mapping, Sequence


class NeverShown(AssertionError):
    """What was waited for did not appear; carries the last screen."""


class Terminal:
    """One tmux server with one window of `columns` × `rows`, running `command`. Close it when done."""

    def __init__(self, command: Sequence[str], *, columns: int = 120, rows: int = 36, env: Mapping[str, str]) -> None:
        self._socket = f"countersign-{uuid.uuid4().hex[:12]}"
        kept = {name: os.environ[name] for name in ("PATH", "LANG", "HOME") if name in os.environ}
        words = ["env", "-i", *(f"{k}={v}" for k, v in {**kept, "LANG": "C.UTF-8", **env}.items())]
        line = " ".join(shlex.quote(word) for word in [*words, "TERM=tmux-256color", *command])
        self._tmux("-f", "/dev/null", "new-session", "-d", "-x", str(columns), "-y", str(rows), line)
        self._tmux("set-option", "-g", "remain-on-exit", "on")

    def _tmux(self, *arguments: str) -> str:
        run = subprocess.run(
            ["tmux", "-u", "-L", self._socket, *arguments], capture_output=True, text=True, check=False, timeout=20
        )
        if run.returncode:
            raise RuntimeError(f"tmux {arguments[0]}: {run.stderr.strip()}")
        return run.stdout

    def press(self, *keys: str) -> None:
        """Keys by tmux's names: "n", "Enter", "C-s", "Tab", "Escape"."""
        self._tmux("send-keys", *keys)

    def type(self, text: str) -> None:
        """Text, letter by letter as it stands."""
        self._tmux("send-keys", "-l", text)

    def screen(self) -> str:
        """What is on the screen now."""
        return self._tmux("capture-pane", "-p")

    def wait_for(self, *words: str, seconds: float = 20, gone: Sequence[str] = ()) -> str:
        """The first screen that shows every one of `words` and none of `gone`. Raises NeverShown with the last one."""

        def right(shown: str) -> bool:
            return all(word in shown for word in words) and not any(word in shown for word in gone)

        return self._wait(right, f"{words}, without {tuple(gone)}", seconds)

    def wait_for_match(self, *patterns: str, seconds: float = 20) -> str:
        """The first screen on which every one of these regular expressions is found."""
        return self._wait(lambda shown: all(re.search(one, shown) for one in patterns), str(patterns), seconds)

    def _wait(self, right: Callable[[str], bool], what: str, seconds: float) -> str:
        until = time.monotonic() + seconds
        shown = ""
        while time.monotonic() < until:
            shown = self.screen()
            if right(shown):
                return shown
            time.sleep(0.02)  # the poll of a condition, not a wait for time to pass
        raise NeverShown(f"waited for {what}; the screen was:\n{shown}")

    def close(self) -> None:
        """End the program and the server."""
        subprocess.run(["tmux", "-L", self._socket, "kill-server"], capture_output=True, check=False, timeout=20)

    def __enter__(self) -> Terminal:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
