"""The countdown board: who is inside whom, as whom, for how long still, and whether it is all right (REQ-210).

Running sessions stand above, least time left first; below them the outcomes owed and what ended today. Beside the
board, from 110 columns, the selected session's story and its live feed; below that width Enter opens them over the
board. A second that passes repaints time cells only; a session whose time is over says so in that very second, by the
clock, and moves to its group at the next look.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, Static

from app.policy.verdict import Verdict
from screens.actions import Action
from screens.context import ConsoleContext
from screens.session_acts import SessionActs
from screens.session_board import BEYOND, COLUMNS, BoardSource
from screens.session_panel import SessionPanel
from screens.session_rules import NONE_SELECTED, Rule, SessionFacts, asked
from widgets.entry import LineEntry
from widgets.table import VirtualTable

if TYPE_CHECKING:
    from storage.sync import ChangeSet

_NAMES = frozenset({"staff", "tenant", "contact"})
_TOUCHING = _NAMES | {"session", "session_view", "standing", "decision", "settings"}


def _verdict(rule: Rule) -> Callable[[Any], Verdict]:
    return lambda screen: screen.verdict_on(rule)


class SessionsScreen(SessionActs):
    """The second screen."""

    MODE = "sessions"
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("sessions.first", "enter", "Open", "the first thing that I can do with this session"),
        Action("sessions.log", "l", "Log…", "note what I viewed", available=_verdict(SessionFacts.log)),
        Action("sessions.end", "x", "End…", "end mine, with its outcome", available=_verdict(SessionFacts.end)),
        Action(
            "sessions.force-end",
            "f",
            "Force-end…",
            "a super ends any session, with a reason",
            danger=True,
            available=_verdict(SessionFacts.force_end),
        ),
        Action("sessions.elevate", "u", "Full mode…", "ask for full mode", available=_verdict(SessionFacts.elevate)),
        Action(
            "sessions.countersign",
            "c",
            "Countersign…",
            "agree to full mode as the second person",
            available=_verdict(SessionFacts.countersign),
        ),
        Action(
            "sessions.dossier",
            "d",
            "Dossier",
            "who, who approved, which case, what, how long",
            available=lambda screen: screen.on_a_row(),
        ),
        Action("sessions.outcome", "o", "Outcome…", "give the outcome owed", available=_verdict(SessionFacts.outcome)),
        Action(
            "sessions.decline",
            "D",
            "Decline…",
            "refuse full mode as the second person",
            available=_verdict(SessionFacts.decline),
        ),
        Action("sessions.filter", "slash", "Filter", "words of id, ticket, mode, tenant, engineer, user"),
        Action("sessions.flagged", "w", f"Next {BEYOND}", "the next session that wants a look", footer=False),
        Action("sessions.mine", "m", "Mine", "my own session", footer=False),
        Action("sessions.back", "escape", "Back", "close the detail, or the filter", footer=False),
    )

    DEFAULT_CSS = """
    SessionsScreen {
        #board-pane { width: 1fr; height: 1fr; }
        #board-top { height: 1; padding: 0 1 0 2; background: $surface; }
        #board-summary { width: 1fr; color: $tone-dim; text-wrap: nowrap; text-overflow: ellipsis; }
        #board-filter { display: none; width: 1fr; }
        &.-filtering #board-filter { display: block; }
        &.-filtering #board-summary { width: auto; max-width: 60%; margin-left: 1; }
        #session-panel { display: none; width: 1fr; }
        &.-reading #board-pane { display: none; }
        &.-reading #session-panel { display: block; }
        &.-two-panes #board-pane, &.-three-panes #board-pane { display: block; }
        &.-two-panes #session-panel { display: block; width: 42%; border-left: vkey $panel; }
        &.-three-panes #session-panel { display: block; width: 54%; layout: horizontal; border-left: vkey $panel; }
        &.-three-panes #session-story { width: 46%; height: 1fr; max-height: 100%; }
        &.-three-panes #session-views { width: 1fr; border-left: vkey $panel; }
    }
    """

    def __init__(self, context: ConsoleContext) -> None:
        super().__init__(context)
        self._board = BoardSource(context)
        self._filter = ""
        self._mine_seen: str | None = None

    def compose_body(self) -> ComposeResult:
        with Vertical(id="board-pane"):
            with Horizontal(id="board-top"):
                yield LineEntry(placeholder="words: tenant, engineer, ticket, mode …", id="board-filter")
                yield Static("", id="board-summary", markup=False)
            yield VirtualTable(COLUMNS, self.context.now, empty="nobody is inside any tenant", id="board")
        yield SessionPanel(self.context, id="session-panel")

    def on_mount(self) -> None:
        super().on_mount()
        self.table.focus()

    def on_screen_resume(self) -> None:
        """Whoever comes here with a session of their own that they have not seen here yet, stands on it."""
        self.catch_up()
        mine = self._board.mine()
        if mine is not None and mine != self._mine_seen:
            self.table.move_to(mine)
        self._mine_seen = mine

    # -- what is shown ---------------------------------------------------------------------------------------------

    @property
    def table(self) -> VirtualTable:
        return self.query_one("#board", VirtualTable)

    @property
    def session_id(self) -> str | None:
        """The session under the cursor."""
        return self.table.cursor_key

    def reload(self, changes: ChangeSet | None) -> None:
        if changes is None or changes.wholesale:
            self._board.forget_names()
            self._read()
            return
        if changes.tables & _NAMES:
            self._board.forget_names(changes.keys)
        if changes.tables & _TOUCHING:
            self._read()

    def on_tick(self, now: datetime) -> None:
        deadline = self._board.tally.next_deadline
        if deadline is not None and now >= deadline:
            self._read()
        self.table.refresh_time_cells()
        self.panel.refresh_time_cells()

    def verdict_on(self, rule: Rule) -> Verdict:
        """The rule's verdict on the session under the cursor."""
        return asked(self.context, self.session_id, rule)

    def on_a_row(self) -> Verdict:
        return Verdict() if self.session_id is not None else NONE_SELECTED

    def label_of(self, action: Action) -> str:
        if action.id != "sessions.first":
            return action.label
        if self.has_class("-one-pane") and not self.has_class("-reading"):
            return "Open"
        return self.first_action().label

    def first_action(self) -> Action:
        """What Enter does: what I owe, what waits for me, what I am at; else the whole story."""
        by_id = {action.id: action for action in self.ACTIONS}
        for name in ("sessions.outcome", "sessions.countersign", "sessions.log"):
            if by_id[name].available(self).allowed:
                return by_id[name]
        return by_id["sessions.dossier"]

    def _read(self, from_top: bool = False) -> None:
        now = self.context.now()
        midnight = now.astimezone(self.context.zone).replace(hour=0, minute=0, second=0, microsecond=0)
        self._board.load(now, midnight, self._filter)
        self.table.empty = "no session fits this filter" if self._filter else "nobody is inside any tenant"
        self.table.show(self._board, from_top=from_top)
        self.query_one("#board-summary", Static).update(self._summary())
        self._show_session()

    def _summary(self) -> Content:
        tally = self._board.tally
        parts: list[tuple[str, str]] = [(f"{tally.running} running", "")]
        if tally.flagged:
            parts.append(
                (f" · {BEYOND} {tally.flagged} want{'s' if tally.flagged == 1 else ''} a look (w)", "$tone-soon")
            )
        if tally.owed:
            parts.append((f" · {tally.owed} outcome{'s' if tally.owed > 1 else ''} owed", ""))
        return Content.assemble(*parts)

    def _show_session(self) -> None:
        self.panel.show(self.session_id)
        self.refresh_hints()

    @on(VirtualTable.Highlighted, "#board")
    def _highlighted(self) -> None:
        self._show_session()

    @on(VirtualTable.Chosen)
    def _chosen(self) -> None:
        self.action_perform("sessions.first")

    # -- going about -----------------------------------------------------------------------------------------------

    async def do_first(self) -> None:
        if self.has_class("-one-pane") and not self.has_class("-reading"):
            if self.session_id is not None:
                self.add_class("-reading")
                self.query_one("#feed", VirtualTable).focus()
                self.refresh_hints()
            return
        self.action_perform(self.first_action().id)

    def do_flagged(self) -> None:
        flagged = self._board.flagged()
        if not flagged:
            self.tell("no running session has a view beyond its scope, and no elevation waits", title="Nothing to see")
            return
        here = flagged.index(self.session_id) if self.session_id in flagged else -1
        self.table.move_to(flagged[(here + 1) % len(flagged)])

    def do_mine(self) -> None:
        mine = self._board.mine()
        if mine is None or not self.table.move_to(mine):
            self.tell("no session of yours runs, and you owe no outcome", title="Mine")

    def do_filter(self) -> None:
        self.remove_class("-reading")
        self.add_class("-filtering")
        self.query_one("#board-filter", LineEntry).focus()

    def do_back(self) -> None:
        if self.has_class("-reading"):
            self.remove_class("-reading")
            self.table.focus()
            self.refresh_hints()
        elif self.has_class("-filtering"):
            self.remove_class("-filtering")
            self._filter = ""
            self.query_one("#board-filter", LineEntry).prefill("")
            self._read(from_top=True)
            self.table.focus()

    @on(Input.Changed, "#board-filter")
    def _filter_typed(self, event: Input.Changed) -> None:
        event.stop()
        if event.value != self._filter and self.context.ready:
            self._filter = event.value
            self._read(from_top=True)

    @on(Input.Submitted, "#board-filter")
    def _filter_done(self, event: Input.Submitted) -> None:
        event.stop()
        self.table.focus()

    def on_key(self, event: events.Key) -> None:
        """From the filter, Down goes on into what was found."""
        if event.key == "down" and self.query_one("#board-filter", LineEntry).has_focus:
            event.stop()
            self.table.focus()
