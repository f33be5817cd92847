"""One tenant in words: can I get in and how, every setting with what it means now, its people, its log, its month.

Pure: what was read in, fields out. Staff change nothing here: the settings are the tenant's (REQ-601).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.policy.explain import Explanation
from screens.tenant_words import (
    ROLE_WORDS,
    LayerLine,
    SettingLine,
    admin_warning,
    change_words,
    layer_lines,
    setting_lines,
)
from storage.models import Contact, TenantStatus
from storage.replica.queries.tenants import SettingChange, TenantCard
from widgets.cells import Cell, Tone, Toned
from widgets.chart import columns
from widgets.fields import BLANK, Field, field, line, under
from widgets.text import visible

Times = Callable[[datetime], str]

CHART_HEIGHT = 6
HISTORY_SHOWN = 30


@dataclass(frozen=True, slots=True)
class TenantStory:
    """Everything the inspector shows of a tenant. `access` is None while nobody is signed in; `fault` is what was
    found wrong in its log, "" for nothing; `running` counts the sessions inside it now."""

    card: TenantCard
    contacts: Sequence[Contact]
    changes: Sequence[SettingChange]
    access: Explanation | None
    fault: str
    running: int


@dataclass(frozen=True, slots=True)
class ChartCell:
    """Sessions a day as columns, as wide as there is room."""

    days: tuple[int, ...]

    def drawn(self, now: datetime, width: int) -> Toned:
        return Toned("\n".join(columns(self.days, width, CHART_HEIGHT)), Tone.ACCENT)


def access_fields(story: TenantStory, times: Times) -> list[Field]:
    """Who it is, whether I can get in, and the settings: the first column."""
    tenant, settings = story.card.tenant, story.card.settings
    status = Tone.DIM if tenant.status is TenantStatus.ACTIVE else Tone.BAD
    return [
        line(Toned(visible(tenant.name), Tone.STRONG)),
        line(Toned(visible(f"{tenant.id} · plan {tenant.plan} · {tenant.status.value}"), status)),
        *_section("CAN I GET IN, AND HOW?"),
        *_access(story.access),
        *_section("WHICH LAYERS ARE OPEN"),
        *[_layer(one) for one in layer_lines(tenant, settings, story.card.admins)],
        *_section("SETTINGS, THE TENANT'S OWN"),
        *[part for one in setting_lines(settings, list(story.changes)) for part in _setting(one, times)],
    ]


def record_fields(story: TenantStory, times: Times) -> list[Field]:
    """Its people, its month, its log, and who changed what: the second column."""
    days = story.card.days
    inside = f" · {story.running} inside now" if story.running else ""
    return [
        *_section("PEOPLE"),
        *_people(story.contacts),
        *_section(f"SESSIONS A DAY, {len(days)} DAYS UNTIL TODAY"),
        line(ChartCell(days)),
        line(Toned(f"{sum(days):,} sessions, most on one day {max(days, default=0)}{inside}", Tone.DIM)),
        *_section("ITS LOG"),
        *_log(story),
        *_section("HISTORY OF ITS SETTINGS"),
        *_history(story.changes, times),
    ]


def _section(words: str) -> list[Field]:
    return [BLANK, line(Toned(words, Tone.STRONG))]


def _access(access: Explanation | None) -> list[Field]:
    if access is None:
        return [line(Toned("nobody is signed in: sign in with ^O", Tone.DIM))]
    if access.verdict.allowed:
        head = Toned("✓ yes, by asking", Tone.GOOD)
        return [line(head), *[line(f"{number}. {visible(step)}") for number, step in enumerate(access.steps, 1)]]
    said: list[Field] = [line(Toned("✗ no", Tone.BAD))]
    for finding in access.verdict.refusals:
        said.append(line(Toned(f"✗ {visible(finding.why)}", Tone.BAD)))
        if finding.who_could:
            said.append(line(Toned(f"  {visible(finding.who_could)}", Tone.DIM)))
    return said


def _layer(one: LayerLine) -> Field:
    sign = Toned(f"✓ {one.why}", Tone.GOOD) if one.open else Toned(f"✗ {one.why}", Tone.BAD)
    return field(f"{one.number} {one.name}", sign)


def _setting(one: SettingLine, times: Times) -> list[Field]:
    by = f"{one.by}, {times(one.at)}" if one.at else "as delivered"
    value = Toned(one.value, Tone.BAD if one.alarm else Tone.STRONG)
    return [field(one.name, value), under(visible(f"{one.means} ({by})"))]


def _people(contacts: Sequence[Contact]) -> list[Field]:
    warning = admin_warning(list(contacts))
    said: list[Field] = [line(Toned(f"! {warning}", Tone.SOON))] if warning else []
    for contact in contacts:
        roles = ", ".join(ROLE_WORDS[role] for role in contact.roles)
        if contact.removed:
            said.append(line(Toned(visible(f"{contact.name} <{contact.email}> · removed"), Tone.DIM)))
        else:
            said.append(line(visible(f"{contact.name} <{contact.email}> · {roles}")))
    return said or [line(Toned("nobody", Tone.DIM))]


def _log(story: TenantStory) -> list[Field]:
    head = story.card.head
    badge: Cell = (
        Toned(f"✗ {visible(story.fault)}", Tone.BAD)
        if story.fault
        else Toned(f"✓ {head.seq:,} entries, each checked as it arrived (v checks them again)", Tone.GOOD)
    )
    return [field("verified", badge), field("head", f"{head.seq:,}"), field("hash", Toned(head.hash, Tone.DIM))]


def _history(changes: Sequence[SettingChange], times: Times) -> list[Field]:
    if not changes:
        return [line(Toned("no entry yet", Tone.DIM))]
    said = [
        part
        for change in changes[:HISTORY_SHOWN]
        for part in (
            field(f"#{change.seq:,}", visible(change_words(change))),
            under(Toned(visible(f"{change.by}, {times(change.at)}"), Tone.DIM)),
        )
    ]
    if len(changes) > HISTORY_SHOWN:
        said.append(line(Toned(f"{len(changes) - HISTORY_SHOWN} more stand in the audit viewer", Tone.DIM)))
    return said
