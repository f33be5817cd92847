"""The demo's mailbox: the letters that tenants got, newest first, in which one plays the tenant's admin and presses
approve, deny, veto, asks back, or turns the tenant's kill switch. A decision goes the way it does for a real tenant: by
the link, never by the console's own rights. Requests of whoever is played here wait for this pane; nobody else answers
them.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Button, Input, Static

from screens.context import ConsoleContext
from screens.demo_letter import DECIDING, Letter, Standing, standing_of
from storage.errors import CountersignError
from storage.models import ConsentLink, Request, Settings, Tenant
from widgets.cells import AgoCell, Tone, Toned
from widgets.columns import Column
from widgets.dialog import CANCEL, CLOSE, Choice, Confirm, Dialog
from widgets.entry import LineEntry
from widgets.rows import ListSource, RowView, heading
from widgets.table import VirtualTable
from widgets.text import visible

SHOWN = 300
"""Letters listed; older ones are in the Maildir all the same."""


Decide = Callable[[str, ConsentLink, str], Awaitable[None]]
"""Do something as a link's bearer: what ("approve", "deny", "veto", "ask", "switch on", "switch off"), by which link,
and the minutes or words."""

NOTED = {
    "deny": ("denies", "note (may stay empty)"),
    "veto": ("vetoes break-glass for", "note (may stay empty)"),
    "ask": ("asks back about", "question"),
}
"""What is said of the act in its dialog, and what is typed there."""

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
        Choice("fewer", "Fewer…", "f"),
        Choice("deny", "Deny…", "d"),
        Choice("ask", "Ask…", "b"),
        Choice("veto", "Veto…", "v", danger=True),
        Choice("switch", "Kill switch…", "s"),
        CLOSE,
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
        #dialog-buttons Button { margin-left: 1; }
    }
    """

    def __init__(self, context: ConsoleContext, letters: Callable[[], list[Letter]], decide: Decide) -> None:
        super().__init__("Mailbox: you are the tenant's admin here")
        self.context = context
        self._read, self._decide = letters, decide
        self.letters: dict[str, Letter] = {}
        self._only_mine = False
        self._generation = -1
        self._chosen_once = False
        self.busy = False

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
        self.letters = {}
        for letter in self._read()[:SHOWN]:
            standing = self.standing(letter)
            mine = standing is not None and standing.mine
            if mine or not self._only_mine:
                self.letters[letter.key] = letter
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
        standing = self.standing(letter) if letter else None
        acts = standing.acts if standing else ()
        for act in (*DECIDING, "veto"):
            button = self.query_one(f"#choice-{act}", Button)
            button.disabled = act not in acts
            button.display = (act == "veto") == ("veto" in acts)
        self.query_one("#choice-switch", Button).disabled = standing is None
        text = self.query_one("#mailbox-text", Static)
        if letter is None:
            text.update("")
            return
        head = f"to       {visible(letter.to_name)} <{visible(letter.to_email)}>\nsubject  {visible(letter.subject)}\n"
        witness = f"\nwitness  {visible(letter.head)}" if letter.head else ""
        state = f"link     {standing.word}\n" if standing else ""
        body = visible(letter.text, lines=True)
        # What the letter says first, the head that it carries below it: at 80×24 there is room for little.
        text.update(Content.assemble((head, "bold"), (state, "$tone-accent"), "\n", body, (witness, "$tone-dim")))
        self.query_one("#mailbox-letter", VerticalScroll).scroll_home(animate=False)

    def _current(self) -> Letter | None:
        key = self.query_one(VirtualTable).cursor_key
        return self.letters.get(key) if key else None

    def standing(self, letter: Letter) -> Standing | None:
        """What the replica knows of the letter's links; None for a letter without any."""
        if not letter.hashes or self.context.replica is None:
            return None
        me = self.context.staff.id if self.context.staff else None
        return standing_of(letter, self.context.replica.view(""), me, self.context.now())

    # -- what is done ---------------------------------------------------------------------------------------------

    async def chosen(self, choice: str) -> None:
        if choice == CANCEL.id:
            self.dismiss(None)
        elif not self.busy:
            self.run_worker(self._press(choice), name="mailbox", group="mailbox")

    async def _press(self, choice: str) -> None:
        letter = self._current()
        standing = self.standing(letter) if letter else None
        if letter is None or standing is None or choice not in (*standing.acts, "switch"):
            return
        who, request = visible(letter.to_name), standing.request
        words: str | None = ""
        act = "approve" if choice == "fewer" else choice
        if choice == "fewer":
            asked = f"{who} approves {request.id} for fewer minutes"
            words = await self.app.push_screen_wait(Words(asked, "minutes", "15", digits=True))
        elif choice in NOTED:
            what, label = NOTED[choice]
            words = await self.app.push_screen_wait(Words(f"{who} {what} {request.id}", label, ""))
        elif choice == "switch":
            act, words = await self._asks_to_switch(who, request)
        if words is None:
            return
        self.busy = True
        try:
            await self._decide(act, standing.link_for(choice), words)
            self.problem("")
        except CountersignError as error:
            self.problem(str(error))
        finally:
            self.busy = False
        if self.is_mounted:
            self._show()

    async def _asks_to_switch(self, who: str, request: Request) -> tuple[str, str | None]:
        """REQ-110: which way the switch is turned, and whether really (None: no)."""
        assert self.context.replica is not None, "only a letter that the replica knows has a switch"
        view = self.context.replica.view("")
        tenant, settings = view.get(Tenant, request.tenant_id), view.get(Settings, request.tenant_id)
        name = visible(tenant.name if tenant else request.tenant_id)
        act = "switch off" if settings is not None and settings.kill_switch else "switch on"
        what = {
            "switch on": f"{who} shuts off all support access to {name}? Every session in it ends at once, and so does"
            " break-glass that is not usable yet.",
            "switch off": f"{who} allows support access to {name} again?",
        }
        return act, "" if await self.app.push_screen_wait(Confirm("The tenant's kill switch", what[act])) else None

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
