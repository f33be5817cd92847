"""A QR code drawn with half blocks: two modules a cell, dark on light whatever the theme, so that a camera reads it."""

from __future__ import annotations

from textual.content import Content

QUIET = 2
"""Modules of light margin. The standard asks for four; two still read, and the code then fits 80×24."""

_INK = "black on white"


def qr_content(text: str, *, quiet: int = QUIET) -> Content:
    """The code for `text`, at the lowest error correction, which makes it smallest."""
    import segno  # only when somebody enrols

    code = segno.make(text, error="l", micro=False, boost_error=False)
    matrix = [[bool(module) for module in row] for row in code.matrix]
    width = len(matrix) + 2 * quiet
    light = [False] * width
    rows = [light] * quiet + [[False] * quiet + row + [False] * quiet for row in matrix] + [light] * quiet
    if len(rows) % 2:
        rows.append(light)
    lines = []
    for upper, lower in zip(rows[::2], rows[1::2], strict=True):
        lines.append("".join(_BLOCKS[pair] for pair in zip(upper, lower, strict=True)))
    return Content.styled("\n".join(lines), _INK)


_BLOCKS = {(False, False): " ", (True, True): "█", (True, False): "▀", (False, True): "▄"}
