"""What somebody in the demo could do next: one function from the state of the world to a single act.

Seeding plays it on a fast clock, the simulated colleagues play it live, so the weeks of history and what happens while
one watches are made alike. Nothing here writes: a `Move` names a real command, and whoever runs it may be refused.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from datetime import datetime
from functools import partial

from app.demo.cases import ANSWERS, DENIALS, NOTES, QUESTIONS, STORIES
from app.demo.moves_in_session import session_choices
from app.demo.scene import LIVE, Choice, Move, Pace, Scene, admin_actor, drawn, staff_actor, told
from app.policy.limits import DEFAULTS, within_rate
from app.policy.requests import RequestForm
from app.services import break_glass, consent, requests, sessions
from storage.models import (
    ConsentLink,
    Contact,
    ContactRole,
    LinkKind,
    Mode,
    Request,
    RequestState,
    Role,
    Settings,
    Staff,
    Standing,
    Tenant,
    TenantMode,
    TenantStatus,
)


def next_move(
    reader: sqlite3.Connection,
    now: datetime,
    rng: random.Random,
    played: frozenset[str] = frozenset(),
    pace: Pace = LIVE,
    kept: frozenset[str] = frozenset(),
) -> Move | None:
    """What happens next, drawn by weight; None if nothing is at hand. `played` are the ids of staff whom a person
    plays: tenants leave their requests for the mailbox pane. `kept` are requests that everybody leaves alone."""
    scene = Scene(reader, now, rng, played, pace, kept)
    choices = [*request_choices(scene), *session_choices(scene), *wishes(scene)]
    if not choices:
        return None
    return rng.choices([think for _, think in choices], [weight for weight, _ in choices])[0]()


def request_choices(scene: Scene) -> Iterator[Choice]:
    """What may become of every open request."""
    for request in scene.open:
        if request.state is RequestState.PENDING and request.expires_at > scene.now:
            yield from _pending(scene, request)
        elif request.state is RequestState.APPROVED and request.usable_until and request.usable_until > scene.now:
            yield from _approved(scene, request)
        yield from _second_person(scene, request)
    yield from _break_glass(scene)


def _pending(scene: Scene, request: Request) -> Iterator[Choice]:
    engineer = scene.colleague(request.engineer_id)
    if engineer is None:
        return
    fate, last = drawn(request.id, 100), request.exchanges[-1] if request.exchanges else None
    if last is not None and last.kind == "question":
        if scene.waited(last.at, 15):
            words = ANSWERS[fate % len(ANSWERS)]
            yield 3, partial(Move, "answers", requests.answer, staff_actor(engineer), (request.id, words))
    elif fate >= 90:
        if fate >= 95 and scene.waited(request.created_at, 120):
            note = "solved without looking"
            yield 1, partial(Move, "withdraws", requests.withdraw, staff_actor(engineer), (request.id, note))
    elif scene.waited(request.created_at, 20 + fate):
        yield 2, partial(_tenant_decides, scene, request, fate)


def _tenant_decides(scene: Scene, request: Request, fate: int) -> Move | None:
    """One of the admins to whom the letter went does what is fated."""
    wanted = LinkKind.DENY if fate < 12 else LinkKind.APPROVE
    links = [
        link
        for link in scene.rows(ConsentLink, "request_id = ?", request.id)
        if link.kind is wanted and link.used_at is None
    ]
    contact = scene.row(Contact, links[fate % len(links)].contact_id) if links else None
    if contact is None:
        return None
    key, actor = links[fate % len(links)].id, admin_actor(contact)
    if 12 <= fate < 26 and not request.exchanges:
        return Move("asks", consent.ask, actor, (key, QUESTIONS[fate % len(QUESTIONS)]))
    if wanted is LinkKind.DENY:
        return Move("denies", consent.deny, actor, (key, DENIALS[fate % len(DENIALS)]))
    fewer = 15 if fate % 7 == 0 and request.minutes > 15 else None
    return Move("approves", consent.approve, actor, (key, fewer, NOTES[fate % len(NOTES)] if fate % 4 == 0 else ""))


def _approved(scene: Scene, request: Request) -> Iterator[Choice]:
    engineer = scene.colleague(request.engineer_id)
    if engineer is None or engineer.id in scene.busy:
        return
    if request.mode is Mode.FULL and request.countersigned_by is None and request.declined_by is None:
        return
    standing = scene.row(Standing, engineer.id)
    free = standing is None or (
        standing.active_session is None
        and standing.owes_outcome is None
        and within_rate(standing, request.tenant_id, scene.now, DEFAULTS).allowed  # a refusal would be put on record
    )
    if free and drawn(request.id, 17) and scene.waited(request.decided_at, 20):
        yield 3, partial(Move, "starts", sessions.start, staff_actor(engineer), (request.id,))


def _second_person(scene: Scene, request: Request) -> Iterator[Choice]:
    """A super countersigns `full`; where a person plays one, it is left to them."""
    if request.mode is not Mode.FULL or request.countersigned_by or request.declined_by:
        return
    if scene.a_person_countersigns():
        return
    colleague = scene.second(request.engineer_id)
    if colleague and scene.waited(request.created_at, 25):
        actor = staff_actor(colleague)
        if drawn(request.id, 9) == 0:
            yield 1, partial(Move, "declines", requests.decline, actor, (request.id, "read-only will do"))
        else:
            yield 2, partial(Move, "countersigns", requests.countersign, actor, (request.id, ""))


def _break_glass(scene: Scene) -> Iterator[Choice]:
    """A super agrees to what the engineer whom a person plays declared; a colleague's waits for a person (REQ-108)."""
    if scene.a_person_countersigns():
        return
    for request in scene.rows(Request, "state = 'declared'"):
        declared, colleague = request.break_glass, scene.second(request.engineer_id)
        if request.engineer_id in scene.played and declared and colleague and scene.waited(declared.declared_at, 30):
            args = (request.id, "I reached nobody there either")
            yield 3, partial(Move, "countersigns break-glass", break_glass.countersign, staff_actor(colleague), args)


def wishes(scene: Scene) -> Iterator[Choice]:
    """A colleague who has nothing open may ask for access."""
    asked = {one.engineer_id for one in scene.open if one.engineer_id not in scene.played}
    engineers = [
        one
        for one in scene.staff.values()
        if one.role is Role.ENGINEER and one.id not in scene.played | asked | scene.busy
    ]
    if engineers and len(asked) < scene.pace.open_requests:
        yield 2, partial(_asks, scene, scene.rng.choice(engineers))


def _asks(scene: Scene, engineer: Staff) -> Move | None:
    """A wish for a tenant that is open, but for the odd one that gets a clear no."""
    rng, tenant = scene.rng, scene.rng.choice(scene.rows(Tenant))
    settings = scene.row(Settings, tenant.id) or Settings(tenant.id)
    shut = settings.kill_switch or settings.mode is TenantMode.FORBIDDEN or tenant.status is not TenantStatus.ACTIVE
    users = [one for one in scene.rows(Contact, "tenant_id = ?", tenant.id) if one.has(ContactRole.USER)]
    if not users or (shut and rng.random() > 0.05):
        return None
    story = rng.choice(STORIES)
    (count,) = scene.reader.execute("SELECT count(*) FROM request").fetchone()
    ticket = f"T-{48_000 + count * 3 + rng.randrange(3)}"
    form = RequestForm(
        tenant.id,
        rng.choice(users).id,
        ticket,
        told(story.reason, ticket),
        told(story.scope, ticket),
        story.records,
        Mode.FULL if rng.random() < 0.15 else Mode.READ_ONLY,
        rng.choice((15, 30, 30, 45, 60)),
        story.urgent,
        story.tried,
        story.why_not,
    )
    return Move("asks for access", requests.create, staff_actor(engineer), (form,))
