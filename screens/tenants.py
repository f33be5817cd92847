"""The tenant inspector: every tenant, what its settings mean here and now, and "can I get in, and how?" (REQ-601).

Nothing is changed here. From 110 columns the inspector stands beside the list; below that Enter opens it over it.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.widgets import Input, Static

from app.policy.verdict import Finding, Verdict
from screens.actions import Action
from screens.context import ConsoleContext
from screens.main import MainScreen
from screens.tenant_panel import TenantPanel
from screens.tenant_rows import COLUMNS, TenantSource
from storage.log.entry import tenant_log
from storage.replica.queries.tenants import tenants_shut
from widgets.dialog import Notice
from widgets.entry import LineEntry
from widgets.table import VirtualTable
from widgets.text import visible

if TYPE_CHECKING:
    from storage.sync import ChangeSet

_TOUCHING = frozenset({"tenant", "settings", "contact", "session", "staff"})
_NONE = Verdict((Finding("REQ-801", False, "no tenant stands under the cursor"),))
_CLOSED = Verdict((Finding("REQ-802", False, "the shared database is not open yet"),))


class TenantsScreen(MainScreen):
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
        #tenant-list { width: 1fr; height: 1fr; }
        #tenant-top { height: 1; padding: 0 1 0 2; background: $surface; }
        #tenant-summary { width: 1fr; color: $tone-dim; text-wrap: nowrap; text-overflow: ellipsis; }
        #tenant-filter { display: none; width: 1fr; }
        &.-filtering #tenant-filter { display: block; }
        &.-filtering #tenant-summary { width: auto; max-width: 60%; margin-left: 1; }
        #tenant-panel { display: none; width: 1fr; }
        &.-reading #tenant-list { display: none; }
        &.-reading #tenant-panel { display: block; }
        &.-two-panes #tenant-list, &.-three-panes #tenant-list { display: block; }
        &.-two-panes #tenant-panel { display: block; width: 45%; border-left: vkey $panel; }
        &.-three-panes #tenant-panel { display: block; width: 60%; border-left: vkey $panel; }
        &.-three-panes #tenant-columns { layout: horizontal; }
    }
    """

    def __init__(self, context: ConsoleContext) -> None:
        super().__init__(context)
        self._filter = ""

    def compose_body(self) -> ComposeResult:
        with Vertical(id="tenant-list"):
            with Horizontal(id="tenant-top"):
                yield LineEntry(placeholder="words: name, id, plan", id="tenant-filter")
                yield Static("", id="tenant-summary", markup=False)
            yield VirtualTable(COLUMNS, self.context.now, empty="no tenants yet", id="tenants")
        yield TenantPanel(self.context, id="tenant-panel")

    def on_mount(self) -> None:
        super().on_mount()
        self.table.focus()

    @property
    def table(self) -> VirtualTable:
        return self.query_one("#tenants", VirtualTable)

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
            self._read()
        elif changes.entries:
            self.panel.show(self.table.cursor_key)  # its log has grown

    def on_tick(self, now: datetime) -> None:
        self.panel.refresh_time_cells()

    def _read(self, from_top: bool = False) -> None:
        source = TenantSource(self.context, self._filter)
        self.table.empty = "no tenant fits this filter" if self._filter else "no tenants yet"
        self.table.show(source, from_top=from_top)
        shut = tenants_shut(self.context.reader)
        words = f"{source.count():,} tenant{'' if source.count() == 1 else 's'}"
        closed = f" · {shut} let{'s' if shut == 1 else ''} nobody in" if shut else ""
        self.query_one("#tenant-summary", Static).update(
            Content(f"{words}{closed} · the settings are the tenants' own")
        )
        self._show_tenant()

    def _show_tenant(self) -> None:
        self.panel.show(self.table.cursor_key)
        self.refresh_hints()

    @on(VirtualTable.Highlighted, "#tenants")
    def _highlighted(self) -> None:
        self._show_tenant()

    @on(VirtualTable.Chosen, "#tenants")
    def _chosen(self) -> None:
        self.action_perform("tenants.open")

    # -- acts ------------------------------------------------------------------------------------------------------

    def do_open(self) -> None:
        self.add_class("-reading")
        self.panel.focus()

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

    def do_filter(self) -> None:
        self.remove_class("-reading")
        self.add_class("-filtering")
        self.query_one("#tenant-filter", LineEntry).focus()

    def do_back(self) -> None:
        if self.has_class("-reading"):
            self.remove_class("-reading")
            self.table.focus()
        elif self.has_class("-filtering"):
            self.remove_class("-filtering")
            self._filter = ""
            self.query_one("#tenant-filter", LineEntry).prefill("")
            self._read(from_top=True)
            self.table.focus()

    @on(Input.Changed, "#tenant-filter")
    def _filter_typed(self, event: Input.Changed) -> None:
        event.stop()
        if event.value != self._filter and self.context.ready:
            self._filter = event.value
            self._read(from_top=True)

    @on(Input.Submitted, "#tenant-filter")
    def _filter_done(self, event: Input.Submitted) -> None:
        event.stop()
        self.table.focus()

    def on_key(self, event: events.Key) -> None:
        """From the filter, Down goes on into what was found."""
        if event.key == "down" and self.query_one("#tenant-filter", LineEntry).has_focus:
            event.stop()
            self.table.focus()
