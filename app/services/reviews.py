"""Commands over reviews: opened by what needs one, disputed into being by a tenant, signed by somebody uninvolved
(REQ-109, REQ-502, REQ-504)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from app.policy import reviews as policy
from app.policy.limits import REVIEW_DUE
from app.policy.verdict import require
from app.services import reading, review_letters
from app.services.command import change
from storage.log.actions import Action
from storage.log.entry import Draft
from storage.models import Actor, Mail, Request, Review, ReviewKind, Staff, time_text
from storage.models.row import Json
from storage.shared.change import Change, Write
from storage.view import View, derived_id


@dataclass(frozen=True, slots=True)
class Opened:
    """What a new review puts into a Change."""

    row: Review
    entry: Draft
    mails: tuple[Mail, ...]


@dataclass(frozen=True, slots=True)
class Disputed:
    """An entry of a tenant's own log, as whoever disputes it read it."""

    tenant_id: str
    seq: int
    action: str
    actor_kind: str
    actor_id: str
    request_id: str | None = None
    session_id: str | None = None


def disputed(tenant_id: str, seq: int, body: Mapping[str, Any]) -> Disputed:
    """An entry's body, as the replica or the shared database holds it, as what is disputed."""
    actor = body["actor"]
    return Disputed(
        tenant_id,
        seq,
        str(body["action"]),
        str(actor["kind"]),
        str(actor["id"]),
        body.get("request"),
        body.get("session"),
    )


def opened(
    view: View,
    actor: Actor,
    kind: ReviewKind,
    tenant_id: str,
    claim: str,
    barred: tuple[str, ...],
    now: datetime,
    *,
    request: Request | None = None,
    disputed: Disputed | None = None,
) -> Opened:
    """A review that somebody uninvolved must sign within 72 hours; the supers are told."""
    review = Review(
        id=_about_entry(view, disputed) if disputed else view.fresh_id("V"),
        kind=kind,
        tenant_id=tenant_id,
        request_id=request.id if request else None,
        session_id=disputed.session_id if disputed else None,
        entry_seq=disputed.seq if disputed else None,
        claim=claim,
        barred=tuple(dict.fromkeys(barred)),
        opened_by=actor.id,
        opened_by_name=actor.name,
        opened_at=now,
        due_at=now + REVIEW_DUE,
    )
    place = reading.place(view, tenant_id)
    data: dict[str, Json] = {"due_at": time_text(review.due_at), "barred": list(review.barred)}
    mails = review_letters.opened(view, place, review, request, reading.supers(view), now)
    return Opened(review, about(Action.REVIEW_OPENED, review, claim, data), mails)


def _about_entry(view: View, entry: Disputed) -> str:
    """The key of the next review about this entry. It follows from the entry, so that two admins who dispute it at the
    same moment write the same row: the second is told of the first."""
    number = 0
    while view.get(Review, key := derived_id(f"dispute {entry.tenant_id} {entry.seq}", "V", number)) is not None:
        number += 1
    return key


def dispute(view: View, actor: Actor, entry: Disputed, words: str, *, now: datetime) -> Change:
    """REQ-504: a tenant admin says that an entry of their log is not right, or should not have been."""
    place = reading.place(view, entry.tenant_id)
    request = view.get(Request, entry.request_id) if entry.request_id else None
    earlier = view.find(Review, tenant_id=entry.tenant_id)
    waiting = any(one.entry_seq == entry.seq and one.signed_at is None for one in earlier)

    allowed = policy.may_dispute(place.contact(actor.id), place, entry.tenant_id, not waiting)
    require(allowed & policy.is_claim(words))

    part = [entry.actor_id] if entry.actor_kind == "staff" else []
    part += [request.engineer_id] if request is not None else []
    made = opened(
        view, actor, ReviewKind.DISPUTE, entry.tenant_id, words, tuple(part), now, request=request, disputed=entry
    )
    return change(view, actor, now, [made.entry], [Write(made.row)], made.mails, id=made.row.id)


def sign(view: View, actor: Actor, review_id: str, finding: str, *, now: datetime) -> Change:
    """Somebody uninvolved says what they found. The answer to a dispute goes to the tenant's admins."""
    staff = reading.staff_member(view, actor)
    review = reading.the(view, Review, review_id, "review")
    place = reading.place(view, review.tenant_id)
    part = [one for key in review.barred if (one := view.get(Staff, key)) is not None]

    require(policy.may_sign(review, staff, part, place, now) & policy.is_finding(finding))

    signed = replace(review, finding=finding, signed_by=staff.id, signed_at=now)
    request = view.get(Request, review.request_id) if review.request_id else None
    late: dict[str, Json] = {"overdue": True} if policy.is_overdue(review, now) else {}
    mails = review_letters.answered(view, place, signed, staff, request, now)
    entry = about(Action.REVIEW_SIGNED, signed, finding, late)
    return change(view, actor, now, [entry], [Write(signed)], mails, id=review.id)


def about(action: Action, review: Review, reason: str, data: dict[str, Json]) -> Draft:
    """An entry about a review; it stands in the tenant's own log too."""
    named: dict[str, Json] = {"review": review.id, "kind": review.kind.value}
    if review.entry_seq is not None:
        named["entry"] = review.entry_seq
    return Draft(
        action,
        tenant=review.tenant_id,
        request=review.request_id,
        session=review.session_id,
        reason=reason,
        data=named | data,
    )
