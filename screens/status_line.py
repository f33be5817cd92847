"""The honest state in one line, and in full: live or how old, how far verified, which faults were found."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING

from textual.content import Content

from app.policy.duty import in_office
from app.services import reading
from screens.context import ConsoleContext
from screens.queued import counter
from storage.replica.queries.age import newest_entry_at
from storage.replica.queries.mail import mail_trouble
from widgets.bars import Status
from widgets.countdown import left_text
from widgets.moments import clock_text, zone_text
from widgets.text import visible

if TYPE_CHECKING:
    from storage.log.verify import Fault
    from storage.sync import SyncStatus

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
    verified = " · ".join(filter(None, (verified, on_call(context, now))))
    kept = counter(context)
    if not status.live:
        reach = f"OFFLINE {_age(status, now)}" if status.offline_since else "connecting"  # nothing has failed yet
        note = f"{reach} — {_copy_words(context, status, now)}"
        return Status(f"{note} · {kept}" if kept else note, clock, verified, live=False)
    live = "live, by polling" if _polls(context) else "live"
    post = _mail_words(context, now)
    notes = " · ".join(filter(None, (kept, post, live)))
    return Status(notes, clock, verified, live=not kept and not post)


def _mail_words(context: ConsoleContext, now: datetime) -> str:
    """Letters that failed or wait too long concern everybody here: what nobody got starts no clock (REQ-503)."""
    trouble = mail_trouble(context.reader, now) if context.ready else None
    if trouble is None:
        return ""
    parts = [f"{trouble.failed:,} letters FAILED"] if trouble.failed else []
    if trouble.waiting and trouble.oldest is not None:
        seconds = (now - trouble.oldest).total_seconds()
        parts.append(f"{trouble.waiting:,} letters wait {left_text(seconds, coarse=seconds < 3600)}")
    return f"MAIL: {', '.join(parts)}"


def _polls(context: ConsoleContext) -> bool:
    """Whether changes are seen late because no hint of them gets through: somebody stands between."""
    return context.shared is not None and context.shared.listening is False


def on_call(context: ConsoleContext, now: datetime) -> str:
    """REQ-111: "on call: dana", where there is a rota or the office is closed. Read once for each state and minute."""
    if not context.ready or context.replica is None:
        return ""
    key = (context.generation, int(now.timestamp()) // 60)
    if context.on_call_shown[0] != key:
        duty = reading.duty(context.replica.view("status"))
        names = [visible(one.email).partition("@")[0] for one in duty.on_call(now)]
        nobody = "" if in_office(duty.hours, now) else "on call: nobody"
        context.on_call_shown = (key, f"on call: {', '.join(names)}" if names else nobody)
    return context.on_call_shown[1]


def _age(status: SyncStatus, now: datetime) -> str:
    """How long the shared database has been out of reach: `4m`, `3h 05m`, `1d 2h`."""
    seconds = (now - status.offline_since).total_seconds() if status.offline_since else 0.0
    return left_text(seconds, coarse=seconds < 3600)


def _copy_words(context: ConsoleContext, status: SyncStatus, now: datetime) -> str:
    """What is read. A console that has not been live since it was started says how old its copy is, not itself."""
    newest = newest_entry_at(context.reader) if status.last_pull is None and context.ready else None
    seconds = (now - newest).total_seconds() if newest is not None else 0.0
    if newest is None or seconds < 60:
        return "reading the copy"
    return f"reading the copy, {left_text(seconds, coarse=seconds < 3600)} old"


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
        if _polls(context):
            state += (
                "; a pooler in transaction mode stands between, which lets no notification through: changes of others"
                " are seen by polling, about a second late"
            )
    else:
        gone = status.offline_since
        since = f"out of reach since {clock_text(gone, context.zone)}" if gone else "not reached yet"
        state = f"{since}; everything here is read from this console's own copy"
    parts.append((f"\n\nShared database: {state}.", ""))
    trouble = mail_trouble(context.reader, context.now()) if context.ready else None
    if trouble is not None:
        why = f" The last word on it: {visible(trouble.why)}." if trouble.why else ""
        parts.append(
            (f"\n\n{visible(_mail_words(context, context.now()))}.{why}\n`countersign mail list` has them all.", "")
        )
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
