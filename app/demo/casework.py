"""One case of `demo fill`, from the wish for access to the outcome: what is written when.

A case is planned whole, so its number of entries is known before the first is written; many cases then run interleaved.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from app.demo.case_request import HOUR, MINUTE, SECOND, Brief, CaseRequest, Fate
from app.demo.cases import FORCE_ENDS, Look
from app.demo.ledger import Ledger, Said, image, said, stamp
from app.demo.populace import CLOCK, Someone, change_id, microseconds, moment
from app.services.sessions import RESULTS, VIEWED
from storage.log.actions import Action
from storage.models import EndKind, Mode, Outcome, RequestState, Session, Standing, Start
from storage.models.row import Json, canonical


class Case(CaseRequest):
    """Writes one case into the ledger. `steps` are its moments, each with what happens then, in time order."""

    def __init__(self, brief: Brief, ledger: Ledger, rng: random.Random, ids: Callable[[str], str]) -> None:
        super().__init__(brief, ledger, rng, ids)
        self._session: Session | None = None
        self._live: LiveImage | None = None
        self.steps: list[tuple[int, Callable[[int], None]]] = sorted(self._plan(), key=lambda step: step[0])

    def _plan(self) -> list[tuple[int, Callable[[int], None]]]:
        brief, fate = self._brief, self._brief.fate
        asked, decided = brief.asked, brief.decided
        steps: list[tuple[int, Callable[[int], None]]] = [(asked, self._prove("request.create")), (asked, self._create)]
        steps += [(asked + (2 + n) * SECOND, self._deliver(n)) for n in range(len(brief.place.admins))]
        if fate in (Fate.PENDING, Fate.EXPIRED):
            return [*steps, (asked + 24 * HOUR, self._expire)] if fate is Fate.EXPIRED else steps
        if fate is Fate.WITHDRAWN:
            return [*steps, (decided, self._withdraw)]
        if brief.number % 11 == 0:
            steps += [(asked + (decided - asked) // 3, self._ask), (asked + (decided - asked) // 2, self._answer)]
        if fate is Fate.DENIED:
            return [*steps, (decided, self._deny)]
        steps.append((decided, self._approve))
        if brief.mode is Mode.FULL:
            between = decided + (brief.start - decided) // 2
            steps += [(between, self._prove("request.countersign", brief.second)), (between, self._countersign)]
        if fate is Fate.LAPSED:
            return [*steps, (decided + 8 * HOUR, self._lapse)]
        steps += [(brief.start, self._prove("session.start")), (brief.start + SECOND, self._start)]
        steps += self._plan_views()
        if fate is Fate.OVERRUN:
            steps += [(brief.until, self._expire_session), (brief.until + 9 * MINUTE, self._give_outcome)]
        elif fate is Fate.FORCE_ENDED:
            steps += [(brief.until - SECOND, self._prove("session.force_end", brief.second))]
            steps += [(brief.until, self._force_end), (brief.until + 4 * MINUTE, self._give_outcome)]
        elif fate is Fate.USED:
            steps.append((brief.until, self._end))
        return steps

    def _plan_views(self) -> list[tuple[int, Callable[[int], None]]]:
        brief = self._brief
        looks = [self._look(look) for look in brief.story.looks]
        span = max(brief.until - brief.start - 10 * SECOND, brief.views + 1)
        return [
            (brief.start + 5 * SECOND + span * (n + 1) // (brief.views + 1), looks[n % len(looks)])
            for n in range(brief.views)
        ]

    def _start(self, at: int) -> None:
        brief, request, proof = self._brief, self._request, self._used_proof(at)
        minutes = min(request.minutes, brief.place.settings.max_minutes)
        session = Session(
            self._ids("S"), request.id, request.tenant_id, request.target_id, brief.engineer.id, request.ticket,
            request.layer, brief.mode, moment(at), moment(at + minutes * MINUTE),
        )  # fmt: skip
        self._session, self._live = session, LiveImage(session)
        self._request = replace(request, state=RequestState.USED, session_id=session.id)
        standing = Standing(brief.engineer.id, session.id, None, (Start(request.tenant_id, moment(at)),))
        self._pieces = replace(self._pieces, session=f',"session":"{session.id}"')
        data: dict[str, Json] = {
            "mode": brief.mode.value,
            "layer": session.layer.value,
            "expires_at": stamp(at + minutes * MINUTE),
            "approved_by": request.decided_by,
            "countersigned_by": request.countersigned_by,
        }
        words = said(data=data, reason=request.reason)
        rows = (session, self._request, standing, proof)
        self._write(at, Action.SESSION_STARTED, brief.engineer, words, *rows)
        self._settle(proof)
        self._close_request()

    def _look(self, look: Look) -> Callable[[int], None]:
        """A view, by far the commonest entry: its images are put together from pieces instead of being encoded."""
        name, fields = self._fill(look.name), ",".join(f'"{field}"' for field in look.fields)
        scope = "true" if look.within_scope else "false"
        named = f'"fields":[{fields}],' if fields else ""
        words = Said(
            data=f',"data":{{"count":{look.count},{named}"name":"{name}","source":"engineer","within_scope":{scope}}}'
        )
        counted = f'","count":{look.count},"fields":[{fields}],"id":"'
        what = f'","kind":"{look.kind.value}","name":"{name}","session_id":"'
        end = f'","source":"engineer","tenant_id":"{self._request.tenant_id}","within_scope":{scope}}}'
        action, engineer = VIEWED[look.kind], self._brief.engineer

        def step(at: int) -> None:
            session, live, time = self._session, self._live, stamp(at)
            assert session is not None and live is not None
            key = self._ids("V")
            view = f'{{"at":"{time}{counted}{key}{what}{session.id}{end}'
            self._ledger.append(
                action, engineer.json, engineer.ip, time, change_id(at, self._rng), self._pieces, words, (),
                (("session_view", key, view),), (("session", session.id, live.seen(look, name)),),
            )  # fmt: skip

        return step

    def _outcome(self, at: int) -> Outcome:
        story = self._brief.story
        beyond = "one list was opened by mistake and closed" if self._live and self._live.beyond else "no"
        cause, changed = self._fill(story.cause), self._fill(story.changed)
        return Outcome(cause, changed, beyond, self._fill(story.follow_up), True, moment(at))

    def _finish(self, at: int, action: Action, kind: EndKind, who: Someone, reason: str | None) -> None:
        """End the session. By its engineer: with the outcome; otherwise the outcome is owed."""
        session, live, mine = self._session, self._live, kind is EndKind.ENGINEER
        assert session is not None and live is not None
        outcome = self._outcome(at) if mine else None
        self._session = replace(
            session, ended_at=moment(at), end_kind=kind, ended_by=who.id, end_reason=reason, outcome=outcome,
            views=live.views, records_seen=live.records, beyond_scope=live.beyond, last_viewed=live.last,
        )  # fmt: skip
        standing = Standing(session.engineer_id, None, None if mine else session.id, ())
        data: dict[str, Json] = {
            "ended_by": kind.value,
            "effective_at": stamp(at),
            "seconds": (microseconds(moment(at)) - microseconds(session.started_at)) // SECOND,
            "views": live.views,
            "records_seen": live.records,
            "outcome_owed": not mine,
        }
        if outcome is not None:
            data |= _said_of(outcome)
        words = said(data=data, reason=reason) if reason else said(data=data)
        if action is Action.SESSION_FORCE_ENDED:
            proof = self._used_proof(at)
            self._write(at, action, who, words, self._session, standing, proof)
            self._settle(proof)
        else:
            self._write(at, action, who, words, self._session, standing)
        if mine:
            self._settle(self._session)

    def _end(self, at: int) -> None:
        self._finish(at, Action.SESSION_ENDED, EndKind.ENGINEER, self._brief.engineer, None)

    def _force_end(self, at: int) -> None:
        reason = FORCE_ENDS[self._brief.number % len(FORCE_ENDS)]
        self._finish(at, Action.SESSION_FORCE_ENDED, EndKind.SUPER, self._brief.second, reason)

    def _expire_session(self, at: int) -> None:
        self._finish(at, Action.SESSION_EXPIRED, EndKind.CLOCK, CLOCK, None)

    def _give_outcome(self, at: int) -> None:
        session = self._session
        assert session is not None
        outcome = self._outcome(at)
        self._session = replace(session, outcome=outcome)
        standing = Standing(session.engineer_id, None, None, ())
        words = said(data=_said_of(outcome))
        self._write(at, Action.OUTCOME_GIVEN, self._brief.engineer, words, self._session, standing)
        self._settle(self._session)


def _said_of(outcome: Outcome) -> dict[str, Json]:
    """An outcome's words as they stand in the entry."""
    return {
        "cause": outcome.cause,
        "changed": outcome.changed,
        "beyond_scope": outcome.beyond_scope,
        "follow_up": outcome.follow_up,
        "ticket_closed": outcome.ticket_closed,
    }


class LiveImage:
    """The image of a running session, of which only the counters change: cut once, put together for every view."""

    def __init__(self, session: Session) -> None:
        start, _, rest = image(session).partition('"last_viewed":null')
        middle, _, end = rest.partition('"records_seen":0')
        self._start = start.removeprefix('{"beyond_scope":0')
        self._middle, self._end = middle, end.removesuffix('"views":0}')
        self.views = self.records = self.beyond = 0
        self.last: str | None = None

    def seen(self, look: Look, name: str) -> str:
        """Count a view; the session's image after it."""
        self.views += 1
        self.records += look.count if look.kind in RESULTS else 0
        self.beyond += not look.within_scope
        self.last = f"{look.kind.value} {name}"
        return (
            f'{{"beyond_scope":{self.beyond}{self._start}"last_viewed":{canonical(self.last)}{self._middle}'
            f'"records_seen":{self.records}{self._end}"views":{self.views}}}'
        )
