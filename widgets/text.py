"""The one gate for text from outside.

Whatever was typed, imported or received passes `visible` before it is drawn. A terminal obeys control characters,
bidi controls reorder what an approver reads, and zero-width characters hide in names; all of them become marks that
can be seen. Nothing here is ever read as markup: `safe` makes `Content` with plain spans.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

from rich.cells import cell_len, set_cell_size

if TYPE_CHECKING:  # Textual is half of what a command of the command line would load: `safe` alone needs it
    from textual.content import Content
    from textual.style import Style

LONGEST_COMBINING_RUN = 4
"""More combining marks than this on one letter are counted, not drawn: they would bleed over the lines around."""

ELLIPSIS = "…"

_PICTURES = {code: chr(0x2400 + code) for code in range(32)} | {0x7F: "␡"}
_INVISIBLE_LETTERS = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\uffa0\U000e0100-\U000e01ef]")


def visible(text: str, *, lines: bool = False) -> str:
    """`text` with every control, bidi, zero-width, separator, surrogate, tag, private or unassigned character replaced
    by a visible mark. `lines` keeps line feeds, for places that draw several lines; else they are marked too."""
    if text.isprintable() and (text.isascii() or not (_INVISIBLE_LETTERS.search(text) or _combining_heavy(text))):
        return text
    marked: list[str] = []
    run = 0
    for character in text:
        if unicodedata.combining(character) or unicodedata.category(character) in ("Mn", "Me"):
            run += 1
            if run > LONGEST_COMBINING_RUN:
                continue
        else:
            if run > LONGEST_COMBINING_RUN:
                marked.append(f"⟨+{run - LONGEST_COMBINING_RUN} marks⟩")
            run = 0
        marked.append(character if lines and character == "\n" else _mark(character))
    if run > LONGEST_COMBINING_RUN:
        marked.append(f"⟨+{run - LONGEST_COMBINING_RUN} marks⟩")
    return "".join(marked)


@lru_cache(maxsize=1024)
def _mark(character: str) -> str:
    """One character as it may be drawn."""
    if character.isprintable() and not _INVISIBLE_LETTERS.match(character):
        return character
    if unicodedata.category(character) == "Zs":
        return " "
    return _PICTURES.get(ord(character)) or f"⟨U+{ord(character):04X}⟩"


def _combining_heavy(text: str) -> bool:
    """Whether a run of combining marks is too long."""
    run = 0
    for character in text:
        run = run + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        if run > LONGEST_COMBINING_RUN:
            return True
    return False


def clipped(text: str, cells: int) -> str:
    """`text` in at most `cells` terminal cells, its end replaced by `…` where it does not fit. Text must be visible."""
    if cells <= 0:
        return ""
    # A character is at most two cells, so what is longer than this cannot fit, and is not measured at all.
    if len(text) <= cells * 2 and cell_len(text) <= cells:
        return text
    if cells == 1:
        return ELLIPSIS
    return set_cell_size(text[: cells * (LONGEST_COMBINING_RUN + 2)], cells - 1).rstrip() + ELLIPSIS


def fitted(text: str, cells: int, *, right: bool = False) -> str:
    """`text` in exactly `cells` cells: clipped, or padded at its end (`right`: at its start)."""
    text = clipped(text, cells)
    padding = " " * (cells - cell_len(text))
    return padding + text if right else text + padding


def safe(text: str, style: str | Style = "", *, lines: bool = False) -> Content:
    """Text from outside as Content: gated, never read as markup."""
    from textual.content import Content

    return Content.styled(visible(text, lines=lines), style) if style else Content(visible(text, lines=lines))
