"""The operator's amounts ([limits] of the config) and its legal address (operator.legal_email) where PostgreSQL's
guards read them: one row, the owner's to change (sql/guards/p00_the_case.sql). Written by `init` and `init --upgrade`,
compared by `doctor`."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from storage.shared.guards.case import Limits


def hold_to(connection: Any, limits: Limits) -> None:
    """As the owner: from now on guards hold people to these."""
    amounts = asdict(limits)
    columns = ", ".join(f"{name} = %({name})s" for name in amounts)
    connection.execute(f"update countersign.limits set {columns}", amounts)


def compared(connection: Any, limits: Limits) -> tuple[bool, str, str]:
    """Whether guards hold people to what this machine's policy explains with; what was found; what to do."""
    amounts = asdict(limits)
    row = connection.execute(f"select {', '.join(amounts)} from countersign.limits").fetchone() or ()
    there = dict(zip(amounts, row, strict=False))
    differ = [
        f"{name} is {there.get(name)} there, {amount} here"
        for name, amount in amounts.items()
        if there.get(name) != amount
    ]
    if not differ:
        return True, ", ".join(f"{name.replace('_', ' ')}: {value}" for name, value in there.items()), ""
    advice = (
        "write the same [limits] and operator.legal_email into every config file;"
        " `countersign init --upgrade` sets the guards'"
    )
    return False, "; ".join(differ), advice
