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
