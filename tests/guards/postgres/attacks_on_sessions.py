"""Attacks on sessions: longer, wider, without leave; on the second factor and the rate limit."""

# ruff: noqa: E501  (what an attacker types stays as typed)

from __future__ import annotations

from datetime import timedelta

from storage.models.row import parse_time, time_text
from tests.guards.postgres.attacker import Attacker, Json, Strike, attack


def started(it: Attacker, request: str, minutes: int = 30, **changes: object) -> Json:
    asked, at = it.row("request", request), it.now()
    end = time_text(parse_time(at) + timedelta(minutes=minutes))
    return {"id": "S-FORGED", "request_id": request, "tenant_id": asked["tenant_id"], "target_id": asked["target_id"], "engineer_id": asked["engineer_id"], "ticket": asked["ticket"], "layer": asked["layer"], "mode": "read_only", "started_at": at, "expires_at": end, "ended_at": None, "end_kind": None, "ended_by": None, "end_reason": None, "elevation": None, "outcome": None, "records_seen": 0, "views": 0, "beyond_scope": 0, "last_viewed": None, **changes}  # fmt: skip


def starting(it: Attacker, request: str, *, actor: Json | None = None, standing: Json | None = None, without: tuple[str, ...] = (), minutes: int = 30, **changes: object) -> Strike:  # fmt: skip
    """A start, lawful but for what is changed."""
    actor = actor or it.me(it.proof("session.start"))
    session = started(it, request, minutes, **changes)
    used = it.row("request", request, state="used", session_id=session["id"])
    who = it.row("standing", actor["id"])
    begun = {**who, "active_session": session["id"], "starts": [*who["starts"], {"tenant_id": session["tenant_id"], "at": session["started_at"]}], **(standing or {})}  # fmt: skip
    entry = {**it.about("session.started", request), "session": session["id"]}
    rows = [("session", session, 0), ("request", used, 0), ("standing", begun, 0)]
    return it.striking(it.change(actor, [entry], *(row for row in rows if row[0] not in without)))


@attack("ann", "no refusal")
def a_lawful_start(it: Attacker) -> Strike:
    """(To see that the others fail for the right reason: the very same Change, unchanged, is applied.)"""
    return starting(it, it.company.ready)


@attack("ann", "CSP09")
def a_longer_session(it: Attacker) -> Strike:
    """Start for four hours where thirty minutes were granted."""
    return starting(it, it.company.ready, minutes=240)


@attack("ann", "CSP08")
def full_without_countersign(it: Attacker) -> Strike:
    """Start in full mode though nobody countersigned."""
    return starting(it, it.company.full, mode="full")


@attack("ann", "CSP08")
def full_on_a_read_only_request(it: Attacker) -> Strike:
    """Start in full mode on a request that asked for read-only."""
    return starting(it, it.company.ready, mode="full")


@attack("ann", "CSP07", "CSP03")
def a_start_without_approval(it: Attacker) -> Strike:
    """Start on a request that nobody has decided."""
    return starting(it, it.company.pending)


@attack("raj", "CSP07", "CSP03")
def a_colleagues_approval(it: Attacker) -> Strike:
    """Start on the approval that a colleague got."""
    return starting(it, it.company.ready, engineer_id=it.company.people["raj"])


@attack("ann", "CSP03", "CSP07")
def another_target(it: Attacker) -> Strike:
    """Start into another person's view than was approved."""
    return starting(it, it.company.ready, target_id="northwind/maria")


@attack("ann", "CSP03", "CSP07", "CSP06")
def another_tenant(it: Attacker) -> Strike:
    """Start into another tenant than approved."""
    return starting(it, it.company.ready, tenant_id="contoso", target_id="contoso/omar")


@attack("ann", "CSP07", "CSP03")
def by_break_glass(it: Attacker) -> Strike:
    """Start by a layer that nobody granted."""
    return starting(it, it.company.ready, layer="break_glass")


@attack("ann", "CSP09")
def started_in_the_past(it: Attacker) -> Strike:
    """Start an hour ago, so that the rate limit's window is elsewhere."""
    return starting(it, it.company.ready, started_at=it.later(hours=-1), expires_at=it.later(mins=-31))


@attack("ann", "CSP09")
def started_in_the_future(it: Attacker) -> Strike:
    """Start tomorrow."""
    return starting(it, it.company.ready, started_at=it.later(days=1), expires_at=it.later(days=1, mins=30))


@attack("ann", "CSP03", "CSP07")
def an_approval_kept_for_later(it: Attacker) -> Strike:
    """Start without using the approval up."""
    return starting(it, it.company.ready, without=("request",))


@attack("ann", "CSP06")
def against_the_kill_switch(it: Attacker) -> Strike:
    """Start after the tenant has turned the kill switch on."""
    strike = starting(it, it.company.ready)
    _overwritten(it, "settings", "northwind", kill_switch=True)
    return strike


@attack("ann", "CSP06")
def into_a_forbidden_tenant(it: Attacker) -> Strike:
    """Start after the tenant has forbidden support access."""
    strike = starting(it, it.company.ready)
    _overwritten(it, "settings", "northwind", mode="forbidden")
    return strike


@attack("ann", "CSP06")
def into_a_suspended_tenant(it: Attacker) -> Strike:
    """Start in a tenant whose account is suspended."""
    strike = starting(it, it.company.ready)
    _overwritten(it, "tenant", "northwind", status="suspended")
    return strike


def _overwritten(it: Attacker, table: str, key: str, **changes: object) -> None:
    """Set the scene without a log entry: as a superuser who took the triggers off."""
    from tests.guards.postgres.attacker import canonical

    it.as_superuser(f'alter table countersign."{table}" disable trigger all')
    it.as_superuser(
        f'update countersign."{table}" set image = %s where id = %s', canonical(it.row(table, key, **changes)), key
    )
    it.as_superuser(f'alter table countersign."{table}" enable always trigger p02_listed')
    it.as_superuser(f'alter table countersign."{table}" enable always trigger p02_never')


@attack("raj", "CSP12", "CSP03", "CSP09")
def an_end_moved_later(it: Attacker) -> Strike:
    """Push the end of one's running session back an hour, under the code of a view."""
    row = it.row("session", it.company.running, expires_at=it.later(hours=2), views=1, last_viewed="record x")
    return it.striking(
        it.change(
            it.me(),
            [it.about("platform_admin.impersonate.action.record.viewed", session=row["id"])],
            ("session", row, 0),
        )
    )


@attack("raj", "CSP12", "CSP03", "CSP08")
def full_by_the_way(it: Attacker) -> Strike:
    """Switch one's running session to full under the code of a view."""
    row = it.row("session", it.company.running, mode="full", views=1, last_viewed="record x")
    return it.striking(
        it.change(
            it.me(),
            [it.about("platform_admin.impersonate.action.record.viewed", session=row["id"])],
            ("session", row, 0),
        )
    )


@attack("raj", "CSP12")
def seen_more_than_told(it: Attacker) -> Strike:
    """Log a view and take back from the counter what was seen before."""
    row = it.row("session", it.company.running, views=1, records_seen=-5, last_viewed="record x")
    view = {"id": "V-X", "session_id": row["id"], "tenant_id": "northwind", "kind": "record", "name": "x", "fields": [], "count": 1, "at": it.now(), "source": "engineer", "within_scope": True}  # fmt: skip
    entry = it.about("platform_admin.impersonate.action.record.viewed", session=row["id"])
    return it.striking(it.change(it.me(), [entry], ("session", row, 0), ("session_view", view, 0)))


def ending(it: Attacker, actor: Json, action: str, kind: str, **changes: object) -> Strike:
    row = it.row("session", it.company.running, ended_at=it.now(), end_kind=kind, ended_by=actor["id"], **changes)
    return it.striking(it.change(actor, [it.about(action, session=row["id"])], ("session", row, 0)))


@attack("ann", "CSP12")
def ending_a_colleagues_session(it: Attacker) -> Strike:
    """An engineer ends a colleague's session as if it were their own."""
    return ending(it, it.me(), "session.ended", "engineer")


@attack("ann", "CSP12")
def force_ending_as_an_engineer(it: Attacker) -> Strike:
    """An engineer force-ends, with a true code."""
    return ending(it, it.me(it.proof("session.force_end")), "session.force_ended", "super", end_reason="x")


@attack("lee", "CSP10")
def force_ending_without_a_code(it: Attacker) -> Strike:
    """A super force-ends without a code."""
    return ending(it, it.me(), "session.force_ended", "super", end_reason="x")


@attack("raj", "CSP12")
def ending_without_an_outcome(it: Attacker) -> Strike:
    """End one's session without saying what came of it."""
    return ending(it, it.me(), "session.ended", "engineer")


@attack("raj,ann", "CSP09")
def an_expiry_before_its_time(it: Attacker) -> Strike:
    """Record, as the clock, that a running session is over."""
    row = it.row("session", it.company.running)
    over = {**row, "ended_at": row["expires_at"], "end_kind": "clock", "ended_by": "clock"}
    return it.striking(it.change(it.clock(), [it.about("session.expired", session=row["id"])], ("session", over, 0)))


@attack("lee", "CSP03")
def a_lapse_before_its_time(it: Attacker) -> Strike:
    """Record, as the clock, that a colleague's approval has lapsed."""
    row = it.row("request", it.company.ready, state="lapsed")
    return it.striking(it.change(it.clock(), [it.about("request.lapsed", row["id"])], ("request", row, 0)))


@attack("raj", "CSP11", "CSP03")
def standing_talked_down(it: Attacker) -> Strike:
    """Forget one's starts and one's session, under the code of a view."""
    row = it.row("session", it.company.running)
    free = it.row("standing", it.company.people["raj"], active_session=None, starts=[])
    return it.striking(it.change(it.me(), [{"action": "rate_limit.met", "request": row["request_id"], "ticket": row["ticket"]}], ("standing", free, 0)))  # fmt: skip


@attack("ann", "CSP11", "CSP12")
def a_colleagues_standing(it: Attacker) -> Strike:
    """Fill a colleague's standing with starts, so that they are over the limit."""
    full = it.row("standing", it.company.people["raj"])
    full["starts"] = [*full["starts"], *({"tenant_id": f"t{n}", "at": it.now()} for n in range(5))]
    return it.striking(it.change(it.me(), [{"action": "rate_limit.met"}], ("standing", full, 0)))


@attack("ann", "CSP11")
def a_start_off_the_books(it: Attacker) -> Strike:
    """Start without writing it into one's standing."""
    return starting(it, it.company.ready, standing={"active_session": None, "starts": []})


@attack("ann", "CSP10")
def without_a_code(it: Attacker) -> Strike:
    """Start without a code."""
    return starting(it, it.company.ready, actor=it.me())


@attack("ann", "CSP10")
def a_code_for_something_else(it: Attacker) -> Strike:
    """Start with a code that was given for elevating."""
    return starting(it, it.company.ready, actor=it.me(it.proof("session.elevate")))


@attack("ann", "CSP10")
def a_colleagues_code(it: Attacker) -> Strike:
    """Start with the step-up that a colleague has just given."""
    return starting(it, it.company.ready, actor=it.me(it.another("raj").proof("session.start")))


@attack("ann", "CSP10")
def a_replayed_step_up(it: Attacker) -> Strike:
    """Start with the code of a start before: each code works once."""
    key = it.proof("session.start")
    starting(it, it.company.ready, actor=it.me(key))()
    return starting(it, it.company.full, actor=it.me(key), id="S-SECOND")


@attack("ann", "CSP10", "CSP02")
def a_step_up_made_up(it: Attacker) -> Strike:
    """Write a step-up row of one's own, as if a code had been accepted."""
    own = {"id": "P-FORGED", "staff_id": it.company.people["ann"], "act": "session.start", "at": it.now(), "method": "totp", "used_by": []}  # fmt: skip
    entry = {"action": "step_up.accepted", "data": {"act": "session.start", "method": "totp", "step_up": "P-FORGED"}}
    return it.striking(it.change(it.me(), [entry], ("step_up", own, 0)))


@attack("ann", "CSP10")
def the_same_code_again(it: Attacker) -> Strike:
    """Give the very code again that was accepted a moment ago: it is refused, on record."""
    code = it.company.codes["ann"][-1]
    it.proof("session.start")
    (attempt,) = it.sql("select countersign.step_up_begin(%s, 'session.start', '10.0.0.9')", code)[0]

    (answer,) = it.sql("select countersign.step_up(%s)", attempt)[0]
    assert answer["step_up"] is None, answer
    return lambda: it.sql("select countersign.step_up(%s)", attempt)  # and the attempt is spent


@attack("ann", "CSP10")
def guessing_in_one_transaction(it: Attacker) -> Strike:
    """Begin an attempt and look at its worth in one transaction, to roll a wrong guess back."""

    def strike() -> object:
        with it.line.transaction():
            (attempt,) = it.sql("select countersign.step_up_begin('000000', 'session.start', '10.0.0.9')")[0]
            return it.sql("select countersign.step_up(%s)", attempt)

    return strike


@attack("ann", "CSP10")
def guesses_rolled_back(it: Attacker) -> Strike:
    """Begin attempts and abandon them, so that no failure is counted: the sixth is refused."""
    for _ in range(5):
        it.sql("select countersign.step_up_begin('000000', 'session.start', '10.0.0.9')")
    return lambda: it.sql("select countersign.step_up_begin('000000', 'session.start', '10.0.0.9')")


@attack("ann", "CSP10")
def a_colleagues_attempt(it: Attacker) -> Strike:
    """Redeem the attempt that a colleague has begun."""
    other = it.another("raj")
    (attempt,) = other.sql("select countersign.step_up_begin('000000', 'session.start', '10.0.0.9')")[0]
    return lambda: it.sql("select countersign.step_up(%s)", attempt)
