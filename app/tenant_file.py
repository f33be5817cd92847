"""Reading `tenant import`'s JSON Lines: one tenant a line, each checked by itself, every fault with its line and field.

Nothing is applied from here: either every line is sound, and the whole list comes back, or nothing does.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path
from typing import Any, NoReturn, TypeVar

from app.policy import tenants, text
from app.policy.verdict import Verdict
from app.services.tenants import ContactRecord, TenantRecord
from storage.errors import Misconfigured
from storage.models import ContactRole, Settings, TenantMode, TenantStatus

E = TypeVar("E", bound=StrEnum)

_FIELDS = ("id", "name", "plan", "status", "settings", "contacts")
_CONTACT_FIELDS = ("id", "name", "email", "roles")
_SWITCHES = ("kill_switch", "standing_consent", "notify_start_admins", "notify_start_target", "weekly_digest")
_SETTINGS = ("mode", "max_minutes", *_SWITCHES)
_FAULTS_SHOWN = 20


class _Fault(Exception):
    """A line's fault: which field, and what about it."""

    def __init__(self, field: str, what: str) -> None:
        super().__init__(f"{field}: {what}" if field else what)


@dataclass(frozen=True, slots=True)
class _Field:
    """A value and the name people know it by."""

    name: str
    value: Any

    def wrong(self, expected: str) -> NoReturn:
        found = "nothing" if self.value is None else json.dumps(self.value, ensure_ascii=True)[:60]
        raise _Fault(self.name, f"expected {expected}, found {found}")


def read(path: Path) -> list[TenantRecord]:
    """Every line as a record. Raises Misconfigured naming the faulty lines by number and field."""
    try:
        lines = path.read_bytes().split(b"\n")
    except OSError as error:
        raise Misconfigured(f"cannot read {path}: {error.strerror}") from error
    records: list[TenantRecord] = []
    faults: list[str] = []
    seen: dict[str, int] = {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            record = parse(line, first=number == 1)
            if record.id in seen:
                raise _Fault("id", f"{record.id!r} stands in line {seen[record.id]} already")
        except _Fault as fault:
            faults.append(f"line {number}: {fault}")
            continue
        seen[record.id] = number
        records.append(record)
    if faults:
        more = [f"… and {len(faults) - _FAULTS_SHOWN:,} more"] if len(faults) > _FAULTS_SHOWN else []
        raise Misconfigured(f"{path}:\n" + "\n".join(faults[:_FAULTS_SHOWN] + more), "nothing of the file was applied")
    return records


def parse(line: bytes, *, first: bool = False) -> TenantRecord:
    """One line as a record; `first` lets a byte order mark pass."""
    try:
        data = json.loads(line.decode("utf-8-sig" if first else "utf-8"), object_pairs_hook=_once)
    except UnicodeDecodeError:
        raise _Fault("", "not UTF-8 text") from None
    except RecursionError:
        raise _Fault("", "nested too deeply") from None
    except json.JSONDecodeError as error:
        raise _Fault("", f"not JSON: {error.msg} at column {error.colno}") from None
    fields = _object(_Field("", data), "", _FIELDS)
    contacts = fields["contacts"]
    if not isinstance(contacts.value, list):
        contacts.wrong("a list of contacts")
    people = tuple(_contact(_Field(f"contacts[{place}]", one)) for place, one in enumerate(contacts.value))
    twice = {one.id for one in people if [other.id for other in people].count(one.id) > 1}
    if twice:
        raise _Fault("contacts", f"the id {sorted(twice)[0]!r} stands there twice")
    key = _key(fields["id"])
    return TenantRecord(
        id=key,
        name=_clean(fields["name"]),
        plan=_clean(fields["plan"]) if fields["plan"].value is not None else "standard",
        status=_choice(fields["status"], TenantStatus) if fields["status"].value is not None else TenantStatus.ACTIVE,
        settings=_settings(key, fields["settings"]) if fields["settings"].value is not None else None,
        contacts=people,
    )


def _contact(field: _Field) -> ContactRecord:
    fields = _object(field, field.name, _CONTACT_FIELDS)
    roles = fields["roles"]
    if not isinstance(roles.value, list):
        roles.wrong("a list of roles")
    return ContactRecord(
        id=_key(fields["id"]),
        name=_clean(fields["name"]),
        email=_address(fields["email"]),
        roles=tuple(_choice(_Field(roles.name, role), ContactRole) for role in roles.value),
    )


def _settings(tenant_id: str, field: _Field) -> Settings:
    fields = _object(field, field.name, _SETTINGS)
    settings = Settings(tenant_id)
    if fields["mode"].value is not None:
        settings = replace(settings, mode=_choice(fields["mode"], TenantMode))
    minutes = fields["max_minutes"]
    if minutes.value is not None:
        if type(minutes.value) is not int:
            minutes.wrong("a whole number of minutes")
        settings = replace(settings, max_minutes=minutes.value)
        _sound(minutes, tenants.is_sound, settings)
    for name in _SWITCHES:
        switch = fields[name]
        if switch.value is not None and type(switch.value) is not bool:
            switch.wrong("true or false")
    given = {name: fields[name].value for name in _SWITCHES if fields[name].value is not None}
    return replace(settings, **given)


def _object(field: _Field, prefix: str, known: tuple[str, ...]) -> dict[str, _Field]:
    """An object's fields by name, absent ones with None. A field we do not know is named, with the nearest we do."""
    if not isinstance(field.value, dict):
        field.wrong("an object")
    dotted = prefix + "." if prefix else ""
    for name in field.value:
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            raise _Fault(f"{dotted}{name}", "no such field" + (f"; did you mean {near[0]}?" if near else ""))
    return {name: _Field(dotted + name, field.value.get(name)) for name in known}


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise _Fault(next(name for name in names if names.count(name) > 1), "the field stands there twice")
    return found


def _text(field: _Field) -> str:
    if field.value is None:
        raise _Fault(field.name, "missing")
    if not isinstance(field.value, str):
        field.wrong("text")
    return field.value


def _clean(field: _Field) -> str:
    value = _text(field)
    _sound(field, lambda one: text.is_clean("REQ-601", "text", one, text.NAME_MAX, lines=False), value)
    return value


def _address(field: _Field) -> str:
    value = _text(field)
    _sound(field, text.is_email, value)
    return value


def _key(field: _Field) -> str:
    value = _text(field)
    if not 0 < len(value) <= text.TICKET_MAX or any(not c.isprintable() or c.isspace() or c == "/" for c in value):
        field.wrong(f"an id of 1 to {text.TICKET_MAX} characters without spaces, slashes or control characters")
    return value


def _choice(field: _Field, kind: type[E]) -> E:
    try:
        return kind(field.value)
    except ValueError:
        field.wrong("one of " + ", ".join(kind))


V = TypeVar("V")


def _sound(field: _Field, rule: Callable[[V], Verdict], value: V) -> None:
    """The policy's own rule, held against a value."""
    verdict = rule(value)
    if not verdict.allowed:
        raise _Fault(field.name, verdict.why())
