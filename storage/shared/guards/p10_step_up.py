"""P10: creating, activating, ending others' sessions, countersigning and elevating need a code of that very person,
each code once; one code covers the person's own create and activate for 2 minutes (a setting, 0 = never).

A code leaves a StepUp row when it is accepted; the Change that rests on it names the row and writes itself into it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from storage.log.actions import Action
from storage.models import StepUp
from storage.shared.guards.case import Case, refuse

ACTS: dict[Action, str] = {
    Action.REQUEST_CREATED: "request.create",
    Action.SESSION_STARTED: "session.start",
    Action.REQUEST_COUNTERSIGNED: "request.countersign",
    Action.ELEVATION_ASKED: "session.elevate",
    Action.ELEVATION_GRANTED: "session.countersign",
    Action.SESSION_FORCE_ENDED: "session.force_end",
    Action.BREAK_GLASS_DECLARED: "break_glass.declare",
    Action.BREAK_GLASS_COUNTERSIGNED: "break_glass.countersign",
    Action.EMERGENCY_DECLARED: "emergency.declare",
    Action.EMERGENCY_COUNTERSIGNED: "emergency.countersign",
}
"""Actions by staff that need a step-up, and the act it must have been given for."""
FIRST_FACTOR = frozenset({Action.DATABASE_CREATED, Action.STAFF_ADDED})
"""A new account comes with its first factor; replacing one takes a code."""


def check(case: Case) -> None:
    for before, after in case.written(StepUp):
        if before is None or after != replace(before, used_by=(*before.used_by, case.change.id)):
            refuse("P10", f"step-up {after.id} can only be used, once, by the Change that rests on it")
    needed = {ACTS[action] for action in case.actions if action in ACTS}
    if Action.EMERGENCY_DECLARED in case.actions:
        needed.discard(ACTS[Action.REQUEST_CREATED])  # asked anew in the same act, by the super who declares
    if Action.CREDENTIAL_ENROLLED in case.actions and not case.actions & FIRST_FACTOR:
        needed.add("staff.enrol")
    if not needed or not case.is_staff():
        return
    if len(needed) > 1:
        refuse("P10", "one code for two acts")
    _covered(case, needed.pop())


def _covered(case: Case, act: str) -> None:
    step_up = case.before(StepUp, case.actor.step_up)
    if step_up is None:
        refuse("P10", f"{act} needs a fresh code")
    used = case.after(StepUp, step_up.id)
    if step_up.staff_id != case.actor.id:
        refuse("P10", "the code was given by another person")
    if used is None or case.change.id not in used.used_by:
        refuse("P10", f"step-up {step_up.id} must be written back as used")
    age = case.now - step_up.at
    shared = step_up.act == "request.create" and act == "session.start"
    if step_up.act != act and not (shared and case.limits.step_up_reuse_seconds > 0):
        refuse("P10", f"the code was given for {step_up.act}, not for {act}")
    if len(step_up.used_by) > (1 if shared else 0):
        refuse("P10", "each code works once")
    seconds = case.limits.step_up_reuse_seconds if shared else case.limits.step_up_seconds
    if age > timedelta(seconds=seconds):
        refuse("P10", f"the code was given more than {seconds} s ago")
