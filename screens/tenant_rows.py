"""The list of tenants as rows: mode, switch, admins, a month of sessions as a spark line, the log's head.

A line is read when it is drawn: with thousands of tenants only those on screen are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from screens.context import ConsoleContext
from screens.tenant_words import MODE_WORDS
from storage.log.entry import tenant_log
from storage.models import TenantMode, TenantStatus
from storage.replica.queries.tenants import TenantCard, tenant_card, tenant_ids
from widgets.cells import Tone, Toned
from widgets.chart import folded, sparkline
from widgets.columns import Column
from widgets.rows import RowView
from widgets.text import visible

COLUMNS = (
    Column("name", "tenant", 26, least=13, grow=3),
    Column("mode", "mode", 12),
    Column("switch", "switch", 6),
    Column("admins", "admins", 6, priority=1, right=True),
    Column("month", "30 days", 30, least=10, priority=2),
    Column("count", "sum", 5, least=4, priority=4, right=True),
    Column("head", "log head", 11, least=9, priority=3, right=True),
)


class Part(Enum):
    """Which column of a line."""

    NAME = "name"
    MODE = "mode"
    SWITCH = "switch"
    ADMINS = "admins"
    MONTH = "month"
    COUNT = "count"
    HEAD = "head"


class TenantSource:
    """All tenants by name, narrowed to `words`."""

    def __init__(self, context: ConsoleContext, words: str = "") -> None:
        self._context = context
        self._ids = tenant_ids(context.reader, words)
        self._places = {key: index for index, key in enumerate(self._ids)}
        self._cards: dict[str, TenantCard | None] = {}

    def count(self) -> int:
        return len(self._ids)

    def index_of(self, key: str) -> int | None:
        return self._places.get(key)

    def rows(self, start: int, number: int) -> Sequence[RowView]:
        return [
            RowView(key, tuple(TenantCell(self, key, part) for part in Part))
            for key in self._ids[start : start + number]
        ]

    def card(self, key: str) -> TenantCard | None:
        """Read when first asked for; a source is made anew whenever something has changed."""
        if key not in self._cards:
            self._cards[key] = tenant_card(self._context.reader, key, self._context.now())
        return self._cards[key]

    def faulty(self, key: str) -> bool:
        return is_faulty(self._context, key)


@dataclass(frozen=True, slots=True)
class TenantCell:
    """One part of one tenant's line."""

    source: TenantSource
    key: str
    part: Part

    def drawn(self, now: datetime, width: int) -> Toned:
        card = self.source.card(self.key)
        if card is None:
            return Toned(visible(self.key) if self.part is Part.NAME else "", Tone.DIM)
        return _part(card, self.part, width, self.source.faulty(self.key))


def _part(card: TenantCard, part: Part, width: int, faulty: bool) -> Toned:
    settings, tenant = card.settings, card.tenant
    match part:
        case Part.NAME:
            active = tenant.status is TenantStatus.ACTIVE
            name = visible(tenant.name)
            return Toned(name) if active else Toned(f"{name} ({tenant.status.value})", Tone.DIM)
        case Part.MODE:
            shut = settings.mode is TenantMode.FORBIDDEN
            plain = settings.mode is TenantMode.DEFAULT
            return Toned(MODE_WORDS[settings.mode], Tone.BAD if shut else Tone.DIM if plain else Tone.PLAIN)
        case Part.SWITCH:
            return Toned("■ ON", Tone.BAD) if settings.kill_switch else Toned("off", Tone.DIM)
        case Part.ADMINS:
            return Toned(f"! {card.admins}", Tone.SOON) if card.admins < 2 else Toned(str(card.admins))
        case Part.MONTH:
            return Toned(sparkline(folded(card.days, width)), Tone.ACCENT if any(card.days) else Tone.DIM)
        case Part.COUNT:
            return Toned(f"{sum(card.days):,}", Tone.PLAIN if any(card.days) else Tone.DIM)
        case Part.HEAD:
            return Toned("✗ FAULT", Tone.BAD) if faulty else Toned(f"{card.head.seq:,} ✓", Tone.GOOD)


def is_faulty(context: ConsoleContext, tenant_id: str) -> bool:
    """Whether a fault was found in the tenant's log."""
    status = context.sync_status()
    return status is not None and any(fault.log == tenant_log(tenant_id) for fault in status.faults)
