"""What each field of the form says of itself while one types: nothing while it is empty, a sign when it will do, and
else what is wrong, by the rules that the command will ask.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.policy import reason as linter
from app.policy.requests import RequestForm, less_invasive_first
from app.policy.text import is_ticket
from app.policy.verdict import Verdict
from screens.new_request_form import AccessForm
from storage.models import Contact, Mode, TenantMode
from storage.replica.queries.requests import TenantChoice
from widgets.text import safe, visible


def show_hints(
    form: AccessForm,
    values: RequestForm,
    tenant: TenantChoice | None,
    targets: Sequence[Contact],
    earlier_reasons: Sequence[str],
) -> None:
    """Say below or beside every field what there is to say about `values`."""
    if tenant is None:
        form.field("tenant").hint("")
    else:
        form.field("tenant").hint(safe(_tenant_words(tenant)), "bad" if _is_shut(tenant) else "good")
    target = next((one for one in targets if one.id == values.target_id), None)
    form.field("target").hint(safe(target.email) if target else "", "good" if target else "")
    form.field("ticket").hint(*_word(is_ticket(values.ticket), values.ticket))
    judgement = linter.judge(values.reason, values.ticket, earlier_reasons)
    words, tone = _word(judgement.verdict, values.reason)
    better = "\n".join(judgement.hints) if values.reason and judgement.verdict.allowed else ""
    form.field("reason").hint(safe(words or better, lines=True), tone)
    form.field("why-not").hint(*_word(less_invasive_first(values), values.why_not))
    full = values.mode is Mode.FULL
    form.field("mode").hint("a second staff member must countersign before changes are possible" if full else "")
    form.limit_minutes(tenant.settings.max_minutes if tenant else None)


def _is_shut(choice: TenantChoice) -> bool:
    return choice.settings.kill_switch or choice.settings.mode is TenantMode.FORBIDDEN


def _tenant_words(choice: TenantChoice) -> str:
    settings = choice.settings
    if settings.kill_switch:
        return "kill switch on: nobody gets in"
    if settings.mode is TenantMode.FORBIDDEN:
        return "forbids support access"
    standing = " · standing consent for read-only" if settings.standing_consent else ""
    mode = "consent only" if settings.mode is TenantMode.CONSENT_ONLY else "default mode"
    return f"{mode} · sessions up to {settings.max_minutes} min{standing}"


def _word(verdict: Verdict, typed: str) -> tuple[str, str]:
    """Words and tone: nothing while nothing is typed; a good sign; or what is wrong."""
    if not typed:
        return "", ""
    if verdict.allowed:
        return "", "good"
    return "✗ " + visible("; ".join(one.why for one in verdict.refusals)), "bad"
