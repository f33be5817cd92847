"""What can be done in the audit viewer: read in full, filter, verify, export, copy, follow an entry to its subject."""

from __future__ import annotations

from textual.app import ComposeResult

from app.policy.verdict import Verdict, rule
from screens.context import ConsoleContext
from screens.log_choice import LogChoice
from screens.main import MainScreen
from storage.replica.queries.log import Entry
from storage.replica.queries.log_filter import LogFilter
from widgets.dialog import Reader
from widgets.fields import Field, FieldList
from widgets.filter_line import FilterLine


class EntryDialog(Reader):
    """One entry, over the list."""

    def __init__(self, context: ConsoleContext, title: str, fields: tuple[Field, ...]) -> None:
        super().__init__(title, wide=True)
        self.context, self._entry_fields = context, fields

    def body(self) -> ComposeResult:
        yield FieldList(self.context.now, self._entry_fields)


class AuditActs(MainScreen):
    """The acts; `AuditScreen` has the state."""

    entry: Entry | None
    log_name: str
    wanted: LogFilter

    def entry_in_full(self) -> tuple[Field, ...]:
        """The entry under the cursor."""
        return ()

    def show_log(self, log: str) -> None:
        """Another log."""

    def may_verify(self) -> Verdict:
        """Verification reads the shared database, so that it does not prove a copy by itself."""
        status = self.context.sync_status()
        open_now = self.context.shared is not None
        live = status is not None and status.live
        return rule("REQ-404", open_now and live, "", "the shared database is out of reach, and this checks it itself")

    def may_export(self) -> Verdict:
        return rule("REQ-407", self.context.ready, "", "the copy is not open yet")

    def do_details(self) -> None:
        if self.entry is not None:
            self.app.push_screen(EntryDialog(self.context, f"Entry {self.entry.seq:,}", self.entry_in_full()))

    def do_filter(self) -> None:
        self.query_one(FilterLine).focus()

    async def do_verify(self) -> None:
        from screens.audit_verify import VerifyDialog

        await self.app.push_screen_wait(VerifyDialog(self.context))

    async def do_export(self) -> None:
        from screens.audit_export import ExportDialog, Selection

        line = "" if self.wanted.empty else self.query_one(FilterLine).value
        await self.app.push_screen_wait(ExportDialog(self.context, Selection(self.log_name, self.wanted, line)))

    def do_copy(self) -> None:
        if self.entry is not None:
            self.app.copy_to_clipboard(self.entry.body)

    def do_request(self) -> None:
        if self.entry is not None:
            self.context.go(self.app, "queue", str(self.entry.data["request"]))

    def do_session(self) -> None:
        if self.entry is not None:
            self.context.go(self.app, "sessions", str(self.entry.data["session"]))

    async def do_log(self) -> None:
        chosen = await self.app.push_screen_wait(LogChoice(self.context))
        if chosen:
            self.show_log(chosen)
