"""The honest state in one line, and in full: live or how old, how far verified, which faults were found."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from screens.context import ConsoleContext
from widgets.bars import Status
from widgets.countdown import left_text
from widgets.moments import clock_text, zone_text
from widgets.text import visible

if TYPE_CHECKING:
    from storage.log.verify import Fault

SHOWN_FAULTS = 100

HOW = (
    "Each entry is checked as it arrives: its number follows the last, it carries the hash of the entry before it, its "
    "own hash is that of its bytes, and every row it changed matches the digest it lists. The heads seen are kept in a "
    "file apart, so that a cut or rewritten log is noticed.\n\n`v` in the audit viewer checks it all again."
)

MEANING = (
    "What it means: the database was changed behind the program's back, or restored from an older copy. Acts that add "
    "privilege are refused, and nothing is resynchronised over it.\n"
    "What to do: leave the file as it is, and tell whoever is responsible for security."
)


def status_of(context: ConsoleContext) -> Status:
    """The status line now."""
    now = context.now()
    clock = f"{clock_text(now, context.zone)} {zone_text(now, context.zone)}"
    status = context.sync_status()
    if status is None:
        return Status(context.loading, clock, live=False)
    if status.faults:
        first = status.faults[0]
        more = f" (+{len(status.faults) - 1})" if len(status.faults) > 1 else ""
        return Status("", clock, alarm=visible(f"FAULT in {first.log} {first.seq}: {first.what}{more} · press !"))
    if status.bootstrapping:
        done, total = status.bootstrapping
        return Status(f"copying and verifying {done:,} of {total:,}", clock, live=False)
    rev = status.position.head.seq if status.position else 0
    mark = "✓" if status.verified_rev >= rev else f"✓ to {status.verified_rev:,}"
    verified = f"rev {rev:,} {mark}" if status.position else ""
    if not status.live:
        age = left_text((now - status.offline_since).total_seconds(), coarse=True) if status.offline_since else ""
        return Status(f"OFFLINE {age} — reading the copy".replace("  ", " "), clock, verified, live=False)
    return Status("live", clock, verified)


def state_in_full(context: ConsoleContext) -> tuple[str, Content, bool]:
    """Title, words and whether it is an alarm: what stands behind the badge."""
    status = context.sync_status()
    if status is None:
        return "Not connected", Content(f"The shared database is not open: {visible(context.loading)}."), False
    if status.faults:
        return "FAULTS in the history", _faults(status.faults, context.evidence), True
    parts: list[tuple[str, str]] = []
    if position := status.position:
        head = position.head
        parts.append((f"verified ✓ {status.verified_rev:,} of {head.seq:,} entries\n\n", "bold $tone-good"))
        parts.append((f"head    {head.seq:,}\nhash    {head.hash}\nepoch   {visible(position.epoch)}\n\n", ""))
    parts.append((HOW, ""))
    if status.live:
        state = "live"
    else:
        since = clock_text(status.offline_since, context.zone) if status.offline_since else "the start"
        state = f"out of reach since {since}; everything here is read from this console's own copy"
    parts.append((f"\n\nShared database: {state}.", ""))
    return "How the history is verified", Content.assemble(*parts), False


def _faults(faults: Sequence[Fault], evidence: str) -> Content:
    parts: list[tuple[str, str]] = [("The history is not what this console had verified.\n\n", "bold")]
    for fault in faults[:SHOWN_FAULTS]:
        parts.append((f"✗ {visible(fault.log)}  no. {fault.seq:,}\n", "bold $tone-bad"))
        parts.append((f"  {visible(fault.what)}\n", ""))
    if len(faults) > SHOWN_FAULTS:
        parts.append((f"… and {len(faults) - SHOWN_FAULTS} more\n", ""))
    parts.append((f"\n{MEANING}\nEvidence: {visible(evidence)}", ""))
    return Content.assemble(*parts)
