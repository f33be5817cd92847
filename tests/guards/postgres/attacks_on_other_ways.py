"""Attacks on break-glass, emergencies, reviews and the rota: early, alone, forged, in another's place (REQ-108, 109, 111,
502, 504)."""

# ruff: noqa: E501  (what an attacker types stays as typed)

from __future__ import annotations

import json
from datetime import timedelta

from storage.models import Mail
from storage.models.row import parse_time, time_text
from tests.guards.postgres.attacker import Attacker, Json, Strike, attack
from tests.guards.postgres.attacks_on_consent import decision


def glass(it: Attacker, request: str, **changes: object) -> Json:
    return {**(it.row("request", request)["break_glass"] or {}), **changes}


def declaring(it: Attacker, request: str, **changes: object) -> Strike:
    now = it.now()
    said = {"reason": "it burns", "declared_at": now, "countersigned_by": None, "countersigned_at": None, "cooling_since": None, "cooling_until": None, **changes}  # fmt: skip
    row = it.row("request", request, state="declared", break_glass=said)
    return it.striking(it.change(it.me(it.proof("break_glass.declare")), [it.about("break_glass.declared", request)], ("request", row, 0)))  # fmt: skip


def signing(it: Attacker, by: str, proof: str | None, **changes: object) -> Strike:
    """The countersign of the declared break-glass, as `by` says."""
    request = it.company.declared
    row = it.row("request", request, state="cooling", layer="break_glass", granted_minutes=30, break_glass=glass(it, request, countersigned_by=by, countersigned_at=it.now(), **changes))  # fmt: skip
    me = it.me(proof)
    made = decision(it, request, "break_glass", me["id"], me["name"])
    return it.striking(it.change(me, [it.about("break_glass.countersigned", request)], ("request", row, 0), ("decision", made, 0)))  # fmt: skip


def starting(it: Attacker, request: str, **changes: object) -> Strike:
    asked = it.row("request", request, **changes)
    now = it.now()
    end = time_text(parse_time(now) + timedelta(minutes=30))
    session = {"id": "S-EARLY", "request_id": request, "tenant_id": asked["tenant_id"], "target_id": asked["target_id"], "engineer_id": asked["engineer_id"], "ticket": asked["ticket"], "layer": asked["layer"], "mode": "read_only", "started_at": now, "expires_at": end, "ended_at": None, "end_kind": None, "ended_by": None, "end_reason": None, "elevation": None, "outcome": None, "records_seen": 0, "views": 0, "beyond_scope": 0, "last_viewed": None}  # fmt: skip
    standing = it.row("standing", asked["engineer_id"], active_session="S-EARLY")
    standing["starts"] = [*standing["starts"], {"tenant_id": asked["tenant_id"], "at": now}]
    used = {**asked, "state": "used", "session_id": "S-EARLY"}
    entry = {**it.about("session.started", request), "session": "S-EARLY"}
    return it.striking(it.change(it.me(it.proof("session.start")), [entry], ("session", session, 0), ("request", used, 0), ("standing", standing, 0)))  # fmt: skip


@attack("ann", "CSP03")
def declaring_before_its_time(it: Attacker) -> Strike:
    """Declare break-glass on a request that the tenant can still decide."""
    return declaring(it, it.company.pending)


@attack("ann", "CSP03", "CSP04")
def declaring_with_the_countersign_in_it(it: Attacker) -> Strike:
    """Declare break-glass and write Dana's countersign into it at once."""
    return declaring(it, it.company.undecided, countersigned_by=it.company.people["dana"], countersigned_at=it.now())


@attack("raj,lee", "CSP04")
def declaring_anothers(it: Attacker) -> Strike:
    """Declare break-glass on Ann's request."""
    return declaring(it, it.company.undecided)


@attack("ann", "CSP10")
def declaring_by_the_code_of_asking(it: Attacker) -> Strike:
    """Declare break-glass with a code that was given for creating a request."""
    row = it.row("request", it.company.undecided, state="declared", break_glass={"reason": "it burns", "declared_at": it.now(), "countersigned_by": None, "countersigned_at": None, "cooling_since": None, "cooling_until": None})  # fmt: skip
    return it.striking(it.change(it.me(it.proof("request.create")), [it.about("break_glass.declared", it.company.undecided)], ("request", row, 0)))  # fmt: skip


@attack("ann", "CSP12", "CSP04")
def countersigning_ones_own_break_glass(it: Attacker) -> Strike:
    """Be one's own second person."""
    return signing(it, it.company.people["ann"], it.proof("break_glass.countersign"))


@attack("raj", "CSP12")
def countersigning_break_glass_as_an_engineer(it: Attacker) -> Strike:
    """Countersign a colleague's break-glass without being a super."""
    return signing(it, it.company.people["raj"], it.proof("break_glass.countersign"))


@attack("ann,raj", "CSP12", "CSP04")
def countersigning_in_danas_name(it: Attacker) -> Strike:
    """Write Dana's name under the break-glass."""
    return signing(it, it.company.people["dana"], it.proof("break_glass.countersign"))


@attack("lee", "CSP10")
def countersigning_without_a_code(it: Attacker) -> Strike:
    """Countersign break-glass as a super, with no second factor."""
    return signing(it, it.company.people["lee"], None)


@attack("lee", "CSP03")
def countersigning_with_the_cooling_over(it: Attacker) -> Strike:
    """Countersign break-glass so that it has cooled already."""
    return signing(it, it.company.people["lee"], it.proof("break_glass.countersign"), cooling_since=it.later(hours=-3), cooling_until=it.later(hours=-1))  # fmt: skip


@attack("ann", "CSP03", "CSP07")
def entering_while_it_cools(it: Attacker) -> Strike:
    """Start a session before the two hours are over."""
    return starting(it, it.company.cooling)


@attack("ann", "CSP03", "CSP02")
def entering_with_the_cooling_moved(it: Attacker) -> Strike:
    """Start a session, and set the end of the cooling to a minute ago in the same Change."""
    return starting(it, it.company.cooling, break_glass=glass(it, it.company.cooling, cooling_until=it.later(mins=1)))


@attack("ann,lee", "CSP03", "CSP12")
def saying_that_it_is_usable(it: Attacker) -> Strike:
    """Record the end of the cooling before it has come."""
    until = glass(it, it.company.cooling)["cooling_until"]
    usable = time_text(parse_time(until) + timedelta(hours=8))
    row = it.row("request", it.company.cooling, state="approved", usable_until=usable)
    return it.striking(it.change(it.me(), [it.about("break_glass.usable", it.company.cooling)], ("request", row, 0)))


@attack("ann,lee", "CSP12")
def saying_that_a_letter_was_accepted(it: Attacker) -> Strike:
    """Start the cooling as staff, without any letter: only who delivers can."""
    now = it.now()
    until = time_text(parse_time(now) + timedelta(hours=2))
    row = it.row("request", it.company.signed, break_glass=glass(it, it.company.signed, cooling_since=now, cooling_until=until))  # fmt: skip
    return it.striking(it.change(it.me(), [it.about("break_glass.cooling", it.company.signed)], ("request", row, 0)))


def vetoing(it: Attacker, actor: Json, link: Json | None) -> Strike:
    request = it.company.cooling
    row = it.row("request", request, state="vetoed", decided_at=it.now(), decided_by=actor["id"], decision_note=None)
    made = decision(it, request, "veto", actor["id"], actor["name"], at=row["decided_at"])
    links = [("consent_link", link, 0)] if link else []
    return it.striking(it.change(actor, [it.about("break_glass.vetoed", request)], ("request", row, 0), ("decision", made, 0), *links))  # fmt: skip


@attack("lee", "CSP12", "CSP05")
def vetoing_as_staff(it: Attacker) -> Strike:
    """A super vetoes in the tenant's place."""
    return vetoing(it, it.me(), None)


@attack("ann", "CSP01")
def vetoing_as_maria_by_the_stolen_hash(it: Attacker) -> Strike:
    """Read the veto link's hash from the table and use it up as Maria, over a staff log-in."""
    return vetoing(it, it.maria(), it.row("consent_link", it.company.veto_link, used_at=it.now()))


@attack("portal", "CSP05")
def vetoing_without_a_link(it: Attacker) -> Strike:
    """The portal's log-in vetoes as Maria, though no link of hers is used by it."""
    return vetoing(it, it.maria(), None)


@attack("portal", "CSP05")
def vetoing_by_anothers_link(it: Attacker) -> Strike:
    """The portal's log-in vetoes as Juan by the link that Maria was mailed."""
    juan = it.row("contact", "northwind/juan")
    actor = {**it.maria(), "id": juan["id"], "name": juan["name"], "email": juan["email"]}
    return vetoing(it, actor, it.row("consent_link", it.company.veto_link, used_at=it.now()))


@attack("portal", "CSP05")
def vetoing_by_a_guessed_link(it: Attacker) -> Strike:
    """The portal's log-in makes a link up as it uses it."""
    link = it.row("consent_link", it.company.veto_link, id="f" * 64, used_at=it.now())
    return vetoing(it, it.maria(), link)


@attack("portal", "CSP12", "CSP04")
def the_portal_countersigns(it: Attacker) -> Strike:
    """The portal's rights, used for a staff act: Maria countersigns the break-glass."""
    request, maria = it.company.declared, it.maria()
    row = it.row("request", request, state="cooling", layer="break_glass", granted_minutes=30, break_glass=glass(it, request, countersigned_by=maria["id"], countersigned_at=it.now()))  # fmt: skip
    made = decision(it, request, "break_glass", maria["id"], maria["name"])
    return it.striking(it.change(maria, [it.about("break_glass.countersigned", request)], ("request", row, 0), ("decision", made, 0)))  # fmt: skip


@attack("portal,worker,gate", "CSP01")
def a_program_declares_as_dana(it: Attacker) -> Strike:
    """A program's log-in declares an emergency in Dana's name."""
    said = {"category": "outage", "reason": "all down", "declared_by": it.company.people["dana"], "declared_at": it.now(), "countersigned_by": None, "countersigned_at": None, "incident_id": None, "lapsed_at": None}  # fmt: skip
    row = it.row("request", it.company.pending, emergency=said)
    return it.striking(it.change(it.me(name="dana"), [it.about("emergency.declared", it.company.pending)], ("request", row, 0)))  # fmt: skip


def alarming(it: Attacker, request: str, **changes: object) -> Strike:
    said = {"category": "outage", "reason": "all down", "declared_by": it.company.people[it.name], "declared_at": it.now(), "countersigned_by": None, "countersigned_at": None, "incident_id": None, "lapsed_at": None, **changes}  # fmt: skip
    row = it.row("request", request, emergency=said)
    return it.striking(it.change(it.me(it.proof("emergency.declare")), [it.about("emergency.declared", request)], ("request", row, 0)))  # fmt: skip


@attack("ann,raj", "CSP12")
def declaring_an_emergency_as_an_engineer(it: Attacker) -> Strike:
    """Declare an emergency without being a super."""
    return alarming(it, it.company.pending)


@attack("lee", "CSP03", "CSP04")
def an_emergency_by_one_super(it: Attacker) -> Strike:
    """Declare an emergency with Dana's countersign written into it."""
    return alarming(it, it.company.pending, countersigned_by=it.company.people["dana"], countersigned_at=it.now())


def alarming_anew(it: Attacker, **engineer: object) -> Strike:
    """An emergency asked for Ann and declared in one act; `engineer` is what its entry says of her."""
    now = it.now()
    asked = it.row("request", it.company.pending, id="R-ANEW", created_at=now, expires_at=time_text(parse_time(now) + timedelta(hours=24)), emergency={"category": "outage", "reason": "all down", "declared_by": it.company.people["lee"], "declared_at": now, "countersigned_by": None, "countersigned_at": None, "incident_id": None, "lapsed_at": None})  # fmt: skip
    what = {
        key: asked[key]
        for key in ("scope", "records", "mode", "minutes", "urgent", "tried", "why_not", "content_digest")
    }
    named = {"tenant": asked["tenant_id"], "target": asked["target_id"], "ticket": asked["ticket"], "request": "R-ANEW"}
    created = {"action": "request.created", **named, "reason": asked["reason"], "data": {**what, **engineer}}
    declared = {"action": "emergency.declared", **named, "reason": "all down", "data": {"category": "outage"}}
    return it.striking(
        it.change(it.me(it.proof("emergency.declare")), [created, declared], ("request", asked, 1), true=False)
    )


@attack("lee", "CSP03")
def an_emergency_anew_for_nobody(it: Attacker) -> Strike:
    """Ask for a colleague and declare in one act, and leave out of the entry who is to enter."""
    return alarming_anew(it)


@attack("lee", "CSP03")
def an_emergency_anew_for_somebody_else(it: Attacker) -> Strike:
    """Ask for Ann, and tell the tenant that it is Raj who will enter."""
    raj = it.row("staff", it.company.people["raj"])
    return alarming_anew(it, engineer={key: raj[key] for key in ("id", "name", "email")})


def opening(it: Attacker, by: str, *more: tuple[str, Json, int], **changes: object) -> Strike:
    """The countersign of the declared emergency."""
    request = it.company.alarmed
    said = {**it.row("request", request)["emergency"], "countersigned_by": by, "countersigned_at": it.now(), "incident_id": "I-FORGED", **changes}  # fmt: skip
    until = time_text(parse_time(said["countersigned_at"]) + timedelta(hours=8))
    row = it.row("request", request, state="approved", layer="emergency", granted_minutes=30, usable_until=until, emergency=said)  # fmt: skip
    me = it.me(it.proof("emergency.countersign"))
    made = decision(it, request, "emergency", me["id"], me["name"])
    entries = [it.about("emergency.countersigned", request)]
    if more:
        entries += [it.about("incident.registered", request)]
    if len(more) > 1:
        entries += [{"action": "review.opened", "tenant": row["tenant_id"], "request": request, "data": {"review": "V-FORGED"}}]  # fmt: skip
    return it.striking(it.change(me, entries, ("request", row, 0), ("decision", made, 0), *more))


def incident(it: Attacker) -> Json:
    asked = it.row("request", it.company.alarmed)
    declared = asked["emergency"]
    return {"id": "I-FORGED", "request_id": asked["id"], "tenant_id": asked["tenant_id"], "engineer_id": asked["engineer_id"], "ticket": asked["ticket"], "category": declared["category"], "reason": declared["reason"], "declared_by": declared["declared_by"], "countersigned_by": it.company.people[it.name], "at": it.now(), "review_id": "V-NONE"}  # fmt: skip


def review(it: Attacker) -> Json:
    asked, me, now = it.row("request", it.company.alarmed), it.me(), it.now()
    due = time_text(parse_time(now) + timedelta(hours=72))
    return {"id": "V-FORGED", "kind": "emergency", "tenant_id": asked["tenant_id"], "request_id": asked["id"], "session_id": None, "entry_seq": None, "claim": "all down", "barred": [asked["engineer_id"], asked["emergency"]["declared_by"], me["id"]], "opened_by": me["id"], "opened_by_name": me["name"], "opened_at": now, "due_at": due, "finding": None, "signed_by": None, "signed_at": None}  # fmt: skip


@attack("dana", "CSP04")
def both_supers_in_one(it: Attacker) -> Strike:
    """Countersign the emergency that one declared oneself, with incident, review and all."""
    return opening(it, it.company.people["dana"], ("incident", incident(it), 1), ("review", review(it), 2))


@attack("ann,raj", "CSP12")
def the_second_super_is_none(it: Attacker) -> Strike:
    """Countersign an emergency as an engineer."""
    return opening(it, it.company.people[it.name])


@attack("lee", "CSP12", "CSP03")
def an_emergency_without_incident_and_review(it: Attacker) -> Strike:
    """Countersign an emergency that nobody registers and nobody reviews."""
    return opening(it, it.company.people["lee"])


@attack("lee", "CSP12")
def an_emergency_without_review(it: Attacker) -> Strike:
    """Countersign an emergency with its incident, and leave the review out."""
    return opening(it, it.company.people["lee"], ("incident", incident(it), 1))


def to_legal(it: Attacker, address: str) -> Json:
    request = it.company.alarmed
    letter = Mail("M-LEGAL", "emergency.countersigned", "operator/legal", "Legal", address, it.row("request", request)["tenant_id"], request, None, "Told", (), parse_time(it.now()))  # fmt: skip
    return dict(json.loads(letter.image()))


@attack("lee", "CSP05")
def an_emergency_that_the_operators_legal_department_never_hears_of(it: Attacker) -> Strike:
    """Countersign an emergency and leave out the letter to the operator's legal address."""
    return opening(it, it.company.people["lee"], ("incident", incident(it), 1), ("review", review(it), 2))


@attack("lee", "CSP05")
def the_legal_letter_to_oneself(it: Attacker) -> Strike:
    """Countersign an emergency and send the legal department's letter to oneself."""
    it.as_superuser("update countersign.limits set legal_email = 'legal@ops.example'")
    own = to_legal(it, it.me()["email"])
    return opening(
        it, it.company.people["lee"], ("incident", incident(it), 1), ("review", review(it), 2), ("mail", own, 0)
    )


@attack("ann", "CSP05", "CSP10", "CSP12", "CSP03")
def opening_without_a_second_super(it: Attacker) -> Strike:
    """Move the request with a declared emergency to approved, as an approval."""
    row = it.row("request", it.company.alarmed, state="approved", layer="emergency", granted_minutes=30, usable_until=it.later(hours=8))  # fmt: skip
    return it.striking(it.change(it.me(), [it.about("request.approved", it.company.alarmed)], ("request", row, 0)))


def signed(it: Attacker, **changes: object) -> Strike:
    row = it.row("review", it.company.review, finding="all is well here", **{"signed_by": it.company.people[it.name], "signed_at": it.now(), **changes})  # fmt: skip
    entry = {"action": "review.signed", "tenant": row["tenant_id"], "request": row["request_id"], "data": {"review": row["id"]}}  # fmt: skip
    return it.striking(it.change(it.me(), [entry], ("review", row, 0)))


@attack("dana,lee,ann,raj", "CSP12")
def signing_a_review_one_was_part_of(it: Attacker) -> Strike:
    """Sign the review of one's own emergency, or any review as an engineer."""
    return signed(it)


@attack("lee", "CSP12")
def signing_a_review_without_its_bar(it: Attacker) -> Strike:
    """Take oneself off the list of those who may not sign, and sign."""
    return signed(it, barred=[])


@attack("noor", "CSP12")
def signing_in_anothers_name(it: Attacker) -> Strike:
    """An auditor signs a review as Lee."""
    return signed(it, signed_by=it.company.people["lee"])


@attack("ann,raj,noor", "CSP12")
def putting_oneself_on_call(it: Attacker) -> Strike:
    """Put oneself on the rota, without being a super."""
    shift = {"id": "C-MINE", "staff_id": it.company.people[it.name], "starts_at": it.now(), "ends_at": it.later(hours=8), "set_by": it.company.people[it.name], "set_at": it.now(), "cancelled": False}  # fmt: skip
    return it.striking(it.change(it.me(), [{"action": "rota.shift_set", "data": {"shift": "C-MINE"}}], ("on_call_shift", shift, 0)))  # fmt: skip


@attack("lee", "CSP12")
def setting_a_shift_without_an_end(it: Attacker) -> Strike:
    """Put oneself on call for longer than 31 days at once (REQ-111)."""
    me = it.company.people[it.name]
    shift = {"id": "C-LONG", "staff_id": me, "starts_at": it.now(), "ends_at": it.later(days=31, mins=1), "set_by": me, "set_at": it.now(), "cancelled": False}  # fmt: skip
    said = {"shift": "C-LONG", "on_call": me, "from": shift["starts_at"], "to": shift["ends_at"]}
    return it.striking(it.change(it.me(), [{"action": "rota.shift_set", "data": said}], ("on_call_shift", shift, 0)))


@attack("lee", "CSP12")
def changing_a_review(it: Attacker) -> Strike:
    """Move a review's due date away."""
    row = it.row("review", it.company.review, due_at=it.later(days=300))
    entry = {"action": "review.signed", "tenant": row["tenant_id"], "request": row["request_id"], "data": {"review": row["id"]}}  # fmt: skip
    return it.striking(it.change(it.me(), [entry], ("review", row, 0)))


def disputing(it: Attacker, actor: Json, tenant: str, seq: int, **changes: object) -> Strike:
    """Open a dispute of an entry of a tenant's log."""
    now = it.now()
    body = json.loads(it.as_superuser("select body from countersign.tenant_log where tenant_id = %s and seq = %s", tenant, seq)[0][0])  # fmt: skip
    made = {"id": "V-FORGED", "kind": "dispute", "tenant_id": tenant, "request_id": body.get("request"), "session_id": body.get("session"), "entry_seq": seq, "claim": "not agreed", "barred": [it.company.people["ann"], it.company.people["raj"], it.company.people["dana"]], "opened_by": actor["id"], "opened_by_name": actor["name"], "opened_at": now, "due_at": time_text(parse_time(now) + timedelta(hours=72)), "finding": None, "signed_by": None, "signed_at": None, **changes}  # fmt: skip
    entry = {"action": "review.opened", "tenant": tenant, "request": made["request_id"], "session": made["session_id"], "data": {"review": "V-FORGED", "kind": "dispute", "entry": seq}}  # fmt: skip
    return it.striking(it.change(actor, [entry], ("review", made, 0)))


def started(it: Attacker) -> int:
    """The number, in Northwind's own log, of the entry of Raj's running session."""
    sql = "select seq from countersign.tenant_log where tenant_id = 'northwind' and body::jsonb->>'action' = 'session.started'"
    return int(it.as_superuser(sql)[0][0])


@attack("ann,dana,noor", "CSP12")
def disputing_as_staff(it: Attacker) -> Strike:
    """Staff dispute an entry themselves, to have its review signed by a friend before the tenant asks."""
    return disputing(it, it.me(), "northwind", started(it))


@attack("portal", "CSP12")
def disputing_in_anothers_log(it: Attacker) -> Strike:
    """The portal's log-in, as Northwind's Maria, disputes an entry of Contoso's log."""
    return disputing(it, it.maria(), "contoso", 1)


@attack("portal", "CSP12")
def disputing_with_whoever_did_it_as_judge(it: Attacker) -> Strike:
    """A dispute whose review the engineer concerned may sign."""
    return disputing(it, it.maria(), "northwind", started(it), barred=[])


@attack("portal", "CSP12")
def disputing_with_the_answer_in_it(it: Attacker) -> Strike:
    """A dispute that is answered as it is opened."""
    now = it.now()
    return disputing(it, it.maria(), "northwind", started(it), finding="all is well", signed_by=it.company.people["noor"], signed_at=now)  # fmt: skip
