"""Attacks that need two connections at the same moment."""

# ruff: noqa: E501  (what an attacker types stays as typed)

from __future__ import annotations

import threading
from collections.abc import Callable

import psycopg

from tests.guards.postgres.attacker import Attacker, Strike, attack
from tests.guards.postgres.attacks_on_consent import approving, decision
from tests.guards.postgres.attacks_on_sessions import starting


def raced(*strikes: Callable[[], object]) -> Strike:
    """Strike all at once; exactly one may win. Gives back the last loser's error, as the refusal."""

    def strike() -> object:
        lost: list[psycopg.Error] = []
        gate = threading.Barrier(len(strikes))

        def one(blow: Callable[[], object]) -> None:
            gate.wait()
            try:
                blow()
            except psycopg.Error as error:
                lost.append(error)

        threads = [threading.Thread(target=one, args=(blow,)) for blow in strikes]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(lost) == len(strikes) - 1, [str(error) for error in lost]
        raise lost[-1]

    return strike


@attack("portal", "one wins", "CS001")
def deciding_twice_at_once(it: Attacker) -> Strike:
    """Approve and deny one request at the same moment, over two connections, both by true links."""
    other = it.another("portal")
    pending = it.company.pending
    links = it.as_superuser(
        "select id from countersign.consent_link where request_id = %s and image::jsonb->>'contact_id' = 'northwind/maria'"
        " and image::jsonb->>'kind' = 'deny'", pending,
    )  # fmt: skip
    maria = it.maria()
    yes = approving(it, maria, ("consent_link", it.row("consent_link", it.company.link, used_at=it.now()), 0))
    denied = it.row("request", pending, state="denied", decided_at=it.now(), decided_by=maria["id"])
    made = {**decision(it, pending, "deny", maria["id"], maria["name"]), "id": "D-OTHER", "at": denied["decided_at"]}
    link = it.row("consent_link", links[0][0], used_at=it.now())
    no = other.striking(
        it.change(
            maria,
            [it.about("request.denied", pending)],
            ("request", denied, 0),
            ("decision", made, 0),
            ("consent_link", link, 0),
        )
    )
    return raced(yes, no)


@attack("ann", "one wins", "CS001")
def starting_twice_at_once(it: Attacker) -> Strike:
    """Start two sessions at the same moment from two connections, each within the rate limit by itself."""
    other = it.another("ann")
    first = starting(it, it.company.ready)
    second = starting(other, it.company.full, id="S-SECOND")
    return raced(first, second)


@attack("ann", "one wins", "CS001")
def one_approval_twice_at_once(it: Attacker) -> Strike:
    """Use one approval for two sessions at the same moment."""
    other = it.another("ann")
    first = starting(it, it.company.ready)
    return raced(first, starting(other, it.company.ready, id="S-SECOND"))


@attack("ann", "one wins", "CSP10")
def one_attempt_twice_at_once(it: Attacker) -> Strike:
    """Redeem one true code for two step-ups at the same moment."""
    other = it.another("ann")
    code = it.company.codes["ann"][-1]
    (attempt,) = it.sql("select countersign.step_up_begin(%s, 'session.start', '10.0.0.9')", code)[0]
    return raced(
        lambda: it.sql("select countersign.step_up(%s)", attempt),
        lambda: other.sql("select countersign.step_up(%s)", attempt),
    )
