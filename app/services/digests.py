"""The weekly digest (REQ-211): what support did in a tenant in one week, for tenants that opted in; "no support access
this week" included, so that silence is evidence too.

A week is a calendar week in UTC, Monday to Sunday; its digest is due once it is over. Any process that delivers may
write it, each tenant and week has one: the first letter's id follows from tenant and week, and the same letter is never
written twice.
"""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from app.policy.verdict import require, rule
from app.policy.words import span
from app.services import reading
from app.services.command import adds_no_privilege, change
from app.services.letters import letter
from app.services.letters_facts import LAYERS, MODES, Facts, person
from storage.log.actions import Action
from storage.log.entry import Draft
from storage.models import Actor, ActorKind, Mail, Request, Session, Staff, parse_time, time_text
from storage.models.row import Json
from storage.shared.change import Change
from storage.view import View, derived_id

WEEK = timedelta(days=7)
WEEKS_BACK = 4
"""How many weeks are caught up on when nobody delivered for long."""
LOOKED_AT = 1000
"""How many of a tenant's newest sessions and requests are looked through; a digest that left some out says so."""


def week_of(moment: datetime) -> datetime:
    """The Monday, 00:00 UTC, on which the week of `moment` began."""
    day = moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday())


def letter_id(tenant_id: str, week: datetime, number: int) -> str:
    """The key of a digest's letters."""
    return derived_id(f"digest {tenant_id} {time_text(week)}", "M", number)


def due(replica: sqlite3.Connection, now: datetime) -> list[tuple[str, datetime]]:
    """(tenant, week) of every digest that is due and not written, oldest first. The newest whole week always, earlier
    ones as far as the tenant's settings stood already then."""
    this = week_of(now)
    rows = replica.execute(
        "SELECT id, json_extract(image, '$.changed_at') FROM settings WHERE json_extract(image, '$.weekly_digest')"
    )
    found = []
    for tenant_id, changed_at in rows.fetchall():
        for back in range(WEEKS_BACK, 0, -1):
            week = this - back * WEEK
            if back > 1 and (changed_at is None or parse_time(changed_at) >= week + WEEK):
                continue
            key = letter_id(tenant_id, week, 0)
            if replica.execute("SELECT 1 FROM mail WHERE id = ?", (key,)).fetchone() is None and _has_admins(
                replica, tenant_id
            ):
                found.append((tenant_id, week))
    return sorted(found, key=lambda pair: (pair[1], pair[0]))


def _has_admins(replica: sqlite3.Connection, tenant_id: str) -> bool:
    contacts = replica.execute("SELECT image FROM contact WHERE tenant_id = ?", (tenant_id,)).fetchall()
    people = [json.loads(image) for (image,) in contacts]
    return any("tenant_admin" in one["roles"] and not one.get("removed") for one in people)


@adds_no_privilege
def write_digest(view: View, actor: Actor, tenant_id: str, week: datetime, *, now: datetime) -> Change:
    """One week's digest, to every admin of the tenant."""
    place = reading.place(view, tenant_id)
    written = view.get(Mail, letter_id(tenant_id, week, 0))

    require(
        rule("REQ-211", actor.kind is ActorKind.SYSTEM, "it is written when due", "nobody writes a digest by hand")
        & rule("REQ-211", place.settings.weekly_digest, "the tenant opted in", f"{tenant_id} did not opt in")
        & rule("REQ-211", week == week_of(week) and week + WEEK <= now, "the week is over", "the week is not over")
        & rule("REQ-211", written is None, "it is not written yet", f"{tenant_id} has the digest of that week")
        & rule("REQ-211", bool(place.admins), "somebody reads it", f"{tenant_id} has no admin to write to")
    )

    sessions, requests, whole = _of_week(view, tenant_id, week)
    facts: Facts = {
        "tenant": place.tenant.name,
        "first": time_text(week),
        "last": time_text(week + WEEK - timedelta(seconds=1)),
        "sessions": [_session(view, one) for one in sessions],
        "requests": [_request(view, one) for one in requests],
        "whole": whole,
    }
    what = f"{len(sessions)} support sessions" if sessions else "no support access this week"
    mails = tuple(
        replace(
            letter(view, admin, "digest.weekly", f"{place.tenant.name}: {what}", facts, now, tenant_id=tenant_id),
            id=letter_id(tenant_id, week, number),
        )
        for number, admin in enumerate(place.admins)
    )
    data: dict[str, Json] = {"week": time_text(week), "sessions": len(sessions), "requests": len(requests)}
    entry = Draft(Action.DIGEST_SENT, tenant=tenant_id, data=data)
    return change(view, actor, now, [entry], [], mails, id=mails[0].id)


def _of_week(view: View, tenant_id: str, week: datetime) -> tuple[list[Session], list[Request], bool]:
    """Sessions that ran in the week, requests made in it; whether all of them were looked at."""
    end = week + WEEK
    sessions = view.latest(Session, LOOKED_AT, tenant_id=tenant_id)
    requests = view.latest(Request, LOOKED_AT, tenant_id=tenant_id)
    ran = [one for one in sessions if one.started_at < end and (one.ended_at or one.expires_at) >= week]
    made = [one for one in requests if week <= one.created_at < end]
    whole = len(sessions) < LOOKED_AT and len(requests) < LOOKED_AT
    return sorted(ran, key=lambda one: one.started_at), sorted(made, key=lambda one: one.created_at), whole


def _session(view: View, one: Session) -> Facts:
    engineer = view.get(Staff, one.engineer_id)
    over = one.ended_at or one.expires_at
    return {
        "id": one.id,
        "engineer": person(engineer) if engineer else {"name": one.engineer_id, "email": ""},
        "ticket": one.ticket,
        "layer": LAYERS[one.layer],
        "mode": MODES[one.mode],
        "started_at": time_text(one.started_at),
        "lasted": span(over - one.started_at),
        "views": one.views,
        "records": one.records_seen,
        "beyond_scope": one.beyond_scope,
    }


def _request(view: View, one: Request) -> Facts:
    engineer = view.get(Staff, one.engineer_id)
    return {
        "id": one.id,
        "engineer": person(engineer) if engineer else {"name": one.engineer_id, "email": ""},
        "ticket": one.ticket,
        "at": time_text(one.created_at),
        "state": one.state.value,
    }
