"""What sync tells the rest of the program: what a pull brought, and how things stand."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from storage.log.chain import OPERATOR, Fault
from storage.shared.interface import Position


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """What a pull brought. Screens reload by `generation` and drop late results. `keys` names the rows written,
    `(table, key)`; of a pull with more than 5,000 rows it is empty and `wholesale` says so: reload everything. A
    ChangeSet without entries says that the status changed (offline, live again, a fault found)."""

    generation: int
    rev: int
    tables: frozenset[str] = frozenset()
    keys: frozenset[tuple[str, str]] = frozenset()
    entries: int = 0
    faults: tuple[Fault, ...] = ()
    wholesale: bool = False


@dataclass(frozen=True, slots=True)
class SyncStatus:
    """How things stand. `faults` are all that this process has found; they do not go away by themselves. `forked`: the
    history cannot be trusted, what adds privilege is refused. `verified_rev`: up to here everything held."""

    live: bool = False
    offline_since: datetime | None = None
    offline_because: str = ""
    position: Position | None = None
    faults: tuple[Fault, ...] = ()
    verified_rev: int = 0
    forked: bool = False
    bootstrapping: tuple[int, int] | None = None
    last_pull: datetime | None = None
    checked_at: datetime | None = None
    """When the background check last went round everything that is stored."""

    def knowing(self, faults: tuple[Fault, ...], forked: bool) -> SyncStatus:
        """With all faults that are known by now; any of them means that the history cannot be trusted."""
        done = self.position.head.seq if self.position is not None else 0
        forked = self.forked or forked or bool(faults)
        return replace(self, faults=faults, forked=forked, verified_rev=verified_up_to(done, faults))


def verified_up_to(done: int, faults: Iterable[Fault]) -> int:
    """Up to which number everything held, of `done` entries."""
    return min([done, *(max(0, fault.seq - 1) for fault in faults if fault.log == OPERATOR)])
