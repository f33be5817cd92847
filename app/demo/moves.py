"""What somebody in the demo could do next: one function from the state of the world to a single act.

Seeding plays it on a fast clock, the simulated colleagues play it live, so the weeks of history and what happens while
one watches are made alike. Nothing here writes: a `Move` names a real command, and whoever runs it may be refused.
"""

from __future__ import annotations

import random
import re
import sqlite3
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, TypeVar

from app.demo.cases import ANSWERS, DENIALS, ELEVATIONS, FORCE_ENDS, NOTES, QUESTIONS, STORIES, Story
from app.policy.requests import RequestForm
from app.services import consent, requests, sessions
from storage.models import (
    Actor,
    ActorKind,
    ConsentLink,
    Contact,
    ContactRole,
    ElevationState,
    LinkKind,
    Mode,
    Request,
    RequestState,
    Role,
    Row,
    Session,
    Settings,
    Staff,
    Standing,
    Tenant,
    TenantMode,
    TenantStatus,
)
from storage.models.row import time_text
from storage.shared.change import Change

R = TypeVar("R", bound=Row)


@dataclass(frozen=True, slots=True)
class Move:
    """One act: a command of `app.services`, who does it, and its arguments."""

    words: str
    command: Callable[..., Change]
    actor: Actor
    args: tuple[Any, ...]
    named: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pace:
    """`patience` stretches every wait: 1 is live. `open_requests` is how many wishes the colleagues keep in the air."""

    patience: float = 1.0
    open_requests: int = 4


def next_move(
    reader: sqlite3.Connection,
    now: datetime,
    rng: random.Random,
    played: frozenset[str] = frozenset(),
    pace: Pace = Pace(),
) -> Move | None:
    """What happens next, drawn by weight; None if nothing is at hand. `played` are the ids of staff whom a person
    plays: they do nothing by themselves, and tenants leave their requests for the mailbox pane."""
    choices = list(Scene(reader, now, rng, played, pace).choices())
    if not choices:
        return None
    return rng.choices([move for _, move in choices], [weight for weight, _ in choices])[0]


def staff_actor(staff: Staff) -> Actor:
    """A colleague at their desk: each has an address of their own in the office's network."""
    return Actor(ActorKind.STAFF, staff.id, staff.name, staff.email, ip=f"10.1.0.{_draw(staff.email, 200) + 10}")


def admin_actor(contact: Contact) -> Actor:
    """A tenant's administrator, at home or in theirs."""
    return Actor(
        ActorKind.TENANT_ADMIN, contact.id, contact.name, contact.email, ip=f"203.0.113.{_draw(contact.email, 250)}"
    )


def story_of(request: Request) -> Story:
    """The story that a request of the demo was made from; for a person's own request, any will do."""
    for story in STORIES:
        if request.reason.startswith(story.reason.partition("{")[0]):
            return story
    return STORIES[0]


def told(text: str, ticket: str) -> str:
    """A story's words with the record numbers that its ticket stands for."""
    number = int(re.sub(r"\D", "", ticket)[-6:] or 0)
    return text.replace("{a}", str(number % 9000 + 1000)).replace("{b}", str(number * 7 % 90_000 + 10_000))


def _draw(key: str, sides: int) -> int:
    """A number that belongs to a key: so a request's fate is settled when it is made, and is the same for everybody."""
    return zlib.crc32(key.encode()) % sides


class Scene:
    """The world as it is at one moment, and who could do what in it."""

    def __init__(
        self, reader: sqlite3.Connection, now: datetime, rng: random.Random, played: frozenset[str], pace: Pace
    ) -> None:
        self._reader, self._now, self._rng, self._played, self._pace = reader, now, rng, played, pace
        self._staff = {one.id: one for one in self._rows(Staff) if one.is_active(now)}
        self._open = self._rows(Request, "state IN ('pending', 'approved')")
        self._running = self._rows(Session, "ended_at IS NULL AND expires_at > ?", time_text(now))
        self._busy = {one.engineer_id for one in self._running}

    def choices(self) -> Iterator[tuple[float, Move]]:
        """Every possible act with its weight."""
        for request in self._open:
            if request.state is RequestState.PENDING and request.expires_at > self._now:
                yield from self._on_pending(request)
            elif request.state is RequestState.APPROVED and request.usable_until and request.usable_until > self._now:
                yield from self._on_approved(request)
            yield from self._on_full(request)
        for session in self._running:
            yield from self._in_session(session)
            yield from self._over_session(session)
        yield from self._owed()
        yield from self._wish()

    # -- requests -------------------------------------------------------------------------------------------------

    def _on_pending(self, request: Request) -> Iterator[tuple[float, Move]]:
        if request.engineer_id in self._played:
            return
        fate = _draw(request.id, 100)
        waiting = request.exchanges and request.exchanges[-1].kind == "question"
        if waiting:
            engineer = self._staff.get(request.engineer_id)
            if engineer and self._waited(request.exchanges[-1].at, 15):
                words = ANSWERS[fate % len(ANSWERS)]
                yield 3, Move("answers", requests.answer, staff_actor(engineer), (request.id, words))
        elif fate >= 90:
            engineer = self._staff.get(request.engineer_id)
            if engineer and fate >= 95 and self._waited(request.created_at, 120):
                yield 1, Move("withdraws", requests.withdraw, staff_actor(engineer), (request.id, "solved without"))
        elif self._waited(request.created_at, 20 + fate):
            yield from self._tenant_decides(request, fate)

    def _tenant_decides(self, request: Request, fate: int) -> Iterator[tuple[float, Move]]:
        wanted = LinkKind.DENY if fate < 12 else LinkKind.APPROVE
        links = [
            link
            for link in self._rows(ConsentLink, "request_id = ?", request.id)
            if link.kind is wanted and link.used_at is None
        ]
        if not links:
            return
        link = links[fate % len(links)]
        contact = self._row(Contact, link.contact_id)
        if contact is None:
            return
        actor = admin_actor(contact)
        if 12 <= fate < 26 and not request.exchanges:
            yield 2, Move("asks", consent.ask, actor, (link.id, QUESTIONS[fate % len(QUESTIONS)]))
        elif wanted is LinkKind.DENY:
            yield 2, Move("denies", consent.deny, actor, (link.id, DENIALS[fate % len(DENIALS)]))
        else:
            fewer = 15 if fate % 7 == 0 and request.minutes > 15 else None
            note = NOTES[fate % len(NOTES)] if fate % 4 == 0 else ""
            yield 2, Move("approves", consent.approve, actor, (link.id, fewer, note))

    def _on_approved(self, request: Request) -> Iterator[tuple[float, Move]]:
        engineer = self._staff.get(request.engineer_id)
        if engineer is None or engineer.id in self._played or engineer.id in self._busy:
            return
        if request.mode is Mode.FULL and request.countersigned_by is None and request.declined_by is None:
            return
        standing = self._row(Standing, engineer.id)
        free = standing is None or (standing.active_session is None and standing.owes_outcome is None)
        if free and _draw(request.id, 17) and self._waited(request.decided_at, 20):
            yield 3, Move("starts", sessions.start, staff_actor(engineer), (request.id,))

    def _on_full(self, request: Request) -> Iterator[tuple[float, Move]]:
        """A super countersigns; where a person plays one, they have the first word."""
        if request.mode is not Mode.FULL or request.countersigned_by or request.declined_by:
            return
        colleague = self._second(request.engineer_id)
        if colleague and self._waited(request.created_at, self._first_word(25)):
            if _draw(request.id, 9) == 0:
                yield 1, Move("declines", requests.decline, staff_actor(colleague), (request.id, "read-only will do"))
            else:
                yield 2, Move("countersigns", requests.countersign, staff_actor(colleague), (request.id, ""))

    # -- sessions -------------------------------------------------------------------------------------------------

    def _in_session(self, session: Session) -> Iterator[tuple[float, Move]]:
        engineer = self._staff.get(session.engineer_id)
        request = self._row(Request, session.request_id)
        if engineer is None or request is None or engineer.id in self._played:
            return
        actor, story, fate = staff_actor(engineer), story_of(request), _draw(session.id, 100)
        if session.views < 2 * len(story.looks):
            look = story.looks[session.views % len(story.looks)]
            named = {"fields": look.fields, "count": look.count, "within_scope": look.within_scope}
            name = told(look.name, session.ticket)
            yield 4, Move("views", sessions.log_view, actor, (session.id, look.kind, name), named)
        if fate < 12 and session.mode is Mode.READ_ONLY and session.elevation is None and session.views >= 2:
            reason = told(ELEVATIONS[fate % len(ELEVATIONS)], session.ticket)
            yield 2, Move("asks for full", sessions.ask_elevation, actor, (session.id, reason))
        left = (session.expires_at - self._now) / (session.expires_at - session.started_at)
        done = session.views >= len(story.looks) and self._waited(session.started_at, 90)
        if fate < 93 and (done or left < 0.2):
            yield (4 if left < 0.2 else 1), self._end(sessions.end, actor, session, story)

    def _end(self, command: Callable[..., Change], actor: Actor, session: Session, story: Story) -> Move:
        cause, changed = told(story.cause, session.ticket), told(story.changed, session.ticket)
        beyond = "one list was opened by mistake and closed again" if session.beyond_scope else "no"
        if session.mode is Mode.READ_ONLY:
            changed = "nothing"
        follow_up = told(story.follow_up, session.ticket)
        return Move("ends", command, actor, (session.id, cause, changed, beyond, follow_up))

    def _over_session(self, session: Session) -> Iterator[tuple[float, Move]]:
        """What a super does about somebody else's session."""
        colleague = self._second(session.engineer_id)
        if colleague is None:
            return
        actor, elevation = staff_actor(colleague), session.elevation
        if (
            elevation is not None
            and elevation.state is ElevationState.ASKED
            and self._waited(elevation.asked_at, self._first_word(15))
        ):
            if _draw(session.id, 5) == 0:
                yield 1, Move("declines full", sessions.decline_elevation, actor, (session.id, "not needed to look"))
            else:
                yield 3, Move("grants full", sessions.countersign_elevation, actor, (session.id, ""))
        if session.beyond_scope and session.engineer_id not in self._played and _draw(session.id, 3) == 0:
            reason = FORCE_ENDS[_draw(session.id, len(FORCE_ENDS))]
            yield 1, Move("force-ends", sessions.force_end, actor, (session.id, reason))

    def _owed(self) -> Iterator[tuple[float, Move]]:
        for standing in self._rows(Standing):
            engineer = self._staff.get(standing.id)
            if standing.owes_outcome is None or engineer is None or engineer.id in self._played:
                continue
            session = self._row(Session, standing.owes_outcome)
            request = session and self._row(Request, session.request_id)
            if session and request and session.ended_at and self._waited(session.ended_at, 150):
                yield 1, self._end(sessions.give_outcome, staff_actor(engineer), session, story_of(request))

    # -- new wishes -----------------------------------------------------------------------------------------------

    def _wish(self) -> Iterator[tuple[float, Move]]:
        asked = {one.engineer_id for one in self._open if one.engineer_id not in self._played}
        engineers = [
            one
            for one in self._staff.values()
            if one.role is Role.ENGINEER and one.id not in self._played | asked | self._busy
        ]
        if not engineers or len(asked) >= self._pace.open_requests:
            return
        engineer, form = self._rng.choice(engineers), self._form()
        if form is not None:
            yield 2, Move("asks for access", requests.create, staff_actor(engineer), (form,))

    def _form(self) -> RequestForm | None:
        """A wish for a tenant that is open, but for the odd one that gets a clear no."""
        tenants = self._rows(Tenant)
        tenant = self._rng.choice(tenants)
        settings = self._row(Settings, tenant.id)
        shut = tenant.status is not TenantStatus.ACTIVE or (
            settings is not None and (settings.kill_switch or settings.mode is TenantMode.FORBIDDEN)
        )
        users = [one for one in self._rows(Contact, "tenant_id = ?", tenant.id) if one.has(ContactRole.USER)]
        if not users or (shut and self._rng.random() > 0.05):
            return None
        story = self._rng.choice(STORIES)
        (count,) = self._reader.execute("SELECT count(*) FROM request").fetchone()
        ticket = f"T-{48_000 + count * 3 + self._rng.randrange(3)}"
        return RequestForm(
            tenant.id,
            self._rng.choice(users).id,
            ticket,
            told(story.reason, ticket),
            told(story.scope, ticket),
            story.records,
            Mode.FULL if self._rng.random() < 0.15 else Mode.READ_ONLY,
            self._rng.choice((15, 30, 30, 45, 60)),
            story.urgent,
            story.tried,
            story.why_not,
        )

    # -- looking --------------------------------------------------------------------------------------------------

    def _second(self, engineer_id: str) -> Staff | None:
        """A super whom nobody plays, other than the engineer."""
        supers = [
            one
            for one in self._staff.values()
            if one.role is Role.SUPER and one.id != engineer_id and one.id not in self._played
        ]
        return self._rng.choice(supers) if supers else None

    def _first_word(self, seconds: float) -> float:
        played = any(self._staff[one].role is Role.SUPER for one in self._played if one in self._staff)
        return seconds + (60 if played else 0)

    def _waited(self, since: datetime | None, seconds: float) -> bool:
        return since is not None and self._now - since >= timedelta(seconds=seconds * self._pace.patience)

    def _row(self, kind: type[R], key: str) -> R | None:
        found = self._rows(kind, "id = ?", key)
        return found[0] if found else None

    def _rows(self, kind: type[R], where: str = "1", *values: str) -> list[R]:
        found = self._reader.execute(f"SELECT image FROM {kind.TABLE} WHERE {where} ORDER BY id", values)
        return [kind.from_image(image) for (image,) in found]
