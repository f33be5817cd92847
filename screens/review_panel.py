"""One review beside the list: what is to be judged, by whom it may not be, the evidence, and what was found.

The evidence is the tenant's own log and the rows behind it; nothing here is told by whoever was part of it alone.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from textual.app import ComposeResult

from screens.context import ConsoleContext
from screens.request_words import MODE_WORDS
from screens.review_rows import KIND_WORDS
from storage.log.actions import IMPERSONATION
from storage.models import Request, parse_time
from storage.replica.queries.log import Entry
from storage.replica.queries.review_evidence import ENTRIES_SHOWN, Evidence, evidence
from storage.replica.queries.reviews import ReviewLine, review_line
from widgets.cells import LeftCell, Tone, Toned
from widgets.fields import BLANK, Field, FieldList, field, line, under
from widgets.kept import ScrolledPane
from widgets.moments import near_text
from widgets.text import visible

Times = Callable[[datetime], str]


class ReviewPanel(ScrolledPane, can_focus=True):
    """Fields, one below the other; scrolls as a whole. `line` and `evidence` are what is shown, for the acts."""

    DEFAULT_CSS = """
    ReviewPanel { padding: 0 1; scrollbar-size-vertical: 1; }
    """

    def __init__(self, context: ConsoleContext, *, id: str | None = None, classes: str = "") -> None:
        super().__init__(id=id, classes=classes)
        self._given = context
        self.line: ReviewLine | None = None
        self.evidence: Evidence | None = None

    def compose(self) -> ComposeResult:
        yield FieldList(self._given.now, id="review-fields")

    def show(self, review_id: str | None) -> None:
        """Show this review as the replica has it now."""
        before = self.line.review.id if self.line else None
        self.line = review_line(self._given.reader, review_id) if review_id is not None else None
        self.evidence = evidence(self._given.reader, self.line.review) if self.line is not None else None
        fields = self.query_one("#review-fields", FieldList)
        if self.line is None or self.evidence is None:
            fields.show([line(Toned("no review selected", Tone.DIM))])
        else:
            now, zone = self._given.now(), self._given.zone
            fields.show(review_fields(self.line, self.evidence, lambda at: near_text(at, now, zone)))
        if before != review_id:
            self.scroll_home(animate=False)

    def refresh_time_cells(self) -> None:
        """Draw on what depends on the time."""
        self.query_one("#review-fields", FieldList).refresh_time_cells()

    @property
    def text(self) -> str:
        """What is shown, as plain text."""
        return self.query_one("#review-fields", FieldList).text


def review_fields(shown: ReviewLine, found: Evidence, times: Times) -> list[Field]:
    """Everything the panel says."""
    return [*_head(shown, found, times), *_incident(shown, times), *_disputed(found, times), *_asked(found),
            *_entries(found, times)]  # fmt: skip


def _head(shown: ReviewLine, found: Evidence, times: Times) -> list[Field]:
    review = shown.review
    said = [
        line(Toned(visible(f"{review.id} · {shown.tenant_name}"), Tone.STRONG)),
        line(Toned(f"{KIND_WORDS[review.kind]} · opened by {visible(review.opened_by_name)}", Tone.DIM)),
        BLANK,
        field("to be judged", visible(review.claim)),
        field("opened", times(review.opened_at)),
    ]
    if review.signed_at is None:
        said.append(field("due in", LeftCell(review.due_at, over="overdue: sign it now")))
    barred = ", ".join(visible(found.names.get(key, key)) for key in review.barred)
    said.append(field("not to be by", barred or Toned("nobody was part of it", Tone.DIM)))
    if review.signed_at is not None:
        said += [
            BLANK,
            line(Toned("FOUND", Tone.STRONG)),
            field("finding", visible(review.finding or "")),
            field("signed by", visible(f"{shown.signed_by_name}, {times(review.signed_at)}")),
        ]
    return said


def _incident(shown: ReviewLine, times: Times) -> list[Field]:
    incident = shown.incident
    if incident is None:
        return []
    return [
        BLANK,
        line(Toned("THE EMERGENCY", Tone.STRONG)),
        field("incident", visible(f"{incident.id} · {incident.category.value.replace('_', ' ')}")),
        field("harm", visible(incident.reason)),
        field("let in", times(incident.at)),
    ]


def _at(entry: Entry, times: Times) -> str:
    return times(parse_time(str(entry.data["at"])))


def _act(entry: Entry) -> str:
    """What was done, without the words that stand before every act inside a session."""
    return str(entry.data.get("action", "")).removeprefix(IMPERSONATION)


def _disputed(found: Evidence, times: Times) -> list[Field]:
    entry = found.disputed
    if entry is None:
        return []
    actor = entry.data.get("actor", {})
    said = [
        BLANK,
        line(Toned("THE DISPUTED ENTRY", Tone.STRONG)),
        field("number", f"{entry.seq:,}"),
        field("at", _at(entry, times)),
        field("act", Toned(visible(_act(entry)), Tone.ACCENT)),
        field("by", visible(f"{actor.get('name', '')} <{actor.get('email', '')}>")),
    ]
    if entry.data.get("reason"):
        said.append(field("reason", visible(str(entry.data["reason"]))))
    return said


def _asked(found: Evidence) -> list[Field]:
    request = found.request
    if request is None:
        return []
    said = [
        BLANK,
        line(Toned("THE REQUEST", Tone.STRONG)),
        field("request", visible(f"{request.id} · {request.ticket} · {request.state.value}")),
        field("engineer", visible(found.names.get(request.engineer_id, request.engineer_id))),
        field("as", visible(found.names.get(request.target_id, request.target_id))),
        field("reason", visible(request.reason)),
        field("scope", visible(f"{request.scope} (about {request.records:,} records)")),
        field("access", f"{MODE_WORDS[request.mode]} · {request.minutes} min · layer {request.layer.value}"),
    ]
    if found.session_id is not None:
        said.append(field("session", visible(f"{found.session_id} · d opens its dossier")))
    return said + _conversation(request)


def _conversation(request: Request) -> list[Field]:
    return [field(said.kind, visible(f"{said.name}: {said.text}")) for said in request.exchanges]


def _entries(found: Evidence, times: Times) -> list[Field]:
    if not found.entries:
        return []
    cut = len(found.entries) == ENTRIES_SHOWN
    said = [BLANK, line(Toned("WHAT THE TENANT'S LOG SAYS", Tone.STRONG))]
    if cut:
        said.append(line(Toned(f"the newest {ENTRIES_SHOWN}; the audit viewer has them all", Tone.DIM)))
    for entry in found.entries:
        said += _entry(entry, times)
    return said


def _entry(entry: Entry, times: Times) -> list[Field]:
    by = str(entry.data.get("actor", {}).get("name", ""))
    said = [field(f"#{entry.seq:,}", visible(f"{_at(entry, times)} · {_act(entry)} · {by}"))]
    if entry.data.get("reason"):
        said.append(under(Toned(visible(str(entry.data["reason"])), Tone.DIM)))
    return said
