"""A main screen that is one list: a filter line above it, and beside it the detail of what stands under the cursor.

From 110 columns the detail stands beside the list; below that Enter opens it over the list and Esc goes back. A
subclass yields `compose_list`, then its panes with the class `list-detail`, and says how the list is read and how the
detail is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import events, on
from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Input

from screens.main import MainScreen
from widgets.columns import Column
from widgets.entry import LineEntry
from widgets.kept import Columns, Rows, Words
from widgets.table import VirtualTable

if TYPE_CHECKING:
    from textual.widget import Widget

    from screens.context import ConsoleContext


class ListScreen(MainScreen):
    """`filter_text` is what stands in the filter line; `read_list` is called when it has changed."""

    DEFAULT_CSS = """
    ListScreen {
        #list-pane { width: 1fr; height: 1fr; }
        #list-top { height: 1; padding: 0 1 0 2; background: $surface; }
        #list-summary { width: 1fr; color: $tone-dim; text-wrap: nowrap; text-overflow: ellipsis; }
        #list-filter { display: none; width: 1fr; }
        &.-filtering #list-filter { display: block; }
        &.-filtering #list-summary { width: auto; max-width: 60%; margin-left: 1; }
        .list-detail { display: none; width: 1fr; }
        &.-reading #list-pane { display: none; }
        &.-reading .list-detail { display: block; }
        &.-two-panes #list-pane, &.-three-panes #list-pane { display: block; }
        &.-two-panes .list-detail, &.-three-panes .list-detail { display: block; border-left: vkey $panel; }
    }
    """

    def __init__(self, context: ConsoleContext) -> None:
        super().__init__(context)
        self.filter_text = ""

    # -- for subclasses ------------------------------------------------------------------------------------------

    def compose_list(self, columns: Sequence[Column], *, hint: str, empty: str) -> ComposeResult:
        """The list's pane. `hint` stands in the empty filter line, `empty` in the empty list."""
        with Rows(id="list-pane"):
            with Columns(id="list-top"):
                yield LineEntry(placeholder=hint, id="list-filter")
                yield Words(id="list-summary")
            yield VirtualTable(columns, self.context.now, empty=empty, id="list")

    def read_list(self, *, from_top: bool = False) -> None:
        """Read the replica again and show what fits `filter_text`; `from_top` where that is another list."""
        raise NotImplementedError

    def show_line(self) -> None:
        """Show the detail of what stands under the cursor, and ask the keys again."""
        raise NotImplementedError

    def detail_to_read(self) -> Widget:
        """What takes the keys while, in one pane, the detail is read."""
        raise NotImplementedError

    # -- what is shown -------------------------------------------------------------------------------------------

    @property
    def table(self) -> VirtualTable:
        return self.query_one("#list", VirtualTable)

    @property
    def filter_line(self) -> LineEntry:
        return self.query_one("#list-filter", LineEntry)

    @property
    def detail_hidden(self) -> bool:
        """Whether there is room for one pane, and it is the list."""
        return self.one_pane and not self.has_class("-reading")

    @property
    def one_pane(self) -> bool:
        return self.has_class("-one-pane")

    def summarise(self, words: str | Content) -> None:
        """Say above the list what it holds."""
        self.query_one("#list-summary", Words).update(words)

    def on_mount(self) -> None:
        self.table.focus()

    @on(VirtualTable.Highlighted, "#list")
    def _highlighted(self) -> None:
        self.show_line()

    # -- going about ---------------------------------------------------------------------------------------------

    def open_detail(self) -> None:
        """On one pane: the detail instead of the list."""
        self.add_class("-reading")
        self.detail_to_read().focus()
        self.refresh_hints()

    def do_filter(self) -> None:
        self.remove_class("-reading")
        self.add_class("-filtering")
        self.filter_line.focus()

    def do_back(self) -> None:
        if self.has_class("-reading"):
            self.remove_class("-reading")
            self.table.focus()
            self.refresh_hints()
        elif self.has_class("-filtering"):
            self.remove_class("-filtering")
            self.filter_text = ""
            self.filter_line.prefill("")
            self.read_list(from_top=True)
            self.table.focus()

    @on(Input.Changed, "#list-filter")
    def _filter_typed(self, event: Input.Changed) -> None:
        event.stop()
        if event.value != self.filter_text and self.context.ready:
            self.filter_text = event.value
            self.read_list(from_top=True)

    @on(Input.Submitted, "#list-filter")
    def _filter_done(self, event: Input.Submitted) -> None:
        event.stop()
        self.table.focus()

    def on_key(self, event: events.Key) -> None:
        """From the filter, Down goes on into what was found."""
        if event.key == "down" and self.filter_line.has_focus:
            event.stop()
            self.table.focus()
