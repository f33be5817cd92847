"""The check of a second factor, in a committed step of its own (REQ-702): no later failure can erase a wrong attempt,
and no code works twice. Five wrong codes lock the person's factor for 15 minutes and alert the supers.
"""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from datetime import datetime, timedelta

from storage.log.actions import Action
from storage.log.entry import Draft
from storage.models import Actor, ActorKind, Credential, Mail, Role, Row, Staff, StepUp, time_text
from storage.models.row import canonical
from storage.shared.change import Change, Write, new_change_id
from storage.shared.connections import Transaction
from storage.shared.guards.case import refuse, wanted
from storage.shared.interface import StepUpAnswer
from storage.shared.totp import accepted_step, is_recovery_code, matching_step, recovery_hash
from storage.shared.vault import Vault
from storage.shared.writing import read_ground, write_change
from storage.view import derived_id

WRONG_CODES = 5
LOCKED_MINUTES = 15
LOCKED_FOR = timedelta(minutes=LOCKED_MINUTES)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a code is worth: the credential as it will be, how it was proved ("" if it was not), and whether this very
    attempt locked it."""

    credential: Credential
    method: str
    why: str = ""
    locks: bool = False


def judged(credential: Credential, code: str, now: datetime, vault: Vault) -> Verdict:
    """Pure: whether the code is right, fresh and allowed now, and what becomes of the credential."""
    if credential.locked_until is not None:
        if now < credential.locked_until:
            until = f"{credential.locked_until:%H:%M} UTC"
            return Verdict(credential, "", f"locked until {until} after {WRONG_CODES} wrong codes")
        credential = dataclasses.replace(credential, failures=0, locked_until=None)
    if is_recovery_code(code):
        return _recovery(credential, code, now)
    secret = vault.unseal(credential.sealed_secret)
    step = accepted_step(secret, code, now, credential.last_step)
    if step is not None:
        return Verdict(dataclasses.replace(credential, last_step=step, failures=0), "totp")
    if matching_step(secret, code, now) is not None:
        return Verdict(credential, "", "this code was used already: wait for the next one")
    return _wrong(credential, now)


def _recovery(credential: Credential, code: str, now: datetime) -> Verdict:
    used = recovery_hash(code)
    if used not in credential.recovery_hashes:
        return _wrong(credential, now)
    left = tuple(one for one in credential.recovery_hashes if one != used)
    return Verdict(dataclasses.replace(credential, recovery_hashes=left, failures=0), "recovery")


def _wrong(credential: Credential, now: datetime) -> Verdict:
    failures = credential.failures + 1
    if failures >= WRONG_CODES:
        locked = dataclasses.replace(credential, failures=failures, locked_until=now + LOCKED_FOR)
        return Verdict(locked, "", f"{WRONG_CODES} wrong codes: locked for {LOCKED_MINUTES} minutes", locks=True)
    left = WRONG_CODES - failures
    return Verdict(
        dataclasses.replace(credential, failures=failures),
        "",
        f"wrong code; {left} more {'try' if left == 1 else 'tries'} before it is locked",
    )


def prove(
    transaction: Transaction, staff_id: str, code: str, act: str, actor: Actor, now: datetime, vault: Vault
) -> StepUpAnswer:
    """Check the code inside an open write transaction and record the outcome, whatever it is. Raises GuardRefused for
    whoever has no business giving one."""
    if actor.kind is not ActorKind.STAFF or actor.id != staff_id:
        refuse("P10", "a code is given by the person it belongs to")
    change_id = new_change_id()
    bare = Change(change_id, now, actor, (Draft(Action.STEP_UP_REFUSED),), (), ())
    keys = {(Staff.TABLE, staff_id), (Credential.TABLE, staff_id)}
    needed = wanted(bare)
    ground = read_ground(transaction, bare, dataclasses.replace(needed, keys=needed.keys | keys))
    stored_staff = ground.found.get((Staff.TABLE, staff_id))
    if stored_staff is None or not (staff := Staff.from_image(stored_staff[1])).is_active(now):
        refuse("P12", f"{actor.name} is no active staff member")
    stored = ground.found.get((Credential.TABLE, staff_id))
    if stored is None:
        return StepUpAnswer(None, f"{staff.name} has no second factor yet: enrol one first")
    verdict = judged(Credential.from_image(stored[1]), code, now, vault)
    supers = _supers(transaction, now) if verdict.locks else []
    change = _recorded(bare, verdict, act, staff, supers)
    applied = write_change(transaction, change, ground, now)
    return StepUpAnswer(change.answer.get("step_up"), verdict.why, applied.rev)


def _recorded(bare: Change, verdict: Verdict, act: str, staff: Staff, supers: list[Staff]) -> Change:
    """The outcome as a Change: the credential as it is now, the proof if there is one, the alert if it locked."""
    writes: list[Row] = [verdict.credential]
    if verdict.method:
        step_up = StepUp(derived_id(bare.id, "P", 0), staff.id, act, bare.at, verdict.method, ())
        writes.append(step_up)
        entry = Draft(Action.STEP_UP_ACCEPTED, data={"act": act, "method": verdict.method, "step_up": step_up.id})
        answer = {"step_up": step_up.id}
    else:
        action = Action.STEP_UP_LOCKED if verdict.locks else Action.STEP_UP_REFUSED
        entry, answer = Draft(action, reason=verdict.why, data={"act": act}), {}
    mails = tuple(_alert(bare, staff, one, number, act) for number, one in enumerate(supers))
    return dataclasses.replace(
        bare, entries=(entry,), writes=tuple(Write(row) for row in writes), mails=mails, answer=answer
    )


def _supers(transaction: Transaction, now: datetime) -> list[Staff]:
    rows = transaction.rows("SELECT image FROM staff WHERE role = ? ORDER BY id", (Role.SUPER.value,))
    return [staff for (image,) in rows if (staff := Staff.from_image(image)).is_active(now)]


def _alert(bare: Change, staff: Staff, to: Staff, number: int, act: str) -> Mail:
    return Mail(
        id=derived_id(bare.id, "M", number),
        event=Action.STEP_UP_LOCKED.value,
        to_id=to.id,
        to_name=to.name,
        to_email=to.email,
        tenant_id=None,
        request_id=None,
        session_id=None,
        subject=f"Second factor locked: {staff.name}",
        facts=canonical(
            {
                "person": {"name": staff.name, "email": staff.email},
                "codes": WRONG_CODES,
                "minutes": LOCKED_MINUTES,
                "act": act,
                "ip": bare.actor.ip,
                "at": time_text(bare.at),
            }
        ),
        links=(),
        created_at=bare.at,
    )
