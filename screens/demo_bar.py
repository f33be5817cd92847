"""The demo's own line on every screen: that it is a demo, my code, the keys of its panes, and the next step."""

from __future__ import annotations

from dataclasses import dataclass

from textual.content import Content
from textual.widget import Widget

from widgets.countdown import bar
from widgets.text import clipped

STEP_SECONDS = 30


@dataclass(frozen=True, slots=True)
class DemoState:
    """What the line says. `code` is "" while the next one must be waited for, `waiting` counts letters for me."""

    who: str = ""
    code: str = ""
    left: int = 0
    waiting: int = 0
    step: str = ""


class DemoBar(Widget):
    """One line; on a dialog it lies over the bottom, so that a code can be read where it is asked for."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    DemoBar { height: 1; width: 1fr; background: $boost; color: $foreground; text-wrap: nowrap; }
    DemoBar.-over { dock: bottom; }
    """

    def __init__(self, *, over: bool = False) -> None:
        super().__init__(classes="-over" if over else None)
        self._state = DemoState()

    def show(self, state: DemoState) -> None:
        """Draw this; repaints only if it differs."""
        if state != self._state:
            self._state = state
            self.refresh()

    def render(self) -> Content:
        state, wide = self._state, self.size.width >= 110
        parts: list[tuple[str, str]] = [(" DEMO ", "bold reverse"), (" ", "")]
        if state.code:
            parts += [(f"{state.who} ", "$tone-dim"), (f"{state.code[:3]} {state.code[3:]}", "bold $tone-accent")]
        elif state.who:
            parts += [(f"{state.who} next code in ", "$tone-dim")]
        if state.who:
            parts.append((f" {bar(state.left / STEP_SECONDS, 6) if wide else ''}{state.left:>3}s  ", "$tone-dim"))
        mail = f" {state.waiting}" if state.waiting else ""
        box = "mailbox" if wide else "mail"
        for key, words in (("F9", f"{box}{mail}"), ("F8", "codes"), ("F7", "steps")):
            parts += [(key, "bold $tone-accent"), (f" {words}  ", "bold" if mail and key == "F9" else "")]
        used = sum(len(text) for text, _ in parts)
        parts.append(
            (
                clipped(
                    f"▸ {state.step if wide else state.step.partition(' ')[2]}" if state.step else "",
                    max(0, self.size.width - used - 1),
                ),
                "$tone-soon",
            )
        )
        return Content.assemble(*parts)
