"""The request queue: what needs me, what is mine, what the others wait for, and every past request by filter.

From 110 columns the detail stands beside the list; below that Enter opens it over the list and Esc goes back. Keys
come from the acts' own verdicts, so a key that does not apply stays, dim, and says why.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, Static

from app.policy.verdict import Verdict, rule
from screens.actions import Action
from screens.context import ConsoleContext
from screens.queue_acts import QueueActs
from screens.queue_model import PREVIEW, QueueNow, found_now, limits_of, open_now
from screens.queue_rows import COLUMNS, ParsedFilter, parse_filter
from screens.queued import marked
from screens.request_acts import Act, acts_on, first_act, way_in
from screens.request_detail import Part, RequestDetail, RequestStory, read_story
from storage.replica.queries.requests import RequestLine, request_line
from widgets.entry import LineEntry
from widgets.moments import near_text
from widgets.table import VirtualTable

if TYPE_CHECKING:
    from storage.sync import ChangeSet

SEARCH = "queue search"
SEARCH_AFTER_SECONDS = 0.1
"""Typing first, searching in the pause after it."""

_TOUCHING = frozenset(
    {"request", "decision", "session", "standing", "staff", "tenant", "settings", "contact", "mail", "consent_link"}
)
_NOTHING = rule("REQ-801", False, "", "no request stands under the cursor")
_ENTER_WORDS = {
    Act.OUTCOME: "Outcome…",
    Act.ANSWER: "Answer…",
    Act.START: "Start…",
    Act.COUNTERSIGN: "Countersign…",
    Act.WITHDRAW: "Withdraw…",
    Act.AGAIN: "Ask again…",
}


def _verdict(act: Act) -> Callable[[QueueScreen], Verdict]:
    return lambda screen: screen.context.may_act() & screen.verdict_on(act)


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
            "agree to full mode as the second person",
            available=_verdict(Act.COUNTERSIGN),
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
        #queue-list { width: 1fr; height: 1fr; }
        #queue-top { height: 1; padding: 0 1 0 2; background: $surface; }
        #queue-summary { width: 1fr; color: $tone-dim; text-wrap: nowrap; text-overflow: ellipsis; }
        #queue-filter { display: none; width: 1fr; }
        &.-filtering #queue-filter { display: block; }
        &.-filtering #queue-summary { width: auto; max-width: 60%; margin-left: 1; }
        #queue-detail { display: none; }
        &.-reading #queue-list { display: none; }
        &.-reading #queue-detail { display: block; }
        &.-two-panes #queue-list, &.-three-panes #queue-list { display: block; }
        &.-two-panes #queue-detail, &.-three-panes #queue-detail {
            display: block; width: 44%; border-left: vkey $panel;
        }
        #queue-story { display: none; }
        &.-three-panes #queue-detail { width: 34%; }
        &.-three-panes #queue-story { display: block; width: 28%; border-left: vkey $panel; }
    }
    """

    def __init__(self, context: ConsoleContext) -> None:
        super().__init__(context)
        self.shown: QueueNow | None = None
        self._acts: Mapping[Act, Verdict] = {}
        self._filter = ""

    def compose_body(self) -> ComposeResult:
        with Vertical(id="queue-list"):
            with Horizontal(id="queue-top"):
                yield LineEntry(placeholder="words  state:denied  tenant:…  staff:…  ticket:…", id="queue-filter")
                yield Static("", id="queue-summary", markup=False)
            yield VirtualTable(COLUMNS, self.context.now, empty="no open requests: n asks for access", id="queue-table")
        yield RequestDetail(self.context.now, self._when, id="queue-detail")
        yield RequestDetail(self.context.now, self._when, id="queue-story")

    def on_mount(self) -> None:
        super().on_mount()
        self.table.focus()

    # -- what is shown ---------------------------------------------------------------------------------------------

    @property
    def table(self) -> VirtualTable:
        return self.query_one("#queue-table", VirtualTable)

    @property
    def detail(self) -> RequestDetail:
        return self.query_one("#queue-detail", RequestDetail)

    @property
    def line(self) -> RequestLine | None:
        """The request under the cursor."""
        key = self.table.cursor_key
        return self.shown.lines.get(key) if self.shown is not None and key is not None else None

    @property
    def one_pane(self) -> bool:
        return self.has_class("-one-pane")

    def reload(self, changes: ChangeSet | None) -> None:
        if changes is None or changes.tables & _TOUCHING:
            self._read()

    def on_tick(self, now: datetime) -> None:
        if self.shown is not None and self.shown.next_change is not None and now >= self.shown.next_change:
            self._read()
        self.table.refresh_time_cells()
        self.detail.refresh_time_cells()

    def verdict_on(self, act: Act) -> Verdict:
        """Whether I may do this with the request under the cursor."""
        return self._acts.get(act, _NOTHING)

    def go_to(self, key: str) -> bool:
        """Put the cursor on a request, among the past ones where it is no longer open."""
        if self.table.move_to(key):
            return True
        if request_line(self.context.reader, key) is None:
            return False
        self.do_filter()
        self.query_one("#queue-filter", LineEntry).prefill(key)
        self.table.focus()
        return True

    def on_a_row(self) -> Verdict:
        return Verdict() if self.line is not None else _NOTHING

    def label_of(self, action: Action) -> str:
        if action.id != "queue.first":
            return action.label
        act = first_act(self._acts) if self._acts else None
        if (self.one_pane and not self.has_class("-reading")) or act is None:
            return "Open" if self.one_pane else "Explain"
        return _ENTER_WORDS[act]

    def _read(self, from_top: bool = False) -> None:
        """Read the replica again: what is open at once, what a filter finds in a worker of its own."""
        parsed = parse_filter(self._filter)
        self.workers.cancel_group(self, SEARCH)
        if parsed.trouble:
            self.query_one("#queue-summary", Static).update(parsed.trouble)
        elif parsed.wanted.empty:
            self._show(open_now(self.context, self.context.now()), "no open requests: n asks for access", from_top)
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
        self.query_one("#queue-summary", Static).update(queue.summary + hint)
        self.table.show(queue.source, from_top=from_top)
        self._show_line()

    def _show_line(self) -> None:
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
            self._show_story(read_story(context, line, explained.verdict))
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
            self.call_after_refresh(self._show_line)

    def _when(self, at: datetime) -> str:
        return near_text(at, self.context.now(), self.context.zone)

    @on(VirtualTable.Highlighted)
    def _highlighted(self) -> None:
        self._show_line()

    @on(VirtualTable.Chosen)
    def _chosen(self) -> None:
        self.action_perform("queue.first")

    # -- filter and detail -----------------------------------------------------------------------------------------

    def do_filter(self) -> None:
        self.remove_class("-reading")
        self.add_class("-filtering")
        self.query_one("#queue-filter", LineEntry).focus()

    def do_back(self) -> None:
        if self.has_class("-reading"):
            self.remove_class("-reading")
            self.table.focus()
            self.refresh_hints()
        elif self.has_class("-filtering"):
            self.remove_class("-filtering")
            self.query_one("#queue-filter", LineEntry).prefill("")
            self._filter = ""
            self._read(from_top=True)
            self.table.focus()

    def open_detail(self) -> None:
        """On one pane: the detail instead of the list."""
        self.add_class("-reading")
        self.detail.focus()
        self.refresh_hints()

    @on(Input.Changed, "#queue-filter")
    def _filter_typed(self, event: Input.Changed) -> None:
        event.stop()
        if event.value != self._filter and self.context.ready:
            self._filter = event.value
            self._read(from_top=True)

    @on(Input.Submitted, "#queue-filter")
    def _filter_done(self, event: Input.Submitted) -> None:
        event.stop()
        self.table.focus()

    def on_key(self, event: events.Key) -> None:
        """From the filter, Down goes on into what was found."""
        if event.key == "down" and self.query_one("#queue-filter", LineEntry).has_focus:
            event.stop()
            self.table.focus()
