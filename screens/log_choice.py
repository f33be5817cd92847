"""Which log to read: the operator's, or one tenant's own (REQ-402)."""

from __future__ import annotations

from typing import ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from screens.context import ConsoleContext
from storage.replica.queries.log import OPERATOR, log_sizes, tenant_names
from widgets.columns import Column
from widgets.dialog import CANCEL, Choice, Dialog
from widgets.filter_line import FilterLine
from widgets.rows import ListSource, RowView
from widgets.table import VirtualTable
from widgets.text import visible

COLUMNS = (
    Column("log", "log", 40, least=20, grow=1),
    Column("id", "tenant", 16, priority=1),
    Column("n", "entries", 9, right=True),
)


class LogChoice(Dialog[str]):
    """Answers the log's name."""

    choices = (CANCEL, Choice("open", "Open", "enter"))
    AUTO_FOCUS = "FilterLine"

    BINDINGS: ClassVar[list[BindingType]] = [Binding("down", "to_list", show=False)]

    DEFAULT_CSS = "LogChoice VirtualTable { height: 14; }"

    def __init__(self, context: ConsoleContext) -> None:
        super().__init__("Which log?")
        self.context = context

    def body(self) -> ComposeResult:
        yield FilterLine(placeholder="part of a tenant's name or id")
        yield VirtualTable(COLUMNS, self.context.now, empty="no tenant of that name")

    def on_mount(self) -> None:
        self._fill("")

    def _fill(self, words: str) -> None:
        reader = self.context.reader
        sizes, names = log_sizes(reader), tenant_names(reader)
        lines = [RowView(OPERATOR, ("operator log: everything", "", f"{sizes.get(OPERATOR, 0):,}"))]
        for id, name in sorted(names.items(), key=lambda item: item[1].casefold()):
            lines.append(RowView(f"tenant:{id}", (visible(name), visible(id), f"{sizes.get(f'tenant:{id}', 0):,}")))
        wanted = words.casefold()
        fitting = [line for line in lines if wanted in str(line.cells[0]).casefold() or wanted in line.key.casefold()]
        self.query_one(VirtualTable).show(ListSource(fitting), from_top=True)

    def on_input_changed(self, event: FilterLine.Changed) -> None:
        self._fill(event.value)

    @on(FilterLine.Left)
    def _to_list(self) -> None:
        self.query_one(VirtualTable).focus()

    @on(VirtualTable.Chosen)
    def _row_chosen(self, event: VirtualTable.Chosen) -> None:
        self.dismiss(event.key)

    async def chosen(self, choice: str) -> None:
        self.dismiss(self.query_one(VirtualTable).cursor_key if choice == "open" else None)

    def action_to_list(self) -> None:
        self.query_one(VirtualTable).focus()
