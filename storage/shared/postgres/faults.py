"""What PostgreSQL complains about, in our words. Our own SQLSTATEs (sql/030_apply.sql): CS001 stale, CS002 clock skew,
CS003 no valid Change, CS004 damaged, CSP01 … CSP12 a promise that would have been broken.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from storage.errors import ClockSkew, Corrupt, CountersignError, GuardRefused, Misconfigured, Offline, Stale

if TYPE_CHECKING:
    import psycopg

INVALID = "CS003"
_UNREACHABLE = ("08", "53", "57")
"""Classes of SQLSTATE: connection, resources, the operator's intervention (a restart)."""
_WAITED = {"55P03", "25P03", "40001", "40P01"}
"""Waited too long, or lost to another: nothing was changed, it may be tried again."""
_NOT_LET_IN = (
    "does not exist", "authentication failed", "no password supplied", "pg_hba.conf", "not permitted to log in",
    "permission denied",
)  # fmt: skip
"""libpq gives a failed log-in no SQLSTATE, only the server's words."""


def translated(error: BaseException) -> CountersignError | None:
    """Our error for one of psycopg's (also wrapped in SQLAlchemy's), or None if it is none."""
    import psycopg

    origin = getattr(error, "orig", None)
    cause = origin if isinstance(origin, psycopg.Error) else error
    if not isinstance(cause, psycopg.Error):
        return None
    state = cause.sqlstate or ""
    words = (cause.diag.message_primary or str(cause)).strip()
    if state.startswith("CSP"):
        return GuardRefused(f"P{int(state[3:])}", words)
    ours = {"CS001": Stale, "CS002": ClockSkew}.get(state)
    if ours is not None:
        return ours(words)
    if state == INVALID:
        return GuardRefused("P2", words)
    if state == "CS004":
        return Corrupt(words, "run `countersign audit verify --all`; nothing was changed")
    if not state and any(sign in words for sign in _NOT_LET_IN):
        return _of_class("28000", words.rpartition("FATAL:")[2].strip())
    if state[:2] in _UNREACHABLE or state in _WAITED or (not state and isinstance(cause, psycopg.OperationalError)):
        return Offline(f"the shared database is out of reach: {_short(words)}", "it is tried again by itself")
    return _of_class(state, words)


def _short(words: str) -> str:
    """libpq's words on one line, without psycopg's own before them and without questions to an administrator."""
    lines = [line.strip() for line in words.splitlines()]
    told = " ".join(line for line in lines if line and not line.endswith("?"))
    return (told or " ".join(lines)).removeprefix("connection failed: ")


def _of_class(state: str, words: str) -> CountersignError:
    if state.startswith(("28", "3D")):
        return Misconfigured(f"the shared database does not let you in: {words}", "check --database and your log-in")
    if state == "42501":
        return Misconfigured(f"your log-in may not do this: {words}", "ask a super whether your log-in is in order")
    if state in {"42P01", "42883", "3F000"}:
        return Misconfigured(
            f"this is not a Countersign database of this version: {words}", "run `countersign init --database …`"
        )
    if state.startswith("22"):
        return GuardRefused("P2", f"this is no Change: {words}")
    return Corrupt(f"the shared database refused: {words} ({state})", "run `countersign doctor`")


def lost(error: psycopg.Error) -> bool:
    """Whether the connection broke under the statement, so that its outcome is unknown."""
    state = error.sqlstate or ""
    return state.startswith(("08", "57P")) or not state


@contextmanager
def in_our_words(*wrappers: type[Exception]) -> Iterator[None]:
    """Run a block; psycopg's errors leave it as ours, also out of these wrappers (SQLAlchemy's DBAPIError)."""
    import psycopg

    kinds: tuple[type[Exception], ...] = (psycopg.Error, *wrappers)
    try:
        yield
    except kinds as error:
        ours = translated(error)
        if ours is None:
            raise
        raise ours from error
