"""What every screen is given instead of reaching for the application: who I am, the copy to read, the desk to ask.

The console fills it in stages: nothing before the first frame, then the replica, then the desk. A screen reads
`reader` only when `ready`, and asks `desk` before it offers an act.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from typing import TYPE_CHECKING

from app.policy.verdict import Finding, Verdict
from storage.clock import Clock
from storage.errors import Offline
from storage.models import Actor, Staff
from widgets.moments import clock_text, zone_text

if TYPE_CHECKING:  # the desk and the databases are loaded after the first frame
    from textual.app import App

    from app.enrolment import Enrolment
    from app.services.desk import Desk
    from storage.log.verify import Progress, Report
    from storage.replica.engine import Replica
    from storage.shared.interface import SharedDatabase
    from storage.sync import ChangeSet, SyncStatus

MAIN_SCREENS: tuple[tuple[str, str], ...] = (
    ("queue", "Queue"),
    ("sessions", "Sessions"),
    ("audit", "Audit"),
    ("tenants", "Tenants"),
    ("review", "Review"),
)
"""Mode and title, in the order of their number keys."""


async def _cannot_verify(progress: Progress) -> Report:
    raise Offline("the shared database is not open", "wait until the status line says live")


@dataclass
class ConsoleContext:
    """One per console. `generation` counts what sync has published; a screen that shows an older one reloads."""

    clock: Clock
    keymap: Mapping[str, str] = field(default_factory=dict)
    zone: tzinfo | None = None
    replica: Replica | None = None
    desk: Desk | None = None
    shared: SharedDatabase | None = None
    staff: Staff | None = None
    actor: Actor | None = None
    generation: int = 0
    changes: ChangeSet | None = None
    counts: dict[str, int] = field(default_factory=dict)
    sync_status: Callable[[], SyncStatus | None] = lambda: None
    sign_in: Callable[[Staff], None] = lambda staff: None
    loading: str = "starting"
    log_file: str = ""
    evidence: str = ""
    exports: str = "."
    verify: Callable[[Progress], Awaitable[Report]] = _cannot_verify
    wanted: dict[str, str] = field(default_factory=dict)
    refusals_shown: dict[str, float] = field(default_factory=dict)
    new_enrolment: Callable[[str], Enrolment] | None = None
    address: str = "local"
    on_call_shown: tuple[tuple[int, int], str] = ((-1, -1), "")
    legal_email: str = ""
    """The operator's legal address, where emergencies are reported (REQ-109)."""
    fixed_identity: str = ""
    """The one address that the server lets this console be (REQ-703); "": whoever has a code."""

    def go(self, app: App[object], mode: str, key: str) -> None:
        """Show `key` on another main screen: it is asked to `go_to(key)` once it is in front."""
        self.wanted[mode] = key
        app.switch_mode(mode)

    @property
    def ready(self) -> bool:
        """Whether there is a replica to read."""
        return self.replica is not None

    @property
    def reader(self) -> sqlite3.Connection:
        """The replica's connection of the interface's own thread. Only when `ready`."""
        if self.replica is None:
            raise RuntimeError("the replica is not open yet")
        return self.replica.reader

    def now(self) -> datetime:
        """The shared clock as estimated here."""
        return self.clock.now()

    @property
    def copying(self) -> bool:
        """Whether the history is still being read for the first time: nobody has a place in a list to lose yet."""
        status = self.sync_status()
        return status is None or status.bootstrapping is not None

    @property
    def utc(self) -> bool:
        return self.zone is UTC

    def signed_in(self) -> Verdict:
        """Whether it is known who sits here: enough to open a form."""
        if self.staff is None:
            return Verdict((Finding("REQ-701", False, "nobody is signed in", "sign in with ^O"),))
        return Verdict()

    def reaches(self, why: str) -> Verdict:
        """Whether the shared database is within reach, for what no outbox keeps; `why` it is not kept (REQ-802). Where
        nothing has failed yet, it is tried."""
        status = self.sync_status()
        if status is None or status.live or status.offline_since is None:
            return Verdict()
        since = f"{clock_text(status.offline_since, self.zone)} {zone_text(status.offline_since, self.zone)}"
        return Verdict((Finding("REQ-802", False, f"offline since {since}: {why}"),))

    def within_reach(self, verdict: Verdict, why: str) -> Verdict:
        """The verdict on an act that no outbox keeps: said before anybody types words or a code for it."""
        return verdict & self.reaches(why) if verdict.allowed else verdict

    def may_act(self) -> Verdict:
        """Whether anything that changes can be asked now: someone is signed in and the desk is open."""
        if self.staff is None:
            return self.signed_in()
        if self.desk is None:
            return Verdict((Finding("REQ-802", False, f"the shared database is not open yet ({self.loading})"),))
        return Verdict()
