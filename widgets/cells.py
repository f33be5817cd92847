"""What stands in a cell: plain text, text with a tone, or a value that is drawn anew as time passes.

Time is left out of the data: a countdown is a deadline, drawn when its line is painted. So a second that passes
changes no row, and a reload compares nothing that moves by itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from widgets.countdown import Level, bar, left_text, level_of


class Tone(StrEnum):
    """How a piece of text is meant. Themes say how each looks; none is told by colour alone."""

    PLAIN = "plain"
    DIM = "dim"
    STRONG = "strong"
    ACCENT = "accent"
    GOOD = "good"
    SOON = "soon"
    BAD = "bad"


LEVEL_TONES = {Level.CALM: Tone.GOOD, Level.SOON: Tone.SOON, Level.LAST: Tone.BAD, Level.OVER: Tone.DIM}


@dataclass(frozen=True, slots=True)
class Toned:
    """Text with a tone. The text must be visible already."""

    text: str
    tone: Tone = Tone.PLAIN


class LiveCell(Protocol):
    """A cell whose text depends on the time; equal cells draw equally."""

    def drawn(self, now: datetime, width: int) -> Toned:
        """What to show at `now` in `width` cells."""


Cell = str | Toned | LiveCell


@dataclass(frozen=True, slots=True)
class LeftCell:
    """The time left until a deadline, in words: `19h 12m`, `4:12`, then `over`."""

    deadline: datetime
    toned: bool = True
    over: str = "over"

    def drawn(self, now: datetime, width: int) -> Toned:
        seconds = (self.deadline - now).total_seconds()
        tone = LEVEL_TONES[level_of(seconds)] if self.toned else Tone.PLAIN
        return Toned(left_text(seconds, over=self.over), tone)


@dataclass(frozen=True, slots=True)
class BarCell:
    """The time left, and where there is room a bar that empties from `started` to `deadline`. The digits stand first:
    a second then costs the terminal a few bytes, not the whole bar."""

    started: datetime
    deadline: datetime

    def drawn(self, now: datetime, width: int) -> Toned:
        seconds = (self.deadline - now).total_seconds()
        total = (self.deadline - self.started).total_seconds()
        text, tone = left_text(seconds), LEVEL_TONES[level_of(seconds)]
        room = width - 8
        if room < 4:
            return Toned(text, tone)
        return Toned(f"{text:>7} {bar(seconds / total if total > 0 else 0.0, room)}", tone)


@dataclass(frozen=True, slots=True)
class AgoCell:
    """How long ago something was: `now`, `4m`, `3h`, `12d`."""

    at: datetime
    tone: Tone = Tone.DIM

    def drawn(self, now: datetime, width: int) -> Toned:
        seconds = (now - self.at).total_seconds()
        return Toned("now" if seconds < 5 else left_text(seconds, coarse=True), self.tone)


def drawn(cell: Cell, now: datetime, width: int) -> Toned:
    """Any cell as text and tone at `now`."""
    if isinstance(cell, str):
        return Toned(cell)
    return cell if isinstance(cell, Toned) else cell.drawn(now, width)
