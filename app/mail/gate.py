"""The gate that text from outside passes on its way into a letter or a document (design.md, "Terminal injection")."""

from __future__ import annotations

import re

_CONTROLS = {code: 0x2400 + code for code in range(32) if code not in (9, 10)} | {0x7F: 0x2421}
_UNSAFE = re.compile("[\x80-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff\ud800-\udfff]")
"""C1, zero-width, bidi and separator controls, lone surrogates: a reader in a terminal would obey them."""


def harmless(text: str) -> str:
    """`text` with every control but line feed and tab as a visible mark."""
    return _UNSAFE.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text.translate(_CONTROLS))


def one_line(text: str) -> str:
    """Outside text on one line, harmless."""
    return harmless(" ".join(text.split()))
