"""The request queue: what needs me, what is mine, what the others wait for, and every past request by filter.

From 110 columns the detail stands beside the list; below that Enter opens it over the list and Esc goes back. Keys
come from the acts' own verdicts, so a key that does not apply stays, dim, and says why.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult

from app.policy import emergency
from app.policy.people import is_super
from app.policy.verdict import Verdict, rule
from app.services.desk_words import ADDS_PRIVILEGE
from screens.actions import Action
from screens.context import ConsoleContext
from screens.queue_acts import QueueActs
from screens.queue_model import PREVIEW, QueueNow, found_now, limits_of, open_now
from screens.queue_rows import COLUMNS, ParsedFilter, parse_filter
from screens.queued import marked
from screens.request_acts import Act, acts_on, first_act, way_in
from screens.request_detail import Part, RequestDetail, RequestStory, read_story
from storage.replica.queries.requests import RequestLine, request_line
from widgets.moments import near_text
from widgets.table import VirtualTable

if TYPE_CHECKING:
    from textual.widget import Widget

    from storage.sync import ChangeSet

NONE_OPEN = "no open requests: n asks for access"
SEARCH = "queue search"
SEARCH_AFTER_SECONDS = 0.1
"""Typing first, searching in the pause after it."""

_TOUCHING = frozenset(
    {
        "request",
        "decision",
        "session",
        "standing",
        "staff",
        "tenant",
        "settings",
        "contact",
        "mail",
        "consent_link",
        "office_hours",
        "on_call_shift",
    }
)
_NOTHING = rule("REQ-801", False, "", "no request stands under the cursor")
_ENTER_WORDS = {
    Act.OUTCOME: "Outcome…",
    Act.ANSWER: "Answer…",
    Act.START: "Start…",
    Act.COUNTERSIGN: "Countersign…",
    Act.DECLARE: "Break-glass…",
    Act.WITHDRAW: "Withdraw…",
    Act.AGAIN: "Ask again…",
}


NEEDS_DATABASE: Mapping[Act, str] = dict.fromkeys(
    (Act.START, Act.COUNTERSIGN, Act.DECLARE, Act.EMERGENCY, Act.ANSWER), ADDS_PRIVILEGE
)
"""What no outbox keeps, and why. Forms for a new request open all the same, and say so themselves."""


def _verdict(act: Act) -> Callable[[QueueScreen], Verdict]:
    def available(screen: QueueScreen) -> Verdict:
        verdict = screen.context.may_act() & screen.verdict_on(act)
        return screen.context.within_reach(verdict, NEEDS_DATABASE[act]) if act in NEEDS_DATABASE else verdict

    return available


class QueueScreen(QueueActs):
    """The first screen."""

    MODE = "queue"
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("queue.new", "n", "New", "ask for access", available=lambda screen: screen.context.signed_in()),
        Action("queue.first", "enter", "Open", "the first thing that I can do with this request"),
        Action("queue.explain", "e", "Explain", "every rule, and what happens next", available=lambda s: s.on_a_row()),
        Action("queue.filter", "slash", "Filter", "words, state:, tenant:, staff:, ticket: — history too"),
        Action(
            "queue.start", "s", "Start…", "start the session: its clock runs from then", available=_verdict(Act.START)
        ),
        Action(
            "queue.countersign",
            "c",
            "Countersign…",
            "sign as the second person: full mode, break-glass, an emergency",
            available=_verdict(Act.COUNTERSIGN),
        ),
        Action(
            "queue.declare",
            "b",
            "Break-glass…",
            "declare break-glass: nobody decided, and it cannot wait",
            danger=True,
            footer=False,
            available=_verdict(Act.DECLARE),
        ),
        Action(
            "queue.emergency",
            "E",
            "Emergency…",
            "declare an emergency, with a second super, reported publicly",
            danger=True,
            footer=False,
            available=lambda screen: screen.context.within_reach(
                screen.may_declare() & screen.verdict_on(Act.EMERGENCY), NEEDS_DATABASE[Act.EMERGENCY]
            ),
        ),
        Action(
            "queue.anew",
            "N",
            "New emergency…",
            "ask anew for an engineer and declare an emergency in the same act",
            danger=True,
            footer=False,
            available=lambda screen: screen.may_declare(),
        ),
        Action(
            "queue.decline", "D", "Decline…", "refuse full mode as the second person", available=_verdict(Act.DECLINE)
        ),
        Action("queue.answer", "a", "Answer…", "answer the tenant's question", available=_verdict(Act.ANSWER)),
        Action(
            "queue.withdraw", "w", "Withdraw…", "take my request back", danger=True, available=_verdict(Act.WITHDRAW)
        ),
        Action("queue.again", "r", "Again…", "ask again, prefilled from this one", available=_verdict(Act.AGAIN)),
        Action("queue.back", "escape", "Back", "close the detail, or the filter", footer=False),
    )

    DEFAULT_CSS = """
    QueueScreen {
        &.-two-panes #queue-detail { width: 44%; }
        #queue-story { display: none; }
        &.-three-panes #queue-detail { width: 34%; }
        &.-three-panes #queue-story { display: block; width: 28%; border-left: vkey $panel; }
    }
    """

    def __init__(self, context: ConsoleContext) -> None:
        super().__init__(context)
        self.shown: QueueNow | None = None
        self._acts: Mapping[Act, Verdict] = {}

    def compose_body(self) -> ComposeResult:
        hint = "words  state:denied  tenant:…  staff:…  ticket:…"
        yield from self.compose_list(COLUMNS, hint=hint, empty=NONE_OPEN)
        yield RequestDetail(self.context.now, self._when, id="queue-detail", classes="list-detail")
        yield RequestDetail(self.context.now, self._when, id="queue-story")

    # -- what is shown ---------------------------------------------------------------------------------------------

    @property
    def detail(self) -> RequestDetail:
        return self.query_one("#queue-detail", RequestDetail)

    @property
    def line(self) -> RequestLine | None:
        """The request under the cursor."""
        key = self.table.cursor_key
        return self.shown.lines.get(key) if self.shown is not None and key is not None else None

    def reload(self, changes: ChangeSet | None) -> None:
        if changes is None or changes.tables & _TOUCHING:
            self.read_list()

    def on_tick(self, now: datetime) -> None:
        if self.shown is not None and self.shown.next_change is not None and now >= self.shown.next_change:
            self.read_list()
        self.table.refresh_time_cells()
        self.detail.refresh_time_cells()

    def verdict_on(self, act: Act) -> Verdict:
        """Whether I may do this with the request under the cursor."""
        return self._acts.get(act, _NOTHING)

    def may_declare(self) -> Verdict:
        """REQ-109: a super, while it is known where the operator's legal department reads of it."""
        context = self.context
        if context.staff is None:
            return context.may_act()
        return (
            context.may_act()
            & is_super(context.staff, context.now(), "declares an emergency")
            & emergency.can_be_told(context.legal_email)
        )

    def go_to(self, key: str) -> bool:
        """Put the cursor on a request, among the past ones where it is no longer open."""
        if self.table.move_to(key):
            return True
        if request_line(self.context.reader, key) is None:
            return False
        self.do_filter()
        self.filter_line.prefill(key)
        self.table.focus()
        return True

    def on_a_row(self) -> Verdict:
        return Verdict() if self.line is not None else _NOTHING

    def label_of(self, action: Action) -> str:
        if action.id != "queue.first":
            return action.label
        act = first_act(self._acts) if self._acts else None
        if self.detail_hidden or act is None:
            return "Open" if self.one_pane else "Explain"
        return _ENTER_WORDS[act]

    def read_list(self, *, from_top: bool = False) -> None:
        """Read the replica again: what is open at once, what a filter finds in a worker of its own."""
        parsed = parse_filter(self.filter_text)
        self.workers.cancel_group(self, SEARCH)
        if parsed.trouble:
            self.summarise(parsed.trouble)
        elif parsed.wanted.empty:
            self._show(open_now(self.context, self.context.now()), NONE_OPEN, from_top)
        else:
            # Only reads, so that the next one may cancel it.
            self.run_worker(self._search(parsed, from_top), name=SEARCH, group=SEARCH, exclusive=True)

    async def _search(self, parsed: ParsedFilter, from_top: bool) -> None:
        replica = self.context.replica
        if replica is None:
            return
        if from_top:
            await asyncio.sleep(SEARCH_AFTER_SECONDS)
        found = await asyncio.to_thread(found_now, replica, parsed, self.context.now(), marked(self.context))
        self._show(found, "no request fits this filter", from_top)

    def _show(self, queue: QueueNow, empty: str, from_top: bool) -> None:
        self.shown = queue
        self.table.empty = empty
        hint = "" if self.has_class("-filtering") else " · / filter finds past ones too"
        self.summarise(queue.summary + hint)
        self.table.show(queue.source, from_top=from_top)
        self.show_line()

    def detail_to_read(self) -> Widget:
        return self.detail

    def show_line(self) -> None:
        """Detail and keys for the request under the cursor."""
        line, context = self.line, self.context
        if line is None or context.replica is None:
            self._acts = {}
            self._show_story(None)
        else:
            now, limits = context.now(), limits_of(context)
            if context.staff is not None:
                self._acts = acts_on(context.replica.view(PREVIEW), line, context.staff, now, limits)
            explained = way_in(context.replica.view(PREVIEW), line, now, limits)
            self._show_story(read_story(context, line, explained.verdict, explained.ways))
        self.refresh_hints()

    def _show_story(self, story: RequestStory | None) -> None:
        """In one pane, or with what is asked and how it came about side by side where there is room for three."""
        beside = self.query_one("#queue-story", RequestDetail)
        three = self.has_class("-three-panes")
        self.detail.part = Part.ASKED if three else Part.ASKED | Part.STORY
        beside.part = Part.STORY
        self.detail.show(story)
        if three:
            beside.show(story)

    def on_resize(self) -> None:
        if self.context.ready and self.shown is not None:
            self.call_after_refresh(self.show_line)

    def _when(self, at: datetime) -> str:
        return near_text(at, self.context.now(), self.context.zone)

    @on(VirtualTable.Chosen)
    def _chosen(self) -> None:
        self.action_perform("queue.first")
