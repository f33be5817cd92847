"""What settings mean, in words: each option, what a change does, and to whom it happens (REQ-110, REQ-601)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.policy.limits import MINUTES_MOST, TENANT_MAXIMUM_LEAST
from storage.models import Settings, TenantMode

Value = TenantMode | bool | int

MODES = {
    TenantMode.DEFAULT: (
        "Ask us; other ways in stay open",
        "Your admins approve each request. If nobody decides an urgent one within 24 hours, the operator can break the"
        " glass: you are warned, and can veto for two hours. Emergencies stay possible, with two of their supers.",
    ),
    TenantMode.CONSENT_ONLY: (
        "Only with our approval",
        "Nobody enters unless one of your admins approved it. No break-glass, no emergency access.",
    ),
    TenantMode.FORBIDDEN: ("Never", "No support access at all. Whoever is inside now is out at once."),
}
SWITCHES = {
    "standing_consent": (
        "Standing consent",
        "Read-only requests are approved at once, without asking; your admins are told.",
    ),
    "notify_start_admins": ("Mail at the start", "Your admins get a letter whenever a session starts."),
    "notify_start_target": ("Mail to the user", "The user whose view is assumed gets a letter when a session starts."),
    "weekly_digest": ("Weekly digest", "Once a week, what happened; also that nothing did."),
}
NAMES = {
    "kill_switch": "Support access",
    "mode": "Ways in",
    "max_minutes": "Longest session",
    **{name: words[0] for name, words in SWITCHES.items()},
}


@dataclass(frozen=True, slots=True)
class Step:
    """One setting that would change: its name, what it is and would be, and what that does."""

    name: str
    before: str
    after: str
    effect: str


def said(name: str, value: Value) -> str:
    """A setting's value for a person."""
    match name:
        case "mode":
            return MODES[TenantMode(str(value))][0]
        case "max_minutes":
            return f"{value} minutes"
        case "kill_switch":
            return "shut off" if value else "possible"
    return "on" if value else "off"


def steps(settings: Settings, wanted: Mapping[str, Value], inside: int) -> list[Step]:
    """What `wanted` changes. `inside`: how many sessions run now."""
    return [
        Step(NAMES[name], said(name, getattr(settings, name)), said(name, value), _effect(name, value, inside))
        for name, value in wanted.items()
        if getattr(settings, name) != value
    ]


def _effect(name: str, value: Value, inside: int) -> str:
    sessions = {0: "Nobody is inside now.", 1: "The one session that runs now ends at once."}.get(
        inside, f"All {inside} sessions that run now end at once."
    )
    match name:
        case "kill_switch" if value:
            return f"Nobody of the operator gets in, their supers included, until one of you turns it back. {sessions}"
        case "kill_switch":
            return "Requests are possible again, by the ways in that you allow. Sessions that were ended stay ended."
        case "mode":
            closing = f" {sessions}" if value is TenantMode.FORBIDDEN else " Sessions that run now go on."
            return MODES[TenantMode(str(value))][1].removesuffix(" Whoever is inside now is out at once.") + closing
        case "max_minutes":
            return f"No session that starts from now on is longer than {value} minutes. One that runs keeps its end."
    words = SWITCHES[name][1]
    return words if value else f"No longer: {words[0].lower()}{words[1:]}"


def wanted_of(form: Mapping[str, str]) -> dict[str, Value]:
    """The settings that a form asks for; those it does not speak of stay. Raises ValueError in words."""
    if "kill_switch" in form:
        return {"kill_switch": form["kill_switch"] == "on"}
    wanted: dict[str, Value] = {}
    try:
        wanted["mode"] = TenantMode(form.get("mode", ""))
    except ValueError:
        raise ValueError("choose which ways in you allow") from None
    minutes = form.get("max_minutes", "").strip()
    if not (minutes.isascii() and minutes.isdigit() and TENANT_MAXIMUM_LEAST <= int(minutes[:6]) <= MINUTES_MOST):
        raise ValueError(f"the longest session is {TENANT_MAXIMUM_LEAST} to {MINUTES_MOST} minutes")
    wanted["max_minutes"] = int(minutes)
    return wanted | {name: form.get(name) == "on" for name in SWITCHES}
