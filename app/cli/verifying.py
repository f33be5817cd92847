"""`audit verify`: the verifier's report in words or as JSON, with its exit status."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from app.bootstrap import Workplace
from app.cli.failure import FAULT
from app.cli.output import print_json, put
from storage.errors import Misconfigured
from storage.log.chain import Fault


async def shared(place: Workplace, log: str, *, as_json: bool) -> int:
    """Everything in the shared database, or one log's chain; held against the heads this console has seen."""
    from storage.log.verify import verify_all
    from storage.models.tables import ROW_TABLES

    if log and log not in (known := await place.shared.logs()):
        raise Misconfigured(f"there is no log {log}", f"the logs are {', '.join(sorted(known)[:12])}")
    shown = _Progress()
    report = await verify_all(
        place.shared, ROW_TABLES, seen=place.witness, logs=[log] if log else None, progress=shown.tell
    )
    shown.clear()
    if as_json:
        print_json(
            {
                "verified": report.sound,
                "logs": {name: {"seq": link.seq, "hash": link.hash} for name, link in report.heads.items()},
                "entries": report.entries,
                "rows": report.rows,
                "seconds": round(report.seconds, 3),
                "faults": _faults(report.faults),
                "further": report.further,
            }
        )
    else:
        _tell(report.faults, report.further)
        many = f"{report.logs:,} logs" if report.logs != 1 else "1 log"
        what = f"{report.entries:,} entries in {many}, {report.rows:,} rows, {report.seconds:.1f} s"
        put(f"verified: {what}" if report.sound else f"NOT verified: {what}")
    return 0 if report.sound else FAULT


def pack(path: Path, *, as_json: bool) -> int:
    """A pack, without any database."""
    from storage.log.pack import verify_pack

    report = verify_pack(path)
    sound = not report.faults
    if as_json:
        print_json(
            {
                "verified": sound,
                "log": report.log,
                "entries": report.entries,
                "first": report.first,
                "last": report.last,
                "last_hash": report.last_hash,
                "from_the_beginning": report.whole,
                "faults": _faults(report.faults),
            }
        )
    else:
        _tell(report.faults, 0)
        stretch = f"{report.log}, {report.first:,} to {report.last:,}: {report.entries:,} entries"
        put(f"verified: {stretch}" if sound else f"NOT verified: {stretch}")
        put(f"its last hash is {report.last_hash}: compare it with the X-Countersign-Head of a letter")
    return 0 if sound else FAULT


def _faults(faults: Sequence[Fault]) -> list[dict[str, object]]:
    return [{"log": one.log, "seq": one.seq, "what": one.what, "words": str(one)} for one in faults]


def _tell(faults: Sequence[Fault], further: int) -> None:
    for fault in faults:
        put(str(fault))
    if further:
        put(f"… and {further:,} more")


class _Progress:
    """One line on a terminal, rewritten; nothing elsewhere."""

    def __init__(self) -> None:
        self._terminal = sys.stderr.isatty()
        self._last = ""

    def tell(self, what: str, done: int, total: int) -> None:
        from widgets.text import fitted, visible

        if self._terminal:
            self._last = f"{what}: {done:,} of {total:,}"
            sys.stderr.write("\r" + fitted(visible(self._last), 70))
            sys.stderr.flush()

    def clear(self) -> None:
        if self._last:
            sys.stderr.write("\r" + " " * 70 + "\r")
