"""The audit viewer's filter line as data: `tenant:northwind action:session.* since:7d refund` (REQ-407).

Words with a known name before the colon are conditions, everything else is free text, all of them must hold. The same
line works in the viewer and in `audit list --filter`. Raises nothing: what cannot be read is told in `problems`.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo

NAMES: dict[str, str] = {
    "tenant": "id, or part of the name",
    "staff": "e-mail address, or part of the name",
    "ticket": "its reference",
    "action": "a code such as session.started; session.* takes all of them",
    "layer": "consent, break_glass or emergency",
    "session": "its id",
    "request": "its id",
    "since": "7d, 12h, 30m, today, 2026-03-01, 2026-03-01T14:00",
    "until": "the same",
}
"""Every condition with what it takes."""

_SPAN = re.compile(r"(\d{1,6})([mhdw])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True, slots=True)
class LogFilter:
    """What an entry must be. `since` is inclusive, `until` exclusive. `words` must each occur in a value of the entry,
    case aside. Several values of one name: any of them."""

    tenant: tuple[str, ...] = ()
    staff: tuple[str, ...] = ()
    ticket: tuple[str, ...] = ()
    action: tuple[str, ...] = ()
    layer: tuple[str, ...] = ()
    session: tuple[str, ...] = ()
    request: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    words: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()

    @property
    def empty(self) -> bool:
        """Whether every entry fits."""
        return self == LogFilter(problems=self.problems)


def parse_filter(line: str, now: datetime, zone: tzinfo | None = UTC) -> LogFilter:
    """A filter line; days and clock times are read in `zone` (None: local)."""
    found: dict[str, list[str]] = {}
    moments: dict[str, datetime] = {}
    words: list[str] = []
    problems: list[str] = []
    for part in _parts(line):
        name, colon, value = part.partition(":")
        if not colon or name.lower() not in NAMES:
            words.append(part)
            continue
        name = name.lower()
        if not value:
            continue  # still being typed
        if name in ("since", "until"):
            moment = parse_moment(value, now, zone, end=name == "until")
            if moment is None:
                problems.append(f"{name}: takes {NAMES['since']}; not {value!r}")
            else:
                moments[name] = moment
        else:
            found.setdefault(name, []).append(value)
    wanted = LogFilter(since=moments.get("since"), until=moments.get("until"))
    for name, values in found.items():
        wanted = replace(wanted, **{name: tuple(values)})  # type: ignore[arg-type]  # NAMES has the tuple fields only
    return replace(wanted, words=tuple(words), problems=tuple(problems))


def parse_moment(value: str, now: datetime, zone: tzinfo | None, *, end: bool = False) -> datetime | None:
    """`7d` ago, `today`, a date, or a date with a time. A whole day as an `end` means the end of that day."""
    if span := _SPAN.fullmatch(value.lower()):
        return now - timedelta(**{_UNITS[span[2]]: int(span[1])})
    here = now.astimezone(zone)
    midnight = here.replace(hour=0, minute=0, second=0, microsecond=0)
    days = {"today": midnight, "yesterday": midnight - timedelta(days=1)}
    if value.lower() in days:
        day = days[value.lower()]
        return (day + timedelta(days=1) if end else day).astimezone(UTC)
    try:
        moment = datetime.fromisoformat(value)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone) if zone else moment.astimezone()
    whole_day = re.fullmatch(r"\d{4}-?\d\d-?\d\d", value) is not None
    return (moment + timedelta(days=1) if end and whole_day else moment).astimezone(UTC)


def _parts(line: str) -> list[str]:
    """Words, with quotes keeping spaces together; a quote still open takes the rest."""
    for candidate in (line, line + '"'):
        try:
            lexer = shlex.shlex(candidate, posix=True)
            lexer.whitespace_split, lexer.commenters, lexer.escape = True, "", ""
            lexer.quotes = '"'  # an apostrophe is part of a word
            return [part for part in lexer if part]
        except ValueError:
            continue
    return line.split()
