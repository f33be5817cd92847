"""Actions, declared once: id, key, label, danger, and whether it applies now. Footer, palette, help and dim state all
derive from this, so a key, its words and the reason it is off stand together."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from app.policy.verdict import Verdict

ALWAYS = Verdict()


def _always(_: Any) -> Verdict:
    return ALWAYS


@dataclass(frozen=True, slots=True)
class Action:
    """What a person can do on a screen. `id` is `<screen>.<verb>`: the binding's id for remapping, and the method
    that does it is `do_<verb>`. `available` asks the screen whether it applies now, and why not. A `label` may be
    replaced by the screen (`MainScreen.label_of`), as ⏎ names the first thing one can do. `footer` False keeps it out
    of the footer; help and palette list it anyway."""

    id: str
    key: str
    label: str
    help: str = ""
    danger: bool = False
    footer: bool = True
    available: Callable[[Any], Verdict] = _always

    @property
    def method(self) -> str:
        """The name of the screen's method that does it."""
        return "do_" + self.id.rpartition(".")[2].replace("-", "_")


COMMON: tuple[Action, ...] = (
    Action("app.help", "question_mark", "Help", "every key of this screen"),
    Action("app.queue", "1", "Queue", "the request queue", footer=False),
    Action("app.sessions", "2", "Sessions", "the countdown board", footer=False),
    Action("app.audit", "3", "Audit", "the audit viewer", footer=False),
    Action("app.tenants", "4", "Tenants", "the tenant inspector", footer=False),
    Action("app.review", "5", "Review", "what must be signed by somebody uninvolved", footer=False),
    Action("app.zone", "z", "UTC/local", "show times in UTC, or in local time", footer=False),
    Action("app.status", "exclamation_mark", "Status", "how the history was verified, and every fault", footer=False),
    Action(
        "app.outbox", "O", "Outbox", "what was decided offline: what waits, and what came of the rest", footer=False
    ),
    Action("app.palette", "ctrl+p", "Palette", "every command by name", footer=False),
    Action("app.sign-in", "ctrl+o", "Sign in", "work as another person", footer=False),
    Action("app.quit", "q", "Quit", "leave the console", footer=False),
)
"""What every main screen has."""
