"""docs/attacks.md, as the attack suite found it."""

# ruff: noqa: E501  (what an attacker types stays as typed)

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

ROLES = {
    "ann": "an engineer",
    "raj": "an engineer",
    "dana": "a super",
    "lee": "a super",
    "noor": "an auditor",
    "dee": "a deactivated engineer",
    "portal": "the portal's log-in",
    "gate": "the gate's log-in",
    "worker": "the worker's log-in",
    "postgres": "owner or superuser",
}
HEAD = """# Attacks

What a hostile colleague types in `psql`, under which log-in, and what becomes of it. Written by the attack suite
(`COUNTERSIGN_ATTACKS_PAGE=1 pytest tests/guards/postgres`), which also sees to it that after a refusal heads, rows, digests and log-ins are
what they were. `CSP04` is promise P4 of the design; `CS001` stale, `CS002` clock skew, `CS003` no valid Change; `42501` is
PostgreSQL's own "no right".

Whoever is superuser of the server can become anyone on it and take every guard away; against them there is no refusal,
only detection: by every running console's copy of history.

Every pull (ten seconds apart at most, while nothing happens; of several within one second, one) reads from the catalogs
whether the guards stand, and a mark of them that any change leaves: a trigger off or gone, a rule, a child, another table in
a guarded one's place is a fault at once, and nothing that adds privilege is possible any more on that console. A mark
that changed while all of it stands again (guards taken off and put back in one transaction, a function replaced and
restored; also an upgrade, a grant or VACUUM FULL) makes the console compare everything that is stored, at once: 12,000
entries a second. A console that starts looks whether the guards stand; the mark is only remembered while it runs. What
leaves no mark in the catalogs (catalogs or files falsified below SQL) is found by the rolling check alone: a console
goes round a million entries in a day and a half; many, each in an order of its own, meet what is wrong the sooner.

A superuser who *is* somebody else for the server (SET SESSION
AUTHORIZATION) writes entries in that person's name that no console can tell from true ones: keep that log-in away from
people, and its use on record elsewhere.

| # | attack | by | outcome | in words |
|---|---|---|---|---|
"""


@dataclass(frozen=True)
class Result:
    by: str
    attack: str
    outcome: str
    words: str


def write(path: Path, results: list[Result]) -> None:
    """The page, one line an attack."""
    lines = [
        f"| {n} | {one.attack} | {ROLES[one.by]} | {one.outcome} | {one.words.replace('|', '/')[:160]} |"
        for n, one in enumerate(results, 1)
    ]
    path.write_text(HEAD + "\n".join(lines) + "\n")
