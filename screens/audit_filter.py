"""Completion for the audit viewer's filter line: names of conditions, then the values that the replica knows."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence

from storage.log.actions import IMPERSONATION, Action
from storage.replica.queries.log_filter import NAMES

MOMENTS = ("today", "yesterday", "1h", "12h", "1d", "7d", "30d")
LAYERS = ("consent", "break_glass", "emergency")
FEW = 20


def completer(reader: Callable[[], sqlite3.Connection | None]) -> Callable[[str], Sequence[str]]:
    """The completion function; `reader` gives the replica once it is open."""

    def complete(word: str) -> Sequence[str]:
        name, colon, value = word.partition(":")
        if not colon:
            return [f"{one}:" for one in NAMES if one.startswith(name.lower())]
        connection = reader()
        values = _values(connection, name.lower(), value.strip('"')) if connection else ()
        return [f"{name}:{_quoted(one)}" if not value.startswith('"') else f'{name}:"{one}"' for one in values]

    return complete


def _values(connection: sqlite3.Connection, name: str, start: str) -> Sequence[str]:
    match name:
        case "action":
            codes = [action.value.removeprefix(IMPERSONATION) for action in Action]
            families = sorted({code.partition(".")[0] + ".*" for code in codes})
            return [one for one in (*families, *codes) if one.startswith(start.lower())]
        case "since" | "until":
            return [one for one in MOMENTS if one.startswith(start)]
        case "layer":
            return [one for one in LAYERS if one.startswith(start)]
        case "tenant":
            return _ask(connection, "SELECT name FROM tenant WHERE name LIKE ? ESCAPE '\\' ORDER BY name", start)
        case "staff":
            return _ask(connection, "SELECT email FROM staff WHERE email LIKE ? ESCAPE '\\' ORDER BY email", start)
        case "session" | "request":
            return _ask(connection, f"SELECT id FROM {name} WHERE id LIKE ? ESCAPE '\\' ORDER BY rev DESC", start)
        case "ticket":
            return _ask(connection, "SELECT DISTINCT ticket FROM request WHERE ticket LIKE ? ESCAPE '\\'", start)
    return ()


def _ask(connection: sqlite3.Connection, sql: str, start: str) -> list[str]:
    pattern = start.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    return [value for (value,) in connection.execute(f"{sql} LIMIT {FEW}", (pattern,))]


def _quoted(value: str) -> str:
    return f'"{value}"' if " " in value else value
