"""The selected session beside the board: its story, and its live feed below or, where there is room, beside it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from textual.app import ComposeResult
from textual.content import Content

from screens.context import ConsoleContext
from screens.queued import waits_on
from screens.session_detail import countdown, headline, session_fields
from screens.session_feed import COLUMNS, FeedSource
from storage.replica.queries.sessions import SessionCard, decisions_on, session_card
from widgets.cells import Tone, Toned
from widgets.fields import FieldList, line
from widgets.kept import Pane, Rows, ScrolledPane, Words
from widgets.moments import clock_text, near_text
from widgets.rows import ListSource
from widgets.table import VirtualTable


class SessionPanel(Pane):
    """Shows one session, read anew at every `show`."""

    DEFAULT_CSS = """
    SessionPanel {
        layout: vertical; height: 1fr;
        & #session-countdown { margin-bottom: 1; }
        & > #session-story { height: auto; max-height: 65%; padding: 0 1; scrollbar-size-vertical: 1; }
        & > #session-views { height: 1fr; min-height: 5; }
        & #feed-title { height: 1; width: 1fr; padding: 0 1; color: $text-muted; border-top: none; text-style: bold; }
    }
    """

    def __init__(self, context: ConsoleContext, *, id: str | None = None, classes: str = "") -> None:
        super().__init__(id=id, classes=classes)
        self._given = context
        self.card: SessionCard | None = None

    def compose(self) -> ComposeResult:
        with ScrolledPane(id="session-story"):
            yield FieldList(self._given.now, id="session-headline")
            yield FieldList(self._given.now, id="session-countdown")
            yield FieldList(self._given.now, id="session-fields")
        with Rows(id="session-views"):
            yield Words(id="feed-title")
            yield VirtualTable(COLUMNS, self._given.now, empty="nothing viewed yet", id="feed")

    def show(self, session_id: str | None) -> None:
        """Show this session as the replica has it now."""
        before = self.card.session.id if self.card else None
        reader = self._given.reader
        self.card = session_card(reader, session_id) if session_id else None
        head, fields = self.query_one("#session-headline", FieldList), self.query_one("#session-fields", FieldList)
        feed, title = self.query_one("#feed", VirtualTable), self.query_one("#feed-title", Words)
        if self.card is None:
            head.show([line(Toned("no session selected", Tone.DIM))])
            self.query_one("#session-countdown", FieldList).show([])
            fields.show([])
            feed.show(ListSource(), from_top=True)
            title.update("")
            return
        session = self.card.session
        waits = waits_on(self._given, session.id)
        head.show([*headline(self.card), *([line(Toned(waits, Tone.SOON))] if waits else [])])
        self.query_one("#session-countdown", FieldList).show(countdown(self.card))
        fields.show(session_fields(self.card, decisions_on(reader, session.request_id), self._near()))
        feed.show(FeedSource(self._given, session.id, self._clock), from_top=session.id != before)
        beyond = f" · {session.beyond_scope} beyond the scope" if session.beyond_scope else ""
        title.update(Content(f"VIEWED  {session.views}{beyond}"))
        if session.id != before:
            self.query_one("#session-story").scroll_home(animate=False)

    def refresh_time_cells(self) -> None:
        """Draw on what depends on the time."""
        for fields in self.query(FieldList):
            fields.refresh_time_cells()

    @property
    def text(self) -> str:
        """The story as plain text."""
        return "\n".join(fields.text for fields in self.query(FieldList))

    def _clock(self, at: datetime) -> str:
        return clock_text(at, self._given.zone)

    def _near(self) -> Callable[[datetime], str]:
        now, zone = self._given.now(), self._given.zone
        return lambda at: near_text(at, now, zone)
