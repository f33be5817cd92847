"""The field of several lines, safe for what is pasted like its small sister in `widgets.entry`. A module of its own:
what it stands on is heavy, and the first frame does without.
"""

from __future__ import annotations

from textual.widgets import TextArea
from textual.widgets.text_area import Edit, EditResult

from widgets.text import visible


class TextEntry(TextArea):
    """Several lines. Tab leaves the field, as everywhere in a form."""

    DEFAULT_CSS = """
    TextEntry, TextEntry.-textual-compact { padding: 0; scrollbar-size-vertical: 1; }
    """

    def __init__(self, text: str = "", *, placeholder: str = "", id: str | None = None) -> None:
        super().__init__(
            visible(text, lines=True),
            id=id,
            compact=True,
            soft_wrap=True,
            tab_behavior="focus",
            show_line_numbers=False,
            highlight_cursor_line=False,
            placeholder=placeholder,
        )
        self.cursor_blink = False

    def edit(self, edit: Edit) -> EditResult:
        edit.text = visible(edit.text.replace("\r\n", "\n").replace("\t", " "), lines=True)
        return super().edit(edit)

    def prefill(self, text: str) -> None:
        """Replace what stands in the field; the cursor goes to its end."""
        self.text = visible(text, lines=True)
        self.move_cursor(self.document.end)
