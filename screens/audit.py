"""The audit viewer: a filter line, every entry newest first, the entry under the cursor in full (REQ-407).

Unfiltered, rows are addressed by their number, so a million entries open at once. A filter runs in a thread with a
reader of its own, shows what it found so far, and is dropped when another one is typed.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Input
from textual.worker import Worker, get_current_worker

from app.policy.verdict import Verdict, rule
from screens.actions import Action
from screens.audit_acts import AuditActs
from screens.audit_detail import entry_fields
from screens.audit_filter import completer
from screens.audit_rows import COLUMNS, FoundRows, LogRows
from screens.context import ConsoleContext
from storage.replica.queries.log import OPERATOR, Entry, entries_by_number, entry_hash, newest, search, tenant_names
from storage.replica.queries.log_filter import LogFilter, parse_filter
from widgets.field_pane import FieldPane
from widgets.fields import Field
from widgets.filter_line import FilterLine
from widgets.kept import Columns, Rows, Words
from widgets.table import VirtualTable
from widgets.text import safe, visible

if TYPE_CHECKING:
    from storage.sync import ChangeSet

TYPING_PAUSE = 0.15
"""Seconds without a key after which a filter is run."""


def _on_entry(screen: AuditScreen) -> Verdict:
    return rule("REQ-407", screen.entry is not None, "", "no entry stands under the cursor")


def _has(name: str) -> Callable[[AuditScreen], Verdict]:
    def verdict(screen: AuditScreen) -> Verdict:
        found = screen.entry is not None and bool(screen.entry.data.get(name))
        return rule("REQ-407", found, "", f"this entry belongs to no {name}")

    return verdict


class AuditScreen(AuditActs):
    """Screen 3."""

    MODE = "audit"
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("audit.details", "enter", "Details", "the whole entry", available=_on_entry),
        Action("audit.filter", "slash", "Filter", "tenant: staff: ticket: action: since: … and free text"),
        Action(
            "audit.verify", "v", "Verify", "check every entry and every row again", available=lambda s: s.may_verify()
        ),
        Action(
            "audit.export", "x", "Export…", "these entries as CSV or JSON Lines", available=lambda s: s.may_export()
        ),
        Action("audit.copy", "y", "Copy", "the entry's exact text, to the terminal's clipboard", available=_on_entry),
        Action("audit.request", "r", "Request", "go to the entry's request", available=_has("request")),
        Action("audit.session", "s", "Session", "go to the entry's session", available=_has("session")),
        Action("audit.log", "t", "Log…", "the operator's log, or a tenant's own"),
    )

    DEFAULT_CSS = """
    AuditScreen {
        #audit-list { width: 1fr; height: 1fr; }
        #audit-head { height: 1; background: $surface; }
        #audit-title { width: auto; padding: 0 1; color: $tone-dim; background: $surface; }
        #audit-found { width: auto; padding: 0 1; color: $tone-dim; background: $surface; }
        #audit-problem { height: 1; color: $tone-soon; padding: 0 1; display: none; }
        #audit-problem.-told { display: block; }
        #audit-detail { width: 46; height: 1fr; }
        &.-one-pane #audit-detail { display: none; }
        &.-three-panes #audit-detail { width: 60; }
    }
    """

    def __init__(self, context: ConsoleContext) -> None:
        super().__init__(context)
        self.log_name = OPERATOR
        self.entry: Entry | None = None
        self.wanted = LogFilter()
        self._found: array[int] | None = None  # what fits, up to number `_upto`; None without a filter
        self._upto = 0
        self._searching = False
        self._names: dict[str, str] = {}

    def compose_body(self) -> ComposeResult:
        with Rows(id="audit-list"):
            with Columns(id="audit-head"):
                yield Words("operator", id="audit-title")
                yield FilterLine(
                    completer(lambda: self.context.reader if self.context.ready else None),
                    placeholder="/ tenant: staff: ticket: action: layer: session: request: since: until: words",
                    id="audit-filter",
                )
                yield Words(id="audit-found")
            yield Words(id="audit-problem")
            yield VirtualTable(COLUMNS, self.context.now, empty="no entry fits", moved=self._moved, id="audit-table")
        yield FieldPane("⏎ shows all", id="audit-detail")

    def on_mount(self) -> None:
        self.table.focus()

    @property
    def table(self) -> VirtualTable:
        return self.query_one(VirtualTable)

    # -- what is shown -------------------------------------------------------------------------------------------

    def reload(self, changes: ChangeSet | None) -> None:
        reader = self.context.reader
        self._names = tenant_names(reader)
        last = newest(reader, self.log_name)
        if self._found is None:
            first_copy = self.context.copying or not self.table.count
            self.table.show(LogRows(reader, self.log_name, last, self.context.zone), from_top=first_copy)
        elif self._searching and not self._upto:
            return  # the first search for this filter goes on to what is new by itself
        elif last > self._upto:
            self._search(after=self._upto)
        else:
            self.table.show(FoundRows(reader, self.log_name, self._found, self.context.zone))
        self._tell_found()
        self._show_entry(self.table.cursor_key)

    def show_log(self, log: str) -> None:
        """Another log: the operator's, or `tenant:<id>`."""
        self.log_name = log
        self._refilter()

    def _refilter(self) -> None:
        """Apply what stands in the filter line, from the top."""
        if not self.context.ready:
            return
        line = self.query_one(FilterLine)
        self.wanted = parse_filter(line.value, self.context.now(), self.context.zone)
        line.set_class(not self.wanted.empty, "-filtering")
        problem = self.query_one("#audit-problem", Words)
        problem.update(safe("; ".join(self.wanted.problems)))
        problem.set_class(bool(self.wanted.problems), "-told")
        self.workers.cancel_group(self, "audit-search")
        self._found, self._upto, self._searching = (None if self.wanted.empty else array("q")), 0, False
        if self.wanted.empty:
            reader = self.context.reader
            last = newest(reader, self.log_name)
            self.table.show(LogRows(reader, self.log_name, last, self.context.zone), from_top=True)
            self._tell_found()
            self._show_entry(self.table.cursor_key)
        else:
            self._search(after=0)

    def _search(self, after: int) -> None:
        """Find in a thread what fits the filter; with `after`, only what is newer, to stand before what is known."""
        replica, log, wanted = self.context.replica, self.log_name, self.wanted
        known = self._found if self._found is not None else array("q")
        if replica is None:
            return

        def run() -> None:
            worker = get_current_worker()
            connection = replica.new_reader()
            try:
                upto, found = newest(connection, log), array("q")
                for step in search(connection, log, wanted, after=after, stopped=lambda: worker.is_cancelled):
                    found += step if not step or step[0] <= upto else array("q", (seq for seq in step if seq <= upto))
                    if worker.is_cancelled:
                        return
                    self.app.call_from_thread(self._take, worker, found + known, upto, False)
                self.app.call_from_thread(self._take, worker, found + known, upto, True)
            finally:
                connection.close()

        self.query_one("#audit-found", Words).update("searching …")
        self._worker = self.run_worker(run, name="audit search", group="audit-search", exclusive=True, thread=True)
        self._fresh, self._searching = not after, True

    def _take(self, worker: Worker[None], found: array[int], upto: int, done: bool) -> None:
        """A step of a search. What belongs to a search that was given up is dropped; only a whole one is built upon."""
        if worker.is_cancelled or not self.is_mounted:
            return
        source = FoundRows(self.context.reader, self.log_name, found, self.context.zone)
        self.table.show(source, from_top=self._fresh)
        self._fresh = False
        if done:
            self._found, self._upto, self._searching = found, upto, False
        self._tell_found(len(found), searching=not done)
        self._show_entry(self.table.cursor_key)
        if done and newest(self.context.reader, self.log_name) > upto:
            self._search(after=upto)

    def _tell_found(self, found: int | None = None, *, searching: bool = False) -> None:
        log = self.log_name.removeprefix("tenant:")
        title = "operator log" if self.log_name == OPERATOR else f"log of {self._names.get(log, log)}"
        self.query_one("#audit-title", Words).update(Content(visible(title)))
        if found is None and self._found is not None:
            found = len(self._found)
        words = f"{self.table.count:,} entries" if found is None else f"{found:,} found"
        self.query_one("#audit-found", Words).update(words + (" …" if searching else ""))

    def _show_entry(self, key: str | None) -> None:
        """The details of the entry under the cursor."""
        reader = self.context.reader
        found = entries_by_number(reader, self.log_name, [int(key)]) if key else []
        self.entry = found[0] if found else None
        if self.has_class("-one-pane"):
            return
        for pane in self.query(FieldPane):  # none while the console closes and a search still comes in
            pane.show(self.entry_in_full())

    def entry_in_full(self) -> tuple[Field, ...]:
        """The entry under the cursor."""
        if self.entry is None:
            return ()
        tenant = str(self.entry.data.get("tenant", ""))
        hash = entry_hash(self.context.reader, self.log_name, self.entry.seq)
        return entry_fields(self.entry, hash, self._names.get(tenant, ""), self.context.zone)

    # -- what comes in -------------------------------------------------------------------------------------------

    def _moved(self, key: str | None) -> None:
        """In the frame of the key itself: a message would come one frame later."""
        if self.context.ready:
            self._show_entry(key)
            self.refresh_hints()

    @on(VirtualTable.Chosen)
    def _chosen(self) -> None:
        self.action_perform("audit.details")

    @on(Input.Changed, "#audit-filter")
    def _typed(self) -> None:
        self.set_timer(TYPING_PAUSE, partial(self._pause_over, self.query_one(FilterLine).value))

    def _pause_over(self, typed: str) -> None:
        if typed == self.query_one(FilterLine).value:
            self._refilter()

    @on(FilterLine.Left)
    def _left_filter(self) -> None:
        self.table.focus()

    def go_to(self, key: str) -> bool:
        """A filter, handed over by another screen: `session:S-…` shows that session's story."""
        line = self.query_one(FilterLine)
        line.value = key
        self._refilter()
        return True
