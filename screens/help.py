"""Help: every key of the screen in front, derived from its actions, and those of every list."""

from __future__ import annotations

from textual.app import ComposeResult

from screens.main import MainScreen
from widgets.cells import Tone, Toned
from widgets.dialog import Reader
from widgets.fields import BLANK, Field, FieldList, field, line
from widgets.text import visible

LIST_KEYS = (
    ("↑ ↓ or j k", "one row"),
    ("PgUp PgDn", "one page"),
    ("Home End or g G", "the first, the last row"),
    ("Tab", "the next pane or field"),
    ("Esc", "back"),
    ("click", "go there; twice: as Enter"),
)


class HelpDialog(Reader):
    """The keys of one screen as they are now."""

    def __init__(self, screen: MainScreen) -> None:
        super().__init__("Help", wide=True)
        self._keys = _fields(screen)
        self._now = screen.context.now

    def body(self) -> ComposeResult:
        yield FieldList(self._now, self._keys)


def help_for(screen: MainScreen) -> HelpDialog:
    """The help dialog of a screen."""
    return HelpDialog(screen)


def _fields(screen: MainScreen) -> tuple[Field, ...]:
    found: list[Field] = []
    for action in screen.every_action():
        verdict = action.available(screen)
        label = screen.label_of(action).rstrip("…")
        words = f"{label}: {action.help}" if action.help else label
        if verdict.allowed:
            found.append(field(screen.key_of(action), words))
        else:
            found.append(field(screen.key_of(action), words, Toned(f"not now: {visible(verdict.why())}", Tone.DIM)))
    found += [BLANK, line(Toned("In every list", Tone.STRONG))]
    found += [field(keys, words) for keys, words in LIST_KEYS]
    ids = ", ".join(action.id for action in screen.every_action())
    remap = "Each key can be changed in the config file, under [console.keys], by its id:"
    return (*found, BLANK, line(remap), line(Toned(ids, Tone.DIM)))
