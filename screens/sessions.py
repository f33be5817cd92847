"""The countdown board: who is inside whom, as whom, for how long still, and whether it is all right (REQ-210).

Running sessions stand above, least time left first; below them the outcomes owed and what ended today. Beside the
board, from 110 columns, the selected session's story and its live feed; below that width Enter opens them over the
board. A second that passes repaints time cells only; a session whose time is over says so in that very second, by the
clock, and moves to its group at the next look.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.content import Content

from app.policy.verdict import Verdict
from app.services.desk_words import ADDS_PRIVILEGE, TAKES_A_CODE
from screens.actions import Action
from screens.context import ConsoleContext
from screens.session_acts import SessionActs
from screens.session_board import BEYOND, COLUMNS, BoardSource
from screens.session_panel import SessionPanel
from screens.session_rules import NONE_SELECTED, Rule, SessionFacts, asked, facts_of
from widgets.table import VirtualTable

if TYPE_CHECKING:
    from textual.widget import Widget

    from storage.sync import ChangeSet

NOBODY = "nobody is inside any tenant"

_NAMES = frozenset({"staff", "tenant", "contact"})
_TOUCHING = _NAMES | {"session", "session_view", "standing", "decision", "settings"}


NEEDS_DATABASE: Mapping[Rule, str] = {
    SessionFacts.force_end: TAKES_A_CODE,
    SessionFacts.elevate: ADDS_PRIVILEGE,
    SessionFacts.countersign: ADDS_PRIVILEGE,
}
"""What no outbox keeps, and why."""


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
        &.-two-panes #session-panel { width: 42%; }
        &.-three-panes #session-panel { width: 54%; layout: horizontal; }
        &.-three-panes #session-story { width: 46%; height: 1fr; max-height: 100%; }
        &.-three-panes #session-views { width: 1fr; border-left: vkey $panel; }
    }
    """

    def __init__(self, context: ConsoleContext) -> None:
        super().__init__(context)
        self._board = BoardSource(context)
        self._mine_seen: str | None = None
        self._facts: SessionFacts | Verdict | None = None

    def compose_body(self) -> ComposeResult:
        hint = "words: tenant, engineer, ticket, mode …"
        yield from self.compose_list(COLUMNS, hint=hint, empty=NOBODY)
        yield SessionPanel(self.context, id="session-panel", classes="list-detail")

    def on_screen_resume(self) -> None:
        """Whoever comes here with a session of their own that they have not seen here yet, stands on it."""
        self.catch_up()
        mine = self._board.mine()
        if mine is not None and mine != self._mine_seen:
            self.table.move_to(mine)
        self._mine_seen = mine

    # -- what is shown ---------------------------------------------------------------------------------------------

    @property
    def session_id(self) -> str | None:
        """The session under the cursor."""
        return self.table.cursor_key

    def reload(self, changes: ChangeSet | None) -> None:
        if changes is None or changes.wholesale:
            self._board.forget_names()
            self.read_list()
            return
        if changes.tables & _NAMES:
            self._board.forget_names(changes.keys)
        if changes.tables & _TOUCHING:
            self.read_list()

    def on_tick(self, now: datetime) -> None:
        deadline = self._board.tally.next_deadline
        if deadline is not None and now >= deadline:
            self.read_list()
        self.table.refresh_time_cells()
        self.panel.refresh_time_cells()

    def verdict_on(self, rule: Rule) -> Verdict:
        """The rule's verdict on the session under the cursor."""
        facts = self._facts if self._facts is not None else facts_of(self.context, self.session_id)
        verdict = asked(self.context, facts, rule)
        return self.context.within_reach(verdict, NEEDS_DATABASE[rule]) if rule in NEEDS_DATABASE else verdict

    def refresh_hints(self) -> None:
        """The dozen questions of one look are about the same facts, read once."""
        self._facts = facts_of(self.context, self.session_id) if self.is_mounted and self.context.ready else None
        try:
            super().refresh_hints()
        finally:
            self._facts = None

    def on_a_row(self) -> Verdict:
        return Verdict() if self.session_id is not None else NONE_SELECTED

    def label_of(self, action: Action) -> str:
        if action.id != "sessions.first":
            return action.label
        if self.detail_hidden:
            return "Open"
        return self.first_action().label

    def first_action(self) -> Action:
        """What Enter does: what I owe, what waits for me, what I am at; else the whole story."""
        by_id = {action.id: action for action in self.ACTIONS}
        for name in ("sessions.outcome", "sessions.countersign", "sessions.log"):
            if by_id[name].available(self).allowed:
                return by_id[name]
        return by_id["sessions.dossier"]

    def read_list(self, *, from_top: bool = False) -> None:
        now = self.context.now()
        midnight = now.astimezone(self.context.zone).replace(hour=0, minute=0, second=0, microsecond=0)
        self._board.load(now, midnight, self.filter_text)
        self.table.empty = "no session fits this filter" if self.filter_text else NOBODY
        self.table.show(self._board, from_top=from_top)
        self.summarise(self._summary())
        self.show_line()

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

    def detail_to_read(self) -> Widget:
        return self.query_one("#feed", VirtualTable)

    def show_line(self) -> None:
        self.panel.show(self.session_id)
        self.refresh_hints()

    @on(VirtualTable.Chosen)
    def _chosen(self) -> None:
        self.action_perform("sessions.first")

    # -- going about -----------------------------------------------------------------------------------------------

    async def do_first(self) -> None:
        if self.detail_hidden:
            if self.session_id is not None:
                self.open_detail()
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
