"""Fields that one types into, safe for what is pasted: text from a customer's ticket may carry terminal sequences, and
a field draws its own text. Whatever enters, by paste or by prefilling, passes the gate for outside text on its way in.
"""

from __future__ import annotations

from textual import events
from textual.content import Content
from textual.geometry import Size
from textual.widgets import Checkbox, Input, RadioButton

from widgets.text import visible


class LineEntry(Input):
    """One line. A paste of several lines becomes one, words kept, instead of losing all but the first."""

    def __init__(self, value: str = "", *, placeholder: str = "", id: str | None = None, digits: bool = False) -> None:
        super().__init__(
            visible(value),
            placeholder=placeholder,
            id=id,
            compact=True,
            select_on_focus=False,
            restrict=r"[0-9]{0,7}" if digits else None,
            classes="digits" if digits else None,
        )
        self.cursor_blink = False  # a still screen is calmer, and over SSH every blink is sent

    def on_paste(self, event: events.Paste) -> None:
        event.prevent_default()
        event.stop()
        self.insert_text_at_cursor(visible(" ".join(event.text.split())))

    def prefill(self, text: str) -> None:
        """Replace what stands in the field; the cursor goes to its end."""
        self.value = visible(text)
        self.cursor_position = len(self.value)

    @property
    def number(self) -> int:
        """What is typed as a whole number; 0 while nothing is."""
        return int(self.value) if self.value.isascii() and self.value.isdigit() else 0


class CodeEntry(LineEntry):
    """A code of a second factor, or a recovery code, which is longer. `code` is what is typed without its spaces."""

    LONGEST = 40

    def __init__(self, placeholder: str, *, id: str | None = None) -> None:
        super().__init__(placeholder=placeholder, id=id)
        self.max_length = self.LONGEST

    @property
    def code(self) -> str:
        return "".join(self.value.split())


class Tick(Checkbox):
    """A box to tick, told by its sign and not by its colour: `[x]` or `[ ]`."""

    DEFAULT_CSS = """
    Tick, Tick.-textual-compact, Tick.-textual-compact:focus {
        border: none; padding: 0; height: 1; width: auto; background: transparent; background-tint: transparent;
    }
    Tick:focus { text-style: bold reverse; }
    Tick.-on { color: $tone-accent; }
    """

    def __init__(self, label: str, value: bool = False, *, id: str | None = None) -> None:
        super().__init__(Content(label), value, id=id, compact=True)

    def on_key(self, event: events.Key) -> None:
        """Toggled here and not by a binding: bindings look at the focus only when a key has bubbled up, and in a burst
        of keys it is elsewhere by then."""
        if event.key in ("space", "enter"):
            event.stop()
            event.prevent_default()
            self.toggle()

    def render(self) -> Content:
        return Content("[x] " if self.value else "[ ] ") + self.label

    def get_content_width(self, container: Size, viewport: Size) -> int:
        return self.label.cell_length + 4


class Pick(RadioButton):
    """One of several (in a RadioSet), told by its sign and not by its colour: `●` or `○`. Where the set's own cursor
    stands is reversed."""

    DEFAULT_CSS = """
    RadioSet > Pick, RadioSet > Pick:ansi { background: transparent; }
    RadioSet > Pick.-on { color: $tone-accent; text-style: bold; }
    RadioSet:focus > Pick.-selected { text-style: bold reverse; }
    """

    def __init__(self, label: str, value: bool = False, *, id: str | None = None) -> None:
        super().__init__(Content(label), value, id=id)

    def render(self) -> Content:
        return Content("● " if self.value else "○ ") + self.label

    def get_content_width(self, container: Size, viewport: Size) -> int:
        return self.label.cell_length + 2
