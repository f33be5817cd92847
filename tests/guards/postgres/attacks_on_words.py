"""Attacks by words: the act is lawful, and its entry lies about it, in the log that the tenant reads alone; or what
happened stands in no tenant's log at all (REQ-401, REQ-402)."""

# ruff: noqa: E501  (what an attacker types stays as typed)

from __future__ import annotations

from datetime import timedelta

from storage.models.row import parse_time, time_text
from tests.guards.postgres.attacker import Attacker, Json, Strike, attack
from tests.guards.postgres.attacks_on_consent import approved, decision
from tests.guards.postgres.attacks_on_sessions import started

# ── sessions ──


def ending(it: Attacker, said: Json | None = None, true: bool = True) -> Strike:
    """Raj ends his session, lawfully but for what the entry says."""
    at = it.now()
    outcome = {
        "cause": "x",
        "changed": "nothing",
        "beyond_scope": "no",
        "follow_up": "",
        "ticket_closed": True,
        "at": at,
    }
    over = it.row("session", it.company.running, ended_at=at, end_kind="engineer", ended_by=it.company.people["raj"], outcome=outcome)  # fmt: skip
    standing = it.row("standing", it.company.people["raj"], active_session=None)
    entry = {**it.about("session.ended", session=it.company.running), "data": said or {}}
    return it.striking(it.change(it.me(), [entry], ("session", over, 0), ("standing", standing, 0), true=true))


@attack("raj", "no refusal")
def a_true_ending(it: Attacker) -> Strike:
    """(The very same Change, with true words, is applied.)"""
    return ending(it)


@attack("raj", "CSP03")
def a_shorter_session_told(it: Attacker) -> Strike:
    """End one's session, and have the tenant's log say that it lasted a second and that nothing was viewed."""
    return ending(it, {"seconds": 1, "views": 0})


@attack("raj", "CSP03")
def nothing_told(it: Attacker) -> Strike:
    """End one's session under an entry that says nothing of it."""
    return ending(it, true=False)


@attack("raj", "CSP03")
def more_told_than_is(it: Attacker) -> Strike:
    """End one's session, and have the tenant's log add that a super had watched all of it."""
    return ending(it, {"watched_by": it.company.people["dana"]})


@attack("raj", "CSP03")
def decided_tomorrow(it: Attacker) -> Strike:
    """End one's session, and say that this was decided while the database was out of reach, tomorrow."""
    return ending(it, {"decided_at": it.later(days=1)})


@attack("ann", "CSP03")
def a_countersign_told(it: Attacker) -> Strike:
    """Start read-only, and have the tenant's log say that a colleague had countersigned."""
    request, session = it.company.ready, started(it, it.company.ready)
    me = it.me(it.proof("session.start"))
    who = it.row("standing", me["id"], active_session=session["id"])
    who["starts"] = [*who["starts"], {"tenant_id": session["tenant_id"], "at": session["started_at"]}]
    entry = {**it.about("session.started", request), "session": session["id"], "data": {"countersigned_by": it.company.people["lee"]}}  # fmt: skip
    used = it.row("request", request, state="used", session_id=session["id"])
    return it.striking(it.change(me, [entry], ("session", session, 0), ("request", used, 0), ("standing", who, 0)))


def viewing(it: Attacker, said: Json, **changes: object) -> Strike:
    row = it.row("session", it.company.running, views=1, records_seen=40, last_viewed="record payroll", **changes)
    view = {"id": "V-X", "session_id": row["id"], "tenant_id": "northwind", "kind": "record", "name": "payroll", "fields": [], "count": 40, "at": it.now(), "source": "engineer", "within_scope": True}  # fmt: skip
    entry = {**it.about("platform_admin.impersonate.action.record.viewed", session=row["id"]), "data": said}
    return it.striking(it.change(it.me(), [entry], ("session", row, 0), ("session_view", view, 0)))


@attack("raj", "CSP03")
def another_record_told(it: Attacker) -> Strike:
    """View the payroll, and have the tenant's log say that it was a refund."""
    return viewing(it, {"name": "refund 8841"})


@attack("raj", "CSP03")
def fewer_records_told(it: Attacker) -> Strike:
    """View forty records, and have the tenant's log say one."""
    return viewing(it, {"count": 1})


@attack("raj", "CSP03")
def another_record_shown(it: Attacker) -> Strike:
    """View the payroll, and let the supers who watch see that it was a refund."""
    row = it.row("session", it.company.running, views=1, records_seen=40, last_viewed="record refund 8841")
    view = {"id": "V-X", "session_id": row["id"], "tenant_id": "northwind", "kind": "record", "name": "payroll", "fields": [], "count": 40, "at": it.now(), "source": "engineer", "within_scope": True}  # fmt: skip
    entry = {**it.about("platform_admin.impersonate.action.record.viewed", session=row["id"]), "data": {"name": "payroll", "count": 40, "within_scope": True, "source": "engineer"}}  # fmt: skip
    return it.striking(it.change(it.me(), [entry], ("session", row, 0), ("session_view", view, 0)))


# ── requests and decisions ──


@attack("ann", "CSP03")
def a_milder_reason_told(it: Attacker) -> Strike:
    """Declare break-glass for one reason, and have the tenant's log give another."""
    said = {"reason": "I want to look around", "declared_at": it.now(), "countersigned_by": None, "countersigned_at": None, "cooling_since": None, "cooling_until": None}  # fmt: skip
    row = it.row("request", it.company.undecided, state="declared", break_glass=said)
    entry = {**it.about("break_glass.declared", it.company.undecided), "reason": "The shop stands still"}
    return it.striking(it.change(it.me(it.proof("break_glass.declare")), [entry], ("request", row, 0)))


@attack("lee", "CSP03")
def a_graver_category_told(it: Attacker) -> Strike:
    """Declare an emergency of one category, and have the tenant's log name another."""
    said = {"category": "outage", "reason": "all down", "declared_by": it.company.people["lee"], "declared_at": it.now(), "countersigned_by": None, "countersigned_at": None, "incident_id": None, "lapsed_at": None}  # fmt: skip
    row = it.row("request", it.company.pending, emergency=said)
    entry = {**it.about("emergency.declared", it.company.pending), "data": {"category": "security_breach"}}
    return it.striking(it.change(it.me(it.proof("emergency.declare")), [entry], ("request", row, 0)))


def declining(
    it: Attacker, *more: Json, note: str | None = None, moves: bool = True, told: Json | None = None
) -> Strike:
    """Raj refuses Ann's full mode, lawfully but for what is told."""
    me, full = it.me(), it.company.full
    made = decision(it, full, "decline", me["id"], me["name"], note=note)
    entry = {**it.about("request.declined", full), "data": told or {}}
    rows: list[tuple[str, Json, int]] = [("decision", made, 0)]
    if moves:
        rows.append(("request", it.row("request", full, declined_by=me["id"]), 0))
    return it.striking(it.change(me, [entry, *more], *rows))


@attack("raj", "CSP03")
def a_decision_beside_its_request(it: Attacker) -> Strike:
    """Put a second person's refusal on record, and leave the request as it was, to be countersigned after all."""
    return declining(it, moves=False, told={"mode": "full"})


@attack("raj", "CSP03")
def another_note_told(it: Attacker) -> Strike:
    """Refuse full mode with one note in the decision, and another in the tenant's log."""
    return declining(it, note="she is not trained for it", told={"note": "it is not needed"})


@attack("raj", "CSP03")
def an_export_by_the_way(it: Attacker) -> Strike:
    """Refuse full mode, and put an export on record beside it."""
    return declining(it, {"action": "log.exported", "data": {"log": "operator", "first": 1, "last": 9, "form": "csv"}})


@attack("ann", "CSP03")
def people_told_who_were_not_written_to(it: Attacker) -> Strike:
    """Ask for access, write to the admins, and have the log add that their security contact was told as well."""
    now, asked = it.now(), it.row("request", it.company.pending)
    until = time_text(parse_time(now) + timedelta(hours=24))
    row = {**asked, "id": "R-TOLD", "created_at": now, "expires_at": until}
    entry = {**it.about("request.created", it.company.pending), "request": "R-TOLD", "data": {"mailed": ["northwind/maria", "northwind/sid"]}}  # fmt: skip
    return it.striking(it.change(it.me(it.proof("request.create")), [entry], ("request", row, 0)))


@attack("portal", "CSP03")
def fewer_minutes_told(it: Attacker) -> Strike:
    """Over the portal's log-in, approve for thirty minutes as Maria, by her link, and tell her log five."""
    maria, pending = it.maria(), it.company.pending
    exact = approved(it, maria["id"])
    exact["usable_until"] = time_text(parse_time(exact["decided_at"]) + timedelta(hours=8))
    made = decision(it, pending, "approve", maria["id"], maria["name"], minutes=30, at=exact["decided_at"])
    link = it.row("consent_link", it.company.link, used_at=it.now())
    entry = {**it.about("request.approved", pending), "data": {"minutes": 5}}
    return it.striking(
        it.change(maria, [entry], ("request", exact, 0), ("decision", made, 0), ("consent_link", link, 0))
    )


@attack("portal", "CSP03")
def a_decision_of_other_minutes(it: Attacker) -> Strike:
    """Over the portal's log-in, approve as Maria, by her link: her decision says five minutes, the request thirty."""
    maria, pending = it.maria(), it.company.pending
    exact = approved(it, maria["id"])
    exact["usable_until"] = time_text(parse_time(exact["decided_at"]) + timedelta(hours=8))
    made = decision(it, pending, "approve", maria["id"], maria["name"], minutes=5, at=exact["decided_at"])
    link = it.row("consent_link", it.company.link, used_at=it.now())
    entry = it.about("request.approved", pending)
    return it.striking(
        it.change(maria, [entry], ("request", exact, 0), ("decision", made, 0), ("consent_link", link, 0))
    )


# ── the tenant and its people ──


@attack("portal", "CSP03")
def half_the_settings_told(it: Attacker) -> Strike:
    """Over the portal's log-in, as Maria: shorten sessions, give standing consent as well, and tell only of the first."""
    maria = it.maria()
    row = it.row(
        "settings", "northwind", max_minutes=30, standing_consent=True, changed_by=maria["id"], changed_at=it.now()
    )
    entry = {
        "action": "settings.changed",
        "tenant": "northwind",
        "before": {"max_minutes": 60},
        "after": {"max_minutes": 30},
    }
    return it.striking(it.change(maria, [entry], ("settings", row, 0)))


def importing(it: Attacker, contacts: list[str], told: list[Json], **person: object) -> Strike:
    """Lee imports a person into Contoso."""
    new = {"id": "contoso/lee", "tenant_id": "contoso", "name": "L. Park", "email": "lp@contoso.example", "roles": ["tenant_admin"], "removed": False, **person}  # fmt: skip
    tenant = it.row("tenant", "contoso")
    tenant["contacts"] = [*tenant["contacts"], *contacts]
    said = {"name": tenant["name"], "plan": tenant["plan"], "status": tenant["status"], "new": False, "contacts": told}
    summary = {"tenants": 1, "changed": 1, "names": ["contoso"]}
    return it.striking(it.change(
        it.me(),
        [{"action": "tenant.imported", "data": summary}, {"action": "tenant.imported", "tenant": "contoso", "data": said}],
        ("contact", new, 1), ("tenant", tenant, 1),
    ))  # fmt: skip


TOLD = {"id": "contoso/lee", "roles": ["tenant_admin"], "removed": False}


@attack("lee", "no refusal")
def a_true_import(it: Attacker) -> Strike:
    """(A super brings somebody into a tenant, on record there.)"""
    return importing(it, ["contoso/lee"], [TOLD])


@attack("lee", "CSP03")
def an_administrator_nobody_is_told_of(it: Attacker) -> Strike:
    """Import an address of one's own as Contoso's administrator, and leave it out of Contoso's log."""
    return importing(it, ["contoso/lee"], [])


@attack("lee", "CSP03")
def an_administrator_told_as_a_user(it: Attacker) -> Strike:
    """Import an address of one's own as Contoso's administrator, and tell Contoso's log of a mere user."""
    return importing(it, ["contoso/lee"], [{**TOLD, "roles": ["user"]}])


@attack("lee", "CSP03")
def an_administrator_beside_the_tenant(it: Attacker) -> Strike:
    """Import an administrator whom the tenant's own row does not name, so that the inspector shows nobody new."""
    return importing(it, [], [TOLD])


@attack("lee", "CSP03")
def an_import_without_its_summary(it: Attacker) -> Strike:
    """Import a tenant's new plan, with a summary that counts none."""
    tenant = it.row("tenant", "contoso", plan="free")
    said = {"name": tenant["name"], "plan": "free", "status": tenant["status"], "new": False, "contacts": []}
    entries = [{"action": "tenant.imported", "data": {"tenants": 1, "changed": 0, "names": []}}, {"action": "tenant.imported", "tenant": "contoso", "data": said}]  # fmt: skip
    return it.striking(it.change(it.me(), entries, ("tenant", tenant, 1)))


def hiring(it: Attacker, told: Json, standing: Json | None) -> Strike:
    """Lee makes an account."""
    row = {"id": "U-HIRED", "email": "new@ops.example", "name": "New", "role": "super", "until": None, "created_at": it.now(), "deactivated_at": None}  # fmt: skip
    begun = {"id": "U-HIRED", "active_session": None, "owes_outcome": None, "starts": [], "limit_alerted_at": None, **(standing or {})}  # fmt: skip
    rows = [("staff", row, 0)] + ([("standing", begun, 0)] if standing is not None else [])
    return it.striking(it.change(it.me(), [{"action": "staff.added", "data": {"staff": "U-HIRED", **told}}], *rows))


@attack("lee", "CSP03")
def a_super_told_as_an_engineer(it: Attacker) -> Strike:
    """Make a super's account, and have the log say that it is an engineer's."""
    return hiring(it, {"role": "engineer"}, {})


@attack("lee", "CSP03", "CSP11")
def an_account_without_a_standing(it: Attacker) -> Strike:
    """Make an account whose starts nobody counts."""
    return hiring(it, {}, None)


@attack("lee", "CSP03", "CSP11")
def an_account_whose_alarm_is_silent(it: Attacker) -> Strike:
    """Make an account about which the supers count as alerted already."""
    return hiring(it, {}, {"limit_alerted_at": it.now()})


@attack("lee", "CSP03")
def another_time_on_call_told(it: Attacker) -> Strike:
    """Put oneself on call for a week, and have the log say an hour."""
    now = it.now()
    shift = {"id": "C-LONG", "staff_id": it.company.people["lee"], "starts_at": now, "ends_at": it.later(days=7), "set_by": it.company.people["lee"], "set_at": now, "cancelled": False}  # fmt: skip
    entry = {"action": "rota.shift_set", "data": {"shift": "C-LONG", "to": it.later(hours=1)}}
    return it.striking(it.change(it.me(), [entry], ("on_call_shift", shift, 0)))


@attack("lee", "CSP03")
def the_rota_in_a_strangers_log(it: Attacker) -> Strike:
    """Put somebody on call, on record in the log of a tenant that it does not concern."""
    now = it.now()
    shift = {"id": "C-HERE", "staff_id": it.company.people["raj"], "starts_at": now, "ends_at": it.later(hours=8), "set_by": it.company.people["lee"], "set_at": now, "cancelled": False}  # fmt: skip
    entry = {"action": "rota.shift_set", "tenant": "contoso", "data": {"shift": "C-HERE"}}
    return it.striking(it.change(it.me(), [entry], ("on_call_shift", shift, 0)))


@attack("lee", "CSP03")
def a_stronger_key_than_told(it: Attacker) -> Strike:
    """Make a key that could change Contoso's settings, and tell its log that it can only read."""
    key = {"id": "K-STRONG", "name": "reader", "tenant_id": "contoso", "right": "settings", "secret_hash": "a" * 64, "created_at": it.now(), "created_by": it.company.people["lee"], "accepted_at": None, "accepted_by": None, "revoked_at": None, "revoked_by": None}  # fmt: skip
    entry = {"action": "api_key.created", "tenant": "contoso", "data": {"key": "K-STRONG", "right": "read"}}
    return it.striking(it.change(it.me(), [entry], ("api_key", key, 0)))


@attack("noor", "CSP03")
def another_finding_told(it: Attacker) -> Strike:
    """Sign a review with one finding, and give the tenant's log another."""
    row = it.row("review", it.company.review, finding="it should not have been", signed_by=it.company.people["noor"], signed_at=it.now())  # fmt: skip
    entry = {"action": "review.signed", "tenant": row["tenant_id"], "request": row["request_id"], "reason": "all in order", "data": {"review": row["id"]}}  # fmt: skip
    return it.striking(it.change(it.me(), [entry], ("review", row, 0)))


# ── copies and refusals ──


def copying(it: Attacker, log: str, actor: Json | None = None, **where: object) -> Strike:
    said = {"log": log, "first": 1, "last": 9, "form": "csv"}
    return it.striking(it.change(actor or it.me(), [{"action": "log.exported", "data": said, **where}]))


@attack("ann,noor", "CSP03")
def a_copy_the_tenant_does_not_hear_of(it: Attacker) -> Strike:
    """Export a tenant's log, on record in the operator's log alone."""
    return copying(it, "tenant:northwind")


@attack("ann,noor", "CSP03")
def a_filtered_copy_the_tenant_does_not_hear_of(it: Attacker) -> Strike:
    """Export what fits a filter from a tenant's log, on record in the operator's log alone."""
    said = {"log": "tenant:northwind", "selection": "action:session", "form": "csv", "entries": 4}
    return it.striking(it.change(it.me(), [{"action": "log.exported", "data": said}]))


@attack("ann", "CSP03")
def a_copy_of_nothing_said(it: Attacker) -> Strike:
    """Export a log, on record without saying which."""
    return it.striking(it.change(it.me(), [{"action": "log.exported", "data": {"form": "csv"}}]))


@attack("ann,lee", "CSP03")
def an_export_in_a_strangers_log(it: Attacker) -> Strike:
    """Export the operator's log, on record in the log of a tenant that it does not concern."""
    return copying(it, "operator", tenant="contoso")


@attack("portal", "CSP03")
def a_rival_copies(it: Attacker) -> Strike:
    """The portal's log-in exports Contoso's log as Maria of Northwind."""
    return copying(it, "tenant:contoso", it.maria(), tenant="contoso")


@attack("ann", "CSP03")
def a_colleague_over_the_limit(it: Attacker) -> Strike:
    """Put on record that a colleague met the rate limit."""
    asked = it.row("request", it.company.ready)
    said = {
        "engineer": it.company.people["raj"],
        "wanted_tenant": asked["tenant_id"],
        "why": "6 sessions in the last hour",
    }
    return it.striking(it.change(it.me(), [{"action": "rate_limit.met", "request": asked["id"], "ticket": asked["ticket"], "data": said}]))  # fmt: skip


@attack("worker", "CSP03")
def another_letter_told(it: Attacker) -> Strike:
    """The worker's log-in records the delivery of one letter as that of another."""
    (key,) = it.as_superuser("select id from countersign.mail where image::jsonb->>'state' = 'queued' and image::jsonb->>'event' = 'break_glass.countersigned' and image::jsonb->>'request_id' = %s limit 1", it.company.signed)[0]  # fmt: skip
    now = it.now()
    row = it.row("mail", key, state="failed", failed_at=now, tried_at=now, attempts=9, last_error="550 no such user")
    entry = {"action": "mail.failed", "tenant": row["tenant_id"], "request": row["request_id"], "reason": "550 no such user", "data": {"mail": key, "event": "request.created"}}  # fmt: skip
    actor = {**it.clock(), "id": "mail", "name": "mail"}
    return it.striking(it.change(actor, [entry], ("mail", row, 0)))
