"""The tenant takes its own log out: an act, on record like any other (REQ-401, REQ-404)."""

from __future__ import annotations

from datetime import datetime

from app.policy import portal as policy
from app.policy.verdict import require, rule
from app.services import reading
from app.services.command import adds_no_privilege, change
from storage.log.actions import Action
from storage.log.entry import Draft, tenant_log
from storage.models import Actor, ActorKind, ApiKey, KeyRight
from storage.shared.change import Change
from storage.view import View


@adds_no_privilege
def exported(view: View, actor: Actor, tenant_id: str, first: int, last: int, form: str, *, now: datetime) -> Change:
    """Entries `first` to `last` left as `form`, to an admin of the tenant or to the tenant's own program."""
    place = reading.place(view, tenant_id)

    if actor.kind is ActorKind.TENANT_ADMIN:
        own = place.contact(actor.id) in place.admins
        require(rule("REQ-404", own, "an admin of the tenant", f"{actor.name} is no admin of {place.tenant.name}"))
    else:
        require(policy.may_use(view.get(ApiKey, actor.id), KeyRight.READ, tenant_id))

    log = tenant_log(tenant_id)
    draft = Draft(Action.LOG_EXPORTED, tenant=tenant_id, data={"log": log, "first": first, "last": last, "form": form})
    return change(view, actor, now, [draft], [])
