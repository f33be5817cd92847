"""Attacks on the kill switch that is in force before its entry (REQ-110): turning it for others, taking it back, getting
in while only the mark says no."""

# ruff: noqa: E501  (what an attacker types stays as typed)

from __future__ import annotations

import json

from tests.guards.postgres.attacker import Attacker, Json, Strike, attack
from tests.guards.postgres.attacks_on_sessions import starting

NO_RIGHT = "42501"


def turning(it: Attacker, tenant: str, actor: Json) -> Strike:
    return lambda: it.sql("select countersign.shut(%s, %s::jsonb)", tenant, json.dumps(actor))


def marked(it: Attacker) -> None:
    it.as_superuser(
        "insert into countersign.shutting values ('northwind', 'northwind/maria', 'Maria Santos', 'local', countersign.clock()) returning 1"
    )


@attack("ann,lee,noor,dee,gate,worker", NO_RIGHT)
def turning_a_tenants_switch(it: Attacker) -> Strike:
    """Shut a customer out, or shut it in a rival's name: call `shut` as Maria."""
    return turning(it, "northwind", it.maria())


@attack("portal", "CSP05")
def turning_another_tenants_switch(it: Attacker) -> Strike:
    """The portal's log-in turns Contoso's switch on as Maria of Northwind."""
    return turning(it, "contoso", it.maria())


@attack("portal", "CSP05")
def turning_it_as_a_mere_user(it: Attacker) -> Strike:
    """The portal's log-in turns the switch on as Eva, who is a user and no admin."""
    eva = it.row("contact", "northwind/eva")
    return turning(it, "northwind", {**it.maria(), "id": eva["id"], "name": eva["name"], "email": eva["email"]})


@attack("portal", "CSP01")
def turning_it_under_another_name(it: Attacker) -> Strike:
    """The portal's log-in turns the switch on as Maria, under another name."""
    return turning(it, "northwind", {**it.maria(), "name": "Juan Ortiz"})


@attack("ann,lee,portal,gate,worker", NO_RIGHT)
def taking_a_mark_away(it: Attacker) -> Strike:
    """Delete the mark that shuts the tenant, before its entry is written."""
    marked(it)
    return lambda: it.sql("delete from countersign.shutting")


@attack("ann", "CSP06")
def starting_against_a_mark(it: Attacker) -> Strike:
    """Start an approved session in the moment between the switch and its entry."""
    start = starting(it, it.company.ready)
    marked(it)
    return start


@attack("worker", "CSP05")
def writing_down_a_switch_nobody_turned(it: Attacker) -> Strike:
    """The worker's log-in says that Maria turned the switch on, which she did not."""
    was = it.row("settings", "northwind")
    now = {**was, "kill_switch": True, "changed_by": "northwind/maria", "changed_at": it.now()}
    entry = {"action": "kill_switch.turned_on", "tenant": "northwind", "before": {"kill_switch": False}, "after": {"kill_switch": True}}  # fmt: skip
    worker = {"kind": "system", "id": "worker", "name": "worker", "email": "", "ip": "local", "step_up": None}
    return it.striking(it.change(worker, [entry], ("settings", now, 0)))


@attack("ann,lee", NO_RIGHT)
def asking_as_the_gate(it: Attacker) -> Strike:
    """Ask what only gates are told."""
    return lambda: it.sql("select countersign.admission('S-0000000')")


def keyed(it: Attacker, accepted: bool = False, revoked: bool = False) -> Json:
    """A program by its settings key for Northwind, made by Dana, (`accepted`) by Maria, (`revoked`) taken back by Dana."""
    dana = it.another("dana")
    name = f"K-ALARM{it.as_superuser('select count(*) from countersign.api_key')[0][0]}"
    key = {"id": name, "name": "alarm", "tenant_id": "northwind", "right": "settings", "secret_hash": "ab" * 32, "created_at": it.now(), "created_by": it.company.people["dana"], "accepted_at": None, "accepted_by": None, "revoked_at": None, "revoked_by": None}  # fmt: skip
    said = {"tenant": "northwind", "data": {"key": name, "name": "alarm", "right": "settings"}}
    dana.apply(dana.change(dana.me(), [{"action": "api_key.created", **said}], ("api_key", key, 0)))
    if accepted:
        portal = it.another("portal")
        key = {**key, "accepted_at": it.now(), "accepted_by": "northwind/maria"}
        portal.apply(portal.change(it.maria(), [{"action": "api_key.accepted", **said}], ("api_key", key, 0)))
        portal.close()
    if revoked:
        key = {**key, "revoked_at": it.now(), "revoked_by": it.company.people["dana"]}
        dana.apply(dana.change(dana.me(), [{"action": "api_key.revoked", **said}], ("api_key", key, 0)))
    dana.close()
    return {"kind": "system", "id": name, "name": "API key alarm", "email": "", "ip": "10.0.0.9", "step_up": None}


@attack("portal", "CSP05")
def turning_it_by_a_key_nobody_accepted(it: Attacker) -> Strike:
    """A super makes a key for Northwind's settings, and the portal's log-in shuts Northwind off by it, unaccepted."""
    return turning(it, "northwind", keyed(it))


@attack("portal", "CSP05")
def turning_it_by_a_key_that_was_revoked(it: Attacker) -> Strike:
    """A key that Northwind accepted, and that was taken back since."""
    return turning(it, "northwind", keyed(it, accepted=True, revoked=True))


@attack("portal", "CSP05")
def turning_anothers_switch_by_ones_own_key(it: Attacker) -> Strike:
    """Northwind's own program shuts Contoso off."""
    return turning(it, "contoso", keyed(it, accepted=True))


@attack("portal", "CSP01")
def turning_it_by_a_key_that_never_was(it: Attacker) -> Strike:
    """The portal's log-in makes an API key up."""
    return turning(it, "northwind", {**keyed(it, accepted=True), "id": "K-NEVER0"})


@attack("portal", "CSP01")
def turning_it_by_a_key_under_another_name(it: Attacker) -> Strike:
    """A true key, so that the log blames another program for it."""
    return turning(it, "northwind", {**keyed(it, accepted=True), "name": "API key billing"})


@attack("ann,lee,gate,worker", NO_RIGHT)
def turning_it_as_a_program_by_ones_own_log_in(it: Attacker) -> Strike:
    """Knowing a key's id, shut the customer off as its program."""
    return turning(it, "northwind", keyed(it, accepted=True))


@attack("portal", "CSP12")
def accepting_a_key_as_its_program(it: Attacker) -> Strike:
    """The program accepts its own key, in Maria's place."""
    program = keyed(it)
    key = it.row("api_key", program["id"], accepted_at=it.now(), accepted_by="northwind/maria")
    said = {"tenant": "northwind", "data": {"key": program["id"], "name": "alarm", "right": "settings"}}
    return it.striking(it.change(program, [{"action": "api_key.accepted", **said}], ("api_key", key, 0)))


@attack("worker", "CSP01", "CSP05", "CSP12")
def the_worker_accepts_a_key(it: Attacker) -> Strike:
    """The worker's log-in accepts a key as Maria."""
    program = keyed(it)
    key = it.row("api_key", program["id"], accepted_at=it.now(), accepted_by="northwind/maria")
    said = {"tenant": "northwind", "data": {"key": program["id"], "name": "alarm", "right": "settings"}}
    return it.striking(it.change(it.maria(), [{"action": "api_key.accepted", **said}], ("api_key", key, 0)))
