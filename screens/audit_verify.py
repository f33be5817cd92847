"""Verification with its progress: every entry, twin, row and head read again from the shared database (REQ-404)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from screens.context import ConsoleContext
from storage.errors import CountersignError
from widgets.countdown import bar
from widgets.dialog import CANCEL, CLOSE, Choice, Dialog
from widgets.text import safe, visible

if TYPE_CHECKING:
    from storage.log.verify import Report

SHOWN = 50
BAR = 40


class VerifyDialog(Dialog[bool]):
    """Runs while it is open; leaving it cancels. Answers True if all was sound."""

    choices: Sequence[Choice] = (CANCEL,)

    def __init__(self, context: ConsoleContext) -> None:
        super().__init__("Verify every log and every row")
        self.context = context
        self._report: Report | None = None

    def body(self) -> ComposeResult:
        yield Static("reading …", id="verify-words", markup=False)

    def on_mount(self) -> None:
        self.run_worker(self._verify(), name="verify", group="verify")

    async def _verify(self) -> None:
        try:
            self._report = await self.context.verify(self._progress)
        except CountersignError as error:
            self.problem(f"could not finish: {error}. {error.advice}")
            return
        self.query_one("#verify-words", Static).update(verdict_words(self._report))
        self.set_class(not self._report.sound, "-danger")
        self.relabel(CLOSE)

    def _progress(self, what: str, done: int, total: int) -> None:
        fraction = done / total if total else 1.0
        words = f"{what}\n{bar(fraction, BAR)} {done:,} of {total:,}"
        self.query_one("#verify-words", Static).update(safe(words, lines=True))

    async def chosen(self, choice: str) -> None:
        self.dismiss(self._report.sound if self._report is not None else None)


def verdict_words(report: Report) -> Content:
    """What was found, in words."""
    checked = f"{report.entries:,} entries of {report.logs:,} logs and {report.rows:,} rows in {report.seconds:.1f} s"
    if report.sound:
        return Content.assemble(
            ("verified ✓\n\n", "bold $tone-good"),
            (
                f"{checked}.\n\nNumbers without gaps, every link and hash, every twin, every row's digest, every head.",
                "",
            ),
        )
    parts: list[tuple[str, str]] = [("✗ FAULTS FOUND\n\n", "bold $tone-bad"), (f"{checked}.\n", "")]
    for fault in report.faults[:SHOWN]:
        parts += [
            (f"\n✗ {visible(fault.log)}  no. {fault.seq:,}\n", "bold $tone-bad"),
            (f"  {visible(fault.what)}\n", ""),
        ]
    more = len(report.faults) - SHOWN + report.further
    if more > 0:
        parts.append((f"\n… and {more:,} more", ""))
    return Content.assemble(*parts)
