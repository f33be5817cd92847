"""What somebody uninvolved must look at and sign: emergencies and what tenants dispute (REQ-109, REQ-502, REQ-504).

What is due first stands on top, the evidence beside it; `s` signs with a finding, which goes to the log and, for a
dispute, to the tenant.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.content import Content

from app.policy.reviews import is_overdue, may_sign
from app.policy.verdict import Finding, Refused, Verdict
from app.services.desk_words import ADDS_PRIVILEGE
from app.services.reading import place
from screens.actions import Action
from screens.listing import ListScreen
from screens.review_panel import ReviewPanel
from screens.review_rows import COLUMNS, KIND_WORDS, fits, review_source
from storage.models import Staff
from storage.replica.queries.reviews import reviews
from widgets.table import VirtualTable

if TYPE_CHECKING:
    from textual.widget import Widget

    from screens.context import ConsoleContext
    from storage.sync import ChangeSet

NOTHING = "nothing waits for a signature, and nothing was signed yet"
PREVIEW = "preview"

_TOUCHING = frozenset({"review", "incident", "request", "session", "staff", "contact", "tenant"})
NEEDS_DATABASE = ADDS_PRIVILEGE
"""Why no outbox keeps a signature."""
_NONE = Verdict((Finding("REQ-502", False, "no review stands under the cursor"),))
_NO_SESSION = Verdict((Finding("REQ-502", False, "it is about no session"),))
_NO_REQUEST = Verdict((Finding("REQ-502", False, "it is about no request"),))


class ReviewScreen(ListScreen):
    """The fifth screen."""

    MODE = "review"
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("review.open", "enter", "Open", "the evidence", available=lambda screen: screen.on_a_row()),
        Action("review.sign", "s", "Sign…", "sign it with a finding", available=lambda screen: screen.can_sign()),
        Action("review.dossier", "d", "Dossier", "of its session", available=lambda screen: screen.has_session()),
        Action("review.request", "r", "Request", "show it in the queue", available=lambda screen: screen.has_request()),
        Action("review.filter", "slash", "Filter", "words of tenant, claim, finding, people"),
        Action("review.back", "escape", "Back", "close the evidence, or the filter", footer=False),
    )

    DEFAULT_CSS = """
    ReviewScreen {
        &.-two-panes #review-panel { width: 48%; }
        &.-three-panes #review-panel { width: 55%; }
    }
    """

    def __init__(self, context: ConsoleContext) -> None:
        super().__init__(context)
        self.source = review_source((), ())

    def compose_body(self) -> ComposeResult:
        yield from self.compose_list(COLUMNS, hint="words: tenant, claim, finding, people", empty=NOTHING)
        yield ReviewPanel(self.context, id="review-panel", classes="list-detail")

    @property
    def panel(self) -> ReviewPanel:
        return self.query_one(ReviewPanel)

    # -- whether a key applies -------------------------------------------------------------------------------------

    def on_a_row(self) -> Verdict:
        return Verdict() if self.table.cursor_key is not None else _NONE

    def can_sign(self) -> Verdict:
        """The same rules as the signature itself."""
        line, staff, replica = self.panel.line, self.context.staff, self.context.replica
        if line is None:
            return _NONE
        verdict = self.context.may_act()
        if not verdict.allowed or staff is None or replica is None:
            return verdict
        view = replica.view(PREVIEW)
        part = [one for key in line.review.barred if (one := view.get(Staff, key)) is not None]
        try:
            verdict = may_sign(line.review, staff, part, place(view, line.review.tenant_id), self.context.now())
            return self.context.within_reach(verdict, NEEDS_DATABASE)
        except Refused as refused:
            return refused.verdict

    def has_session(self) -> Verdict:
        found = self.panel.evidence
        return Verdict() if found is not None and found.session_id is not None else _NO_SESSION

    def has_request(self) -> Verdict:
        found = self.panel.evidence
        return Verdict() if found is not None and found.request is not None else _NO_REQUEST

    # -- what is shown ---------------------------------------------------------------------------------------------

    def reload(self, changes: ChangeSet | None) -> None:
        if changes is None or changes.wholesale or changes.tables & _TOUCHING:
            self.read_list()

    def on_tick(self, now: datetime) -> None:
        self.table.refresh_time_cells()
        self.panel.refresh_time_cells()

    def read_list(self, *, from_top: bool = False) -> None:
        words = self.filter_text.split()
        reader, now = self.context.reader, self.context.now()
        waiting = [line for line in reviews(reader, signed=False) if fits(line, words)]
        signed = [line for line in reviews(reader, signed=True) if fits(line, words)]
        self.table.empty = "no review fits this filter" if words else NOTHING
        self.source = review_source(waiting, signed)
        self.table.show(self.source, from_top=from_top)
        late = sum(is_overdue(line.review, now) for line in waiting)
        overdue = f" · {late} overdue" if late else ""
        self.summarise(Content(f"{len(waiting)} to be signed{overdue} · {len(signed)} signed"))
        self.show_line()

    def detail_to_read(self) -> Widget:
        return self.panel

    def show_line(self) -> None:
        self.panel.show(self.table.cursor_key)
        self.refresh_hints()

    @on(VirtualTable.Chosen, "#list")
    def _chosen(self) -> None:
        self.action_perform("review.open")

    # -- acts ------------------------------------------------------------------------------------------------------

    def do_open(self) -> None:
        """On one pane the evidence; beside it, Enter does the first thing there is to do."""
        if self.detail_hidden:
            self.open_detail()
        elif self.can_sign().allowed:
            self.action_perform("review.sign")
        else:
            self.panel.focus()

    async def do_sign(self) -> None:
        from app.services import reviews as services
        from screens.request_note import NoteDialog

        line, desk, actor = self.panel.line, self.context.desk, self.context.actor
        if line is None or desk is None or actor is None:
            return
        review = line.review
        facts = (("why", KIND_WORDS[review.kind]), ("tenant", line.tenant_name), ("judged", review.claim))

        async def sign(finding: str) -> bool:
            await desk.run(services.sign, actor, review.id, finding)
            self.tell(f"{review.id} · {line.tenant_name}: signed")
            self.catch_up(force=True)
            return True

        await self.ask_until_done(
            lambda said: NoteDialog(
                f"Sign {review.id}",
                facts,
                verb="Sign",
                label="what you looked at, and what you found; it goes to the log, and the answer to the tenant",
                needed=True,
                words=said or "",
            ),
            sign,
        )

    async def do_dossier(self) -> None:
        from screens.session_dossier import dossier_of

        found = self.panel.evidence
        if found is not None and found.session_id is not None:
            await self.app.push_screen_wait(dossier_of(self.context, found.session_id))

    def do_request(self) -> None:
        found = self.panel.evidence
        if found is not None and found.request is not None:
            self.context.go(self.app, "queue", found.request.id)
