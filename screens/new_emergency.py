"""An emergency for what nobody has asked for yet (REQ-109): a super fills in the request for the engineer who enters,
says which harm it is, and both are made in one act. Beside the form stands what will happen, by the command's rules.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.widgets import Static

from app.policy.explain import Explanation
from app.policy.requests import RequestForm
from app.policy.verdict import Refused, rule
from app.services import explain
from screens.new_request import NewRequestScreen
from screens.new_request_explain import NO_TENANT, only
from screens.new_request_form import AccessForm, FormField
from screens.queue_model import PREVIEW
from screens.request_words import MODE_WORDS
from screens.step_up import run_command
from storage.models import Request, Role, Staff
from storage.replica.queries.requests import earlier_reasons
from storage.replica.queries.staff import all_staff
from widgets.text import safe, visible
from widgets.type_ahead import Choice, TypeAhead

if TYPE_CHECKING:
    from screens.request_emergency import Said
    from storage.shared.change import Applied

NO_ENGINEER = rule("REQ-109", False, "", "it is not said yet who is to enter")


class EmergencyForm(AccessForm):
    """The form with the engineer in front. It is urgent by what it is."""

    DEFAULT_CSS = """
    EmergencyForm { #field-urgent { display: none; } }
    """

    def compose(self) -> ComposeResult:
        with FormField("For", "engineer"), Vertical():
            yield TypeAhead("the engineer who is to enter", id="engineer")
            yield Static(classes="hint")
        yield from super().compose()

    @property
    def engineer_id(self) -> str | None:
        """The staff id chosen, None while there is none."""
        return self.query_one("#engineer", TypeAhead).chosen

    def offer_engineers(self, choices: tuple[Choice, ...], chosen: str | None = None) -> None:
        self.query_one("#engineer", TypeAhead).set_choices(choices, chosen)

    def values(self) -> RequestForm:
        return replace(super().values(), urgent=True)

    def first_empty(self) -> str | None:
        return super().first_empty() if self.engineer_id else "engineer"

    @property
    def touched(self) -> bool:
        return super().touched or bool(self.query_one("#engineer", TypeAhead).text)


class NewEmergencyScreen(NewRequestScreen):
    """Answers the id of the request that was made and declared, or None. `again_of` prefills what was asked before."""

    AUTO_FOCUS = "#engineer Input"
    SEND: ClassVar[str] = "Declare…"
    READY: ClassVar[str] = "^S asks which harm it is"

    _said: Said | None = None
    """Category and reason as answered last: a refusal loses nothing typed."""

    def title_words(self) -> str:
        after = f" (after {visible(self._again_of)})" if self._again_of else ""
        return f"Ask anew and declare an emergency{after}"

    def make_form(self) -> AccessForm:
        return EmergencyForm()

    @property
    def form(self) -> EmergencyForm:
        return self.query_one(EmergencyForm)

    def on_mount(self) -> None:
        now = self.context.now()
        people = [one for one in all_staff(self.context.reader) if one.is_active(now) and one.role is not Role.AUDITOR]
        choices = tuple(Choice(one.id, one.name, one.email) for one in people)
        self.form.offer_engineers(choices, self._engineer_before())

    def _engineer_before(self) -> str | None:
        if self._again_of is None or self.context.replica is None:
            return None
        before = self.context.replica.view(PREVIEW).get(Request, self._again_of)
        return before.engineer_id if before is not None else None

    def reasons_before(self) -> tuple[str, ...]:
        chosen = self.form.engineer_id
        return tuple(earlier_reasons(self.context.reader, chosen)) if chosen else ()

    def explain(self, values: RequestForm, now: datetime) -> Explanation:
        context, engineer = self.context, self._engineer
        self.form.field("engineer").hint(safe(engineer.email) if engineer else "", "good" if engineer else "")
        if context.replica is None or context.staff is None:
            return only(context.may_act())
        if engineer is None:
            return only(NO_ENGINEER if values.tenant_id else NO_ENGINEER & NO_TENANT)
        if not values.tenant_id:
            return only(NO_TENANT)
        view = context.replica.view(PREVIEW)
        try:
            return explain.of_emergency(view, context.staff.id, engineer.id, values, context.legal_email, now)
        except Refused as refusal:
            return only(refusal.verdict)

    @property
    def _engineer(self) -> Staff | None:
        replica, chosen = self.context.replica, self.form.engineer_id
        return replica.view(PREVIEW).get(Staff, chosen) if replica is not None and chosen else None

    async def ask(self, values: RequestForm, tenant_name: str) -> Applied | None:
        from app.services import emergency
        from screens.request_emergency import EmergencyDialog

        engineer = self._engineer
        if engineer is None:  # what the explanation has refused before
            return None
        facts = (
            ("tenant", tenant_name),
            ("engineer", engineer.name),
            ("reason", values.reason),
            ("scope", values.scope),
            ("access", f"{MODE_WORDS[values.mode]}, {values.minutes} min"),
        )
        target = f"{tenant_name} · {values.ticket}"
        said = await self.app.push_screen_wait(EmergencyDialog(target, facts, self._said))
        if said is None:
            return None
        self._said = said
        category, reason = said
        return await run_command(
            self.app,
            self.context,
            emergency.declare_anew,
            engineer.id,
            values,
            category,
            reason,
            self.context.legal_email,
            act_words="declare an emergency",
            target_words=f"{target}, for {engineer.name}",
        )
