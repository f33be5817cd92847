"""One line to filter a list with: `/` goes there, completion as one types, Enter and Esc go back to the list.

The completion stands dim behind what is typed; Right or Tab takes it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.suggester import Suggester
from textual.widgets import Input

from widgets.text import visible

Completer = Callable[[str], Sequence[str]]
"""Candidates for the last word typed, best first, each the whole word."""


class WordSuggester(Suggester):
    """Completes the last word of a line."""

    def __init__(self, complete: Completer) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._complete = complete

    async def get_suggestion(self, value: str) -> str | None:
        start, word = _last_word(value)
        if not word:
            return None
        for candidate in self._complete(word):
            if candidate.casefold().startswith(word.casefold()) and len(candidate) > len(word):
                return value[:start] + visible(candidate)
        return None


class FilterLine(Input):
    """The input. It tells `Changed` (Textual's own) at every key and `Left` when the list should have the focus."""

    DEFAULT_CSS = """
    FilterLine { width: 1fr; background: $surface; padding: 0 1; }
    FilterLine.-filtering { color: $tone-accent; }
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave(True)", "Clear", show=False, id="filter.clear"),
        Binding("enter,down", "leave(False)", "To the list", show=False, id="filter.leave"),
        Binding("tab", "take", "Complete", show=False, id="filter.take"),
    ]

    class Left(Message):
        """Enter, Down or Esc: back to the list."""

    def __init__(
        self, complete: Completer | None = None, *, placeholder: str = "filter", id: str | None = None
    ) -> None:
        super().__init__(
            placeholder=placeholder,
            id=id,
            compact=True,
            select_on_focus=False,
            suggester=WordSuggester(complete) if complete else None,
        )

    def on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        self.insert_text_at_cursor(visible(" ".join(event.text.split())))

    def action_leave(self, clear: bool) -> None:
        if clear and self.value:
            self.value = ""
        self.post_message(self.Left())

    def action_take(self) -> None:
        """Take the completion if there is one, else move on as Tab does."""
        before = self.value
        self.action_end()
        self.action_cursor_right()
        if self.value == before:
            self.post_message(self.Left())


def _last_word(value: str) -> tuple[int, str]:
    """Where the word being typed starts, and the word. An open quote belongs to it."""
    start = value.rfind(" ") + 1
    if value.count('"') % 2:
        opening = value.rfind('"')
        start = value.rfind(" ", 0, opening) + 1
    return start, value[start:]
