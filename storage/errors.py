"""What can go wrong below the rules, each with words for the person in front of the console.

`Refused` (a rule said no) lives with the rules, in `app.policy.verdict`.
"""

from __future__ import annotations


class CountersignError(Exception):
    """The root: `str(error)` says what happened, `advice` what to do about it."""

    def __init__(self, what: str, advice: str = "") -> None:
        super().__init__(what)
        self.advice = advice


class Conflict(CountersignError):
    """Someone was faster. The words say who, and when."""


class Stale(CountersignError):
    """Something the decision rests on has changed since it was read: pull, and decide again."""


class ClockSkew(CountersignError):
    """The Change's time is more than 2 s off the shared clock: measure again."""


class Offline(CountersignError):
    """The shared database is out of reach."""


class Corrupt(CountersignError):
    """What was read is not what was written: a log, a row or a file fails its check."""


class ForkedHistory(Corrupt):
    """The shared database's history does not continue the position this console had verified."""


class GuardRefused(CountersignError):
    """The database itself refused a Change that would break a promise. `promise` is P1 … P12."""

    def __init__(self, promise: str, what: str) -> None:
        super().__init__(f"{promise}: {what}", "this is the database's own guard; nothing was changed")
        self.promise = promise


class Misconfigured(CountersignError):
    """A setting, a file or a directory is not as it must be."""
