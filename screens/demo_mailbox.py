"""The demo's mailbox: the letters that tenants got, newest first, in which one plays the tenant's admin and presses
approve, deny, or asks back. A decision goes the way it does for a real tenant: by the link, never by the console's own
rights. Requests of whoever is played here wait for this pane; nobody else answers them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Static

from app.policy.requests import state_at
from screens.context import ConsoleContext
from storage.errors import CountersignError
from storage.models import ConsentLink, LinkKind, Request, RequestState
from widgets.cells import AgoCell, Tone, Toned
from widgets.columns import Column
from widgets.dialog import CANCEL, Choice, Dialog
from widgets.entry import LineEntry
from widgets.rows import ListSource, RowView, heading
from widgets.table import VirtualTable
from widgets.text import visible

SHOWN = 300
"""Letters listed; older ones are in the Maildir all the same."""


@dataclass(frozen=True, slots=True)
class Letter:
    """An e-mail as it arrived. `hashes` are the SHA-256 of its links' tokens; `head` is the log's head it carries."""

    key: str
    to_name: str
    to_email: str
    subject: str
    at: datetime
    text: str
    hashes: tuple[str, ...]
    head: str


@dataclass(frozen=True, slots=True)
class Standing:
    """What became of a letter's links: the request, the open links by kind, and one word on the state."""

    request: Request
    links: dict[LinkKind, ConsentLink]
    word: str
    open: bool
    mine: bool


Decide = Callable[[str, LinkKind, ConsentLink, str], Awaitable[None]]
"""Press a link as its bearer: what ("approve", "deny", "ask"), which kind, the link, and the minutes or words."""

COLUMNS = (
    Column("state", "link", 9, 8),
    Column("to", "to", 26, 14, priority=1),
    Column("subject", "subject", 40, 20, grow=1),
    Column("age", "age", 4, right=True),
)


class MailboxDialog(Dialog[None]):
    """`letters` reads the Maildir, `decide` does what a link does."""

    choices = (
        Choice("approve", "Approve", "a"),
        Choice("fewer", "Fewer minutes…", "f"),
        Choice("deny", "Deny…", "d"),
        Choice("ask", "Ask back…", "b"),
        Choice("cancel", "Close", "escape"),
    )
    AUTO_FOCUS = "VirtualTable"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f9", "cancel", "Close", show=False),
        Binding("m", "only_mine", "Only mine", show=False, id="mailbox.only-mine"),
        Binding("space", "letter_page(1)", show=False),
        Binding("backspace", "letter_page(-1)", show=False),
    ]

    DEFAULT_CSS = """
    MailboxDialog {
        & > #box { width: 130; height: 96%; }
        #dialog-title { margin-bottom: 0; }
        #dialog-body { height: 1fr; max-height: 100%; }
        #mailbox-told { height: auto; color: $tone-dim; margin-bottom: 1; }
        VirtualTable { height: 2fr; min-height: 4; }
        #mailbox-letter { height: 3fr; border-top: solid $panel; padding: 0 1; }
        #dialog-buttons { height: auto; }
    }
    """

    def __init__(self, context: ConsoleContext, letters: Callable[[], list[Letter]], decide: Decide) -> None:
        super().__init__("Mailbox: you are the tenant's admin here")
        self.context = context
        self._read, self._decide = letters, decide
        self._letters: dict[str, Letter] = {}
        self._only_mine = False
        self._generation = -1
        self._chosen_once = False
        self._busy = False

    def body(self) -> ComposeResult:
        yield Static("", id="mailbox-told", markup=False)
        yield VirtualTable(COLUMNS, self.context.now, empty="no letters yet", id="mailbox-letters")
        with VerticalScroll(id="mailbox-letter", can_focus=False):
            yield Static("", id="mailbox-text", markup=False)

    def on_mount(self) -> None:
        self._show()
        self.set_interval(1.0, self._look_again, name="mailbox")

    # -- what is shown --------------------------------------------------------------------------------------------

    def _look_again(self) -> None:
        if self.context.generation != self._generation:
            self._show()
        self.query_one(VirtualTable).refresh_time_cells()

    def _show(self) -> None:
        """Read the Maildir again; cursor and scroll stay."""
        self._generation = self.context.generation
        waiting: list[RowView] = []
        others: list[RowView] = []
        self._letters = {}
        for letter in self._read()[:SHOWN]:
            standing = self._standing(letter)
            mine = standing is not None and standing.mine
            if mine or not self._only_mine:
                self._letters[letter.key] = letter
                (waiting if mine and standing and standing.open else others).append(_row(letter, standing))
        table = self.query_one(VirtualTable)
        rows = [heading("WAITS FOR YOU"), *waiting] if waiting else []
        rows += [heading("LETTERS"), *others] if waiting and others else others
        table.show(ListSource(rows))
        if not self._chosen_once and waiting:
            self._chosen_once = table.move_to(waiting[0].key)
        which = "only letters about my requests" if self._only_mine else "all letters"
        told = f"What {self._me()} asks for waits for you: nobody else decides it here.  Showing {which} (m)."
        self.query_one("#mailbox-told", Static).update(Content(told))
        self._show_letter()

    def _me(self) -> str:
        return visible(self.context.staff.name) if self.context.staff else "whoever you play"

    @on(VirtualTable.Highlighted)
    def _show_letter(self) -> None:
        letter = self._current()
        standing = self._standing(letter) if letter else None
        for choice, kind in (("approve", LinkKind.APPROVE), ("fewer", LinkKind.APPROVE), ("deny", LinkKind.DENY)):
            self.query_one(f"#choice-{choice}", Button).disabled = not (
                standing and standing.open and kind in standing.links
            )
        self.query_one("#choice-ask", Button).disabled = not (standing and standing.open)
        text = self.query_one("#mailbox-text", Static)
        if letter is None:
            text.update("")
            return
        head = f"to       {visible(letter.to_name)} <{visible(letter.to_email)}>\nsubject  {visible(letter.subject)}\n"
        witness = f"witness  {visible(letter.head)}\n" if letter.head else ""
        state = f"link     {standing.word}\n" if standing else ""
        body = visible(letter.text, lines=True)
        text.update(Content.assemble((head, "bold"), (witness, "$tone-dim"), (state, "$tone-accent"), "\n", body))
        self.query_one("#mailbox-letter", VerticalScroll).scroll_home(animate=False)

    def _current(self) -> Letter | None:
        key = self.query_one(VirtualTable).cursor_key
        return self._letters.get(key) if key else None

    def _standing(self, letter: Letter) -> Standing | None:
        """What the replica knows of the letter's links; None for a letter without any."""
        if not letter.hashes or self.context.replica is None:
            return None
        view = self.context.replica.view("")
        links = [link for key in letter.hashes if (link := view.get(ConsentLink, key)) is not None]
        request = view.get(Request, links[0].request_id) if links else None
        if request is None:
            return None
        state = state_at(request, self.context.now())
        still = state is RequestState.PENDING and all(link.used_at is None for link in links)
        mine = self.context.staff is not None and request.engineer_id == self.context.staff.id
        return Standing(request, {link.kind: link for link in links}, "open" if still else state.value, still, mine)

    # -- what is done ---------------------------------------------------------------------------------------------

    async def chosen(self, choice: str) -> None:
        if choice == CANCEL.id:
            self.dismiss(None)
        elif not self._busy:
            self.run_worker(self._press(choice), name="mailbox", group="mailbox")

    async def _press(self, choice: str) -> None:
        letter = self._current()
        standing = self._standing(letter) if letter else None
        if standing is None or not standing.open:
            return
        who, request = letter.to_name if letter else "", standing.request
        words: str | None = ""
        if choice == "fewer":
            asked = f"{visible(who)} approves {request.id} for fewer minutes"
            words = await self.app.push_screen_wait(Words(asked, "minutes", "15", digits=True))
        elif choice in ("deny", "ask"):
            what = "denies" if choice == "deny" else "asks back about"
            label = "note (may stay empty)" if choice == "deny" else "question"
            words = await self.app.push_screen_wait(Words(f"{visible(who)} {what} {request.id}", label, ""))
        if words is None:
            return
        kind = LinkKind.DENY if choice == "deny" else LinkKind.APPROVE
        act = {"fewer": "approve"}.get(choice, choice)
        self._busy = True
        try:
            await self._decide(act, kind, standing.links[kind], words)
            self.problem("")
        except CountersignError as error:
            self.problem(str(error))
        finally:
            self._busy = False
        if self.is_mounted:
            self._show()

    def action_only_mine(self) -> None:
        self._only_mine = not self._only_mine
        self._show()

    def action_letter_page(self, pages: int) -> None:
        body = self.query_one("#mailbox-letter", VerticalScroll)
        body.scroll_relative(y=pages * max(1, body.size.height - 1), animate=False)


class Words(Dialog[str]):
    """One line to type: a note, a question, a number."""

    choices = (CANCEL, Choice("send", "Send", "enter"))

    def __init__(self, title: str, label: str, value: str, *, digits: bool = False) -> None:
        super().__init__(title)
        self._label, self._value, self._digits = label, value, digits

    def body(self) -> ComposeResult:
        yield Static(Content(self._label), markup=False)
        yield LineEntry(self._value, id="words", digits=self._digits)

    @on(Input.Submitted)
    async def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        await self.chosen("send")

    async def chosen(self, choice: str) -> None:
        self.dismiss(self.query_one("#words", Input).value.strip() if choice == "send" else None)


def _row(letter: Letter, standing: Standing | None) -> RowView:
    still = standing is not None and standing.open
    word = Toned(standing.word if standing else "", Tone.ACCENT if still else Tone.DIM)
    return RowView(letter.key, (word, visible(letter.to_email), visible(letter.subject), AgoCell(letter.at)))
