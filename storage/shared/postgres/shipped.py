"""What an installed database must hold, read from the SQL that this version ships: for comparing, never for making."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass

from storage.shared.postgres import generated
from storage.shared.postgres.install import FIRST_GUARDS, SQL, Roles, calls

PRIVATE = frozenset({"credential", "command", "login", "attempt", "giving", "lease", "alembic_version"})
"""Tables that no staff log-in reads."""
_FUNCTION = re.compile(r"create or replace function countersign\.(\w+)(.*?)\$\$(.*?)\$\$", re.DOTALL)
_TRIGGER = re.compile(r"create or replace trigger (\w+)")
_TABLE = re.compile(r"create table if not exists countersign\.(\w+)")
_GRANT = re.compile(r"grant execute on function ([^;]+?) to ([^;]+);", re.DOTALL)
FREE = {
    "hmac_sha1": ("hmac(message, secret, 'sha1')", "countersign.hmac_sha1_plain(secret, message)"),
    "folded": ("select replace(lower(words collate ",),
    "check_all": ("countersign.guard_p01(the_case)",),
}
"""Functions whose bodies follow from what the server has, with what one of them must hold."""


@dataclass(frozen=True, slots=True)
class Shipped:
    """`functions`: (name, body) as often as it occurs; `definers`: names that run with the owner's rights; `triggers`:
    names; `executes`: (function, role) that may call it; `tables`: besides the models'; `check_all`: the body that
    calls every guard."""

    functions: Counter[tuple[str, str]]
    definers: frozenset[str]
    triggers: frozenset[str]
    executes: frozenset[tuple[str, str]]
    tables: frozenset[str]
    check_all: str


def shipped(roles: Roles) -> Shipped:
    """All of it, for an installation with these roles."""
    texts = [roles.filled(path.read_text()) for path in sorted(SQL.rglob("*.sql"))] + list(generated.statements())
    found = [match for text in texts for match in _FUNCTION.finditer(text)]
    latest = {(name, _arguments(head)): (name, head, body) for name, head, body in (one.groups() for one in found)}
    guards = sorted(
        {name for name, _, _ in latest.values() if re.match(r"guard_p[0-9]{2}", name)},
        key=lambda name: (not name.startswith(FIRST_GUARDS), name),
    )
    return Shipped(
        Counter((name, body) for name, _, body in latest.values() if name not in FREE),
        frozenset(name for name, head, _ in latest.values() if "security definer" in head),
        frozenset(name for text in texts for name in _TRIGGER.findall(text)),
        frozenset(_executes(texts)),
        frozenset(name for text in texts for name in _TABLE.findall(text)),
        calls(guards),
    )


def _arguments(head: str) -> str:
    return " ".join(head.partition("returns")[0].split())


def _executes(texts: list[str]) -> list[tuple[str, str]]:
    return [
        (name, role.strip())
        for text in texts
        for functions, granted in _GRANT.findall(text)
        for name in re.findall(r"countersign\.(\w+)", functions)
        for role in granted.split(",")
    ]
