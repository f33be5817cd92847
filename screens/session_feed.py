"""What is viewed in a session, as it is viewed: newest first, what lies beyond the declared scope marked at once
(REQ-205, REQ-210)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from screens.context import ConsoleContext
from screens.session_board import BEYOND
from storage.models import SessionView, ViewKind
from storage.replica.queries.sessions import session_view, view_ids
from widgets.cells import Tone, Toned
from widgets.columns import Column
from widgets.rows import RowView
from widgets.text import visible

COLUMNS = (
    Column("mark", "", 1),
    Column("at", "at", 8),
    Column("kind", "kind", 6),
    Column("what", "what was viewed", 30, least=15, grow=3),
    Column("fields", "fields", 18, least=12, priority=2, grow=2),
    Column("count", "result", 6, priority=1, right=True),
)

_COUNTED = (ViewKind.QUERY, ViewKind.SEARCH, ViewKind.EXPORT)


class FeedSource:
    """One session's views as rows, by key. `times` writes a moment to the second."""

    def __init__(self, context: ConsoleContext, session_id: str, times: Callable[[datetime], str]) -> None:
        self._context = context
        self._times = times
        self._ids = view_ids(context.reader, session_id)

    def count(self) -> int:
        return len(self._ids)

    def index_of(self, key: str) -> int | None:
        return self._ids.index(key) if key in self._ids else None

    def rows(self, start: int, number: int) -> Sequence[RowView]:
        found = (session_view(self._context.reader, key) for key in self._ids[start : start + number])
        return [feed_row(view, self._times) for view in found if view is not None]


def feed_row(view: SessionView, times: Callable[[datetime], str]) -> RowView:
    """One view as a line. Beyond scope: a mark, its kind in capitals, and the whole line in the alarming tone."""
    return RowView(
        view.id,
        (
            "" if view.within_scope else BEYOND,
            Toned(times(view.at), Tone.DIM) if view.within_scope else times(view.at),
            view.kind.value if view.within_scope else view.kind.value.upper(),
            visible(view.name),
            visible(", ".join(view.fields)),
            f"{view.count:,}" if view.kind in _COUNTED or view.count > 1 else "",
        ),
        tone=Tone.PLAIN if view.within_scope else Tone.BAD,
    )
