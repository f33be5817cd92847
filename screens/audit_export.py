"""Export of what the viewer shows, as CSV or JSON Lines, and the entry that says so (REQ-407).

JSON Lines holds the exact stored bytes of each entry, one a line, oldest first: anybody can recompute their hashes.
"""

from __future__ import annotations

import csv
import os
import sqlite3
from array import array
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, ClassVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Input, RadioSet, Static
from textual.worker import get_current_worker

from screens.context import ConsoleContext
from storage.errors import CountersignError, Misconfigured
from storage.replica.queries.log import Entry, entries_between, entries_by_number, newest, search
from storage.replica.queries.log_filter import LogFilter
from widgets.dialog import CANCEL, Choice, Dialog
from widgets.entry import LineEntry, Pick

FIELDS = ("at", "action", "tenant", "target", "request", "session", "ticket", "reason", "ip")
CHUNK = 2000
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A cell that begins so is a formula to a spreadsheet."""


@dataclass(frozen=True, slots=True)
class Selection:
    """What to export: a log and a filter; an empty filter is the whole log."""

    log: str
    wanted: LogFilter
    line: str


class ExportDialog(Dialog[str]):
    """Answers the path written to."""

    choices = (CANCEL, Choice("export", "Export", "ctrl+s"))
    AUTO_FOCUS = "LineEntry"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter", "choose('export')", show=False)]
    DEFAULT_CSS = """
    ExportDialog RadioSet { border: none; height: auto; layout: horizontal; background: transparent; margin-top: 1; }
    ExportDialog LineEntry { width: 1fr; background: $panel; }
    """

    def __init__(self, context: ConsoleContext, selection: Selection) -> None:
        super().__init__("Export entries")
        self.context, self._selection = context, selection

    def body(self) -> ComposeResult:
        what = f"{self._selection.log} log"
        which = f"entries that fit: {self._selection.line}" if self._selection.line else "every entry"
        yield Static(f"{what}, {which}\n\nTo the file", markup=False)
        yield LineEntry(str(Path(self.context.exports).absolute() / "audit.jsonl"), id="export-path")
        with RadioSet(compact=True):
            yield Pick("JSON Lines: the exact bytes", True, id="jsonl")
            yield Pick("CSV", id="csv")

    def on_radio_set_changed(self, event: RadioSet.Changed) -> None:
        line = self.query_one(LineEntry)
        path = Path(line.value)
        if path.suffix in (".csv", ".jsonl"):
            line.prefill(str(path.with_suffix(f".{event.pressed.id}")))

    @on(Input.Submitted)
    async def _entered(self, event: Input.Submitted) -> None:
        event.stop()
        await self.chosen("export")

    async def chosen(self, choice: str) -> None:
        if choice != "export":
            self.workers.cancel_group(self, "export")
            self.dismiss(None)
            return
        form = "csv" if self.query_one("#csv", Pick).value else "jsonl"
        self.run_worker(self._export(self.query_one(LineEntry).value, form), group="export-act")

    async def _export(self, typed: str, form: str) -> None:
        replica = self.context.replica
        if replica is None:
            return
        selection = self._selection

        def write() -> int:
            worker = get_current_worker()
            connection = replica.new_reader()
            try:
                return write_export(connection, selection, Path(typed).expanduser(), form, lambda: worker.is_cancelled)
            finally:
                connection.close()

        self.problem("writing …")
        task = self.run_worker(write, name="export", group="export", thread=True, exit_on_error=False)
        try:
            written = await task.wait()
            await self._on_record(form, written)
        except CountersignError as error:
            self.problem(f"{error}. {error.advice}")
            return
        self.app.notify(f"{written:,} entries", title="Exported", markup=False)
        self.dismiss(typed)

    async def _on_record(self, form: str, written: int) -> None:
        """That a log was taken out is itself an entry."""
        from app.services.logs import exported  # services are loaded after the first frame

        desk, actor = self.context.desk, self.context.actor
        if desk is not None and actor is not None:
            await desk.run(exported, actor, self._selection.log, self._selection.line, form, written)


def write_export(
    connection: sqlite3.Connection, selection: Selection, path: Path, form: str, stopped: Callable[[], bool]
) -> int:
    """Write the file whole or not at all; how many entries. Raises Misconfigured if it cannot be written."""
    draft = path.with_name(path.name + ".part")
    try:
        with draft.open("w", encoding="utf-8", errors="surrogatepass", newline="") as file:
            written = (_as_csv if form == "csv" else _as_lines)(file, chosen_entries(connection, selection, stopped))
            file.flush()
            os.fsync(file.fileno())
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise Misconfigured(f"cannot write {path}: {error.strerror}", "choose another file") from error
    return written


def chosen_entries(
    connection: sqlite3.Connection, selection: Selection, stopped: Callable[[], bool]
) -> Iterator[Entry]:
    """The entries, oldest first."""
    if selection.wanted.empty:
        last = newest(connection, selection.log)
        for first in range(1, last + 1, CHUNK):
            if stopped():
                return
            yield from reversed(entries_between(connection, selection.log, first, min(last, first + CHUNK - 1)))
        return
    numbers = array("q")
    for step in search(connection, selection.log, selection.wanted, stopped=stopped):
        numbers += step
    numbers.reverse()
    for start in range(0, len(numbers), CHUNK):
        if stopped():
            return
        yield from entries_by_number(connection, selection.log, numbers[start : start + CHUNK])


def _as_lines(file: IO[str], entries: Iterator[Entry]) -> int:
    count = 0
    for entry in entries:
        file.write(entry.body + "\n")
        count += 1
    return count


def _as_csv(file: IO[str], entries: Iterator[Entry]) -> int:
    writer = csv.writer(file)
    writer.writerow(("seq", "actor", "email", *FIELDS, "entry"))
    count = 0
    for entry in entries:
        actor = entry.data.get("actor") or {}
        values = [str(entry.data.get(name) or "") for name in FIELDS]
        cells = [str(entry.seq), str(actor.get("name", "")), str(actor.get("email", "")), *values, entry.body]
        writer.writerow(["'" + cell if cell.startswith(FORMULA) else cell for cell in cells])
        count += 1
    return count
