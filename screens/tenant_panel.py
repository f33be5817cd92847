"""The inspector beside the list: reads one tenant from the replica and shows it, scrolling as a whole."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from textual.app import ComposeResult

from app.policy import explain
from app.policy.verdict import Refused
from app.services.reading import place
from screens.context import ConsoleContext
from screens.tenant_detail import TenantStory, access_fields, record_fields
from storage.log.entry import tenant_log
from storage.replica.queries.tenants import contacts_of, running_inside, setting_changes, tenant_card
from widgets.cells import Tone, Toned
from widgets.fields import FieldList, line
from widgets.kept import Pane, ScrolledPane
from widgets.moments import near_text
from widgets.text import visible


class TenantPanel(ScrolledPane, can_focus=True):
    """Two columns of fields, one below the other where there is no room beside."""

    DEFAULT_CSS = """
    TenantPanel {
        padding: 0 1; scrollbar-size-vertical: 1;
        & > #tenant-columns { layout: vertical; height: auto; }
        & #tenant-access { width: 1fr; margin-right: 2; }
        & #tenant-record { width: 1fr; }
    }
    """

    def __init__(self, context: ConsoleContext, *, id: str | None = None, classes: str = "") -> None:
        super().__init__(id=id, classes=classes)
        self._given = context
        self._shown: str | None = None
        self.name_shown = ""

    def compose(self) -> ComposeResult:
        with Pane(id="tenant-columns"):
            yield FieldList(self._given.now, id="tenant-access")
            yield FieldList(self._given.now, id="tenant-record")

    def show(self, tenant_id: str | None) -> None:
        """Show this tenant as the replica has it now."""
        story = read_story(self._given, tenant_id) if tenant_id is not None else None
        access, record = self.query_one("#tenant-access", FieldList), self.query_one("#tenant-record", FieldList)
        if story is None:
            access.show([line(Toned("no tenant selected", Tone.DIM))])
            record.show([])
            self.name_shown = ""
        else:
            access.show(access_fields(story, self._times()))
            record.show(record_fields(story, self._times()))
            self.name_shown = visible(story.card.tenant.name)
        if tenant_id != self._shown:
            self._shown = tenant_id
            self.scroll_home(animate=False)

    def refresh_time_cells(self) -> None:
        """Draw on what depends on the time."""
        for fields in self.query(FieldList):
            fields.refresh_time_cells()

    @property
    def text(self) -> str:
        """What is shown, as plain text."""
        return "\n".join(fields.text for fields in self.query(FieldList))

    def _times(self) -> Callable[[datetime], str]:
        now, zone = self._given.now(), self._given.zone
        return lambda at: near_text(at, now, zone)


def read_story(context: ConsoleContext, tenant_id: str) -> TenantStory | None:
    """Everything the inspector shows, or None if there is no such tenant in this copy."""
    reader, now = context.reader, context.now()
    card = tenant_card(reader, tenant_id, now)
    if card is None:
        return None
    status = context.sync_status()
    log = tenant_log(tenant_id)
    faults = [fault for fault in status.faults if fault.log == log] if status is not None else []
    return TenantStory(
        card=card,
        contacts=contacts_of(reader, tenant_id),
        changes=setting_changes(reader, tenant_id),
        access=_access(context, tenant_id, now),
        fault=f"no. {faults[0].seq:,}: {faults[0].what}" if faults else "",
        running=running_inside(reader, tenant_id, now),
    )


def _access(context: ConsoleContext, tenant_id: str, now: datetime) -> explain.Explanation | None:
    if context.staff is None or context.replica is None:
        return None
    try:
        return explain.tenant(context.staff, place(context.replica.view("preview"), tenant_id), now)
    except Refused as refusal:
        return explain.Explanation(refusal.verdict, (), (), None)
