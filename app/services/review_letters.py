"""Letters about reviews (REQ-502 … 504): the supers are told what waits, the tenant what was found."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from app.policy.people import Place
from app.services.letters import letter
from app.services.letters_facts import Facts, moment, person
from storage.models import Contact, Mail, Request, Review, ReviewKind, Staff
from storage.view import View

KINDS = {ReviewKind.EMERGENCY: "emergency", ReviewKind.DISPUTE: "dispute"}


def opened(
    view: View, place: Place, review: Review, request: Request | None, supers: Iterable[Staff], now: datetime
) -> tuple[Mail, ...]:
    """To the supers, those who may not sign it left out."""
    subject = f"Review {review.id}: {KINDS[review.kind]} at {place.tenant.name}"
    facts: Facts = {"review": _facts(place, review)}
    return tuple(
        letter(view, one, "review.opened", subject, facts, now, request, review.session_id, tenant_id=place.tenant.id)
        for one in supers
        if one.is_active(now) and one.id not in review.barred
    )


def answered(
    view: View, place: Place, review: Review, by: Staff, request: Request | None, now: datetime
) -> tuple[Mail, ...]:
    """To the tenant's admins, and to whoever disputed, an admin still or not."""
    opener = place.contact(review.opened_by)
    people: dict[str, Contact] = {one.id: one for one in place.admins}
    if opener is not None and not opener.removed:
        people[opener.id] = opener
    subject = f"Answer to the {KINDS[review.kind]} {review.id}"
    facts: Facts = {"review": _facts(place, review), "by": person(by), "finding": review.finding}
    return tuple(
        letter(view, one, "review.signed", subject, facts, now, request, review.session_id, tenant_id=place.tenant.id)
        for one in people.values()
    )


def _facts(place: Place, review: Review) -> Facts:
    return {
        "id": review.id,
        "kind": KINDS[review.kind],
        "tenant": place.tenant.name,
        "entry": review.entry_seq,
        "claim": review.claim,
        "opened_by": review.opened_by_name,
        "due_at": moment(review.due_at),
    }
