"""Help: every key of the screen in front, derived from its actions, and those of every list."""

from __future__ import annotations

from textual.content import Content

from screens.main import MainScreen
from widgets.dialog import Notice
from widgets.text import fitted, visible

LIST_KEYS = (
    ("↑ ↓  j k", "one row"),
    ("PgUp PgDn", "one page"),
    ("Home End  g G", "first, last row"),
    ("⏎", "open, or do the first thing that can be done"),
    ("Tab", "next pane or field"),
    ("Esc", "back"),
)


def help_for(screen: MainScreen) -> Notice:
    """The help dialog of a screen."""
    parts: list[tuple[str, str]] = []
    for action in screen.every_action():
        verdict = action.available(screen)
        words = action.help or screen.label_of(action).rstrip("…")
        parts.append((fitted(screen.key_of(action), 14), "bold $tone-accent" if verdict.allowed else "$tone-dim"))
        parts.append((fitted(screen.label_of(action), 16), "" if verdict.allowed else "$tone-dim"))
        parts.append((words if verdict.allowed else f"{words} — not now: {visible(verdict.why())}", "$tone-dim"))
        parts.append(("\n", ""))
    parts.append(("\nIn every list\n", "bold"))
    for keys, words in LIST_KEYS:
        parts += [(fitted(keys, 14), "bold $tone-accent"), (words + "\n", "")]
    parts.append(("\nKeys can be changed in the config file: [console.keys] with the ids below.\n", "bold"))
    parts.append((", ".join(action.id for action in screen.every_action()), "$tone-dim"))
    return Notice("Help", Content.assemble(*parts), wide=True)
