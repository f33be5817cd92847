"""P1: entries are only ever appended, in order, linked, with the actor that acts, at the database's time.

Order, links and time are `apply`'s own doing and the triggers'; here: there is an entry, and its actor is real. SQLite
has no log-ins, so it can check only that the named person exists under that address.
"""

from __future__ import annotations

from storage.models import ActorKind, Contact, Staff
from storage.shared.guards.case import Case, refuse, same_address


def check(case: Case) -> None:
    actor = case.actor
    if not case.change.entries:
        refuse("P1", "a Change without an entry")
    if not actor.id or not actor.name:
        refuse("P1", "an entry must name who acts")
    if actor.kind is ActorKind.STAFF:
        staff = case.after(Staff, actor.id)
        if staff is None or not same_address(staff.email, actor.email):
            refuse("P1", f"there is no staff member {actor.id} with the address {actor.email}")
    if actor.kind is ActorKind.TENANT_ADMIN:
        contact = case.after(Contact, actor.id)
        if contact is None or not same_address(contact.email, actor.email):
            refuse("P1", f"there is no contact {actor.id} with the address {actor.email}")
