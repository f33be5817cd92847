"""What colleagues do in running sessions, over them, and after them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial

from app.demo.cases import ELEVATIONS, FORCE_ENDS
from app.demo.scene import Choice, Move, Scene, drawn, staff_actor, story_of, told
from app.services import sessions
from storage.models import Actor, ElevationState, Mode, Request, Session, Standing
from storage.shared.change import Change


def session_choices(scene: Scene) -> Iterator[Choice]:
    """For every session that runs, and every outcome that is owed."""
    for session in scene.running:
        yield from _inside(scene, session)
        yield from _elevation(scene, session)
        yield from _force_end(scene, session)
    yield from _owed(scene)


def _inside(scene: Scene, session: Session) -> Iterator[Choice]:
    engineer = scene.colleague(session.engineer_id)
    request = scene.row(Request, session.request_id)
    if engineer is None or request is None:
        return
    actor, story, fate = staff_actor(engineer), story_of(request), drawn(session.id, 100)
    left = (session.expires_at - scene.now) / (session.expires_at - session.started_at)
    done = session.views >= len(story.looks) and left < 0.65
    rounds = session.views // len(story.looks)
    if rounds < 3:
        look = story.looks[session.views % len(story.looks)]
        named = {"fields": look.fields, "count": look.count, "within_scope": look.within_scope}
        args = (session.id, look.kind, told(look.name, session.ticket))
        yield 4 - rounds, partial(Move, "views", sessions.log_view, actor, args, named)
    if fate < 12 and session.mode is Mode.READ_ONLY and session.elevation is None and session.views >= 2:
        reason = told(ELEVATIONS[fate % len(ELEVATIONS)], session.ticket)
        yield 2, partial(Move, "asks for full", sessions.ask_elevation, actor, (session.id, reason))
    if fate < 93 and (done or left < 0.3):
        yield 6 if left < 0.3 else 1, partial(_outcome, sessions.end, actor, session, request)


def _outcome(command: Callable[..., Change], actor: Actor, session: Session, request: Request) -> Move:
    story = story_of(request)
    changed = told(story.changed, session.ticket) if session.mode is Mode.FULL else "nothing"
    beyond = "one list was opened by mistake and closed again" if session.beyond_scope else "no"
    words = (told(story.cause, session.ticket), changed, beyond, told(story.follow_up, session.ticket))
    return Move("ends", command, actor, (session.id, *words))


def _elevation(scene: Scene, session: Session) -> Iterator[Choice]:
    """A super answers who asked for `full`; where a person plays one, it is left to them."""
    elevation, colleague = session.elevation, scene.second(session.engineer_id)
    if (
        elevation is None
        or elevation.state is not ElevationState.ASKED
        or colleague is None
        or scene.a_person_countersigns()
    ):
        return
    if scene.waited(elevation.asked_at, 15):
        actor = staff_actor(colleague)
        if drawn(session.id, 5) == 0:
            yield 1, partial(Move, "declines", sessions.decline_elevation, actor, (session.id, "looking is enough"))
        else:
            yield 3, partial(Move, "grants full", sessions.countersign_elevation, actor, (session.id, ""))


def _force_end(scene: Scene, session: Session) -> Iterator[Choice]:
    """A super stops a colleague who strayed from the declared scope."""
    colleague = scene.second(session.engineer_id)
    if colleague and session.beyond_scope and session.engineer_id not in scene.played and drawn(session.id, 3) == 0:
        args = (session.id, FORCE_ENDS[drawn(session.id, len(FORCE_ENDS))])
        yield 2, partial(Move, "force-ends", sessions.force_end, staff_actor(colleague), args)


def _owed(scene: Scene) -> Iterator[Choice]:
    for standing in scene.rows(Standing):
        engineer = scene.colleague(standing.id)
        session = scene.row(Session, standing.owes_outcome) if engineer and standing.owes_outcome else None
        request = scene.row(Request, session.request_id) if session else None
        if engineer and session and request and scene.waited(session.ended_at, 150):
            yield 1, partial(_outcome, sessions.give_outcome, staff_actor(engineer), session, request)
