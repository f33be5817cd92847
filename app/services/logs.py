"""Commands over the logs themselves: taking a copy out is an act, and goes on record (REQ-401, REQ-407)."""

from __future__ import annotations

from datetime import datetime

from app.policy import people as policy
from app.policy.verdict import require
from app.services import reading
from app.services.command import adds_no_privilege, change
from storage.log.actions import Action
from storage.log.entry import OPERATOR, Draft
from storage.models import Actor
from storage.shared.change import Change
from storage.view import View


@adds_no_privilege
def exported(view: View, actor: Actor, log: str, selection: str, form: str, entries: int, *, now: datetime) -> Change:
    """`entries` entries of `log` (`operator`, or `tenant:<id>`) that fit `selection`, a filter line, were written to a
    file as `form`. A tenant whose own log was exported reads so in that log."""
    by = reading.staff_member(view, actor)

    require(policy.may_act(by, now))

    draft = Draft(
        Action.LOG_EXPORTED,
        tenant=None if log == OPERATOR else log.removeprefix("tenant:"),
        data={"log": log, "selection": selection, "form": form, "entries": entries},
    )
    return change(view, actor, now, (draft,), ())
