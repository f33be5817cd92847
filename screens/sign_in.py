"""Signing in: who, by address, and a fresh code for it (REQ-701, REQ-702). A lost authenticator is replaced here too,
against a recovery code."""

from __future__ import annotations

from typing import Any, ClassVar

from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input, Static

from screens.context import ConsoleContext
from storage.errors import CountersignError
from storage.models import Actor, ActorKind, Staff
from storage.replica.queries.staff import all_staff
from widgets.dialog import CANCEL, Choice, Dialog
from widgets.entry import CodeEntry
from widgets.text import visible
from widgets.type_ahead import Choice as Person
from widgets.type_ahead import TypeAhead

ACT = "sign_in"
SETTLE_CODE = 6
"""Digits of a code from an authenticator; anything longer is a recovery code."""


async def sign_in(app: App[Any], context: ConsoleContext) -> None:
    """Ask who works here; a recovery code leads on to a new authenticator. Call it from a worker."""
    found = await app.push_screen_wait(SignInDialog(context))
    if found is None:
        return
    staff, recovered = found
    context.sign_in(staff)
    app.notify(f"You are {visible(staff.name)} now, {staff.role.value}.", title="Signed in", markup=False)
    if recovered:
        from screens.enrolment import enrol_again

        await enrol_again(app, context)


class SignInDialog(Dialog[tuple[Staff, bool]]):
    """Answers the person, and whether a recovery code was used."""

    choices = (CANCEL, Choice("sign-in", "Sign in", "enter"))
    AUTO_FOCUS = "Input"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+s", "choose('sign-in')", show=False)]
    DEFAULT_CSS = """
    SignInDialog {
        & > #box { width: 64; }
        .label { color: $tone-dim; }
        TypeAhead { background: $panel; margin-bottom: 1; }
        #sign-in-code { background: $panel; margin-bottom: 1; }
        #sign-in-help { color: $tone-dim; height: auto; }
    }
    """

    def __init__(self, context: ConsoleContext) -> None:
        super().__init__("Sign in")
        self.context = context
        self._people: dict[str, Staff] = {}
        self._checking = False

    def body(self) -> ComposeResult:
        yield Static("Who you are", classes="label", markup=False)
        yield TypeAhead("your e-mail address", id="sign-in-person")
        yield Static("Code", classes="label", markup=False)
        yield CodeEntry("6 digits, or a recovery code", id="sign-in-code")
        yield Static(
            Content(
                "The six digits your authenticator shows now; each is good once. Lost it? A recovery code signs "
                "you in and gives you a new one. Five wrong codes lock for 15 minutes."
            ),
            id="sign-in-help",
            markup=False,
        )

    def on_mount(self) -> None:
        if not self.context.ready:
            self.problem("the list of people is still being read; try again in a moment")
            return
        now = self.context.now()
        fixed = self.context.fixed_identity.casefold()
        active = (one for one in all_staff(self.context.reader) if one.is_active(now))
        self._people = {one.id: one for one in active if not fixed or one.email.casefold() == fixed}
        people = tuple(Person(one.id, one.email, f"{one.name} · {one.role.value}") for one in self._people.values())
        self.query_one(TypeAhead).set_choices(people, self.context.staff.id if self.context.staff else None)

    @on(Input.Submitted, "#sign-in-code")
    async def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        await self.chosen("sign-in")

    async def chosen(self, choice: str) -> None:
        if choice != "sign-in":
            self.dismiss(None)
            return
        staff = self._people.get(self.query_one(TypeAhead).chosen or "")
        code = self.query_one(CodeEntry).code
        if staff is None:
            self.problem("choose who you are from the list of staff")
        elif not code:
            self.problem("type the code that your authenticator shows now")
        elif self.context.shared is None:
            self.problem("the shared database is not open yet; a code cannot be checked without it")
        elif not self._checking:
            self._checking = True
            self.run_worker(self._check(staff, code), name="sign in", group="sign-in")

    async def _check(self, staff: Staff, code: str) -> None:
        """The shared database's word on the code; a failed attempt stays there."""
        shared = self.context.shared
        if shared is None:
            return
        who = Actor(ActorKind.STAFF, staff.id, staff.name, staff.email, ip=self.context.address)
        try:
            answer = await shared.step_up(staff.id, code, ACT, who)
        except CountersignError as error:
            self.problem(f"{error}. {error.advice}")
            return
        finally:
            self._checking = False
        if answer.step_up is None:
            self.query_one(CodeEntry).clear()
            self.problem(answer.why)
        else:
            self.dismiss((staff, len(code) > SETTLE_CODE))
