"""The lines around every main screen: tabs above, keys and status below. They get plain values and draw them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.message import Message

from widgets.kept import Kept
from widgets.text import clipped

BRAND = "COUNTERSIGN"
HELP = "app.help"

KEY_NAMES = {
    "enter": "⏎",
    "escape": "Esc",
    "slash": "/",
    "question_mark": "?",
    "exclamation_mark": "!",
    "full_stop": ".",
    "pageup": "PgUp",
    "pagedown": "PgDn",
    "space": "Space",
    "tab": "Tab",
}


def key_name(key: str) -> str:
    """A key as it is shown: the first of its alternatives, `ctrl+s` as `^S`."""
    first = key.split(",")[0].strip()
    if first.startswith("ctrl+"):
        return "^" + first.removeprefix("ctrl+").upper()
    return KEY_NAMES.get(first, first)


@dataclass(frozen=True, slots=True)
class Tab:
    """A main screen: its mode, title, and how much waits there (0 shows nothing)."""

    mode: str
    title: str
    waiting: int = 0


class TopBar(Kept):
    """Brand, tabs, and who I am."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    TopBar { height: 1; width: 1fr; background: $panel; color: $foreground; text-wrap: nowrap; }
    """

    class Picked(Message):
        """A tab was clicked."""

        def __init__(self, mode: str) -> None:
            super().__init__()
            self.mode = mode

    def __init__(self) -> None:
        super().__init__()
        self._tabs: tuple[Tab, ...] = ()
        self._active = ""
        self._who: tuple[str, ...] = ("",)
        self._places: list[tuple[int, int, str]] = []

    def show(self, tabs: Sequence[Tab], active: str, who: Sequence[str]) -> None:
        """Draw these; `who` in visible words, the longest form first. Repaints only what is different."""
        if (tuple(tabs), active, tuple(who)) != (self._tabs, self._active, self._who):
            self._tabs, self._active, self._who = tuple(tabs), active, tuple(who)
            self.refresh()

    def render(self) -> Content:
        width = self.size.width
        labels = [f" {n} {tab.title}{f' {tab.waiting}' if tab.waiting else ''} " for n, tab in enumerate(self._tabs, 1)]
        parts: list[Content | tuple[str, str]] = []
        used = 0
        whole = len(BRAND) + 3 + sum(len(label) for label in labels)
        if whole + 2 + cell_len(self._short_who()) <= width:  # who sits here goes before whose console it is
            parts = [(f" {BRAND}", "bold $brand"), ("  ", "")]
            used = len(BRAND) + 3
        self._places = []
        for tab, label in zip(self._tabs, labels, strict=True):
            parts.append((label, "bold reverse" if tab.mode == self._active else ""))
            self._places.append((used, used + len(label), tab.mode))
            used += len(label)
        room = max(0, width - used - 2)
        who = clipped(next((form for form in self._who if cell_len(form) <= room), self._who[-1]), room)
        parts.append((" " * max(1, width - used - cell_len(who) - 1), ""))
        parts.append((who, "$tone-dim"))
        return Content.assemble(*parts)

    def _short_who(self) -> str:
        """The shortest form that still says the role."""
        return self._who[-2] if len(self._who) > 1 else self._who[-1]

    def on_click(self, event: events.Click) -> None:
        for start, end, mode in self._places:
            if start <= event.x < end:
                self.post_message(self.Picked(mode))


@dataclass(frozen=True, slots=True)
class Hint:
    """One key in the footer. Dim when it does not apply now; pressing it then says why."""

    id: str
    key: str
    label: str
    enabled: bool = True
    danger: bool = False


def _cells(hint: Hint) -> int:
    return cell_len(hint.key) + 1 + cell_len(hint.label)


class KeyBar(Kept):
    """The keys of a screen. What does not fit is told by `…`: `?` shows all."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    KeyBar { height: 1; width: 1fr; background: $panel; color: $foreground; text-wrap: nowrap; }
    """

    class Pressed(Message):
        """A hint was clicked."""

        def __init__(self, id: str) -> None:
            super().__init__()
            self.id = id

    def __init__(self) -> None:
        super().__init__()
        self._hints: tuple[Hint, ...] = ()
        self._places: list[tuple[int, int, str]] = []

    def show(self, hints: Sequence[Hint]) -> None:
        """Draw these keys; repaints only if one is different."""
        if tuple(hints) != self._hints:
            self._hints = tuple(hints)
            self.refresh()

    def render(self) -> Content:
        parts: list[tuple[str, str]] = [(" ", "")]
        used, self._places = 1, []
        staying = self._staying(self.size.width - used - 2)  # a gap before the status
        for hint in staying:
            if hint.id == HELP and len(staying) < len(self._hints):
                parts.append(("… ", "$tone-dim"))
                used += 2
            size = _cells(hint)
            tone = "$tone-dim dim" if not hint.enabled else "bold $tone-bad" if hint.danger else "bold $tone-accent"
            parts.append((hint.key, tone))
            parts.append((" " + hint.label + "  ", "" if hint.enabled else "$tone-dim dim"))
            self._places.append((used, used + size, hint.id))
            used += size + 2
        return Content.assemble(*parts)

    def _staying(self, room: int) -> list[Hint]:
        """The keys there is room for. First those leave that do not apply now, then the last ones; `?` never does."""
        staying = sorted(self._hints, key=lambda hint: hint.id == HELP)
        leaving = sorted((hint for hint in reversed(staying) if hint.id != HELP), key=lambda hint: hint.enabled)
        for hint in leaving:
            cut = 2 * (len(staying) < len(self._hints))
            if sum(_cells(one) + 2 for one in staying) + cut - 2 <= room:
                break
            staying.remove(hint)
        return staying

    def on_click(self, event: events.Click) -> None:
        for start, end, id in self._places:
            if start <= event.x < end:
                self.post_message(self.Pressed(id))


@dataclass(frozen=True, slots=True)
class Status:
    """What the status line says. `alarm` is loud and opens the faults; `note` and `clock` are visible text."""

    note: str
    clock: str
    verified: str = ""
    live: bool = True
    alarm: str = ""


class StatusBar(Kept):
    """The honest state: live or how old, how far verified, the clock."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    StatusBar { height: 1; width: auto; min-width: 30; background: $panel; text-wrap: nowrap; text-align: right; }
    StatusBar.-alarm { background: $error; color: $background; text-style: bold; }
    StatusBar.-alarm:ansi { background: ansi_default; color: ansi_red; text-style: bold reverse; }
    """

    class Opened(Message):
        """Clicked: show how it was verified, or the faults."""

    def __init__(self) -> None:
        super().__init__()
        self._status = Status("", "")

    def show(self, status: Status) -> None:
        """Draw this; repaints only if it differs."""
        if status != self._status:
            wider = len(self._text(status)) != len(self._text(self._status))
            self._status = status
            self.set_class(bool(status.alarm), "-alarm")
            self.refresh(layout=wider)

    def render(self) -> Content:
        status = self._status
        if status.alarm:
            return Content(clipped(self._text(status), self.size.width))
        tone = "$tone-dim" if status.live else "bold $tone-soon"
        parts = [(status.note, tone)]
        if status.verified:
            parts += [(" · ", "$tone-dim"), (status.verified, "$tone-dim")]
        parts += [(" · ", "$tone-dim"), (status.clock + " ", "$tone-dim")]
        return Content.assemble(*parts)

    def on_click(self) -> None:
        self.post_message(self.Opened())

    @staticmethod
    def _text(status: Status) -> str:
        if status.alarm:
            return f" ✗ {status.alarm} · {status.clock} "
        return " · ".join(part for part in (status.note, status.verified, status.clock) if part) + " "
