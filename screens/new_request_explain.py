"""What will happen on submit, said while one types: which rules pass, which refuse and why, who is mailed, when it
expires (REQ-113). The verdict is that of the command itself.
"""

from __future__ import annotations

from datetime import datetime

from app.policy.explain import Explanation
from app.policy.requests import RequestForm
from app.policy.verdict import Finding, Refused, Verdict, rule
from app.services import explain
from screens.context import ConsoleContext
from screens.queue_model import PREVIEW
from storage.models import Contact
from widgets.cells import LeftCell, Tone, Toned
from widgets.fields import BLANK, Field, field, line
from widgets.text import visible

NO_TENANT = rule("REQ-101", False, "", "no tenant is chosen yet")


def explain_form(context: ConsoleContext, form: RequestForm, now: datetime) -> Explanation:
    """The explanation of the form as it stands, complete or not."""
    if context.replica is None or context.staff is None:
        return only(context.may_act())
    if not form.tenant_id:
        return only(NO_TENANT)
    try:
        return explain.of_form(context.replica.view(PREVIEW), context.staff.id, form, now)
    except Refused as refusal:
        return only(refusal.verdict)


def explained_fields(explained: Explanation, ready: str = "^S sends it") -> list[Field]:
    """The explanation as named values for the pane at the right: what stands in the way, what follows, what passes."""
    refusals = explained.verdict.refusals
    if refusals:
        missing = f"{len(refusals)} thing{'s stand' if len(refusals) > 1 else ' stands'} in the way"
        head = Toned(f"not yet: {missing}", Tone.STRONG)
    else:
        head = Toned(f"ready: {ready}", Tone.GOOD)
    fields = [line(head)]
    fields += [line(_refusal(one)) for one in refusals]
    if explained.steps:
        mailed = [_person(one) for one in explained.mailed] or ["nobody"]
        # The first step says in a sentence who is mailed; here it is the list, with addresses.
        fields += [BLANK, field("mails", *mailed), field("then", *(visible(step) for step in explained.steps[1:]))]
    if explained.expires_at is not None and explained.steps:
        fields.append(field("expires", LeftCell(explained.expires_at, toned=False)))
    passed = [Toned(f"✓ {visible(one.why)}", Tone.DIM) for one in explained.verdict.findings if one.passed]
    if passed:
        fields += [BLANK, line(*passed)]
    return fields


def only(verdict: Verdict) -> Explanation:
    """Nothing can be said yet but what stands in the way."""
    return Explanation(verdict, (), (), None)


def _person(contact: Contact) -> str:
    return f"{visible(contact.name)} <{visible(contact.email)}>"


def _refusal(one: Finding) -> Toned:
    who = f" — {visible(one.who_could)}" if one.who_could else ""
    return Toned(f"✗ {visible(one.why)}{who}", Tone.SOON)
