"""One choice out of many, by typing: an input whose fitting choices stand below it while it has the focus.

The letters typed must appear in that order, anywhere; beginnings of words count most. Up and Down move through the
list without leaving the input, Enter and Tab take the one under the mark, Esc closes the list and keeps what was
typed. What is shown passes the one gate for outside text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from widgets.entry import LineEntry
from widgets.text import visible


@dataclass(frozen=True, slots=True)
class Choice:
    """`label` is what is typed for and shown; `detail` stands dim beside it and is searched too."""

    key: str
    label: str
    detail: str = ""


def fitness(query: str, candidate: str) -> int:
    """How well the letters of `query` are found in `candidate`, in order, case aside: 0 is not at all. Linear: no
    text, however hostile, makes it slow."""
    wanted, text = query.casefold(), candidate.casefold()
    if not wanted:
        return 1
    at = text.find(wanted)
    if at >= 0:
        starts_word = at == 0 or not text[at - 1].isalnum()
        return 1000 + (500 if starts_word else 0) + (200 if at == 0 else 0) - min(len(text), 100)
    score, index = 0, -1
    for letter in wanted:
        found = text.find(letter, index + 1)
        if found < 0:
            return 0
        score += 3 if found == index + 1 else 2 if found == 0 or not text[found - 1].isalnum() else 1
        index = found
    return score


class TypeAhead(Vertical):
    """The widget. `chosen` is the key of the choice taken, or None while the text names none."""

    DEFAULT_CSS = """
    TypeAhead {
        height: 1;
        & > OptionList {
            display: none;
            overlay: screen;
            constrain: none inside;
            width: 100%;
            height: auto;
            max-height: 8;
            border: none;
            padding: 0;
            background: $panel;
        }
        &.-open > OptionList { display: block; }
    }
    """
    SHOWN: ClassVar[int] = 50
    """How many fitting choices the list holds: more say nothing to a person, typing on does."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move(1)", "next choice", show=False, id="typeahead.next"),
        Binding("up", "move(-1)", "previous choice", show=False, id="typeahead.previous"),
        Binding("escape", "close", "close the list", show=False, id="typeahead.close"),
    ]

    @dataclass
    class Changed(Message):
        """Another choice was taken, or the text no longer names one (`key` None)."""

        type_ahead: TypeAhead
        key: str | None

        @property
        def control(self) -> TypeAhead:
            return self.type_ahead

    def __init__(self, placeholder: str, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._placeholder = placeholder
        self._choices: tuple[Choice, ...] = ()
        self._fitting: list[Choice] = []
        self._closed_by_hand = False
        self.chosen: str | None = None

    def compose(self) -> ComposeResult:
        yield LineEntry(placeholder=self._placeholder)
        choices = OptionList(compact=True, markup=False)
        choices.can_focus = False
        yield choices

    @property
    def text(self) -> str:
        """What is typed, as typed."""
        return self.query_one(Input).value

    @property
    def is_open(self) -> bool:
        return self.has_class("-open")

    def set_choices(self, choices: tuple[Choice, ...], chosen: str | None = None) -> None:
        """Other choices to choose from; `chosen`, if among them, is taken at once. What was typed stays otherwise."""
        self._choices = choices
        known = {choice.key: choice for choice in choices}
        if chosen in known and chosen is not None:
            self._take(known[chosen])
        elif self.chosen is not None and self.chosen not in known:
            self.query_one(Input).value = ""
            self._settle(None)
        elif self.chosen is None and self.text and not self.query_one(Input).has_focus:
            self._open(self.text)  # typed and left before there was anything to choose from
            self._take_marked()

    def focus_input(self) -> None:
        self.query_one(Input).focus()

    @on(Input.Changed)
    def _typed(self, event: Input.Changed) -> None:
        event.stop()
        now = self.query_one(Input)
        if event.value != now.value:  # overtaken: more was typed, or a choice taken
            return
        current = next((one for one in self._choices if one.key == self.chosen), None)
        if current is not None and event.value == visible(current.label):
            return
        self._settle(None)
        if now.has_focus:
            self._open(event.value)

    @on(Input.Submitted)
    def _submitted(self, event: Input.Submitted) -> None:
        event.stop()
        if event.value and self.chosen is None and not self.is_open and not self._closed_by_hand:
            self._open(event.value)  # typed and entered in one burst: the list had no time to show
        if self.is_open:
            self._take_marked()
            self.screen.focus_next()
        else:
            self._open("" if self.chosen else event.value)

    @on(OptionList.OptionSelected)
    def _clicked(self, event: OptionList.OptionSelected) -> None:
        event.stop()
        self._take(self._fitting[event.option_index])
        self.focus_input()

    def on_descendant_blur(self, event: events.DescendantBlur) -> None:
        """Leaving by Tab takes what stands under the mark if something was typed: nobody types a name to lose it."""
        if self.text and self.chosen is None:
            if not self.is_open and not self._closed_by_hand:  # typed and left in one burst
                self._open(self.text)
            if self.is_open:
                self._take_marked()
        self.remove_class("-open")

    def action_move(self, step: int) -> None:
        choices = self.query_one(OptionList)
        if not self.is_open:
            self._open("" if self.chosen else self.text)
        elif choices.option_count:
            choices.highlighted = ((choices.highlighted or 0) + step) % choices.option_count

    def action_close(self) -> None:
        self._closed_by_hand = True
        self.remove_class("-open")

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Esc belongs to the list only while it is open; otherwise it goes on to the screen."""
        return self.is_open if action == "close" else True

    def _open(self, query: str) -> None:
        self._closed_by_hand = False
        scored = [
            (fitness(query, choice.label) * 2 or fitness(query, choice.detail), choice) for choice in self._choices
        ]
        fitting = [(score, choice) for score, choice in scored if score]
        if query:
            fitting.sort(key=lambda pair: -pair[0])
        self._fitting = [choice for _, choice in fitting[: self.SHOWN]]
        choices = self.query_one(OptionList)
        choices.clear_options()
        choices.add_options([Option(_described(choice)) for choice in self._fitting])
        if not self._fitting:
            choices.add_option(Option(Content.styled("nothing fits", "dim"), disabled=True))
        choices.highlighted = 0 if self._fitting else None
        self.add_class("-open")

    def _take_marked(self) -> None:
        marked = self.query_one(OptionList).highlighted
        if marked is not None and marked < len(self._fitting):
            self._take(self._fitting[marked])
        self.remove_class("-open")

    def _take(self, choice: Choice) -> None:
        shown = self.query_one(Input)
        self.remove_class("-open")
        changed = self.chosen != choice.key
        self.chosen = choice.key
        shown.value = visible(choice.label)
        shown.cursor_position = len(shown.value)
        if changed:
            self.post_message(self.Changed(self, choice.key))

    def _settle(self, key: str | None) -> None:
        if self.chosen != key:
            self.chosen = key
            self.post_message(self.Changed(self, key))


def _described(choice: Choice) -> Content:
    label = Content(visible(choice.label))
    return label + Content.styled("  " + visible(choice.detail), "dim") if choice.detail else label
