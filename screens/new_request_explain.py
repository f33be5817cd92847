"""What will happen on submit, said while one types: which rules pass, which refuse and why, who is mailed, when it
expires (REQ-113). The verdict is that of the command itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from app.policy import requests as policy
from app.policy.limits import PENDING, USABLE
from app.policy.people import Place
from app.policy.requests import RequestForm
from app.policy.verdict import Finding, Refused, Verdict
from app.services import reading
from screens.context import ConsoleContext
from storage.models import Contact, Mode, Request
from widgets.cells import Tone, Toned
from widgets.fields import BLANK, Field, field, line
from widgets.moments import near_text
from widgets.text import visible


@dataclass(frozen=True, slots=True)
class FormExplained:
    """`place` is None until a tenant is chosen."""

    verdict: Verdict
    place: Place | None
    mailed: tuple[Contact, ...]
    expires_at: datetime


def explain_form(context: ConsoleContext, form: RequestForm, now: datetime) -> FormExplained:
    """The verdict on the form as it stands, complete or not."""
    if context.replica is None or context.staff is None:
        return FormExplained(context.may_act(), None, (), now + PENDING)
    view = context.replica.view("preview")
    if not form.tenant_id:
        missing = Finding("REQ-101", False, "no tenant is chosen yet")
        return FormExplained(Verdict((missing,)), None, (), now + PENDING)
    try:
        place = reading.place(view, form.tenant_id)
    except Refused as refusal:
        return FormExplained(refusal.verdict, None, (), now + PENDING)
    earlier = view.get(Request, form.again_of) if form.again_of is not None else None
    reasons = reading.earlier_reasons(view, context.staff.id, form.again_of)
    verdict = policy.may_create(form, context.staff, place, now, reasons, earlier)
    return FormExplained(verdict, place, place.admins, now + PENDING)


def explained_fields(
    explained: FormExplained, form: RequestForm, context: ConsoleContext, now: datetime
) -> list[Field]:
    """The explanation as named values for the pane at the right."""
    refusals = explained.verdict.refusals
    if refusals:
        missing = f"{len(refusals)} thing{'s stand' if len(refusals) > 1 else ' stands'} in the way"
        head = Toned(f"✗ not yet: {missing}", Tone.BAD)
    else:
        head = Toned("✓ can be sent: ^S", Tone.GOOD)
    fields = [line(Toned("what will happen", Tone.DIM)), line(head)]
    fields += [line(Toned(f"✗ {_finding(one)}", Tone.BAD)) for one in refusals]
    if explained.place is not None:
        fields += [BLANK, *_then(explained, form, context, now)]
    passed = [one for one in explained.verdict.findings if one.passed]
    if passed:
        fields += [BLANK, *(line(Toned(f"✓ {visible(one.why)}", Tone.GOOD)) for one in passed)]
    return fields


def _then(explained: FormExplained, form: RequestForm, context: ConsoleContext, now: datetime) -> list[Field]:
    place = explained.place
    if place is None:
        return []
    minutes = min(form.minutes, place.settings.max_minutes)
    shorter = f" (asked {form.minutes}; {visible(place.tenant.name)}'s maximum)" if minutes < form.minutes else ""
    mailed = [f"{visible(one.name)} <{visible(one.email)}>" for one in explained.mailed] or ["nobody"]
    if place.settings.standing_consent and form.mode is Mode.READ_ONLY:
        consent = "approved at once: the tenant has given standing consent"
        until = f"start it within {_hours(USABLE.total_seconds())}"
    else:
        consent = "waits until one of them approves or denies"
        until = f"expires {near_text(explained.expires_at, now, context.zone)}, in {_hours(PENDING.total_seconds())}"
    fields = [field("mails", *mailed), field("then", consent, until)]
    if form.mode is Mode.FULL:
        fields.append(field("full", "a second staff member countersigns too"))
    fields.append(field("session", f"{minutes} min from its start{shorter}"))
    return fields


def _hours(seconds: float) -> str:
    return f"{int(seconds // 3600)} h"


def _finding(one: Finding) -> str:
    return visible(one.why) + (f" — {visible(one.who_could)}" if one.who_could else "")
