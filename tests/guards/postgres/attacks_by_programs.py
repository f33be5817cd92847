"""Attacks by whoever holds a program's log-in: the portal's, the worker's or the gate's rights used for what staff do, for
another's letters and links, for time that has not come (REQ-105, REQ-108, REQ-203, REQ-602, REQ-701)."""

# ruff: noqa: E501  (what an attacker types stays as typed)

from __future__ import annotations

from datetime import timedelta

from storage.models.row import parse_time, time_text
from tests.guards.postgres.attacker import Attacker, Json, Strike, attack
from tests.guards.postgres.attacks_on_consent import decision
from tests.guards.postgres.attacks_on_sessions import started
from tests.guards.postgres.attacks_on_the_switch import keyed

NO_RIGHT = "42501"
PROGRAMS = "portal,worker,gate"
SYSTEM = {"kind": "system", "email": "", "ip": "10.0.0.9", "step_up": None}


def itself(it: Attacker) -> Json:
    """The actor that this program's log-in may be; the portal's, for Maria."""
    if it.name == "portal":
        return it.maria()
    return {**SYSTEM, "id": it.name, "name": it.name, "kind": "gate" if it.name == "gate" else "system"}


def admin(it: Attacker, key: str) -> Json:
    """Somebody of a tenant as the actor."""
    return {**it.maria(), **{name: it.row("contact", key)[name] for name in ("id", "name", "email")}}


def typed(it: Attacker, sql: str, *values: object) -> Strike:
    return lambda: it.sql(sql, *values)


def doing(it: Attacker, entry: Json, *rows: tuple[str, Json], actor: Json | None = None) -> Strike:
    """A Change by hand, its rows under its one entry."""
    return it.striking(it.change(actor or itself(it), [entry], *((table, row, 0) for table, row in rows)))


# ── the rights of a program, used for a staff act ──


@attack(PROGRAMS, "CSP12")
def a_program_asks_for_access(it: Attacker) -> Strike:
    """Ask for access in Ann's name, so that she has something to start."""
    now = it.now()
    asked = it.row("request", it.company.pending, id="R-FORGED", created_at=now, expires_at=time_text(parse_time(now) + timedelta(hours=24)))  # fmt: skip
    return doing(it, {**it.about("request.created", it.company.pending), "request": "R-FORGED"}, ("request", asked))


@attack(PROGRAMS, "CSP12", "CSP04")
def a_program_countersigns_full_mode(it: Attacker) -> Strike:
    """Be the second person of full mode."""
    me, request = itself(it), it.company.full
    signed = it.row("request", request, countersigned_by=me["id"], countersigned_at=it.now())
    made = decision(it, request, "countersign", me["id"], me["name"])
    return doing(it, it.about("request.countersigned", request), ("request", signed), ("decision", made))


@attack(PROGRAMS, "CSP12", "CSP07")
def a_program_starts_a_session(it: Attacker) -> Strike:
    """Activate the approval that Ann has."""
    request, session = it.company.ready, started(it, it.company.ready)
    used = it.row("request", request, state="used", session_id=session["id"])
    who = it.row("standing", session["engineer_id"])
    begun = {**who, "active_session": session["id"], "starts": [*who["starts"], {"tenant_id": session["tenant_id"], "at": session["started_at"]}]}  # fmt: skip
    entry = {**it.about("session.started", request), "session": session["id"]}
    return doing(it, entry, ("session", session), ("request", used), ("standing", begun))


def ended(it: Attacker, kind: str, by: str, **changes: object) -> tuple[tuple[str, Json], ...]:
    """Raj's running session as ended, and Raj as out of it."""
    session = it.row("session", it.company.running, **{"ended_at": it.now(), "end_kind": kind, "ended_by": by, **changes})  # fmt: skip
    standing = it.row("standing", session["engineer_id"], active_session=None, owes_outcome=session["id"])
    return ("session", session), ("standing", standing)


@attack(PROGRAMS, "CSP12")
def a_program_force_ends_a_session(it: Attacker) -> Strike:
    """End Raj's session as a super does."""
    entry = it.about("session.force_ended", session=it.company.running)
    return doing(it, entry, *ended(it, "super", itself(it)["id"], end_reason="out with him"))


@attack(PROGRAMS, "CSP12", "CSP04")
def a_program_declares_break_glass(it: Attacker) -> Strike:
    """Declare break-glass for Ann."""
    said = {"reason": "it burns", "declared_at": it.now(), "countersigned_by": None, "countersigned_at": None, "cooling_since": None, "cooling_until": None}  # fmt: skip
    request = it.company.undecided
    row = it.row("request", request, state="declared", break_glass=said)
    return doing(it, it.about("break_glass.declared", request), ("request", row))


@attack(PROGRAMS, "CSP12", "CSP04")
def a_program_declares_an_emergency(it: Attacker) -> Strike:
    """Declare an emergency under the program's own name."""
    said = {"category": "outage", "reason": "all down", "declared_by": itself(it)["id"], "declared_at": it.now(), "countersigned_by": None, "countersigned_at": None, "incident_id": None, "lapsed_at": None}  # fmt: skip
    row = it.row("request", it.company.pending, emergency=said)
    return doing(it, it.about("emergency.declared", it.company.pending), ("request", row))


@attack(PROGRAMS, "CSP12")
def a_program_adds_a_super(it: Attacker) -> Strike:
    """Make an account for a super of one's own."""
    made = {"id": "U-FORGED", "email": "me@ops.example", "name": "Me", "role": "super", "until": None, "created_at": it.now(), "deactivated_at": None}  # fmt: skip
    standing: Json = {
        "id": "U-FORGED",
        "active_session": None,
        "owes_outcome": None,
        "limit_alerted_at": None,
        "starts": [],
    }
    return doing(it, {"action": "staff.added", "data": {"staff": "U-FORGED"}}, ("staff", made), ("standing", standing))


@attack(PROGRAMS, "CSP12")
def a_program_deactivates_a_super(it: Attacker) -> Strike:
    """Take Lee's account away, so that no emergency finds a second super."""
    lee = it.company.people["lee"]
    gone = it.row("staff", lee, deactivated_at=it.now())
    return doing(it, {"action": "staff.deactivated", "data": {"staff": lee}}, ("staff", gone))


@attack(PROGRAMS, "CSP12")
def a_program_sets_the_office_hours(it: Attacker) -> Strike:
    """Close the office for good, so that nobody but a friend on call countersigns."""
    hours = {"id": "office", "zone": "UTC", "spans": [{"weekday": 1, "opens": "03:00", "closes": "03:01"}], "set_by": itself(it)["id"], "set_at": it.now()}  # fmt: skip
    return doing(it, {"action": "rota.hours_set"}, ("office_hours", hours))


@attack(PROGRAMS, "CSP12")
def a_program_puts_somebody_on_call(it: Attacker) -> Strike:
    """Put Raj on call for tonight."""
    shift = {"id": "C-FORGED", "staff_id": it.company.people["raj"], "starts_at": it.now(), "ends_at": it.later(hours=8), "set_by": itself(it)["id"], "set_at": it.now(), "cancelled": False}  # fmt: skip
    return doing(it, {"action": "rota.shift_set", "data": {"shift": "C-FORGED"}}, ("on_call_shift", shift))


@attack(PROGRAMS, "CSP12", "CSP05")
def a_program_makes_a_platform_key(it: Attacker) -> Strike:
    """Make a key for the platform's API, whose secret one knows."""
    key = {"id": "K-FORGED", "name": "mine", "tenant_id": None, "right": "platform", "secret_hash": "ab" * 32, "created_at": it.now(), "created_by": itself(it)["id"], "accepted_at": None, "accepted_by": None, "revoked_at": None, "revoked_by": None}  # fmt: skip
    return doing(it, {"action": "api_key.created", "data": {"key": "K-FORGED"}}, ("api_key", key))


@attack(PROGRAMS, "CSP12")
def a_program_signs_a_review(it: Attacker) -> Strike:
    """Sign off the emergency's review."""
    row = it.row("review", it.company.review, finding="all was well", signed_by=itself(it)["id"], signed_at=it.now())
    entry = {"action": "review.signed", "tenant": row["tenant_id"], "request": row["request_id"], "data": {"review": row["id"]}}  # fmt: skip
    return doing(it, entry, ("review", row))


@attack(PROGRAMS, "CSP12", "CSP04")
def a_program_grants_an_elevation(it: Attacker) -> Strike:
    """Let Raj's session change data."""
    session = it.row("session", it.company.running)
    granted = {**session["elevation"], "state": "granted", "decided_by": itself(it)["id"], "decided_at": it.now()}
    row = {**session, "mode": "full", "elevation": granted}
    return doing(it, it.about("elevation.granted", session=session["id"]), ("session", row))


@attack(PROGRAMS, NO_RIGHT)
def a_program_tries_peoples_codes(it: Attacker) -> Strike:
    """Begin a step-up: guess at a second factor."""
    return typed(it, "select countersign.step_up_begin('000000', 'session.start', '10.0.0.9')")


@attack(PROGRAMS, NO_RIGHT)
def a_program_makes_a_log_in(it: Attacker) -> Strike:
    """Have the database make a log-in for Dana, with a password of one's own."""
    return typed(it, "select countersign.staff_login_add(%s, 'SCRAM-SHA-256$', null)", it.company.people["dana"])


@attack("worker", "CSP12")
def the_worker_locks_a_colleague_out(it: Attacker) -> Strike:
    """Take away the log-in of somebody who is active."""
    return typed(it, "select countersign.staff_login_remove(%s)", it.company.people["raj"])


@attack("portal,gate", NO_RIGHT)
def the_workers_lease(it: Attacker) -> Strike:
    """Take the lease under which one worker delivers, and keep it: no letter would go out any more."""
    return typed(it, "select countersign.take_lease('mail', 'me', 86400)")


@attack("worker,gate", "CSP01")
def deciding_in_a_tenants_name(it: Attacker) -> Strike:
    """Deny a request as Maria: only the portal's log-in speaks for a tenant."""
    maria, request = it.maria(), it.company.pending
    row = it.row("request", request, state="denied", decided_by=maria["id"], decided_at=it.now())
    made = decision(it, request, "deny", maria["id"], maria["name"], at=row["decided_at"])
    return doing(it, it.about("request.denied", request), ("request", row), ("decision", made), actor=maria)


# ── the portal ──


@attack("portal", "CSP05")
def signing_in_without_a_link(it: Attacker) -> Strike:
    """Open a session of the portal for Maria, who was mailed nothing."""
    until = time_text(parse_time(it.now()) + timedelta(hours=8))
    door = {"id": "cd" * 32, "contact_id": "northwind/maria", "tenant_id": "northwind", "created_at": it.now(), "expires_at": until, "ended_at": None}  # fmt: skip
    entry = {"action": "portal.signed_in", "tenant": "northwind", "target": "northwind/maria", "data": {"session": "cd" * 6}}  # fmt: skip
    return doing(it, entry, ("portal_session", door))


@attack("portal", "CSP12")
def ending_a_session_in_anothers_tenant(it: Attacker) -> Strike:
    """As Ines of Contoso, end the session that runs in Northwind."""
    ines = admin(it, "contoso/ines")
    entry = it.about("session.ended", session=it.company.running)
    return doing(it, entry, *ended(it, "tenant", ines["id"]), actor=ines)


@attack("portal", "CSP12")
def giving_an_outcome_for_the_engineer(it: Attacker) -> Strike:
    """End the session as Maria, and write into it what Raj is said to have found."""
    outcome = {"cause": "nothing", "changed": "nothing", "beyond_scope": "no", "follow_up": "", "ticket_closed": True, "at": it.now()}  # fmt: skip
    entry = it.about("session.ended", session=it.company.running)
    return doing(it, entry, *ended(it, "tenant", "northwind/maria", outcome=outcome))


@attack("portal", "CSP05")
def asking_as_a_mere_user(it: Attacker) -> Strike:
    """As Eva, a user, ask a question about a request, so that it waits."""
    eva, request = admin(it, "northwind/eva"), it.company.pending
    said = {"kind": "question", "by": eva["id"], "name": eva["name"], "at": it.now(), "text": "why?"}
    row = it.row("request", request)
    return doing(it, it.about("question.asked", request), ("request", {**row, "exchanges": [*row["exchanges"], said]}), actor=eva)  # fmt: skip


def denying(it: Attacker, link: Json) -> Strike:
    maria, request = it.maria(), it.company.pending
    row = it.row("request", request, state="denied", decided_by=maria["id"], decided_at=it.now())
    made = decision(it, request, "deny", maria["id"], maria["name"], at=row["decided_at"])
    return doing(it, it.about("request.denied", request), ("request", row), ("decision", made), ("consent_link", link))


@attack("portal", "CSP05")
def denying_by_the_link_to_approve(it: Attacker) -> Strike:
    """Deny by the link that approves: a link is bound to its decision."""
    return denying(it, it.row("consent_link", it.company.link, used_at=it.now()))


@attack("portal", "CSP05")
def denying_by_the_link_of_another_request(it: Attacker) -> Strike:
    """Deny by a true link of Maria's that was mailed for another request."""
    (key,) = it.as_superuser("select id from countersign.consent_link where image::jsonb->>'kind' = 'deny' and image::jsonb->>'contact_id' = 'northwind/maria' and request_id <> %s limit 1", it.company.pending)[0]  # fmt: skip
    return denying(it, it.row("consent_link", key, used_at=it.now()))


@attack("portal", "CSP05")
def making_a_link_last(it: Attacker) -> Strike:
    """Deny by a true link, and set its end to next month in the same image."""
    (key,) = it.as_superuser("select id from countersign.consent_link where image::jsonb->>'kind' = 'deny' and image::jsonb->>'contact_id' = 'northwind/maria' and request_id = %s", it.company.pending)[0]  # fmt: skip
    return denying(it, it.row("consent_link", key, used_at=it.now(), expires_at=it.later(days=30)))


def setting(it: Attacker, **changes: object) -> Strike:
    """Northwind's settings, changed as Maria, rightly told."""
    row = it.row("settings", "northwind", **{"changed_by": "northwind/maria", "changed_at": it.now(), **changes})
    return doing(it, {"action": "settings.changed", "tenant": "northwind"}, ("settings", row))


@attack("portal", "no refusal")
def a_lawful_setting(it: Attacker) -> Strike:
    """(To see that the next ones fail for the right reason.)"""
    return setting(it, max_minutes=45)


@attack("portal", "CSP05")
def sessions_of_ten_hours(it: Attacker) -> Strike:
    """Raise the tenant's maximum beyond what any tenant may have."""
    return setting(it, max_minutes=600)


@attack("portal", "CSP05")
def settings_in_anothers_name(it: Attacker) -> Strike:
    """Change the settings as Maria, and have them say that Juan did."""
    return setting(it, max_minutes=45, changed_by="northwind/juan")


@attack("portal", "CSP05")
def settings_changed_last_year(it: Attacker) -> Strike:
    """Change the settings now, and have them say that it was long ago."""
    return setting(it, max_minutes=45, changed_at=it.later(days=-300))


@attack("portal", "CSP05")
def taking_a_neighbours_key_back(it: Attacker) -> Strike:
    """As Ines of Contoso, revoke the key by which Northwind's own alarm works."""
    program, ines = keyed(it, accepted=True), admin(it, "contoso/ines")
    row = it.row("api_key", program["id"], revoked_at=it.now(), revoked_by=ines["id"])
    entry = {"action": "api_key.revoked", "tenant": "northwind", "data": {"key": program["id"]}}
    return doing(it, entry, ("api_key", row), actor=ines)


# ── the worker: letters, links, and time ──


def waiting(it: Attacker, event: str, request: str, to: str = "northwind/maria") -> str:
    """A letter that waits to be sent."""
    sql = "select id from countersign.mail where state = 'queued' and image::jsonb->>'event' = %s and image::jsonb->>'request_id' = %s and image::jsonb->>'to_id' = %s limit 1"  # fmt: skip
    return str(it.as_superuser(sql, event, request, to)[0][0])


def urgent(it: Attacker) -> str:
    """The urgent letter to Maria about break-glass that nobody was told of yet."""
    return waiting(it, "break_glass.countersigned", it.company.signed)


def queued(it: Attacker, **changes: object) -> str:
    """Another letter that waits, without links: Ann's console has told of something."""
    ann, letter = it.another("ann"), it.row("mail", urgent(it), id="M-ANNS", links=[], **changes)
    told = {"action": "alert.raised", "reason": "something is odd", "data": {"faults": 1}}
    ann.apply(ann.change(ann.me(), [told], ("mail", letter, 0)))
    return "M-ANNS"


def link(it: Attacker, **changes: object) -> Json:
    """The link to veto that stands in that letter."""
    request = it.row("request", it.company.signed)
    until = it.later(hours=2) if changes.pop("cools", False) else request["expires_at"]
    return {"id": "ef" * 32, "kind": "veto", "request_id": request["id"], "contact_id": "northwind/maria", "content_digest": request["content_digest"], "expires_at": until, "used_at": None, **changes}  # fmt: skip


def delivering(it: Attacker, key: str, *more: tuple[str, Json, int], cooling: Json | None = None, **changes: object) -> Strike:  # fmt: skip
    """The record that a mail server took this letter; `cooling`: that with it the cooling of a request began."""
    now = it.now()
    mail = it.row("mail", key, **{"state": "delivered", "delivered_at": now, "tried_at": now, "attempts": 1, **changes})
    told = {"mail": key, "event": mail["event"], "to": mail["to_id"], "links": mail["links"]}
    entries = [{"action": "mail.delivered", "tenant": mail["tenant_id"], "request": mail["request_id"], "session": mail["session_id"], "data": told}]  # fmt: skip
    rows = [("mail", mail, 0), *more]
    if cooling is not None:
        entries.append(it.about("break_glass.cooling", cooling["id"]))
        rows.append(("request", cooling, 1))
    return it.striking(it.change(itself(it), entries, *rows))


def cooled(it: Attacker, **changes: object) -> Json:
    """The countersigned break-glass, as it cools from now on."""
    now = it.now()
    glass = it.row("request", it.company.signed)["break_glass"]
    until = time_text(parse_time(now) + timedelta(hours=2))
    return it.row("request", it.company.signed, break_glass={**glass, "cooling_since": now, "cooling_until": until, **changes})  # fmt: skip


def lawful_link(it: Attacker, row: Json) -> tuple[str, Json, int]:
    return "consent_link", link(it, expires_at=row["break_glass"]["cooling_until"]), 0


@attack("worker", "no refusal")
def a_lawful_delivery(it: Attacker) -> Strike:
    """(The urgent letter was accepted: the cooling begins, and the link in it works.)"""
    row = cooled(it)
    return delivering(it, urgent(it), lawful_link(it, row), cooling=row)


@attack("worker", "CSP03")
def cooling_without_a_letter(it: Attacker) -> Strike:
    """Let the two hours begin though no letter went out: nobody there could veto."""
    return doing(it, it.about("break_glass.cooling", it.company.signed), ("request", cooled(it)))


@attack("worker", "CSP03", "CSP02")
def cooling_by_another_letter(it: Attacker) -> Strike:
    """Let the two hours begin by a letter about another request."""
    return delivering(it, queued(it, request_id=it.company.pending), cooling=cooled(it))


@attack("worker", "CSP03")
def cooling_by_a_letter_to_a_super(it: Attacker) -> Strike:
    """Let the two hours begin by the letter that asked a super to countersign: the tenant has none yet."""
    lee = it.row("staff", it.company.people["lee"])
    asked = queued(it, event="break_glass.declared", to_id=lee["id"], to_name=lee["name"], to_email=lee["email"])
    return delivering(it, asked, cooling=cooled(it))


@attack("worker", "CSP03")
def cooling_that_began_an_hour_ago(it: Attacker) -> Strike:
    """Say that the letter was accepted an hour ago, so that the veto ends an hour early."""
    since = it.later(hours=-1)
    row = cooled(it, cooling_since=since, cooling_until=time_text(parse_time(since) + timedelta(hours=2)))
    return delivering(it, urgent(it), lawful_link(it, row), cooling=row)


@attack("worker", "CSP03")
def cooling_for_a_minute(it: Attacker) -> Strike:
    """Let the two hours be over in a minute."""
    row = cooled(it, cooling_until=it.later(mins=1))
    return delivering(it, urgent(it), lawful_link(it, row), cooling=row)


@attack("worker", "CSP05")
def a_letter_taken_yesterday(it: Attacker) -> Strike:
    """Date a delivery back by a day."""
    return delivering(it, urgent(it), ("consent_link", link(it), 0), delivered_at=it.later(days=-1))


@attack("worker", "CSP05")
def a_letter_sent_elsewhere(it: Attacker) -> Strike:
    """Record the delivery of Maria's letter, to another address than it was written to."""
    return delivering(it, urgent(it), ("consent_link", link(it), 0), to_email="me@x.example")


@attack("worker", "CSP05")
def a_letter_of_other_words(it: Attacker) -> Strike:
    """Record the delivery of Maria's letter, with its facts rewritten."""
    return delivering(it, urgent(it), ("consent_link", link(it), 0), facts='{"why":"routine"}')


@attack("worker", "CSP05")
def a_link_for_somebody_else(it: Attacker) -> Strike:
    """Put a link for Juan into Maria's letter."""
    return delivering(it, urgent(it), ("consent_link", link(it, contact_id="northwind/juan"), 0))


@attack("worker", "CSP05")
def a_link_about_something_else(it: Attacker) -> Strike:
    """Put a link about another request into the letter."""
    other = it.row("request", it.company.pending)
    return delivering(it, urgent(it), ("consent_link", link(it, request_id=other["id"], content_digest=other["content_digest"], expires_at=other["expires_at"]), 0))  # fmt: skip


@attack("worker", "CSP05")
def a_link_of_another_kind(it: Attacker) -> Strike:
    """Put a link to approve into a letter that only lets veto."""
    return delivering(it, urgent(it), ("consent_link", link(it, kind="approve"), 0))


@attack("worker", "CSP05")
def a_link_for_a_month(it: Attacker) -> Strike:
    """Put a link into the letter that lives on after its time."""
    return delivering(it, urgent(it), ("consent_link", link(it, expires_at=it.later(days=30)), 0))


@attack("worker", "CSP05")
def a_link_that_is_used_up(it: Attacker) -> Strike:
    """Put a link into the letter that nobody can press any more."""
    return delivering(it, urgent(it), ("consent_link", link(it, used_at=it.now()), 0))


@attack("worker", "CSP05")
def a_way_in_beside_the_letter(it: Attacker) -> Strike:
    """Make a link to sign in as Maria beside a letter that holds none."""
    door = {"id": "ef" * 32, "contact_id": "northwind/maria", "tenant_id": "northwind", "expires_at": it.later(mins=10), "used_at": None}  # fmt: skip
    return delivering(it, urgent(it), ("sign_in_link", door, 0))


def delivered(it: Attacker) -> str:
    return str(it.as_superuser("select id from countersign.mail where state = 'delivered' and image::jsonb->>'event' = 'request.created' limit 1")[0][0])  # fmt: skip


@attack("worker", "CSP03", "CSP05")
def a_letter_delivered_twice(it: Attacker) -> Strike:
    """Deliver a letter again that has arrived, to make fresh links."""
    return delivering(it, delivered(it))


@attack("worker", "CSP03", "CSP05")
def a_letter_that_never_arrived(it: Attacker) -> Strike:
    """Have a letter that arrived wait again, as if nobody had been told."""
    key = delivered(it)
    row = it.row("mail", key, state="queued", delivered_at=None, attempts=2, tried_at=it.now(), last_error="450 later")
    entry = {"action": "mail.deferred", "tenant": row["tenant_id"], "request": row["request_id"], "data": {"mail": key}}
    return doing(it, entry, ("mail", row))


@attack("worker", "CSP05")
def a_letter_given_up_without_a_word(it: Attacker) -> Strike:
    """Give Maria's urgent letter up, and say no reason."""
    key = urgent(it)
    row = it.row("mail", key, state="failed", failed_at=it.now(), tried_at=it.now(), attempts=1, last_error="")
    entry = {"action": "mail.failed", "tenant": row["tenant_id"], "request": row["request_id"], "reason": "", "data": {"mail": key}}  # fmt: skip
    return doing(it, entry, ("mail", row))


@attack("worker", "CSP05")
def an_alarm_to_a_stranger(it: Attacker) -> Strike:
    """Write to somebody outside under the name of an alarm."""
    letter = it.row("mail", urgent(it), id="M-FORGED", event="alert.raised", to_id="x", to_email="me@x.example", links=[], tenant_id=None, request_id=None)  # fmt: skip
    return doing(it, {"action": "alert.raised", "reason": "look", "data": {"faults": 1}}, ("mail", letter))


@attack("portal,worker,gate", NO_RIGHT)
def deleting_letters(it: Attacker) -> Strike:
    """DELETE every letter that waits."""
    return typed(it, "delete from countersign.mail where state = 'queued'")


@attack("portal,worker,gate", NO_RIGHT)
def rewriting_letters(it: Attacker) -> Strike:
    """UPDATE the letters, so that all of them come to oneself."""
    return typed(it, "update countersign.mail set image = replace(image, 'northwind.example', 'x.example')")


@attack("worker", "CSP03")
def expired_before_its_time(it: Attacker) -> Strike:
    """Record that a request expired which the tenant can still decide."""
    row = it.row("request", it.company.pending, state="expired")
    return doing(it, it.about("request.expired", it.company.pending), ("request", row))


@attack("worker", "CSP03")
def lapsed_before_its_time(it: Attacker) -> Strike:
    """Record that an approval lapsed which can still be used."""
    row = it.row("request", it.company.ready, state="lapsed")
    return doing(it, it.about("request.lapsed", it.company.ready), ("request", row))


@attack("worker", "CSP09", "CSP03")
def a_session_over_before_its_time(it: Attacker) -> Strike:
    """Record that the clock ended Raj's session, now."""
    return doing(it, it.about("session.expired", session=it.company.running), *ended(it, "clock", "clock"))


@attack("worker", "CSP12", "CSP09")
def a_session_ended_in_the_tenants_name(it: Attacker) -> Strike:
    """Record that the tenant ended Raj's session, which it has not."""
    return doing(it, it.about("session.ended", session=it.company.running), *ended(it, "tenant", "worker"))


@attack("worker", "CSP03")
def usable_while_it_cools(it: Attacker) -> Strike:
    """Record that the cooling is over while the tenant can still veto."""
    until = it.row("request", it.company.cooling)["break_glass"]["cooling_until"]
    row = it.row("request", it.company.cooling, state="approved", usable_until=time_text(parse_time(until) + timedelta(hours=8)))  # fmt: skip
    return doing(it, it.about("break_glass.usable", it.company.cooling), ("request", row))


@attack("worker", "CSP05")
def a_veto_that_nobody_gave(it: Attacker) -> Strike:
    """Veto break-glass under the worker's name, while the tenant is open."""
    request = it.company.cooling
    row = it.row("request", request, state="vetoed", decided_by="worker", decided_at=it.now())
    made = decision(it, request, "veto", "worker", "worker", at=row["decided_at"])
    return doing(it, it.about("break_glass.vetoed", request), ("request", row), ("decision", made))


@attack("worker", "CSP05", "CSP12")
def turning_a_switch_back(it: Attacker) -> Strike:
    """Turn Northwind's kill switch off under the worker's name: nobody at the operator can."""
    row = it.row("settings", "northwind", kill_switch=False, max_minutes=240, changed_by="worker", changed_at=it.now())
    return doing(it, {"action": "settings.changed", "tenant": "northwind"}, ("settings", row))


# ── the gate ──


@attack("gate", "CSP12", "CSP09", "CSP03")
def the_gate_makes_a_session_longer(it: Attacker) -> Strike:
    """Move the end of Raj's session to tonight."""
    row = it.row("session", it.company.running, expires_at=it.later(hours=8))
    return doing(it, it.about("session.ended", session=it.company.running), ("session", row))


@attack("gate", "CSP12")
def the_gate_ends_a_session(it: Attacker) -> Strike:
    """End Raj's session as the tenant's doing."""
    return doing(it, it.about("session.ended", session=it.company.running), *ended(it, "tenant", "gate"))


@attack("gate", "CSP01")
def the_gate_as_the_clock(it: Attacker) -> Strike:
    """Record as the clock that Raj's session is over."""
    rows = ended(it, "clock", "clock")
    return doing(it, it.about("session.expired", session=it.company.running), *rows, actor=it.clock())


def viewing(it: Attacker, actor: Json, **changes: object) -> Strike:
    """A record viewed in Raj's running session."""
    session, now = it.row("session", it.company.running), it.now()
    seen = {"id": "W-FORGED", "session_id": session["id"], "tenant_id": session["tenant_id"], "kind": "record", "name": "invoice 1", "fields": [], "count": 1, "at": now, "source": "gate", "within_scope": True, **changes}  # fmt: skip
    row = {**session, "views": session["views"] + 1, "records_seen": session["records_seen"] + 1, "last_viewed": "record invoice 1"}  # fmt: skip
    entry = it.about("platform_admin.impersonate.action.record.viewed", session=session["id"])
    return doing(it, entry, ("session", row), ("session_view", seen), actor=actor)


@attack("gate", "CSP12")
def the_gate_says_what_was_viewed(it: Attacker) -> Strike:
    """Report a view under the gate's own name: that is recorded for the engineer, in their session, or not at all."""
    return viewing(it, itself(it))


@attack("gate,portal", "CSP01")
def viewing_in_the_engineers_name(it: Attacker) -> Strike:
    """Report, as Raj, that he looked at what he did not."""
    return viewing(it, it.me(name="raj"), source="engineer")


@attack("ann", "CSP12")
def viewing_in_a_colleagues_session(it: Attacker) -> Strike:
    """Report views in Raj's session, so that it looks as if he had strayed."""
    return viewing(it, it.me(), source="engineer", within_scope=False)


@attack("raj", "CSP12")
def viewing_in_another_tenants_log(it: Attacker) -> Strike:
    """Report a view of one's own session as one of another tenant's."""
    return viewing(it, it.me(), source="engineer", tenant_id="contoso")


@attack("gate", "CSP05", "CSP12")
def the_gate_changes_settings(it: Attacker) -> Strike:
    """Give a tenant's standing consent."""
    row = it.row("settings", "northwind", standing_consent=True, changed_by="gate", changed_at=it.now())
    return doing(it, {"action": "settings.changed", "tenant": "northwind"}, ("settings", row))


@attack("gate,worker", "CSP01")
def settings_by_a_log_in_that_is_not_the_portals(it: Attacker) -> Strike:
    """Give standing consent as Maria, over another program's log-in."""
    row = it.row("settings", "northwind", standing_consent=True, changed_by="northwind/maria", changed_at=it.now())
    return doing(it, {"action": "settings.changed", "tenant": "northwind"}, ("settings", row), actor=it.maria())


@attack("gate", NO_RIGHT)
def the_gate_writes_sessions(it: Attacker) -> Strike:
    """UPDATE the sessions, all of them at once."""
    return typed(it, 'update countersign.session set image = replace(image, \'"ended_at":null\', \'"ended_at":"x"\')')
