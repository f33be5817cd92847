"""Letters that alert supers to what no command of theirs caused (REQ-503): tampering that a console or worker found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Protocol

from app.policy.verdict import require, rule
from app.services import reading
from app.services.command import adds_no_privilege, change
from app.services.letters import letter
from app.services.letters_facts import Facts
from storage.log.actions import Action
from storage.log.entry import Draft
from storage.models import Actor, Mail, time_text
from storage.models.row import Json
from storage.shared.change import Change
from storage.view import View, derived_id

TAMPERING = "tampering.found"
TOLD_MAX = 20


class Found(Protocol):
    """A fault in the history, as verification finds it."""

    @property
    def log(self) -> str: ...
    @property
    def seq(self) -> int: ...
    @property
    def what(self) -> str: ...


def tampering_letters(view: View, faults: Sequence[Found], where: str, now: datetime) -> tuple[Mail, ...]:
    """One to each active super. Their ids follow from the first fault: whoever finds it writes the same letters."""
    told: list[Json] = [{"log": one.log, "seq": one.seq, "what": one.what} for one in faults[:TOLD_MAX]]
    facts: Facts = {"faults": told, "in_all": len(faults), "where": where, "at": time_text(now)}
    first = faults[0]
    subject = f"TAMPERING: {first.log} {first.seq}: {first.what}"
    supers = [one for one in reading.supers(view) if one.is_active(now)]
    return tuple(
        replace(
            letter(view, one, TAMPERING, subject, facts, now, urgent=True),
            id=derived_id(f"tampering {first.log} {first.seq} {first.what}", "M", number),
        )
        for number, one in enumerate(supers)
    )


@adds_no_privilege
def raise_tampering(view: View, actor: Actor, faults: Sequence[Found], where: str, *, now: datetime) -> Change:
    """By whoever cannot hand on letters: through the outbox, once for each first fault."""
    mails = tampering_letters(view, faults, where, now)

    require(
        rule("REQ-503", bool(mails), "somebody is there to be told", "there is no active super")
        & rule("REQ-503", all(view.get(Mail, one.id) is None for one in mails), "nobody was told yet", "they were told")
    )

    data: dict[str, Json] = {"faults": len(faults), "log": faults[0].log, "number": faults[0].seq}
    return change(view, actor, now, [Draft(Action.ALERT_RAISED, reason=faults[0].what, data=data)], [], mails)
