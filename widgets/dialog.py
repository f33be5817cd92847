"""The one modal pattern: a titled box in the middle, a body, buttons below; Esc is always "no".

A dialog is awaited (`await self.app.push_screen_wait(dialog)`) and ends by `dismiss(value)`, never by popping: whoever
waits always gets an answer, None when it was left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, Generic, Literal, TypeVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from widgets.text import safe, visible

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class Choice:
    """A button. `id` is handed to `Dialog.chosen`; `key` presses it ("" for none); `danger` paints it so."""

    id: str
    label: str
    key: str = ""
    danger: bool = False


CANCEL = Choice("cancel", "Cancel", "escape")
CLOSE = Choice("cancel", "Close", "escape")
"""The same way out, where nothing is under way."""


class Dialog(ModalScreen[Answer | None], Generic[Answer]):
    """Subclass it: give `choices`, yield the body from `body`, answer in `chosen`. `title` may come from outside."""

    AUTO_FOCUS = "Input, TextArea, VirtualTable, Button"
    ALLOW_IN_MAXIMIZED_VIEW = ""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", show=False, id="dialog.cancel"),
        Binding("left", "app.focus_previous", show=False),
        Binding("right", "app.focus_next", show=False),
    ]

    choices: Sequence[Choice] = (CANCEL,)

    FRAME_LINES: ClassVar[int] = 7
    """Lines of the dialog that are not its body: border, title, buttons and the space around them."""

    DEFAULT_CSS = """
    Dialog {
        align: center middle;
        & > #box {
            width: 72; max-width: 96%; height: auto; max-height: 100%;
            background: $surface; border: round $primary; padding: 0 1;
        }
        &.-danger > #box { border: round $error; }
        #dialog-title { height: auto; text-style: bold; margin-bottom: 1; }
        &.-danger #dialog-title { color: $tone-bad; }
        #dialog-body { height: auto; max-height: 20; }
        #dialog-problem { height: auto; color: $tone-bad; display: none; margin-top: 1; }
        #dialog-problem.-told { display: block; }
        #dialog-buttons { height: 1; margin-top: 1; align-horizontal: right; }
        #dialog-buttons Button { margin-left: 2; min-width: 8; }
    }
    Dialog:ansi > #box { border: round ansi_cyan; }
    """

    def __init__(self, title: str, *, danger: bool = False, wide: bool = False) -> None:
        super().__init__(classes="-danger" if danger else None)
        self._title = visible(title)
        self._wide = wide
        for choice in self.choices:
            if choice.key and choice.key != "escape":
                self._bindings.bind(choice.key, f"choose({choice.id!r})", choice.label, show=False)

    def compose(self) -> ComposeResult:
        with Vertical(id="box"):
            yield Static(Content(self._title), id="dialog-title", markup=False)
            with VerticalScroll(id="dialog-body", can_focus=False):
                yield from self.body()
            yield Static("", id="dialog-problem", markup=False)
            with Horizontal(id="dialog-buttons"):
                for choice in self.choices:
                    yield self._button(choice)

    def on_mount(self) -> None:
        if self._wide:
            self.query_one("#box").styles.width = 110
        self._fit()

    def on_resize(self) -> None:
        self._fit()

    def _fit(self) -> None:
        """Leave the body what the frame does not need, so that the buttons stay in sight at any size."""
        told = 2 if self.query_one("#dialog-problem").has_class("-told") else 0
        self.query_one("#dialog-body").styles.max_height = max(3, self.size.height - self.FRAME_LINES - told)

    def body(self) -> ComposeResult:
        """What stands between title and buttons."""
        yield from ()

    async def chosen(self, choice: str) -> None:
        """A button was pressed, by mouse or by its key. The base knows only `cancel`."""
        if choice == CANCEL.id:
            self.dismiss(None)

    def problem(self, words: str) -> None:
        """Say in the dialog what is wrong; "" clears it."""
        line = self.query_one("#dialog-problem", Static)
        line.update(safe(words))
        line.set_class(bool(words), "-told")
        self._fit()

    def relabel(self, choice: Choice) -> None:
        """Another word on the button of that id, with its key as before: nothing is left to cancel, say."""
        self.query_one(f"#choice-{choice.id}", Button).label = self._worded(choice)

    async def action_cancel(self) -> None:
        if self.is_current:  # of keys in one burst, the second finds the dialog left already
            await self.chosen(CANCEL.id)

    async def action_choose(self, choice: str) -> None:
        buttons = self.query(f"#choice-{choice}").results(Button)  # none yet where the key was faster than the dialog
        if self.is_current and any(not button.disabled for button in buttons):
            await self.chosen(choice)

    async def on_button_pressed(self, event: Button.Pressed) -> None:
        event.stop()
        await self.chosen((event.button.id or "").removeprefix("choice-"))

    def _button(self, choice: Choice) -> Button:
        variant: Literal["error", "default"] = "error" if choice.danger else "default"
        return Button(self._worded(choice), id=f"choice-{choice.id}", variant=variant, compact=True)

    @staticmethod
    def _worded(choice: Choice) -> Content:
        hint = {"escape": "Esc", "enter": "⏎"}.get(choice.key, choice.key.replace("ctrl+", "^").upper())
        return Content(f"{choice.label} {hint}" if hint else choice.label)


class Confirm(Dialog[bool]):
    """Asks before an act: the text names the act and its target, the key to say yes is another than the one that
    opened the dialog. Answers True, or None."""

    choices = (CANCEL, Choice("yes", "Yes", "y"))

    def __init__(self, title: str, text: str, *, danger: bool = False) -> None:
        super().__init__(title, danger=danger)
        self._text = text

    def body(self) -> ComposeResult:
        yield Static(safe(self._text, lines=True), markup=False)

    async def chosen(self, choice: str) -> None:
        self.dismiss(True if choice == "yes" else None)


class Reader(Dialog[None]):
    """Something to read, that scrolls by the keys of a list."""

    choices = (CLOSE,)
    AUTO_FOCUS = "Button"

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("up,k", "scroll_body(-1)", show=False),
        Binding("down,j", "scroll_body(1)", show=False),
        Binding("pageup", "scroll_body(-10)", show=False),
        Binding("pagedown,space", "scroll_body(10)", show=False),
        Binding("home,g", "scroll_body(-1000000)", show=False),
        Binding("end,G", "scroll_body(1000000)", show=False),
    ]

    def action_scroll_body(self, lines: int) -> None:
        for body in self.query("#dialog-body"):  # none yet where the key was faster than the dialog
            body.scroll_relative(y=lines, animate=False)


class Notice(Reader):
    """Content made by us, or text from outside, which passes the gate here."""

    def __init__(self, title: str, text: Content | str, *, danger: bool = False, wide: bool = False) -> None:
        super().__init__(title, danger=danger, wide=wide)
        self._text = text if isinstance(text, Content) else safe(text, lines=True)

    def body(self) -> ComposeResult:
        yield Static(self._text, markup=False)
