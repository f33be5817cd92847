"""Errors as a person, or a script, meets them: words on stderr, and the exit status of interface.md."""

from __future__ import annotations

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
    from app.cli.root import Invocation

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
    say("nothing was acknowledged; whether the disk is full or read-only is told by `countersign doctor`")
    return OUT_OF_REACH


def tell_crash(invocation: Invocation, error: Exception) -> int:
    """The outermost edge: the traceback goes to the log file, whose path is named."""
    from app.logfile import write_crash

    say(f"an error in Countersign itself: {type(error).__name__}: {error}")
    path = write_crash(invocation.launch, error, sys.argv)
    say(f"what led to it is in {path}" if path else "and the log file could not be written")
    return INTERNAL
