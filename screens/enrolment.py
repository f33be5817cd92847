"""Enrolment of a second factor: a QR code in the terminal, the secret as text, recovery codes shown once, and a first
code to prove that it works (REQ-702). Also the first run, where there is no shared database yet."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, Static

from screens.context import ConsoleContext
from screens.step_up import run_command
from storage.errors import CountersignError
from widgets.dialog import Choice, Dialog
from widgets.entry import CodeEntry, LineEntry
from widgets.qr import qr_content
from widgets.text import safe

if TYPE_CHECKING:
    from app.enrolment import Enrolment

Check = Callable[[str], Awaitable[str]]
"""Checks a code against the enrolled secret: "" when it is right, else what is wrong."""


class FirstRunDialog(Dialog[tuple[str, str]]):
    """There is no shared database yet: who is the first super? Answers e-mail address and name."""

    choices = (Choice("cancel", "Quit", "escape"), Choice("make", "Make it", "ctrl+s"))
    DEFAULT_CSS = """
    FirstRunDialog {
        & > #box { width: 68; }
        .label { color: $tone-dim; margin-top: 1; }
        LineEntry { background: $panel; }
    }
    """

    def __init__(self, path: str) -> None:
        super().__init__("Welcome to Countersign")
        self._path = path

    def body(self) -> ComposeResult:
        yield Static(
            safe(
                f"There is no shared database yet. This makes one, in\n{self._path}\nwith you as its first super. "
                "Already have one? Quit, and start with --database.\n`countersign demo` shows everything with "
                "invented data.",
                lines=True,
            ),
            markup=False,
        )
        yield Static("Your e-mail address", classes="label", markup=False)
        yield LineEntry(placeholder="ann@example.com", id="first-email")
        yield Static("Your name", classes="label", markup=False)
        yield LineEntry(placeholder="Ann Example", id="first-name")

    @on(Input.Submitted)
    async def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        if event.input.id == "first-email":
            self.focus_next()
        else:
            await self.chosen("make")

    async def chosen(self, choice: str) -> None:
        if choice != "make":
            self.dismiss(None)
            return
        email = self.query_one("#first-email", LineEntry).value.strip()
        name = self.query_one("#first-name", LineEntry).value.strip()
        if "@" not in email:
            self.problem("an e-mail address is needed: your account is known by it")
        elif not name:
            self.problem("your name is needed: tenants read it in every letter")
        else:
            self.dismiss((email, name))


class EnrolmentDialog(Dialog[bool]):
    """Shows a fresh enrolment, once. Answers True when a first code was right; leaving without is allowed, said so."""

    choices = (Choice("cancel", "Later", "escape"), Choice("confirm", "Confirm", "enter"))
    AUTO_FOCUS = "CodeEntry"
    FRAME_LINES = 2
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+s", "choose('confirm')", show=False)]
    DEFAULT_CSS = """
    EnrolmentDialog {
        & > #box { width: 80; max-width: 100%; max-height: 100%; border: none; padding: 0 1; }
        #dialog-title { margin-bottom: 0; }
        #dialog-buttons { margin-top: 0; }
        #dialog-problem { margin-top: 0; }
        #enrol-panes { height: auto; }
        #enrol-code-picture { width: auto; height: auto; margin-right: 2; }
        #enrol-side { width: 1fr; height: auto; }
        #enrol-code { background: $panel; }
    }
    """

    def __init__(self, enrolment: Enrolment, check: Check) -> None:
        super().__init__("Your second factor — shown once")
        self._enrolment, self._check_code = enrolment, check
        self._checking = False

    def body(self) -> ComposeResult:
        one = self._enrolment
        secret = " ".join(one.secret[start : start + 4] for start in range(0, len(one.secret), 4))
        codes = one.recovery_codes
        half = (len(codes) + 1) // 2
        pairs = [f"{a}  {b}" for a, b in zip(codes[:half], [*codes[half:], ""], strict=False)]
        with Horizontal(id="enrol-panes"):
            yield Static(qr_content(one.otpauth), id="enrol-code-picture", markup=False)
            with Vertical(id="enrol-side"):
                yield Static(
                    Content.assemble(
                        "Scan it with an authenticator,\nor type the secret:\n",
                        (secret, "bold"),
                        ("\n\nRecovery codes, each good once;\nkeep them elsewhere:\n", ""),
                        ("\n".join(pairs), "bold"),
                        ("\n\nThen the code it shows now:", ""),
                    ),
                    markup=False,
                )
                yield CodeEntry("6 digits", id="enrol-code")

    @on(Input.Submitted)
    async def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        await self.chosen("confirm")

    async def chosen(self, choice: str) -> None:
        if choice != "confirm":
            self.dismiss(None)
            return
        code = self.query_one(CodeEntry).code
        if not code:
            self.problem("type the code to see that it works, or Esc to do it later")
        elif not self._checking:
            self._checking = True
            self.run_worker(self._confirm(code), name="confirm enrolment", group="enrolment")

    async def _confirm(self, code: str) -> None:
        try:
            wrong = await self._check_code(code)
        except CountersignError as error:
            wrong = f"{error}. {error.advice}"
        self._checking = False
        if wrong:
            self.query_one(CodeEntry).clear()
            self.problem(wrong)
        else:
            self.dismiss(True)


async def enrol_again(app: App[Any], context: ConsoleContext) -> None:
    """A new second factor for who is signed in; a recovery code proves it. Call it from a worker."""
    from app.services.staff import enrol  # services are loaded after the first frame

    if context.staff is None or context.actor is None or context.new_enrolment is None:
        return
    fresh = context.new_enrolment(context.staff.email)
    applied = await run_command(
        app,
        context,
        enrol,
        context.staff.id,
        fresh.sealed_secret,
        fresh.recovery_hashes,
        act_words="a new second factor",
        target_words=f"The old one of {context.staff.email} stops working, its recovery codes too.\n"
        "Give another recovery code to prove that it is you.",
    )
    if applied is not None:
        await app.push_screen_wait(EnrolmentDialog(fresh, checker(context)))


def checker(context: ConsoleContext) -> Check:
    """Checks a first code with the shared database, as a sign-in."""

    async def check(code: str) -> str:
        shared, actor = context.shared, context.actor
        if shared is None or actor is None:
            return "the shared database is not open"
        answer = await shared.step_up(actor.id, code, "sign_in", actor)
        return "" if answer.step_up is not None else answer.why

    return check
