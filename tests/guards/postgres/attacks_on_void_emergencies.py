"""Attacks on the record that an emergency came to nothing: too early, at another time, by somebody it is not for, over one
that was countersigned, left out, or with something else in its shade (REQ-109, REQ-401)."""

# ruff: noqa: E501  (what an attacker types stays as typed)

from __future__ import annotations

from datetime import timedelta

from storage.models.row import parse_time, time_text
from tests.guards.postgres.attacker import Attacker, Json, Strike, attack

FRESH = timedelta(hours=2)
WORKER = {"kind": "system", "id": "worker", "name": "worker", "email": "", "ip": "10.0.0.9", "step_up": None}


def emergency(it: Attacker, request: str, **changes: object) -> Json:
    return {**it.row("request", request)["emergency"], "lapsed_at": None, **changes}


def void_at(it: Attacker, request: str) -> str:
    return time_text(parse_time(emergency(it, request)["declared_at"]) + FRESH)


def whoever(it: Attacker) -> Json:
    """The attacker as the actor that their log-in may be."""
    if it.name == "portal":
        return it.maria()
    return {**WORKER} if it.name == "worker" else it.me()


def lapsing(it: Attacker, request: str, told: str = "", row: Json | None = None, **changes: object) -> Strike:
    """The record that the emergency on this request is void; `told`: another deadline in the entry than the row's."""
    said = emergency(it, request, **{"lapsed_at": void_at(it, request), **changes})
    entry = it.about("emergency.lapsed", request) | ({"data": {"effective_at": told}} if told else {})
    return it.striking(it.change(whoever(it), [entry], ("request", {**it.row("request", request, emergency=said), **(row or {})}, 0)))  # fmt: skip


def again(it: Attacker, *entries: str, **changes: object) -> Strike:
    """Another emergency over the void one, under these entries; the first vouches for the rows."""
    said = {"category": "outage", "reason": "all down again", "declared_by": it.company.people[it.name], "declared_at": it.now(), "countersigned_by": None, "countersigned_at": None, "incident_id": None, "lapsed_at": None, **changes}  # fmt: skip
    row = it.row("request", it.company.void, emergency=said)
    code = it.proof("emergency.declare") if "emergency.declared" in entries else None
    return it.striking(it.change(it.me(code), [it.about(one, it.company.void) for one in entries], ("request", row, 0)))


@attack("worker,ann,lee", "no refusal")
def recording_what_is_void(it: Attacker) -> Strike:
    """The lawful case: whoever is up records that nobody countersigned in time."""
    return lapsing(it, it.company.void)


@attack("lee", "no refusal")
def declaring_again_with_the_record(it: Attacker) -> Strike:
    """The lawful case: another emergency, with the record of the void one beside it."""
    return again(it, "emergency.declared", "emergency.lapsed")


@attack("worker,ann,lee", "CSP03")
def voiding_an_emergency_that_waits(it: Attacker) -> Strike:
    """Record as void an emergency that a second super can still countersign."""
    return lapsing(it, it.company.alarmed)


@attack("worker,ann", "CSP03")
def voiding_it_by_an_older_declaration(it: Attacker) -> Strike:
    """Record as void an emergency that waits, and set its declaration back by two hours in the same Change."""
    since = time_text(parse_time(it.now()) - timedelta(hours=3))
    return lapsing(it, it.company.alarmed, declared_at=since, lapsed_at=time_text(parse_time(since) + FRESH))


@attack("worker,lee", "CSP03")
def voiding_what_was_countersigned(it: Attacker) -> Strike:
    """Record as void an emergency that a second super countersigned, in whose shade somebody may be inside."""
    return lapsing(it, it.company.armed)


@attack("worker,ann", "CSP03")
def voiding_it_at_another_time(it: Attacker) -> Strike:
    """Record that it came to nothing just now, not at its deadline."""
    return lapsing(it, it.company.void, lapsed_at=it.now())


@attack("worker,ann", "CSP03")
def telling_the_tenant_another_time(it: Attacker) -> Strike:
    """Record it rightly in the row, and tell the tenant's log another moment."""
    return lapsing(it, it.company.void, told=it.now())


@attack("noor,dee", "CSP12")
def voiding_it_as_somebody_who_may_not_act(it: Attacker) -> Strike:
    """Record it as an auditor, or as somebody who left."""
    return lapsing(it, it.company.void)


@attack("portal", "CSP12")
def voiding_it_for_the_tenant(it: Attacker) -> Strike:
    """The portal's rights, used for a staff act: Maria records that it came to nothing."""
    return lapsing(it, it.company.void)


@attack("worker,ann", "CSP03")
def another_harm_in_the_shade_of_the_record(it: Attacker) -> Strike:
    """Change what the emergency was about while recording that it is void."""
    return lapsing(it, it.company.void, reason="nothing much", category="legal")


@attack("worker,ann", "CSP03", "CSP12")
def an_approval_in_the_shade_of_the_record(it: Attacker) -> Strike:
    """Open the request while recording that its emergency is void."""
    until = time_text(parse_time(it.now()) + timedelta(hours=8))
    return lapsing(it, it.company.void, row={"state": "approved", "layer": "emergency", "granted_minutes": 30, "usable_until": until})  # fmt: skip


@attack("lee", "CSP03")
def declaring_again_without_the_record(it: Attacker) -> Strike:
    """Declare another emergency, and leave no trace of how the one before ended."""
    return again(it, "emergency.declared")


@attack("lee", "CSP03")
def declaring_again_as_if_it_were_the_record(it: Attacker) -> Strike:
    """Declare another emergency under the entry that one came to nothing."""
    return again(it, "emergency.lapsed")


@attack("lee", "CSP03", "CSP04")
def an_emergency_that_begins_void(it: Attacker) -> Strike:
    """Declare an emergency that stands as void from the start, so that nobody is asked to countersign."""
    return again(it, "emergency.declared", "emergency.lapsed", lapsed_at=it.now())


@attack("worker", "CSP03")
def a_record_of_nothing(it: Attacker) -> Strike:
    """Write into the tenant's log that an emergency came to nothing where none was declared."""
    entry = {**it.about("emergency.lapsed", it.company.pending), "reason": "all down", "data": {"category": "outage", "declared_by": it.company.people["lee"], "effective_at": it.now()}}  # fmt: skip
    return it.striking(it.change({**WORKER}, [entry], true=False))
