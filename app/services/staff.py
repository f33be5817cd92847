"""Commands over the operator's people (REQ-701, REQ-702). Secrets arrive sealed and recovery codes hashed: no plain
secret is ever part of a Change."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from app.policy import people as policy
from app.policy import text
from app.policy.limits import DEFAULTS, Limits
from app.policy.verdict import Verdict, require, rule
from app.services import reading
from app.services.command import Proof, adds_no_privilege, change, step_up_act
from app.services.endings import collected, ending
from storage.log.actions import Action
from storage.log.entry import Draft
from storage.models import Actor, ActorKind, Credential, EndKind, Role, Session, Staff, Standing, time_text
from storage.models.row import Json
from storage.shared.change import Change, Write
from storage.view import View

FOUNDER = Actor(ActorKind.SYSTEM, "init", "init", "")
"""Who makes the first super: there is nobody else yet."""


def found(
    view: View,
    actor: Actor,
    email: str,
    name: str,
    sealed_secret: str,
    recovery_hashes: tuple[str, ...],
    *,
    now: datetime,
) -> Change:
    """The first entry of a new shared database: its first super. Refused where there is staff already."""
    there = reading.all_staff(view)

    nobody = rule("REQ-701", not there, "nobody is there yet", f"{len(there)} staff are there already", "any super")
    require(nobody & text.is_email(email) & _is_name(name))

    staff = Staff(view.fresh_id("U"), email, name, Role.SUPER, None, now, None)
    return _added(view, actor, Action.DATABASE_CREATED, staff, sealed_secret, recovery_hashes, now)


def add(
    view: View,
    actor: Actor,
    email: str,
    name: str,
    role: Role,
    until: datetime | None,
    sealed_secret: str,
    recovery_hashes: tuple[str, ...],
    *,
    now: datetime,
) -> Change:
    """A named account, with an end date for temporary staff."""
    by = reading.staff_member(view, actor)

    later = rule(
        "REQ-701", until is None or until > now, "the end date lies ahead", "the end date must lie in the future"
    )
    sound = text.is_email(email) & _is_name(name) & later
    require(policy.may_add(by, email, reading.all_staff(view), now) & sound)

    staff = Staff(view.fresh_id("U"), email, name, role, until, now, None)
    return _added(view, actor, Action.STAFF_ADDED, staff, sealed_secret, recovery_hashes, now)


def _added(
    view: View,
    actor: Actor,
    action: Action,
    staff: Staff,
    sealed_secret: str,
    recovery_hashes: tuple[str, ...],
    now: datetime,
) -> Change:
    data: dict[str, Json] = {
        "staff": staff.id,
        "email": staff.email,
        "name": staff.name,
        "role": staff.role.value,
        "until": time_text(staff.until) if staff.until else None,
    }
    entries = [Draft(action, data=data), Draft(Action.CREDENTIAL_ENROLLED, data={"staff": staff.id})]
    writes = [
        Write(staff),
        Write(Standing(staff.id, None, None, ())),
        Write(_credential(staff.id, sealed_secret, recovery_hashes), 1),
    ]
    return change(view, actor, now, entries, writes, id=staff.id)


@step_up_act("staff.enrol")
def enrol(
    view: View,
    actor: Actor,
    staff_id: str,
    sealed_secret: str,
    recovery_hashes: tuple[str, ...],
    *,
    now: datetime,
    limits: Limits = DEFAULTS,
) -> Change:
    """A new second factor in place of the old: for oneself (a recovery code will do), or by a super for a colleague
    who lost theirs. Either way the one who acts proves to be themselves."""
    by = reading.staff_member(view, actor)
    staff = reading.the(view, Staff, staff_id, "staff member")
    view.get(Credential, staff_id)  # private: nothing to see here, but what is replaced must not change meanwhile
    proof = Proof(view, actor, "staff.enrol", now, limits)

    own = rule("REQ-702", by.id == staff.id, "one's own second factor", "")
    verdict = own if by.id == staff.id else policy.is_super(by, now, "renews a colleague's second factor")
    active = rule("REQ-701", by.is_active(now) and staff.is_active(now), "active staff", "the account is deactivated")
    require(verdict & active & proof.verdict)

    entry = Draft(Action.CREDENTIAL_ENROLLED, data={"staff": staff.id})
    writes = [Write(_credential(staff.id, sealed_secret, recovery_hashes)), proof.used()]
    return change(view, actor, now, [entry], writes, id=staff.id)


@adds_no_privilege
def deactivate(view: View, actor: Actor, staff_id: str, *, now: datetime) -> Change:
    """Who leaves is out at once, and so is their session (REQ-701)."""
    by = reading.staff_member(view, actor)
    leaver = reading.the(view, Staff, staff_id, "staff member")
    standing = reading.standing(view, staff_id)
    session = view.get(Session, standing.active_session) if standing.active_session else None

    require(policy.may_deactivate(by, leaver, reading.all_staff(view), now))

    gone = replace(leaver, deactivated_at=now)
    entry = Draft(Action.STAFF_DEACTIVATED, data={"staff": leaver.id, "email": leaver.email, "name": leaver.name})
    running = session is not None and session.is_active(now)
    why = f"{leaver.name}'s account was deactivated"
    endings = [ending(view, session, EndKind.DEACTIVATED, actor, now, why)] if session is not None and running else []
    entries, writes, mails = collected([entry], [Write(gone)], endings)
    return change(view, actor, now, entries, writes, mails, id=leaver.id, sessions_ended=str(len(endings)))


def _credential(staff_id: str, sealed_secret: str, recovery_hashes: tuple[str, ...]) -> Credential:
    return Credential(staff_id, sealed_secret, recovery_hashes, last_step=0, failures=0, locked_until=None)


def _is_name(name: str) -> Verdict:
    return text.is_clean("REQ-701", "name", name, text.NAME_MAX, lines=False)
