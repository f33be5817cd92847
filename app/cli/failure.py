"""Errors as a person, or a script, meets them: words on stderr, and the exit status of interface.md."""

from __future__ import annotations

import sqlite3
import sys
from typing import TYPE_CHECKING

from app.cli.output import print_json, say
from app.policy.verdict import Refused
from storage.errors import (
    ClockSkew,
    Conflict,
    Corrupt,
    CountersignError,
    GuardRefused,
    Misconfigured,
    Offline,
    Stale,
)

if TYPE_CHECKING:
    from app.launch import Launch

FAULT, USAGE, REFUSED, OUT_OF_REACH, CONFLICT, INTERNAL = 1, 2, 3, 4, 5, 70
_STATUS: tuple[tuple[type[CountersignError], int], ...] = (
    (Refused, REFUSED),
    (GuardRefused, REFUSED),
    (Conflict, CONFLICT),
    (Stale, CONFLICT),
    (ClockSkew, CONFLICT),
    (Offline, OUT_OF_REACH),
    (Corrupt, FAULT),
    (Misconfigured, USAGE),
)


def tell(error: CountersignError, *, as_json: bool) -> int:
    """Say what happened and what to do; the exit status. With `as_json` a refusal is a document on stdout too."""
    if isinstance(error, Refused):
        _tell_refusal(error, as_json=as_json)
    elif isinstance(error, GuardRefused):
        if as_json:
            print_json({"refused": [{"rule": error.promise, "why": str(error), "who_could": ""}]})
        say(f"refused: {error}")
    else:
        say(str(error))
    if error.advice:
        say(error.advice)
    return next((status for kind, status in _STATUS if isinstance(error, kind)), FAULT)


def _tell_refusal(error: Refused, *, as_json: bool) -> None:
    refusals = error.verdict.refusals
    if as_json:
        print_json({"refused": [{"rule": one.rule, "why": one.why, "who_could": one.who_could} for one in refusals]})
    for one in refusals:
        say(f"refused ({one.rule}): {one.why}" + (f" — {one.who_could}" if one.who_could else ""))


def tell_environment(error: OSError) -> int:
    """The machine said no: a full disk, a read-only directory, a file that may not be read."""
    where = f": {error.filename}" if error.filename else ""
    say(f"{error.strerror or error}{where}")
    say("is the disk full, or read-only? `countersign doctor` looks")
    return OUT_OF_REACH


def tell_crash(launch: Launch | None, error: Exception) -> int:
    """The outermost edge: the traceback goes to the log file, whose path is named. SQLite's own trouble with a file
    (full, read-only, damaged, locked) is the machine's, not ours."""
    from app.logfile import write_crash

    path = write_crash(launch, error, sys.argv)
    of_machine = isinstance(error, sqlite3.Error) and not isinstance(error, sqlite3.ProgrammingError)
    if of_machine:
        say(f"a database file cannot be used: {error}")
        say("is the disk full, or read-only? `countersign doctor` looks")
    else:
        say(f"an error in Countersign itself: {type(error).__name__}: {error}")
    say(f"what led to it is in {path}" if path else "and the log file could not be written")
    return OUT_OF_REACH if of_machine else INTERNAL
