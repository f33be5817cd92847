"""Attacks on who decides: self-approval in every disguise, forged consent of a tenant, settings, second persons."""

# ruff: noqa: E501  (what an attacker types stays as typed)

from __future__ import annotations

from datetime import timedelta

from storage.models.row import parse_time, time_text
from tests.guards.postgres.attacker import Attacker, Json, Strike, attack


def approved(it: Attacker, by: str, **changes: object) -> Json:
    granted = {"state": "approved", "granted_minutes": 30, "decided_at": it.now(), "decided_by": by, "usable_until": it.later(hours=8)}  # fmt: skip
    return it.row("request", it.company.pending, **{**granted, **changes})


def decision(it: Attacker, request: str, kind: str, by: str, name: str, **changes: object) -> Json:
    asked = it.row("request", request)
    return {"id": "D-FORGED", "request_id": request, "tenant_id": asked["tenant_id"], "kind": kind, "by": by, "by_name": name, "at": it.now(), "minutes": None, "note": None, "content_digest": asked["content_digest"], **changes}  # fmt: skip


def approving(it: Attacker, actor: Json, *more: tuple[str, Json, int], **changes: object) -> Strike:
    pending = it.company.pending
    exact = approved(it, actor["id"], **changes)
    exact["usable_until"] = time_text(parse_time(exact["decided_at"]) + timedelta(hours=8))
    made = decision(it, pending, "approve", actor["id"], actor["name"], minutes=30, at=exact["decided_at"])
    return it.striking(
        it.change(actor, [it.about("request.approved", pending)], ("request", exact, 0), ("decision", made, 0), *more)
    )


@attack("ann,raj,lee", "CSP12", "CSP04", "CSP05")
def approving_as_oneself(it: Attacker) -> Strike:
    """Approve a request under one's own name, with a decision row and all."""
    return approving(it, it.me())


@attack("ann,lee", "CSP01")
def approving_as_the_tenant_admin(it: Attacker) -> Strike:
    """Approve one's own request as Maria, by saying so in the Change."""
    return approving(it, it.maria())


@attack("ann", "CSP01")
def approving_with_a_stolen_link_hash(it: Attacker) -> Strike:
    """Read the link's hash from the table, which staff may, and use it up as Maria."""
    link = it.row("consent_link", it.company.link, used_at=it.now())
    return approving(it, it.maria(), ("consent_link", link, 0))


@attack("portal", "CSP05")
def approving_without_a_link(it: Attacker) -> Strike:
    """The portal's log-in approves as Maria, though the link she was mailed is not used by it."""
    return approving(it, it.maria())


@attack("portal", "CSP05")
def approving_by_anothers_link(it: Attacker) -> Strike:
    """The portal's log-in approves as Juan by the link that Maria was mailed."""
    juan = it.row("contact", "northwind/juan")
    actor = {**it.maria(), "id": juan["id"], "name": juan["name"], "email": juan["email"]}
    return approving(it, actor, ("consent_link", it.row("consent_link", it.company.link, used_at=it.now()), 0))


@attack("portal", "CSP05")
def approving_as_a_mere_user(it: Attacker) -> Strike:
    """The portal's log-in approves as Eva, who is a user of the tenant and no admin."""
    eva = it.row("contact", "northwind/eva")
    return approving(it, {**it.maria(), "id": eva["id"], "name": eva["name"], "email": eva["email"]})


@attack("portal", "CSP05")
def approving_for_longer(it: Attacker) -> Strike:
    """The portal's log-in grants four hours where thirty minutes were asked, by a true link."""
    link = it.row("consent_link", it.company.link, used_at=it.now())
    return approving(it, it.maria(), ("consent_link", link, 0), granted_minutes=240)


@attack("portal", "CSP03")
def approving_other_content(it: Attacker) -> Strike:
    """Change the scope of the request in the very Change that approves it."""
    link = it.row("consent_link", it.company.link, used_at=it.now())
    return approving(it, it.maria(), ("consent_link", link, 0), scope="everything")


@attack("portal,gate,worker", "CSP01")
def acting_as_staff(it: Attacker) -> Strike:
    """A program's log-in withdraws a request as Ann."""
    gone = it.row("request", it.company.pending, state="withdrawn")
    return it.striking(
        it.change(it.me(name="ann"), [it.about("request.withdrawn", it.company.pending)], ("request", gone, 0))
    )


@attack("ann", "CSP03", "CSP05")
def a_state_without_a_decision(it: Attacker) -> Strike:
    """Only move one's request to approved, under the code of an answer; no decision is written."""
    return it.striking(
        it.change(
            it.me(),
            [it.about("question.answered", it.company.pending)],
            ("request", approved(it, "northwind/maria"), 0),
        )
    )


@attack("ann", "CSP05", "CSP06", "CSP07", "CSP10")
def born_approved(it: Attacker) -> Strike:
    """Ask with the request approved from birth by a standing consent that Northwind never gave."""
    born = it.row("request", it.company.pending, id="R-BORN", state="approved", created_at=it.now(), granted_minutes=30, decided_at=it.now(), decided_by="northwind", usable_until=it.later(hours=8))  # fmt: skip
    made = decision(it, it.company.pending, "standing_consent", "northwind", "standing consent", request_id="R-BORN")
    entries = [
        {**it.about(code, it.company.pending), "request": "R-BORN"} for code in ("request.created", "request.approved")
    ]
    return it.striking(
        it.change(it.me(it.proof("request.create")), entries, ("request", born, 1), ("decision", made, 1))
    )


@attack("ann,lee,noor", "CSP12", "CSP05")
def settings_of_a_tenant(it: Attacker) -> Strike:
    """Give oneself standing consent and four hours in a tenant's settings."""
    own = it.row("settings", "northwind", standing_consent=True, max_minutes=240, changed_by=it.me()["id"], changed_at=it.now())  # fmt: skip
    return it.striking(
        it.change(it.me(), [{"action": "settings.changed", "tenant": "northwind"}], ("settings", own, 0))
    )


@attack("lee", "CSP03", "CSP05")
def settings_in_an_import(it: Attacker) -> Strike:
    """A super changes a tenant's settings under the cover of an import."""
    own = it.row("settings", "northwind", standing_consent=True)
    return it.striking(it.change(it.me(), [{"action": "tenant.imported", "tenant": "northwind"}], ("settings", own, 0)))


@attack("portal", "CSP05")
def settings_of_a_neighbour(it: Attacker) -> Strike:
    """The portal's log-in changes Contoso's settings as an admin of Northwind."""
    own = it.row("settings", "contoso", max_minutes=240, changed_by="northwind/maria", changed_at=it.now())
    return it.striking(
        it.change(it.maria(), [{"action": "settings.changed", "tenant": "contoso"}], ("settings", own, 0))
    )


@attack("ann,raj", "CSP12")
def becoming_a_tenant_admin(it: Attacker) -> Strike:
    """Write oneself among the tenant's contacts, as an admin, as an import does."""
    own = {"id": "northwind/me", "tenant_id": "northwind", "name": "Me", "email": "me@x.example", "roles": ["tenant_admin"], "removed": False}  # fmt: skip
    return it.striking(it.change(it.me(), [{"action": "tenant.imported", "tenant": "northwind"}], ("contact", own, 0)))


def letter(it: Attacker, **changes: object) -> Json:
    return {"id": "M-FORGED", "event": "request.created", "to_id": "northwind/maria", "to_name": "Maria Santos", "to_email": "maria@northwind.example", "tenant_id": "northwind", "request_id": it.company.pending, "session_id": None, "subject": "x", "facts": "{}", "text": "", "links": ["approve", "deny"], "created_at": it.now(), "urgent": False, "state": "queued", "attempts": 0, "tried_at": None, "last_error": None, "delivered_at": None, "failed_at": None, "answer": None, **changes}  # fmt: skip


def posting(it: Attacker, **changes: object) -> Strike:
    own = it.row("request", it.company.pending, state="withdrawn")
    return it.striking(
        it.change(
            it.me(),
            [it.about("request.withdrawn", it.company.pending)],
            ("request", own, 0),
            ("mail", letter(it, **changes), 0),
        )
    )


@attack("ann", "CSP05")
def a_letter_to_oneself_in_an_admins_name(it: Attacker) -> Strike:
    """Queue a letter with decision links to Maria, but with one's own address: her link would come to the attacker."""
    return posting(it, to_email="ann@ops.example")


@attack("ann", "CSP05")
def links_to_a_colleague(it: Attacker) -> Strike:
    """Queue a letter with decision links to oneself, a member of staff."""
    return posting(it, to_id=it.company.people["ann"], to_email="ann@ops.example")


@attack("ann", "CSP05")
def links_to_another_tenants_admin(it: Attacker) -> Strike:
    """Queue a letter with links about Northwind's request to an admin of Contoso."""
    return posting(it, to_id="contoso/ines", to_email="ines@contoso.example")


@attack("ann,lee", "CSP02", "CSP05")
def a_link_of_ones_own(it: Attacker) -> Strike:
    """Write a consent link whose token one knows, for Maria, beside a true withdrawal."""
    own = it.row("consent_link", it.company.link, id="ab" * 32)
    gone = it.row("request", it.company.pending, state="withdrawn")
    return it.striking(
        it.change(
            it.me(), [it.about("request.withdrawn", it.company.pending)], ("request", gone, 0), ("consent_link", own, 0)
        )
    )


@attack("worker", "CSP05", "CSP03")
def a_link_without_its_letter(it: Attacker) -> Strike:
    """The worker's log-in makes a link for a letter that is not delivered by it."""
    own = it.row("consent_link", it.company.link, id="ab" * 32)
    entry = {"action": "mail.delivered", "tenant": "northwind", "request": it.company.pending, "data": {"mail": "M-1"}}
    return it.striking(it.change({**it.clock(), "id": "mail", "name": "mail"}, [entry], ("consent_link", own, 0)))


def signing(it: Attacker, request: str, **changes: object) -> Strike:
    actor = it.me(it.proof("request.countersign"))
    signed = it.row("request", request, **{"countersigned_by": actor["id"], "countersigned_at": it.now(), **changes})
    made = decision(it, request, "countersign", actor["id"], actor["name"])
    return it.striking(
        it.change(actor, [it.about("request.countersigned", request)], ("request", signed, 0), ("decision", made, 0))
    )


@attack("ann", "CSP04")
def countersigning_for_oneself(it: Attacker) -> Strike:
    """Countersign full mode of one's own request, with a true code."""
    return signing(it, it.company.full)


@attack("ann", "CSP04")
def countersigning_in_anothers_name(it: Attacker) -> Strike:
    """Countersign one's own request with Lee's name in the row."""
    return signing(it, it.company.full, countersigned_by=it.company.people["lee"])


@attack("raj", "CSP08")
def countersigning_read_only(it: Attacker) -> Strike:
    """Countersign a request that asks for read-only."""
    return signing(it, it.company.pending)


@attack("noor", "CSP12")
def countersigning_as_an_auditor(it: Attacker) -> Strike:
    """An auditor countersigns, with a true code of their own."""
    return signing(it, it.company.full)


@attack("raj", "CSP03", "CSP08")
def countersigning_and_widening(it: Attacker) -> Strike:
    """Countersign, and raise the granted minutes in the same image."""
    return signing(it, it.company.full, granted_minutes=240)


@attack("raj", "CSP04")
def granting_ones_own_elevation(it: Attacker) -> Strike:
    """Grant the elevation of one's own session."""
    session = it.row("session", it.company.running)
    actor = it.me(it.proof("session.countersign"))
    granted = {**session["elevation"], "state": "granted", "decided_by": actor["id"], "decided_at": it.now()}
    row = {**session, "mode": "full", "elevation": granted}
    return it.striking(it.change(actor, [it.about("elevation.granted", session=session["id"])], ("session", row, 0)))


@attack("ann", "CSP02", "CSP03")
def a_decision_rewritten(it: Attacker) -> Strike:
    """Overwrite the tenant's decision with more minutes."""
    (key,) = it.as_superuser("select id from countersign.decision where request_id = %s", it.company.ready)[0]
    row = it.row("decision", key, minutes=240)
    gone = it.row("request", it.company.ready, state="withdrawn")
    return it.striking(
        it.change(
            it.me(), [it.about("request.withdrawn", it.company.ready)], ("request", gone, 0), ("decision", row, 0)
        )
    )


@attack("raj,lee", "CSP12")
def withdrawing_a_colleagues(it: Attacker) -> Strike:
    """Withdraw a colleague's request."""
    gone = it.row("request", it.company.pending, state="withdrawn")
    return it.striking(it.change(it.me(), [it.about("request.withdrawn", it.company.pending)], ("request", gone, 0)))
