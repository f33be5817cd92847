"""The dialog for acts that take words: withdraw, countersign, decline, answer. It names the act and the request, shows
what is being decided on, and asks for a key of its own (Ctrl+S), so that no stray Enter decides anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.widgets import Static

from app.policy.text import NOTE_MAX
from widgets.dialog import CANCEL, Choice, Dialog
from widgets.text import safe
from widgets.text_entry import TextEntry


class NoteDialog(Dialog[str]):
    """Answers the note, "" where none was needed or given; None when left. `facts` are label and value, from outside
    like all of it; `verb` is the word on the button."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "choose('do')", "Do it", show=False, id="note.do"),
    ]

    DEFAULT_CSS = """
    NoteDialog {
        .fact { height: auto; }
        .fact-name { width: 10; color: $tone-dim; }
        .fact-value { width: 1fr; height: auto; }
        #note-label { height: auto; color: $tone-dim; margin-top: 1; }
        #note { height: 3; background: $panel; }
    }
    """

    def __init__(
        self,
        title: str,
        facts: Sequence[tuple[str, str]],
        *,
        verb: str,
        label: str,
        needed: bool = False,
        danger: bool = False,
        words: str = "",
    ) -> None:
        self.choices = (CANCEL, Choice("do", verb, "ctrl+s", danger=danger))
        super().__init__(title, danger=danger)
        self._facts, self._label, self._needed, self._words = tuple(facts), label, needed, words

    def body(self) -> ComposeResult:
        for name, value in self._facts:
            with Horizontal(classes="fact"):
                yield Static(safe(name), classes="fact-name", markup=False)
                yield Static(safe(value), classes="fact-value", markup=False)
        yield Static(safe(self._label), id="note-label", markup=False)
        yield TextEntry(self._words, id="note")

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#note", TextEntry).focus()

    async def chosen(self, choice: str) -> None:
        if choice != "do":
            self.dismiss(None)
            return
        note = self.query_one("#note", TextEntry).text.strip()
        if self._needed and not note:
            self.problem("say it in words first")
        elif len(note) > NOTE_MAX:
            self.problem(f"at most {NOTE_MAX:,} characters; these are {len(note):,}")
        else:
            self.dismiss(note)
