"""`countersign demo`: see that there is a world, enter it, open the console on it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from app.demo.home import DemoHome

if TYPE_CHECKING:
    from app.launch import Launch
    from storage.models import Role


def run_demo(launch: Launch, role: Role, *, fresh: bool = False) -> None:
    """The console on the demo world, as somebody of that role."""
    home = DemoHome.of(launch)
    home.prepare(fresh=fresh, progress=_tell)
    _tell("")
    with home.entered() as number:
        from app.demo.console import DemoConsole
        from app.demo.people import persona

        own = home.launch(number, persona(role), dict(launch.environment))
        DemoConsole(own, home, number).stay()


def _tell(words: str) -> None:
    """Progress for a person who waits, on one line."""
    if sys.stderr.isatty():
        sys.stderr.write(f"\r\x1b[K{'demo: ' + words + ' …' if words else ''}")
        sys.stderr.flush()
