"""The tenant inspector: every tenant, what its settings mean here and now, and "can I get in, and how?" (REQ-601).

Nothing is changed here. From 110 columns the inspector stands beside the list; below that Enter opens it over it.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.content import Content

from app.policy.verdict import Finding, Verdict
from screens.actions import Action
from screens.listing import ListScreen
from screens.tenant_panel import TenantPanel
from screens.tenant_rows import COLUMNS, TenantSource
from storage.log.entry import tenant_log
from storage.replica.queries.tenants import tenants_shut
from widgets.dialog import Notice
from widgets.table import VirtualTable
from widgets.text import visible

if TYPE_CHECKING:
    from textual.widget import Widget

    from storage.sync import ChangeSet

NO_TENANTS = "no tenants yet"

_TOUCHING = frozenset({"tenant", "settings", "contact", "session", "staff"})
_NONE = Verdict((Finding("REQ-801", False, "no tenant stands under the cursor"),))
_CLOSED = Verdict((Finding("REQ-802", False, "the shared database is not open yet"),))


class TenantsScreen(ListScreen):
    """The fourth screen."""

    MODE = "tenants"
    ACTIONS: ClassVar[tuple[Action, ...]] = (
        Action("tenants.open", "enter", "Open", "the inspector", available=lambda screen: screen.on_a_row()),
        Action(
            "tenants.verify",
            "v",
            "Verify log",
            "check every entry of this tenant's log again",
            available=lambda screen: screen.on_a_row() & screen.can_verify(),
        ),
        Action("tenants.filter", "slash", "Filter", "words of name, id, plan"),
        Action("tenants.back", "escape", "Back", "close the inspector, or the filter", footer=False),
    )

    DEFAULT_CSS = """
    TenantsScreen {
        &.-two-panes #tenant-panel { width: 45%; }
        &.-three-panes #tenant-panel { width: 60%; }
        &.-three-panes #tenant-columns { layout: horizontal; }
    }
    """

    def compose_body(self) -> ComposeResult:
        yield from self.compose_list(COLUMNS, hint="words: name, id, plan", empty=NO_TENANTS)
        yield TenantPanel(self.context, id="tenant-panel", classes="list-detail")

    @property
    def panel(self) -> TenantPanel:
        return self.query_one(TenantPanel)

    def on_a_row(self) -> Verdict:
        return Verdict() if self.table.cursor_key is not None else _NONE

    def can_verify(self) -> Verdict:
        return Verdict() if self.context.shared is not None else _CLOSED

    # -- what is shown ---------------------------------------------------------------------------------------------

    def reload(self, changes: ChangeSet | None) -> None:
        if changes is None or changes.wholesale or changes.faults or changes.tables & _TOUCHING:
            self.read_list()
        elif changes.entries:
            self.panel.show(self.table.cursor_key)  # its log has grown

    def on_tick(self, now: datetime) -> None:
        self.panel.refresh_time_cells()

    def read_list(self, *, from_top: bool = False) -> None:
        source = TenantSource(self.context, self.filter_text)
        self.table.empty = "no tenant fits this filter" if self.filter_text else NO_TENANTS
        self.table.show(source, from_top=from_top)
        shut = tenants_shut(self.context.reader)
        words = f"{source.count():,} tenant{'' if source.count() == 1 else 's'}"
        closed = f" · {shut} let{'s' if shut == 1 else ''} nobody in" if shut else ""
        self.summarise(Content(f"{words}{closed} · the settings are the tenants' own"))
        self.show_line()

    def detail_to_read(self) -> Widget:
        return self.panel

    def show_line(self) -> None:
        self.panel.show(self.table.cursor_key)
        self.refresh_hints()

    @on(VirtualTable.Chosen, "#list")
    def _chosen(self) -> None:
        self.action_perform("tenants.open")

    # -- acts ------------------------------------------------------------------------------------------------------

    def do_open(self) -> None:
        self.open_detail()

    async def do_verify(self) -> None:
        """Every entry of this tenant's log, read again from the shared database and not from the copy."""
        from storage.log.verify import verify_all

        key, shared = self.table.cursor_key, self.context.shared
        if key is None or shared is None:
            return
        log = tenant_log(key)
        report = await verify_all(shared, (), logs=(log,))
        name = self.panel.name_shown
        if report.sound:
            self.tell(f"{report.entries:,} entries verified ✓", title=f"The log of {name}")
            return
        words = "\n".join(f"✗ no. {fault.seq:,}: {visible(fault.what)}" for fault in report.faults)
        self.app.push_screen(Notice(f"The log of {name} does not verify", words, danger=True, wide=True))
