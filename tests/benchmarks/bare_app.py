"""A bare Textual application with a header, a table and a footer: what the console's cold start is held against."""

from __future__ import annotations

from textual.app import App, ComposeResult
from textual.widgets import DataTable, Footer, Header


class Bare(App[None]):
    """Nothing of ours."""

    def compose(self) -> ComposeResult:
        yield Header()
        yield DataTable()
        yield Footer()

    def on_mount(self) -> None:
        table = self.query_one(DataTable)
        table.add_columns("one", "two", "three")
        table.add_rows([(f"row {number}", "READY", number) for number in range(30)])


if __name__ == "__main__":
    Bare().run()
