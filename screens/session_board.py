"""The rows of the countdown board: which sessions stand in which group, and what each line says.

The list is read anew whenever something changed, the lines only where they are looked at; what was decoded is kept by
session and revision, so that one more view among 500 sessions decodes one row. Time left is a live cell: a second that
passes reads nothing and changes nothing here.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from screens.context import ConsoleContext
from screens.queued import MARK, marked
from storage.models import ElevationState, EndKind, Mode, Session
from storage.replica.queries.sessions import BoardLine, Group, SessionCard, board, session_card
from widgets.cells import LEVEL_TONES, Cell, Tone, Toned
from widgets.columns import Column
from widgets.countdown import bar, left_text, level_of
from widgets.moments import near_text
from widgets.rows import RowView, heading
from widgets.text import visible

KEPT_CARDS = 2048

COLUMNS = (
    Column("left", "left", 10),
    Column("bar", "", 9, least=5),
    Column("flags", "flags", 6, least=5),
    Column("engineer", "engineer", 14, least=11, grow=1),
    Column("tenant", "tenant", 22, least=14, grow=2),
    Column("target", "as", 16, least=10, priority=3, grow=1),
    Column("mode", "mode", 4, priority=1),
    Column("seen", "seen", 8, least=6, priority=2, right=True),
    Column("last", "last viewed", 26, least=12, priority=4, grow=4),
)

BEYOND = "⚠"
ASKED = "⇧"


@dataclass(frozen=True, slots=True)
class TimeLeftCell:
    """A running session's time with a sign for its level; `over` by the clock alone, whoever recorded it or not
    (REQ-203). Apart from the bar, and before it on the line: a second that passes sends ten characters a row."""

    deadline: datetime

    def drawn(self, now: datetime, width: int) -> Toned:
        seconds = (self.deadline - now).total_seconds()
        level = level_of(seconds)
        return Toned(f"{level.sign:<2} {left_text(seconds):>7}", LEVEL_TONES[level])


@dataclass(frozen=True, slots=True)
class TimeBarCell:
    """The same as a bar that empties; it changes a few times in a whole session."""

    started: datetime
    deadline: datetime

    def drawn(self, now: datetime, width: int) -> Toned:
        seconds = (self.deadline - now).total_seconds()
        total = (self.deadline - self.started).total_seconds()
        return Toned(bar(seconds / total if total > 0 else 0.0, width), LEVEL_TONES[level_of(seconds)])


@dataclass(frozen=True, slots=True)
class Tally:
    """What the title of the board says. `next_deadline` is when the first running session will be over."""

    running: int = 0
    flagged: int = 0
    owed: int = 0
    next_deadline: datetime | None = None


class BoardSource:
    """The board as rows: groups with headings, sessions by key."""

    def __init__(self, context: ConsoleContext) -> None:
        self._context = context
        self._cards: OrderedDict[tuple[str, int], SessionCard] = OrderedDict()
        self._lines: list[BoardLine | str] = []
        self._places: dict[str, int] = {}
        self._queued: frozenset[str] = frozenset()
        self.tally = Tally()

    def load(self, now: datetime, since: datetime, words: str = "") -> None:
        """Read which sessions there are at `now`, ended ones from `since` on, narrowed to `words`."""
        self._queued = marked(self._context)
        lines = board(self._context.reader, now, since, words)
        running = [line for line in lines if line.group is Group.RUNNING]
        groups = {group: [line for line in lines if line.group is group] for group in Group}
        titles = {Group.RUNNING: "RUNNING", Group.OWED: "OUTCOME OWED", Group.ENDED: "ENDED TODAY"}
        self._lines = []
        for group, members in groups.items():
            if members:
                self._lines += [f"{titles[group]}  {len(members)}", *members]
        self._places = {line.session_id: i for i, line in enumerate(self._lines) if isinstance(line, BoardLine)}
        self.tally = Tally(
            running=len(running),
            flagged=sum(line.flagged for line in running),
            owed=len(groups[Group.OWED]),
            next_deadline=min((line.deadline for line in running), default=None),
        )

    def forget_names(self, keys: frozenset[tuple[str, str]] | None = None) -> None:
        """Decode again, when next drawn, the lines in which one of these people or tenants stands; None: all lines."""
        if keys is None:
            self._cards.clear()
            return
        for at, card in list(self._cards.items()):
            session = card.session
            named = (("staff", session.engineer_id), ("tenant", session.tenant_id), ("contact", session.target_id))
            if not keys.isdisjoint(named):
                del self._cards[at]

    def flagged(self) -> list[str]:
        """The running sessions that want a look, in the board's order."""
        return [
            line.session_id
            for line in self._lines
            if isinstance(line, BoardLine) and line.group is Group.RUNNING and line.flagged
        ]

    def mine(self) -> str | None:
        """My own session: the running one, else the one whose outcome I owe."""
        me = self._context.staff.id if self._context.staff else ""
        for line in self._lines:
            if isinstance(line, BoardLine) and line.engineer_id == me and line.group is not Group.ENDED:
                return line.session_id
        return None

    def line(self, key: str) -> BoardLine | None:
        place = self._places.get(key)
        found = None if place is None else self._lines[place]
        return found if isinstance(found, BoardLine) else None

    def count(self) -> int:
        return len(self._lines)

    def index_of(self, key: str) -> int | None:
        return self._places.get(key)

    def rows(self, start: int, number: int) -> Sequence[RowView]:
        return [self._row(line) for line in self._lines[start : start + number]]

    def _row(self, line: BoardLine | str) -> RowView:
        if isinstance(line, str):
            return heading(line)
        card = self._card(line)
        if card is None:
            return RowView(line.session_id, ("", "", "", visible(line.session_id), *[""] * (len(COLUMNS) - 4)))
        return RowView(line.session_id, self._cells(line, card), tone=Tone.PLAIN if self._lively(line) else Tone.DIM)

    def _lively(self, line: BoardLine) -> bool:
        return line.group is not Group.ENDED

    def _card(self, line: BoardLine) -> SessionCard | None:
        at = (line.session_id, line.rev)
        card = self._cards.get(at)
        if card is None:
            card = session_card(self._context.reader, line.session_id)
            if card is None:
                return None
            self._cards[at] = card
            if len(self._cards) > KEPT_CARDS:
                self._cards.popitem(last=False)
        else:
            self._cards.move_to_end(at)
        return card

    def _cells(self, line: BoardLine, card: SessionCard) -> tuple[Cell, ...]:
        session = card.session
        seen = f"{session.records_seen}/~{card.declared}"
        crowded = session.records_seen > max(card.declared, 1) * 2
        return (
            *self._time_cells(line, session),
            flags(session, queued=session.id in self._queued),
            Toned(
                visible(card.engineer),
                Tone.ACCENT if self._context.staff and session.engineer_id == self._context.staff.id else Tone.PLAIN,
            ),
            visible(card.tenant),
            visible(card.target),
            Toned("FULL", Tone.STRONG) if session.mode is Mode.FULL else "read",
            Toned(seen, Tone.SOON) if crowded else seen,
            visible(session.last_viewed)
            if session.last_viewed
            else Toned("nothing" if session.ended_at else "nothing yet", Tone.DIM),
        )

    def _time_cells(self, line: BoardLine, session: Session) -> tuple[Cell, Cell]:
        if line.group is Group.RUNNING:
            return TimeLeftCell(session.expires_at), TimeBarCell(session.started_at, session.expires_at)
        at = near_text(session.ended_at or session.expires_at, self._context.now(), self._context.zone)
        tone = Tone.SOON if line.group is Group.OWED else Tone.DIM
        return Toned(f"{at:>10}", tone), Toned(END_SIGNS[session.end_kind or EndKind.CLOCK], tone)


END_SIGNS = {
    EndKind.ENGINEER: "ended",
    EndKind.SUPER: "FORCED",
    EndKind.TENANT: "KILLED",
    EndKind.CLOCK: "over",
    EndKind.DEACTIVATED: "LEFT",
}


def flags(session: Session, *, queued: bool = False) -> Toned:
    """What wants a look: something of ours not in force yet, views beyond the scope with their number, an elevation
    that waits."""
    parts = [MARK] if queued else []
    if session.beyond_scope:
        parts.append(f"{BEYOND}{session.beyond_scope}")
    asked = session.elevation is not None and session.elevation.state is ElevationState.ASKED
    waits = asked and session.ended_at is None
    if waits:
        parts.append(f"{ASKED}?")
    return Toned(" ".join(parts), Tone.BAD if session.beyond_scope else Tone.SOON if waits or queued else Tone.DIM)
