"""What I can do with a session now, and why not: the policy's own verdicts, asked for the footer, the keys and ⏎."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from app.policy.people import Place
from app.policy.sessions import (
    may_ask_elevation,
    may_countersign_elevation,
    may_decline_elevation,
    may_end,
    may_force_end,
    may_give_outcome,
    may_log_view,
)
from app.policy.verdict import Finding, Verdict
from app.services.reading import duty, place
from screens.context import ConsoleContext
from storage.models import Session, Staff
from storage.view import View


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """Everything the rules want to know of a session at a moment."""

    session: Session
    engineer: Staff
    me: Staff
    now: datetime
    view: View

    def log(self) -> Verdict:
        return may_log_view(self.session, self.me, self.now)

    def end(self) -> Verdict:
        return may_end(self.session, self.me, self.now)

    def outcome(self) -> Verdict:
        return may_give_outcome(self.session, self.me, self.now)

    def force_end(self) -> Verdict:
        return may_force_end(self.session, self.me, self.now)

    def elevate(self) -> Verdict:
        return may_ask_elevation(self.session, self.me, self._place(), self.now)

    def countersign(self) -> Verdict:
        return may_countersign_elevation(self.session, self.me, self.engineer, self._place(), duty(self.view), self.now)

    def decline(self) -> Verdict:
        return may_decline_elevation(self.session, self.me, self.engineer, self._place(), self.now)

    def _place(self) -> Place:
        return place(self.view, self.session.tenant_id)


Rule = Callable[[SessionFacts], Verdict]

NONE_SELECTED = Verdict((Finding("REQ-801", False, "no session is selected"),))


def facts_of(context: ConsoleContext, session_id: str | None) -> SessionFacts | Verdict:
    """What the rules are asked about; a refusal in words where no session is selected, or nobody is signed in."""
    if context.replica is None or session_id is None:
        return NONE_SELECTED
    if context.staff is None:
        return context.may_act()
    view = context.replica.view("preview")
    session = view.get(Session, session_id)
    engineer = view.get(Staff, session.engineer_id) if session else None
    if session is None or engineer is None:
        return NONE_SELECTED
    return SessionFacts(session, engineer, context.staff, context.now(), view)


def asked(context: ConsoleContext, facts: SessionFacts | Verdict, rule: Rule) -> Verdict:
    """The rule's verdict, and whether anything can be done at all."""
    return facts if isinstance(facts, Verdict) else context.may_act() & rule(facts)
