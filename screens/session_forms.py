"""What one says about a session, as dialogs: what was viewed, and the outcome.

A form stays open until what it asks for has truly happened: it is handed a `submit` that answers "" or the words for
what went wrong, shows those, and keeps what was typed.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Button, Input, RadioSet, Static

from screens.new_request_form import FormField
from storage.models import ViewKind
from storage.replica.queries.sessions import SessionCard
from widgets.dialog import CANCEL, Choice, Dialog
from widgets.entry import LineEntry, Pick, Tick
from widgets.text import safe, visible
from widgets.text_entry import TextEntry


@dataclass(frozen=True, slots=True)
class Viewed:
    """What an engineer says was viewed: names, never values."""

    kind: ViewKind
    name: str
    fields: tuple[str, ...]
    count: int
    within_scope: bool


@dataclass(frozen=True, slots=True)
class OutcomeWords:
    """What came of a session (REQ-206)."""

    cause: str
    changed: str
    beyond_scope: str
    follow_up: str
    ticket_closed: bool


class SessionForm(Dialog[bool]):
    """A form about one session. Answers True once done; None when left."""

    SEND: ClassVar[Choice] = Choice("send", "Send", "ctrl+s")

    DEFAULT_CSS = """
    SessionForm {
        .told { height: auto; color: $text-muted; margin-bottom: 1; }
        FormField > .label { width: 14; }
        Input { width: 1fr; }
        Input.digits { width: 9; }
        TextArea { height: 3; width: 1fr; }
        RadioSet { layout: grid; grid-size: 4 2; grid-rows: 1; height: 2; width: 1fr; background: transparent; }
        RadioSet > Pick { width: 1fr; }
    }
    """

    def __init__(self, title: str, told: str, submit: Callable[[], Awaitable[str]]) -> None:
        super().__init__(title)
        self._told, self._submit = told, submit
        self._sending = False

    def body(self) -> ComposeResult:
        if self._told:
            yield Static(safe(self._told, lines=True), classes="told", markup=False)
        yield from self.form()

    def form(self) -> ComposeResult:
        """The fields."""
        yield from ()

    def missing(self) -> tuple[str, str]:
        """The id of the first field that must not stay as it is and why; ("", "") when all is said."""
        return "", ""

    async def chosen(self, choice: str) -> None:
        if choice != self.SEND.id:
            if not self._sending:
                self.dismiss(None)
            return
        where, why = self.missing()
        self.problem(why)
        if why:
            self.query_one(f"#{where}").focus()
        elif not self._sending:
            # A worker: the answer may take a second factor, which is another dialog that must be waited for.
            self._busy(True)
            self.run_worker(self._send(), group="session-form", exclusive=False)

    async def _send(self) -> None:
        try:
            words = await self._submit()
        finally:
            self._busy(False)
        if words:
            self.problem(words)
        else:
            self.dismiss(True)

    def _busy(self, busy: bool) -> None:
        self._sending = busy
        self.query_one(f"#choice-{self.SEND.id}", Button).disabled = busy

    @on(Input.Submitted)
    def _next_field(self, event: Input.Submitted) -> None:
        """Enter goes on to the next field; only ^S or the button sends."""
        event.stop()
        self.focus_next()


class LogViewForm(SessionForm):
    """The engineer adds what the gate cannot see (REQ-205)."""

    SEND = Choice("send", "Log it", "ctrl+s")
    choices = (CANCEL, SEND)

    def __init__(self, card: SessionCard, submit: Callable[[Viewed], Awaitable[str]]) -> None:
        told = f"Names of records and fields, never their values. The scope you declared: {card.scope}"
        title = f"Log what you viewed · {card.session.id} · {card.tenant}"
        super().__init__(title, told, lambda: submit(self.values()))

    def form(self) -> ComposeResult:
        with FormField("kind", "kind"), Vertical(), RadioSet(id="kind", compact=True):
            for kind in ViewKind:
                yield Pick(kind.value, kind is ViewKind.RECORD, id=f"kind-{kind.value}")
        with FormField("name", "name"), Vertical():
            yield LineEntry(placeholder="refund 8841 · search terms · a query's name", id="name")
        with FormField("fields", "fields"), Vertical():
            yield LineEntry(placeholder="status, payout date (commas between; may stay empty)", id="fields")
        with FormField("how many", "count"), Vertical():
            yield LineEntry("1", id="count", digits=True)
        with FormField("scope", "scope"), Vertical():
            yield Tick("within the declared scope", True, id="within")

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#name", LineEntry).focus()

    def missing(self) -> tuple[str, str]:
        if not self.query_one("#name", LineEntry).value.strip():
            return "name", "say what was viewed: its name is missing"
        return "", ""

    def values(self) -> Viewed:
        pressed = self.query_one("#kind", RadioSet).pressed_button
        kind = ViewKind((pressed.id or "").removeprefix("kind-")) if pressed else ViewKind.RECORD
        named = self.query_one("#fields", LineEntry).value.split(",")
        return Viewed(
            kind=kind,
            name=self.query_one("#name", LineEntry).value.strip(),
            fields=tuple(one.strip() for one in named if one.strip()),
            count=self.query_one("#count", LineEntry).number,
            within_scope=self.query_one("#within", Tick).value,
        )


class OutcomeForm(SessionForm):
    """What came of it; with `ending` it ends the session and, in the same step, closes the ticket (REQ-206)."""

    SEND = Choice("send", "End it", "ctrl+s")
    choices = (CANCEL, SEND)

    def __init__(self, card: SessionCard, submit: Callable[[OutcomeWords], Awaitable[str]], *, ending: bool) -> None:
        session = card.session
        title = f"{'End' if ending else 'The outcome of'} {session.id} · {card.tenant}"
        told = "The tenant's receipt and both logs will say this."
        if not ending:
            told += " Until it is given you can start no other session."
        super().__init__(title, told, lambda: submit(self.values()))
        self._card, self._ending = card, ending

    def form(self) -> ComposeResult:
        session = self._card.session
        wrote = session.mode.value == "full"
        with FormField("cause found", "cause"), Vertical():
            yield TextEntry(placeholder="what it was", id="cause")
        with FormField("changed", "changed"), Vertical():
            yield LineEntry("" if wrote else "nothing", placeholder="what was changed, or: nothing", id="changed")
        with FormField("beyond scope", "beyond"), Vertical():
            yield LineEntry(
                "" if session.beyond_scope else "no", placeholder="no, or what was seen beyond it", id="beyond"
            )
            yield Static(classes="hint")
        with FormField("follow-up", "follow-up"), Vertical():
            yield LineEntry(placeholder="what remains to be done; may stay empty", id="follow-up")
        with FormField("ticket", "ticket"), Vertical():
            yield Tick(visible(f"close {session.ticket} in the same step"), True, id="ticket-closed")

    def on_mount(self) -> None:
        super().on_mount()
        self.query_one("#cause", TextEntry).focus()
        button = self.query_one(f"#choice-{self.SEND.id}", Button)
        if not self._ending:
            button.label = Content("Give it ^S")
        seen = self._card.session.beyond_scope
        if seen:
            words = f"{seen} of the views logged {'was' if seen == 1 else 'were'} beyond the scope: say what"
            self.query_one("#field-beyond", FormField).hint(words, "bad")

    def missing(self) -> tuple[str, str]:
        words = self.values()
        if not words.cause:
            return "cause", "the cause is missing: say what it was, or that it was not found"
        if not words.changed:
            return "changed", 'say what was changed, or "nothing"'
        if not words.beyond_scope:
            return "beyond", 'say what was seen beyond the scope, or "no"'
        return "", ""

    def values(self) -> OutcomeWords:
        return OutcomeWords(
            cause=self.query_one("#cause", TextEntry).text.strip(),
            changed=self.query_one("#changed", LineEntry).value.strip(),
            beyond_scope=self.query_one("#beyond", LineEntry).value.strip(),
            follow_up=self.query_one("#follow-up", LineEntry).value.strip(),
            ticket_closed=self.query_one("#ticket-closed", Tick).value,
        )
