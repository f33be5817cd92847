"""The demo's second factors, shown live, so that nobody needs a telephone: of everybody, or typed in by a key."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from widgets.countdown import bar
from widgets.dialog import CLOSE, Dialog
from widgets.text import fitted, visible

STEP_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Code:
    """One person's code that will be accepted now; `code` is "" while the next one must be waited for."""

    name: str
    email: str
    role: str
    code: str
    mine: bool


class CodesDialog(Dialog[None]):
    """`codes` gives everybody's, `left` the seconds until the next ones."""

    choices = (CLOSE,)
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f8", "cancel", "Close", show=False)]

    def __init__(self, codes: Callable[[], Awaitable[list[Code]]], left: Callable[[], int]) -> None:
        super().__init__("Codes of the demo's people")
        self._codes, self._left = codes, left

    def body(self) -> ComposeResult:
        yield Static("", id="codes", markup=False)

    def on_mount(self) -> None:
        super().on_mount()
        self._again()
        self.set_interval(1.0, self._again, name="codes")

    def _again(self) -> None:
        self.run_worker(self._show(), name="codes", group="codes", exclusive=True)

    async def _show(self) -> None:
        parts: list[tuple[str, str]] = []
        for one in await self._codes():
            code = f"{one.code[:3]} {one.code[3:]}" if one.code else "next one"
            parts.append((fitted(code, 10), "bold $tone-accent" if one.code else "$tone-dim"))
            parts.append((f"{fitted(visible(one.name), 19)} ", "bold" if one.mine else ""))
            parts.append((fitted(one.role, 10), "$tone-dim"))
            parts.append((visible(one.email) + "\n", "$tone-dim"))
        left = self._left()
        parts.append((f"\n{bar(left / STEP_SECONDS, 20)} {left} s until the next ones\n", ""))
        parts.append(("Each code works once. In a field that asks for a code, F8 types yours.", "$tone-dim"))
        if self.is_mounted:
            self.query_one("#codes", Static).update(Content.assemble(*parts))
