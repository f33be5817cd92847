"""Reviews as rows: what waits, the one that is due first on top, then what was signed (REQ-502)."""

from __future__ import annotations

from collections.abc import Sequence

from storage.models import ReviewKind
from storage.replica.queries.reviews import ReviewLine
from widgets.cells import Cell, LeftCell, Tone, Toned
from widgets.columns import Column
from widgets.rows import ListSource, RowView, heading
from widgets.text import visible

COLUMNS = (
    Column("id", "review", 8),
    Column("kind", "why", 9),
    Column("tenant", "tenant", 20, least=11, grow=2),
    Column("about", "about", 16, least=10, grow=1),
    Column("by", "opened by", 14, least=11, priority=1, grow=1),
    Column("due", "due", 8, right=True),
)
KIND_WORDS = {ReviewKind.EMERGENCY: "emergency", ReviewKind.DISPUTE: "dispute"}
_TONES = {ReviewKind.EMERGENCY: Tone.BAD, ReviewKind.DISPUTE: Tone.SOON}


def review_source(waiting: Sequence[ReviewLine], signed: Sequence[ReviewLine]) -> ListSource:
    """Both groups under their headings; an empty one is left out."""
    rows: list[RowView] = []
    for title, lines in (("TO BE SIGNED", waiting), ("SIGNED", signed)):
        if lines:
            rows += [heading(f"{title}  {len(lines)}"), *(review_row(line) for line in lines)]
    return ListSource(rows)


def fits(line: ReviewLine, words: Sequence[str]) -> bool:
    """Whether every word stands somewhere in the review."""
    review = line.review
    said = (review.id, review.kind.value, line.tenant_name, review.tenant_id, review.claim, review.finding or "",
            review.opened_by_name, line.signed_by_name, review.request_id or "", review.session_id or "")  # fmt: skip
    text = " ".join(said).casefold()
    return all(word.casefold() in text for word in words)


def about(line: ReviewLine) -> str:
    """What is to be judged, in as few words as a column has."""
    review = line.review
    return f"entry {review.entry_seq:,}" if review.entry_seq is not None else review.request_id or ""


def review_row(line: ReviewLine) -> RowView:
    """One review as a line of the table."""
    review = line.review
    quiet = Tone.DIM if review.signed_at is not None else Tone.PLAIN
    due: Cell = LeftCell(review.due_at, over="OVERDUE") if review.signed_at is None else Toned("signed ✓", Tone.GOOD)
    return RowView(
        review.id,
        (
            Toned(visible(review.id), Tone.DIM),
            Toned(KIND_WORDS[review.kind], quiet if review.signed_at else _TONES[review.kind]),
            Toned(visible(line.tenant_name), quiet),
            Toned(visible(about(line)), quiet),
            Toned(visible(review.opened_by_name), quiet),
            due,
        ),
        tone=quiet,
    )
