"""What the command line prints. Data goes to stdout: tables for people, one JSON document for scripts; everything
said goes to stderr. Text from outside never reaches the terminal raw: tables and words pass the gate, and JSON is
ASCII with every control character escaped."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from datetime import datetime

from storage.models.row import encode

_GAP = "  "
_WORTH_SHOWING = 5000
_WIDEST = 60
"""Cells of one column when a table goes to a terminal; what is cut there is whole in --json."""


def print_json(value: object) -> None:
    """One document. Rows, times and enums are written as they are stored."""
    text = json.dumps(_plain(value), ensure_ascii=True, indent=2)
    sys.stdout.write(text.replace("\x7f", "\\u007f") + "\n")


def _plain(value: object) -> object:
    """Lists and objects to their leaves; the leaves as they stand in images. Fractions are allowed here."""
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    return value if isinstance(value, float) else encode(value)


def say(text: str) -> None:
    """A message for a person."""
    from widgets.text import visible

    sys.stderr.write(visible(text, lines=True) + "\n")


def put(text: str) -> None:
    """Lines of an answer for a person."""
    from widgets.text import visible

    sys.stdout.write(visible(text, lines=True) + "\n")


def progress(done: int, total: int) -> None:
    """Long work, on one line of a terminal; silent elsewhere, and for what is done at once."""
    if total > _WORTH_SHOWING and sys.stderr.isatty():
        sys.stderr.write(f"\r{done:,} of {total:,}" + ("\r\x1b[K" if done >= total else ""))
        sys.stderr.flush()


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]], none: str) -> None:
    """Aligned columns; `none` is said where there are no rows."""
    from widgets.text import fitted, visible

    if not rows:
        say(none)
        return
    cells = [[visible(_cell(value)) for value in row] for row in rows]
    limit = _WIDEST if sys.stdout.isatty() else 10_000
    widths = [min(limit, max(len(fitted_to) for fitted_to in column)) for column in zip(columns, *cells, strict=True)]
    for line in [list(columns), *cells]:
        sys.stdout.write(_GAP.join(fitted(cell, width) for cell, width in zip(line, widths, strict=True)).rstrip())
        sys.stdout.write("\n")


def print_pairs(pairs: Sequence[tuple[str, object]]) -> None:
    """A name and a value a line, values aligned."""
    width = max(len(name) for name, _ in pairs)
    for name, value in pairs:
        put(f"{name.ljust(width)}  {_cell(value)}")


def local(moment: datetime | None) -> str:
    """A time as people on this machine read it, with its zone."""
    return "—" if moment is None else moment.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")


def _cell(value: object) -> str:
    if value is None:
        return "—"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime):
        return local(value)
    if isinstance(value, (list, tuple)):
        return ", ".join(_cell(item) for item in value) or "—"
    return str(value)
