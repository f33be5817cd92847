"""Rules of the tenant's door: who signs in, what a key may do, how a tenant's life goes (REQ-602, REQ-603)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from app.policy.people import Place
from app.policy.verdict import Verdict, rule
from app.policy.words import moment
from storage.models import ApiKey, Contact, ContactRole, KeyRight, Mail, PortalSession, SignInLink, Tenant, TenantStatus

SIGN_IN_LINK = timedelta(minutes=15)
"""REQ-602: a link to sign in is good for so long after it was mailed."""
SIGNED_IN = timedelta(hours=8)
"""How long a browser stays signed in: a working day."""
ASKED_WITHIN = timedelta(hours=1)
ASKED_MOST = 5
"""Letters with a link to sign in that one account gets within ASKED_WITHIN."""
SIGN_IN_EVENT = "sign_in.asked"

LIFE: dict[TenantStatus, frozenset[TenantStatus]] = {
    TenantStatus.ACTIVE: frozenset({TenantStatus.SUSPENDED, TenantStatus.DEPROVISIONED}),
    TenantStatus.SUSPENDED: frozenset({TenantStatus.ACTIVE, TenantStatus.DEPROVISIONED}),
    TenantStatus.DEPROVISIONED: frozenset(),
}
"""Where a tenant's life can go from where it is; de-provisioned is its end."""


def may_be_mailed(contact: Contact | None, place: Place, letters: Sequence[Mail], now: datetime) -> Verdict:
    """REQ-602: a present admin, and not a letter a minute. `letters` are the newest to that address."""
    recent = [one for one in letters if one.event == SIGN_IN_EVENT and one.created_at > now - ASKED_WITHIN]
    mine = [one for one in recent if contact is not None and one.to_id == contact.id]
    return _is_admin(contact, place) & rule(
        "REQ-602",
        len(mine) < ASKED_MOST,
        "not too many links were mailed",
        f"{len(mine)} links were mailed within the hour already",
    )


def may_sign_in(link: SignInLink, contact: Contact | None, place: Place, now: datetime) -> Verdict:
    """REQ-602: once, in time, by whom it was mailed to, who is still an admin."""
    return (
        _is_admin(contact, place)
        & rule(
            "REQ-602",
            link.used_at is None,
            "the link has not been used",
            f"the link was used at {moment(link.used_at, now)}" if link.used_at else "",
            "a fresh link: ask for one",
        )
        & rule(
            "REQ-602",
            now < link.expires_at,
            f"the link works until {moment(link.expires_at, now)}",
            f"the link expired at {moment(link.expires_at, now)}",
            "a fresh link: ask for one",
        )
    )


def is_signed_in(session: PortalSession | None, contact: Contact | None, now: datetime) -> bool:
    """Whether a browser's session still stands: open, in time, and its person still an admin."""
    return (
        session is not None
        and session.is_open(now)
        and contact is not None
        and contact.id == session.contact_id
        and contact.has(ContactRole.TENANT_ADMIN)
    )


def may_use(key: ApiKey | None, right: KeyRight, tenant_id: str | None) -> Verdict:
    """What a program's key opens: its own tenant alone, and `settings` includes reading."""
    fits = key is not None and (key.right is right or (right is KeyRight.READ and key.right is KeyRight.SETTINGS))
    return (
        rule("REQ-603", key is not None, "the key is known", "there is no such API key")
        & rule(
            "REQ-603",
            key is None or key.revoked_at is None,
            "the key is in force",
            f"the key was revoked by {key.revoked_by if key else ''}",
        )
        & rule("REQ-603", key is None or fits, f"the key may do this ({right})", f"the key may not do this ({right})")
        & rule(
            "REQ-602",
            key is None or key.right is KeyRight.PLATFORM or key.tenant_id == tenant_id,
            "it is the key's own tenant",
            "the key is another tenant's",
        )
        & rule(
            "REQ-602",
            key is None or key.works or key.revoked_at is not None,
            "the tenant has accepted the key",
            "no administrator of the tenant has accepted this key yet",
            "a tenant admin, in the portal",
        )
    )


def may_accept(key: ApiKey, contact: Contact | None, place: Place) -> Verdict:
    """P5: that a program changes the tenant's settings is for the tenant's own people to say."""
    return (
        _is_admin(contact, place)
        & rule("REQ-602", key.tenant_id == place.tenant.id, "it is this tenant's key", "it is another tenant's key")
        & rule("REQ-602", key.revoked_at is None, "the key is in force", "the key was revoked")
        & rule("REQ-602", key.accepted_at is None, "it waits to be accepted", "it is accepted already")
        & rule("REQ-602", key.right is KeyRight.SETTINGS, "it would change settings", "there is nothing to accept")
    )


def may_live_on(tenant: Tenant, becomes: TenantStatus) -> Verdict:
    """REQ-603: suspended and resumed as often as need be; de-provisioned once, for good."""
    return rule(
        "REQ-603",
        becomes in LIFE[tenant.status],
        f"{tenant.name} is {tenant.status.value}",
        f"{tenant.name} is {tenant.status.value} and cannot become {becomes.value}",
    )


def _is_admin(contact: Contact | None, place: Place) -> Verdict:
    return rule(
        "REQ-602",
        contact is not None and contact in place.admins,
        f"{contact.name if contact else ''} is an admin of {place.tenant.name}",
        f"{contact.name if contact else 'whoever asks'} is not an admin of {place.tenant.name}",
        place.whoever_decides(),
    )
