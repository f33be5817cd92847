"""A tenant's settings in plain words: what each is, what it means here and now, and who set it (REQ-601).

Pure: rows in, words out, so that the inspector, its tests and the headless twin say the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from storage.log.actions import Action
from storage.models import Contact, ContactRole, Settings, Tenant, TenantMode, TenantStatus
from storage.replica.queries.tenants import SettingChange

ROLE_WORDS = {
    ContactRole.TENANT_ADMIN: "admin",
    ContactRole.USER: "user",
    ContactRole.SECURITY_CONTACT: "security contact",
    ContactRole.LEGAL_CONTACT: "legal contact",
}
MODE_WORDS = {
    TenantMode.DEFAULT: "default",
    TenantMode.CONSENT_ONLY: "consent only",
    TenantMode.FORBIDDEN: "forbidden",
}
_MODE_MEANS = {
    TenantMode.DEFAULT: "every layer may be used: an admin's consent, and what urgent harm calls for",
    TenantMode.CONSENT_ONLY: "nobody enters without an admin's consent, whatever the hurry",
    TenantMode.FORBIDDEN: "nobody of the operator enters, with or without consent",
}
_LABELS = {
    "mode": "mode",
    "kill_switch": "kill switch",
    "max_minutes": "longest session",
    "standing_consent": "standing consent",
    "notify_start_admins": "mail at start",
    "notify_start_target": "mail to the user",
    "weekly_digest": "weekly digest",
}


@dataclass(frozen=True, slots=True)
class SettingLine:
    """One setting as a person reads it. `alarm` marks what stops support access or weakens the tenant's hand.
    `by` and `at` are "" and None where the log holds no change: it is as the product delivers it."""

    name: str
    value: str
    means: str
    alarm: bool = False
    by: str = ""
    at: datetime | None = None
    seq: int = 0


@dataclass(frozen=True, slots=True)
class LayerLine:
    """A layer, whether the tenant leaves it open now, and why not."""

    number: int
    name: str
    open: bool
    why: str


def setting_lines(settings: Settings, changes: list[SettingChange]) -> list[SettingLine]:
    """Every setting with what it means now; `changes` newest first, as the log tells them."""
    lines = []
    for key, value, means, alarm in _said(settings):
        change = _last_change(key, changes)
        by, at, seq = (change.by, change.at, change.seq) if change else ("", None, 0)
        lines.append(SettingLine(_LABELS[key], value, means, alarm, by, at, seq))
    return lines


def _said(settings: Settings) -> list[tuple[str, str, str, bool]]:
    """Each setting's name, its value in words, what that means, and whether it is an alarm."""
    return [
        (
            "mode",
            MODE_WORDS[settings.mode],
            _MODE_MEANS[settings.mode],
            settings.mode is TenantMode.FORBIDDEN,
        ),
        (
            "kill_switch",
            "ON — all shut off" if settings.kill_switch else "off",
            "no session starts or runs, supers included; only the tenant can turn it back"
            if settings.kill_switch
            else "the tenant can shut everything off at any moment; running sessions end at once then",
            settings.kill_switch,
        ),
        (
            "max_minutes",
            length(settings.max_minutes),
            "a session ends after this at the latest, whatever was asked for",
            False,
        ),
        (
            "standing_consent",
            "yes" if settings.standing_consent else "no",
            "a read-only request is approved at once and the admins are told; full mode still asks"
            if settings.standing_consent
            else "each request waits for an admin's decision",
            False,
        ),
        (
            "notify_start_admins",
            _yes(settings.notify_start_admins),
            "the admins get a mail when a session starts"
            if settings.notify_start_admins
            else "the admins are not mailed at a session's start; they get the receipt at its end",
            False,
        ),
        (
            "notify_start_target",
            _yes(settings.notify_start_target),
            "the user whose view is assumed gets a mail at the start"
            if settings.notify_start_target
            else "the user whose view is assumed is not mailed",
            False,
        ),
        (
            "weekly_digest",
            _yes(settings.weekly_digest),
            "a mail every week, also when there was no access at all" if settings.weekly_digest else "no weekly mail",
            False,
        ),
    ]


def _yes(on: bool) -> str:
    return "yes" if on else "no"


def _last_change(key: str, changes: list[SettingChange]) -> SettingChange | None:
    switches = (Action.KILL_SWITCH_ON, Action.KILL_SWITCH_OFF)
    for change in changes:
        if key in change.after or (key == "kill_switch" and change.action in switches):
            return change
    return next((change for change in changes if change.first), None)


def length(minutes: int) -> str:
    """Minutes as a person says them: "45 min", "1 h", "1 h 30 min"."""
    hours, rest = divmod(minutes, 60)
    if not hours:
        return f"{rest} min"
    return f"{hours} h {rest} min" if rest else f"{hours} h"


def layer_lines(tenant: Tenant, settings: Settings, admins: int) -> list[LayerLine]:
    """Which layers of approval the tenant leaves open at this moment."""
    shut = ""
    if settings.kill_switch:
        shut = "the kill switch is on"
    elif tenant.status is not TenantStatus.ACTIVE:
        shut = f"the account is {tenant.status.value}"
    elif settings.mode is TenantMode.FORBIDDEN:
        shut = "the mode forbids it"
    consent = shut or ("" if admins else "there is no admin who could consent")
    beyond = shut or ("" if settings.mode is TenantMode.DEFAULT else "the mode allows consent only")
    return [
        LayerLine(1, "consent", not consent, consent or "an admin decides by the mailed link"),
        LayerLine(2, "break-glass", not beyond, beyond or "the mode allows it: urgent, undecided for 24 h"),
        LayerLine(3, "emergency", not beyond, beyond or "the mode allows it: harm that cannot wait"),
    ]


def admin_warning(contacts: list[Contact]) -> str:
    """What to say about the number of admins; "" where nothing is amiss."""
    admins = sum(contact.has(ContactRole.TENANT_ADMIN) for contact in contacts)
    if admins == 0:
        return "no admin: nobody can consent, so nobody can enter by consent"
    if admins == 1:
        return "one admin only: consent hangs on a single person and mailbox"
    return ""


def change_words(change: SettingChange) -> str:
    """One entry of the history: "mode default → consent only"."""
    if change.action == Action.KILL_SWITCH_ON:
        return "kill switch off → ON"
    if change.action == Action.KILL_SWITCH_OFF:
        return "kill switch ON → off"
    if change.action == Action.TENANT_IMPORTED:
        return "made known, with its first settings" if change.first else "account and contacts refreshed"
    parts = []
    for key, label in _LABELS.items():
        if key in change.after:
            parts.append(f"{label} {_value(key, change.before.get(key))} → {_value(key, change.after[key])}")
    return "; ".join(parts) or "settings changed"


def _value(key: str, value: object) -> str:
    if value is None:
        return "unset"
    if isinstance(value, bool):
        return ("ON" if value else "off") if key == "kill_switch" else _yes(value)
    if key == "max_minutes" and isinstance(value, int):
        return length(value)
    return str(value).replace("_", " ")
