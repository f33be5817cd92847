"""Commands over the logs themselves: taking a copy out is an act like any other, and goes on record (REQ-401)."""

from __future__ import annotations

from datetime import datetime

from app.policy.verdict import require, rule
from app.services import reading
from app.services.command import change
from storage.log.actions import Action
from storage.log.entry import OPERATOR, Draft
from storage.models import Actor
from storage.shared.change import Change
from storage.view import View


def exported(view: View, actor: Actor, log: str, first: int, last: int, form: str, *, now: datetime) -> Change:
    """Entries `first` to `last` of a log left as `form` (pack, jsonl, csv). Auditors may too: they read everything. A
    tenant's log says so itself."""
    staff = reading.staff_member(view, actor)

    require(
        rule(
            "REQ-701",
            staff.is_active(now),
            f"{staff.name} is active staff",
            f"{staff.name} is no longer active staff",
            "another active staff member",
        )
    )

    tenant = None if log == OPERATOR else log.removeprefix("tenant:")
    entry = Draft(Action.LOG_EXPORTED, tenant=tenant, data={"log": log, "first": first, "last": last, "form": form})
    return change(view, actor, now, [entry], [])
