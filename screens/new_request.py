"""Asking for access (REQ-101 … 104, 113, 114): one form, and beside it what will happen on submit.

Every key press is judged by the rules that the command will ask; nothing typed is lost by a refusal, and leaving with
something typed asks first. From 110 columns the explanation stands at the right; below that F2 turns the page to it.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Static

from app.policy.explain import Explanation
from app.policy.requests import RequestForm
from app.policy.verdict import Refused
from app.services.desk_words import ADDS_PRIVILEGE
from screens.context import ConsoleContext
from screens.new_request_explain import explain_form, explained_fields
from screens.new_request_form import AccessForm
from screens.new_request_hints import show_hints
from screens.step_up import run_command
from storage.errors import CountersignError
from storage.models import Contact
from storage.replica.queries.requests import (
    TenantChoice,
    earlier_reasons,
    target_choices,
    tenant_choice,
    tenant_names,
)
from widgets.bars import Hint, KeyBar
from widgets.dialog import Confirm, Notice
from widgets.fields import FieldList
from widgets.text import safe, visible
from widgets.type_ahead import Choice, TypeAhead

if TYPE_CHECKING:
    from storage.shared.change import Applied

LOOK_SECONDS = 1.0
JUDGE_AFTER_SECONDS = 0.08
"""Typing first, judging in the pause after it."""


class NewRequestScreen(Screen[str | None]):
    """Answers the id of the request that was created, or None."""

    HORIZONTAL_BREAKPOINTS = [(0, "-one-pane"), (110, "-two-panes")]  # noqa: RUF012
    AUTO_FOCUS = "#tenant Input"
    SEND: ClassVar[str] = "Send"
    READY: ClassVar[str] = "^S sends it"
    """What sending does once nothing stands in the way."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "submit", "Send", id="new-request.send"),
        Binding("f2", "turn", "What will happen", id="new-request.explain"),
        Binding("escape", "leave", "Back", id="new-request.back"),
        # Priority: decided before the next key is dealt out, so that what is typed in a burst (a slow line, a script)
        # right after Tab goes to the next field and not to the one just left.
        Binding("tab", "app.focus_next", "Next field", show=False, priority=True, id="new-request.next"),
        Binding("shift+tab", "app.focus_previous", "Field before", show=False, priority=True, id="new-request.before"),
    ]

    DEFAULT_CSS = """
    NewRequestScreen {
        layout: vertical;
        #new-title { height: 1; padding: 0 1; background: $panel; text-style: bold; }
        #new-body { height: 1fr; }
        AccessForm { width: 1fr; height: 1fr; }
        #explain { width: 44%; max-width: 80; border-left: vkey $panel; padding: 1 0 0 1; scrollbar-size-vertical: 1; }
        #explain > FieldList { padding-right: 1; }
        &.-one-pane #explain { display: none; width: 1fr; border-left: none; }
        &.-one-pane.-explaining #explain { display: block; }
        &.-one-pane.-explaining AccessForm { display: none; }
        #new-verdict { height: 1; padding: 0 1; background: $surface; text-wrap: nowrap; text-overflow: ellipsis; }
        &.-two-panes #new-verdict, &.-explaining #new-verdict { display: none; }
    }
    """

    def __init__(self, context: ConsoleContext, again_of: str | None = None) -> None:
        super().__init__()
        self.context = context
        self._again_of = again_of
        self._tenant: TenantChoice | None = None
        self._targets_of: str | None = None
        self._judging: Timer | None = None
        self._reached = True
        self._sending = False

    # -- what a form for another purpose says otherwise ---------------------------------------------------------------

    def title_words(self) -> str:
        return f"Ask again (after {visible(self._again_of)})" if self._again_of else "Ask for access"

    def make_form(self) -> AccessForm:
        return AccessForm()

    def explain(self, values: RequestForm, now: datetime) -> Explanation:
        return explain_form(self.context, values, now)

    def reasons_before(self) -> tuple[str, ...]:
        """The earlier reasons of whoever enters: a copied one is refused (REQ-102)."""
        staff = self.context.staff
        return tuple(earlier_reasons(self.context.reader, staff.id)) if staff is not None else ()

    async def ask(self, values: RequestForm, tenant_name: str) -> Applied | None:
        """Run the command; None: left on the way, nothing was sent."""
        from app.services import requests

        return await run_command(
            self.app,
            self.context,
            requests.create,
            values,
            act_words="send the request",
            target_words=f"{tenant_name} · {values.ticket}",
        )

    # ----------------------------------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        yield Static(self.title_words(), id="new-title", markup=False)
        with Horizontal(id="new-body"):
            yield self.make_form()
            with VerticalScroll(id="explain", can_focus=False):
                yield FieldList(self.context.now)
        yield Static(id="new-verdict", markup=False)
        yield KeyBar()

    @property
    def form(self) -> AccessForm:
        return self.query_one(AccessForm)

    def on_mount(self) -> None:
        again = self._asked_before()
        choices = tuple(Choice(key, name, key) for key, name in tenant_names(self.context.reader))
        self.form.offer_tenants(choices, again.tenant_id if again else None)
        if again is not None:
            self.form.prefill(again)
            self._offer_targets(again.tenant_id, again.target_id)
        self._judge()
        self._show_keys()
        self.set_interval(LOOK_SECONDS, self._look, name="within reach")

    def _look(self) -> None:
        """The network goes and comes back while somebody types: what is said of the form follows."""
        if self._reached != self.context.reaches(ADDS_PRIVILEGE).allowed:
            self._judge()

    def on_resize(self) -> None:
        self.call_after_refresh(self._show_keys)

    @property
    def judging(self) -> bool:
        """Whether something was typed that has not been judged yet."""
        return self._judging is not None

    # -- judging what is typed ---------------------------------------------------------------------------------------

    @on(AccessForm.Changed)
    def _changed(self) -> None:
        chosen = self.query_one("#tenant", TypeAhead).chosen
        if chosen != self._targets_of:
            self._offer_targets(chosen)
        if self._judging is not None:
            self._judging.stop()
        self._judging = self.set_timer(JUDGE_AFTER_SECONDS, self._judge, name="judge")

    def _judge(self) -> Explanation:
        """Judge the form as it stands; show it at the right and below each field."""
        self._judging = None
        now, values, reach = self.context.now(), self.form.values(), self.context.reaches(ADDS_PRIVILEGE)
        explained = self.explain(values, now)
        explained = replace(explained, verdict=reach & explained.verdict)
        self._reached = reach.allowed
        self.query_one("#explain FieldList", FieldList).show(explained_fields(explained, self.READY))
        self._tenant = tenant_choice(self.context.reader, values.tenant_id) if values.tenant_id else None
        show_hints(self.form, values, self._tenant, self._contacts(values.tenant_id), self.reasons_before())
        refusals = explained.verdict.refusals
        line = f"✗ {refusals[0].why}" if refusals else f"✓ ready: {self.READY}"
        more = f" (+{len(refusals) - 1}: F2)" if len(refusals) > 1 else ""
        self.query_one("#new-verdict", Static).update(safe(line + more, "$tone-bad" if refusals else "$tone-good"))
        return explained

    def _offer_targets(self, tenant_id: str | None, chosen: str | None = None) -> None:
        self._targets_of = tenant_id
        self.form.offer_targets(
            tuple(Choice(one.id, one.name, one.email) for one in self._contacts(tenant_id or "")), chosen
        )

    def _contacts(self, tenant_id: str) -> list[Contact]:
        return target_choices(self.context.reader, tenant_id) if tenant_id else []

    def _asked_before(self) -> RequestForm | None:
        """The form of the request asked again (REQ-114)."""
        if self._again_of is None or self.context.replica is None:
            return None
        from app.services.requests import again  # a service is loaded when used, not before the first frame

        return again(self.context.replica.view("preview"), self._again_of)

    # -- keys --------------------------------------------------------------------------------------------------------

    def action_turn(self) -> None:
        """On one pane: between the form and the explanation."""
        if self.has_class("-one-pane"):
            self.toggle_class("-explaining")
            self._show_keys()

    async def action_leave(self) -> None:
        if self.has_class("-explaining"):
            self.action_turn()
        elif self.form.touched:
            self.run_worker(self._leave(), name="leave", group="new-request-leave")
        else:
            self.dismiss(None)

    async def _leave(self) -> None:
        if await self.app.push_screen_wait(Confirm("Leave the form?", "What you have typed is lost.", danger=True)):
            self.dismiss(None)

    def action_submit(self) -> None:
        if self._sending:
            return
        explained = self._judge()
        allowed = self.context.may_act() & explained.verdict
        if not allowed.allowed:
            self._tell("Not yet", allowed.why(), "warning")
            self._focus_first_refused()
            return
        self._sending = True
        # Not exclusive: a second one must never cancel a write whose outcome would then be unknown.
        self.run_worker(self._send(self.form.values()), name="create", group="new-request-send")

    async def _send(self, values: RequestForm) -> None:
        tenant = self._tenant.tenant.name if self._tenant is not None else values.tenant_id
        try:
            applied = await self.ask(values, tenant)
        except Refused as refusal:
            await self.app.push_screen_wait(Notice("Refused: nothing was sent", _refusal_words(refusal), danger=True))
        except CountersignError as error:
            words = f"{error}\n\nNothing was sent; what you typed is still here.\n{error.advice}"
            await self.app.push_screen_wait(Notice("Not sent", words, danger=True))
        else:
            if applied is not None:
                self.dismiss(applied.answer.get("id"))
        finally:
            self._sending = False

    def _focus_first_refused(self) -> None:
        """To the first field that is still empty; else stay where one types."""
        name = self.form.first_empty()
        if name is not None:
            self.form.focus_field(name)

    def _tell(self, title: str, words: str, severity: str) -> None:
        self.app.notify(
            visible(words),
            title=title,
            severity="warning" if severity == "warning" else "error",
            markup=False,
            timeout=8,
        )

    def _show_keys(self) -> None:
        one_pane, explaining = self.has_class("-one-pane"), self.has_class("-explaining")
        hints = [Hint("send", "^S", self.SEND), Hint("next", "Tab", "Next field")]
        if one_pane:
            hints.append(Hint("turn", "F2", "Back to the form" if explaining else "What will happen"))
        hints.append(Hint("leave", "Esc", "Back"))
        self.query_one(KeyBar).show(hints)

    @on(KeyBar.Pressed)
    async def _hint_pressed(self, event: KeyBar.Pressed) -> None:
        match event.id:
            case "send":
                self.action_submit()
            case "turn":
                self.action_turn()
            case "leave":
                await self.action_leave()
            case _:
                self.focus_next()


def _refusal_words(refusal: Refused) -> str:
    lines = [f"✗ {one.why}" + (f" — {one.who_could}" if one.who_could else "") for one in refusal.verdict.refusals]
    return "\n".join(lines) + "\n\nWhat you typed is still here."
