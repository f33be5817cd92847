"""The dossier of a session on screen: the five questions — who, who approved, which case, what was viewed, how long —
each under its own heading, with every view (REQ-406)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from textual.app import ComposeResult

from screens.context import ConsoleContext
from screens.session_board import BEYOND
from screens.session_detail import (
    StateCell,
    approval_fields,
    case_fields,
    elevation_fields,
    length_fields,
    outcome_fields,
    people_fields,
    seen_fields,
)
from storage.models import SessionView
from storage.replica.queries.sessions import SessionCard, decisions_on, session_card, views_of
from widgets.cells import Tone, Toned
from widgets.dialog import CLOSE, Choice, Dialog, Notice
from widgets.fields import BLANK, Field, FieldList, field, line
from widgets.moments import clock_text, full_text
from widgets.text import visible

SHOWN_VIEWS = 1000
"""More are counted, and stand in the audit viewer."""


class DossierDialog(Dialog[None]):
    """Scrolls; `y` copies it as plain text."""

    choices = (Choice("copy", "Copy", "y"), CLOSE)
    BINDINGS = Notice.BINDINGS

    def __init__(self, context: ConsoleContext, title: str, fields: Sequence[Field]) -> None:
        super().__init__(title, wide=True)
        self._given, self._fields = context, fields

    def body(self) -> ComposeResult:
        yield FieldList(self._given.now, self._fields)

    async def chosen(self, choice: str) -> None:
        if choice == "copy":
            self.app.copy_to_clipboard(self.query_one(FieldList).text)
        else:
            self.dismiss(None)

    def action_scroll_body(self, lines: int) -> None:
        self.query_one("#dialog-body").scroll_relative(y=lines, animate=False)


def dossier_of(context: ConsoleContext, session_id: str) -> DossierDialog:
    """The dialog for a session, as the replica has it now."""
    card = session_card(context.reader, session_id)
    if card is None:
        return DossierDialog(context, f"Dossier · {session_id}", [line("there is no such session in this copy")])
    return DossierDialog(context, f"Dossier · {card.session.id} · {card.tenant}", dossier_fields(context, card))


def dossier_fields(context: ConsoleContext, card: SessionCard) -> list[Field]:
    """The five questions, each with its answer."""
    session = card.session
    decisions = decisions_on(context.reader, session.request_id)
    views = views_of(context.reader, session.id, SHOWN_VIEWS)

    def times(at: datetime) -> str:
        return full_text(at, context.zone)

    fields = [
        line(StateCell(session)),
        *_question("WHO", people_fields(card)),
        *_question("WHO APPROVED", [*approval_fields(card, decisions, times), *elevation_fields(card, times)]),
        *_question("WHICH CASE", case_fields(card)),
        *_question("WHAT WAS VIEWED", [*seen_fields(card), *_views(context, views, session.views - len(views))]),
        *_question("HOW LONG", length_fields(card, times)),
    ]
    if session.outcome is not None:
        fields += _question("WHAT CAME OF IT", outcome_fields(session))
    return fields


def _question(words: str, answer: list[Field]) -> list[Field]:
    return [BLANK, line(Toned(words, Tone.STRONG)), *answer]


def _views(context: ConsoleContext, views: Sequence[SessionView], left_out: int) -> list[Field]:
    said = [field(_at(view.at, context), _view_words(view)) for view in views]
    if left_out > 0:
        said.insert(0, line(Toned(f"{left_out:,} earlier views stand in the audit viewer", Tone.DIM)))
    return said


def _at(at: datetime, context: ConsoleContext) -> str:
    return clock_text(at, context.zone)


def _view_words(view: SessionView) -> Toned:
    words = f"{view.kind.value} {view.name}"
    if view.fields:
        words += f" ({', '.join(view.fields)})"
    if view.count != 1:
        words += f" · {view.count:,} results"
    if view.within_scope:
        return Toned(visible(words))
    return Toned(visible(f"{BEYOND} {words} — outside the scope"), Tone.BAD)
