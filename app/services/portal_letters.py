"""Letters of the portal itself (REQ-602)."""

from __future__ import annotations

from datetime import datetime

from app.policy.people import Place
from app.policy.portal import SIGN_IN_EVENT, SIGN_IN_LINK
from app.services.letters import letter
from app.services.letters_facts import Facts
from storage.models import Contact, LinkKind, Mail
from storage.view import View


def sign_in(view: View, place: Place, admin: Contact, address: str, now: datetime) -> Mail:
    """The link to sign in, to the admin whose address was given. It says from where it was asked for."""
    minutes = int(SIGN_IN_LINK.total_seconds()) // 60
    facts: Facts = {"tenant": place.tenant.name, "from": address, "minutes": minutes}
    subject = f"Sign in to support access of {place.tenant.name}"
    tenant = place.tenant.id
    return letter(view, admin, SIGN_IN_EVENT, subject, facts, now, links=(LinkKind.SIGN_IN,), tenant_id=tenant)
