"""What the verifier reads from and reports, by shape: it knows no database and no model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from storage.log.chain import EntryLike, Fault, HeadLike, Link


class RowLike(Protocol):
    """A row as stored; `digest` is the SHA-256 (hex) of its image."""

    @property
    def key(self) -> str: ...
    @property
    def rev(self) -> int: ...
    @property
    def digest(self) -> str: ...


class PositionLike(Protocol):
    @property
    def epoch(self) -> str: ...


class Source(Protocol):
    """Where the verifier reads: the reading half of `SharedDatabase`, by shape."""

    async def position(self) -> PositionLike: ...
    async def entries(self, log: str, after: int, limit: int = ...) -> Sequence[EntryLike]: ...
    async def logs(self) -> Mapping[str, HeadLike]: ...
    async def rows(self, table: str, after: str, limit: int = ...) -> Sequence[RowLike]: ...


class Seen(Protocol):
    """What a witness saw: an epoch, and heads by log."""

    @property
    def epoch(self) -> str | None: ...
    @property
    def heads(self) -> Mapping[str, HeadLike]: ...


@dataclass(frozen=True, slots=True)
class Report:
    """What a verification found. `faults` holds the first thousand, `further` counts those beyond."""

    logs: int
    entries: int
    rows: int
    faults: tuple[Fault, ...]
    further: int
    seconds: float
    heads: Mapping[str, Link]

    @property
    def sound(self) -> bool:
        return not self.faults
