"""A measured figure, with the goal that the issue named for it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """`what` was measured, its `value` in words with the unit, and the `goal`; `met` is None where none was named."""

    what: str
    value: str
    goal: str = ""
    met: bool | None = None

    def row(self) -> str:
        """One line of a Markdown table."""
        sign = {True: "✓", False: "✗", None: ""}[self.met]
        return f"| {self.what} | {self.value} | {self.goal} | {sign} |"
