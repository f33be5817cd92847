"""Whether a tenant is open at all, and what settings it may choose (REQ-110, REQ-201)."""

from __future__ import annotations

from app.policy.limits import MINUTES_MOST, TENANT_MAXIMUM_LEAST
from app.policy.people import Place
from app.policy.verdict import Verdict, rule
from storage.models import ActorKind, Contact, Layer, Settings, TenantMode, TenantStatus


def is_open(place: Place) -> Verdict:
    """REQ-110: neither kill switch nor `forbidden` nor a suspended account stands in the way. Supers included."""
    name, settings, status = place.tenant.name, place.settings, place.tenant.status
    return (
        rule(
            "REQ-110",
            not settings.kill_switch,
            f"{name} has not used its kill switch",
            f"{name}'s kill switch is on: nobody gets in, supers included",
            f"only {name}'s own admins can switch it back ({place.whoever_decides()})",
        )
        & rule(
            "REQ-110",
            settings.mode is not TenantMode.FORBIDDEN,
            f"{name}'s mode is {settings.mode.value}: consent opens it",
            f"{name}'s mode is forbidden: no support access at all",
            f"{place.whoever_decides()} can change the mode",
        )
        & rule(
            "REQ-110",
            status is TenantStatus.ACTIVE,
            f"{name}'s account is active",
            f"{name}'s account is {status.value}",
            "the operator's platform team can resume it",
        )
    )


def is_layer_open(place: Place, layer: Layer) -> Verdict:
    """REQ-110: mode `default` leaves all layers open, every other mode consent at most."""
    name, mode = place.tenant.name, place.settings.mode
    return rule(
        "REQ-110",
        layer is Layer.CONSENT or mode is TenantMode.DEFAULT,
        f"{name}'s mode is {mode.value}: every way in is open",
        f"{name}'s mode is {mode.value}: its consent is the only way in",
        f"{place.whoever_decides()} can approve a request, or change the mode",
    )


def may_set(kind: ActorKind, contact: Contact | None, place: Place) -> Verdict:
    """P5: a tenant's settings are its own; nobody at the operator changes them."""
    own = kind is ActorKind.SYSTEM or (
        kind is ActorKind.TENANT_ADMIN and contact is not None and contact in place.admins
    )
    return rule(
        "REQ-110", own, "a tenant admin's own choice", "the settings are the tenant's own", place.whoever_decides()
    )


def is_sound(settings: Settings) -> Verdict:
    """REQ-201: the tenant's maximum lies between 15 minutes and 4 hours."""
    return rule(
        "REQ-201",
        TENANT_MAXIMUM_LEAST <= settings.max_minutes <= MINUTES_MOST,
        f"the maximum is {settings.max_minutes} minutes",
        f"the maximum must be {TENANT_MAXIMUM_LEAST} to {MINUTES_MOST} minutes, not {settings.max_minutes}",
    )
