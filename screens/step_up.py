"""Running a command from a screen, with the one dialog in which a fresh second factor is given (REQ-702).

The dialog names the act and its target, because a code is worth what it is given for, and answers the code; whether
the code is right is the shared database's word. The code is never kept: asked again, it is typed again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input, Static

from app.policy.step_up import only_this_is_missing
from app.policy.verdict import Refused, require
from screens.context import ConsoleContext
from widgets.dialog import CANCEL, Choice, Dialog
from widgets.entry import CodeEntry
from widgets.text import safe

if TYPE_CHECKING:
    from storage.shared.change import Applied, Change

CODE_DIGITS = 6


async def run_command(
    app: App[object],
    context: ConsoleContext,
    command: Callable[..., Change],
    *arguments: object,
    act_words: str,
    target_words: str,
    danger: bool = False,
    **keywords: Any,
) -> Applied | None:
    """Run a command to its end, asking for a code where one is needed and again while it is wrong. None: the person
    left the dialog, and nothing was done. Raises whatever refuses it for another reason. Call it from a worker."""
    from app.services.desk import StepUpNeeded  # the desk is loaded after the first frame

    require(context.may_act())
    desk, actor = context.desk, context.actor
    if desk is None or actor is None:  # what `may_act` has just said; mypy cannot know
        return None
    code: str | None = None
    problem = ""
    while True:
        try:
            return await desk.run(command, actor, *arguments, otp=code, **keywords)
        except StepUpNeeded:
            pass
        except Refused as refusal:
            if code is None or not only_this_is_missing(refusal.verdict):
                raise
            problem = "; ".join(one.why for one in refusal.verdict.refusals)
        code = await app.push_screen_wait(StepUpDialog(act_words, target_words, problem=problem, danger=danger))
        if code is None:
            return None


def told(applied: Applied, done: str, target: str) -> str:
    """`done`, if it was; or that it is kept, not in force, and sent when the shared database is back (REQ-802)."""
    from app.services.outbox import NOT_IN_FORCE, Queued, noun_of

    if not isinstance(applied, Queued) or applied.kept is None:
        return done
    return f"{target}: {NOT_IN_FORCE} — your {noun_of(applied.kept)} is sent when the shared database is back"


class StepUpDialog(Dialog[str]):
    """Answers the code as typed, spaces removed, or None. `act_words` says what is about to be done ("start the
    session"), `target_words` to whom or what; `problem` what was wrong with the code given before."""

    choices = (CANCEL, Choice("confirm", "Confirm", "enter"))
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "choose('confirm')", "Confirm", show=False, id="step-up.confirm"),
    ]

    DEFAULT_CSS = """
    StepUpDialog {
        & > #box { width: 60; }
        #step-up-target { height: auto; margin-bottom: 1; }
        #step-up-code { width: 26; }
        #step-up-help { height: auto; margin-top: 1; color: $tone-dim; }
    }
    """

    def __init__(self, act_words: str, target_words: str, *, problem: str = "", danger: bool = False) -> None:
        super().__init__(f"A fresh code: {act_words}", danger=danger)
        self._target, self._earlier_problem = target_words, problem

    def body(self) -> ComposeResult:
        yield Static(safe(self._target, lines=True), id="step-up-target", markup=False)
        yield CodeEntry("6-digit code", id="step-up-code")
        yield Static(
            Content("From your authenticator; each code works once. A recovery code works too."),
            id="step-up-help",
            markup=False,
        )

    def on_mount(self) -> None:
        super().on_mount()
        self.problem(self._earlier_problem)
        self.query_one(CodeEntry).focus()

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
            self.problem("type the six digits that your authenticator shows now")
        elif code.isdigit() and len(code) != CODE_DIGITS:
            self.problem(f"a code has {CODE_DIGITS} digits, this one has {len(code)}")
        else:
            self.dismiss(code)
