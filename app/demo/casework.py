"""One case of `demo fill`, from the wish for access to the outcome: what is written when.

A case is planned whole, so its number of entries is known before the first is written; many cases then run interleaved.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from app.demo.cases import ANSWERS, DENIALS, FORCE_ENDS, NOTES, QUESTIONS, Look, Story
from app.demo.ledger import NOTHING, Ledger, Pieces, Said, image, said, stamp
from app.demo.populace import CLOCK, WORKER, Place, Someone, change_id, moment
from app.policy.requests import content_digest
from storage.log.actions import Action
from storage.models import (
    ConsentLink,
    Decision,
    DecisionKind,
    EndKind,
    Exchange,
    LinkKind,
    Mail,
    MailState,
    Mode,
    Outcome,
    Request,
    RequestState,
    Row,
    Session,
    Standing,
    Start,
    StepUp,
    ViewKind,
)
from storage.models.row import canonical

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE

_VIEW_ACTIONS = {
    ViewKind.RECORD: Action.VIEWED_RECORD,
    ViewKind.FIELD: Action.VIEWED_FIELD,
    ViewKind.FILE: Action.VIEWED_FILE,
    ViewKind.SCREEN: Action.VIEWED_SCREEN,
    ViewKind.QUERY: Action.RAN_QUERY,
    ViewKind.SEARCH: Action.SEARCHED,
    ViewKind.EXPORT: Action.EXPORTED,
}


class Fate(StrEnum):
    """How a case of the past went."""

    USED = "used"
    FORCE_ENDED = "force_ended"
    OVERRUN = "overrun"
    DENIED = "denied"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"
    LAPSED = "lapsed"
    RUNNING = "running"
    PENDING = "pending"


SESSION_FATES = frozenset({Fate.USED, Fate.FORCE_ENDED, Fate.OVERRUN, Fate.RUNNING})


@dataclass(frozen=True, slots=True)
class Brief:
    """What a case is about. Times in microseconds since 1970; `start` is when its session starts, if it has one."""

    number: int
    fate: Fate
    story: Story
    place: Place
    engineer: Someone
    second: Someone
    asked: int
    decided: int
    start: int
    minutes: int
    mode: Mode
    views: int
    until: int


class Case:
    """Writes one case into the ledger. `steps` are its moments, each with what happens then, in time order."""

    def __init__(self, brief: Brief, ledger: Ledger, rng: random.Random, ids: Callable[[str], str]) -> None:
        self._brief, self._ledger, self._rng, self._ids = brief, ledger, rng, ids
        self._a, self._b = 1_000 + brief.number, 40_000 + brief.number * 7
        self._request = self._asked()
        self._session: Session | None = None
        self._live: LiveImage | None = None
        self._step_up: StepUp | None = None
        self._mails: list[tuple[Mail, Someone]] = []
        self._links: dict[str, list[ConsentLink]] = {}
        request = self._request
        self._pieces = Pieces(
            request.tenant_id,
            request=f',"request":"{request.id}"',
            target=f',"target":"{request.target_id}"',
            ticket=f',"ticket":"{request.ticket}"',
        )
        self.steps: list[tuple[int, Callable[[int], None]]] = sorted(self._plan(), key=lambda step: step[0])

    def _asked(self) -> Request:
        brief, story = self._brief, self._brief.story
        at = moment(brief.asked)
        request = Request(
            self._ids("R"),
            brief.place.id,
            self._rng.choice(brief.place.users),
            f"T-{self._a}",
            self._fill(story.reason),
            self._fill(story.scope),
            story.records,
            brief.mode,
            brief.minutes,
            story.urgent,
            story.tried,
            story.why_not,
            brief.engineer.id,
            at,
            moment(brief.asked + 24 * HOUR),
            "",
        )
        return replace(request, content_digest=content_digest(request))

    def _fill(self, text: str) -> str:
        return text.replace("{a}", str(self._a)).replace("{b}", str(self._b))

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
        brief, looks = self._brief, self._brief.story.looks
        span = max(brief.until - brief.start - 10 * SECOND, brief.views + 1)
        return [
            (brief.start + 5 * SECOND + span * (n + 1) // (brief.views + 1), self._look(looks[n % len(looks)]))
            for n in range(brief.views)
        ]

    # -- what is written ------------------------------------------------------------------------------------------

    def _write(self, at: int, action: Action, who: Someone, words: Said, *rows: Row) -> None:
        self._ledger.append(action, who.json, who.ip, stamp(at), change_id(at, self._rng), self._pieces, words, rows)

    def _settle(self, *rows: Row) -> None:
        for row in rows:
            self._ledger.settle(row.TABLE, row.id)

    def _prove(self, act: str, who: Someone | None = None) -> Callable[[int], None]:
        person = who or self._brief.engineer

        def step(at: int) -> None:
            proof = StepUp(self._ids("SU"), person.id, act, moment(at), "totp", ())
            self._step_up = proof
            words = said(data={"act": act, "method": "totp"})
            change = change_id(at, self._rng)
            self._ledger.append(
                Action.STEP_UP_ACCEPTED, person.json, person.ip, stamp(at), change, Pieces(), words, (proof,)
            )

        return step

    def _used_proof(self, at: int) -> StepUp:
        """The code just given, spent. The Change's own id is not known here: its moment names it as well."""
        assert self._step_up is not None
        return replace(self._step_up, used_by=(change_id(at, self._rng),))

    def _create(self, at: int) -> None:
        request, proof = self._request, self._used_proof(at)
        self._mails = [(self._letter(admin, at), admin) for admin in self._brief.place.admins]
        words = said(
            after={"state": "pending"},
            data={"minutes": request.minutes, "mode": request.mode.value, "scope": request.scope},
            reason=request.reason,
        )
        rows = (request, proof, *(mail for mail, _ in self._mails))
        self._write(at, Action.REQUEST_CREATED, self._brief.engineer, words, *rows)
        self._settle(proof)

    def _letter(self, admin: Someone, at: int) -> Mail:
        request = self._request
        text = (
            f"{self._brief.engineer.name} asks to see your account as {request.target_id}.\n\n{request.reason}\n\n"
            "Approve:\n{approve_link}\nDeny:\n{deny_link}\n"
        )
        subject = f"Support access asked for: {request.ticket}"
        links = (LinkKind.APPROVE, LinkKind.DENY)
        return Mail(
            self._ids("M"), "request.created", admin.id, admin.name, admin.email, request.tenant_id, request.id, None,
            subject, text, links, moment(at),
        )  # fmt: skip

    def _deliver(self, number: int) -> Callable[[int], None]:
        def step(at: int) -> None:
            mail, admin = self._mails[number]
            sent = replace(mail, state=MailState.DELIVERED, delivered_at=moment(at))
            links = []
            for kind in mail.links:
                key = hashlib.sha256(f"{mail.id}/{kind}".encode()).hexdigest()
                links.append(
                    ConsentLink(
                        key, kind, self._request.id, admin.id, self._request.content_digest, self._request.expires_at
                    )
                )
            self._links[admin.id] = links
            words = said(data={"event": mail.event, "mail": mail.id, "to": admin.email})
            self._write(at, Action.MAIL_DELIVERED, WORKER, words, sent, *links)
            self._settle(sent)

        return step

    def _ask(self, at: int) -> None:
        admin = self._brief.place.admins[0]
        self._exchange(at, Action.QUESTION_ASKED, admin, "question", QUESTIONS[self._brief.number % len(QUESTIONS)])

    def _answer(self, at: int) -> None:
        text = ANSWERS[self._brief.number % len(ANSWERS)]
        self._exchange(at, Action.QUESTION_ANSWERED, self._brief.engineer, "answer", text)

    def _exchange(self, at: int, action: Action, who: Someone, kind: str, text: str) -> None:
        item = Exchange(kind, who.id, who.name, moment(at), text)
        self._request = replace(self._request, exchanges=(*self._request.exchanges, item))
        self._write(at, action, who, said(data={"text": text}), self._request)

    def _decide(self, at: int, action: Action, kind: DecisionKind, state: RequestState, note: str | None) -> None:
        brief, request = self._brief, self._request
        admin = self._rng.choice(brief.place.admins)
        granted = request.minutes if kind is DecisionKind.APPROVE else None
        when = moment(at)
        self._request = replace(
            request, state=state, decided_at=when, decided_by=admin.id, decision_note=note, granted_minutes=granted,
            usable_until=moment(at + 8 * HOUR) if granted else None,
        )  # fmt: skip
        decision = Decision(
            self._ids("D"), request.id, request.tenant_id, kind, admin.id, admin.name, when, granted, note,
            request.content_digest,
        )  # fmt: skip
        link = next(one for one in self._links[admin.id] if one.kind.value == kind.value)
        used = replace(link, used_at=when)
        words = said(before={"state": request.state.value}, after={"state": state.value}, data={"minutes": granted})
        self._write(at, action, admin, words, self._request, decision, used)
        self._settle(decision)

    def _approve(self, at: int) -> None:
        note = self._rng.choice(NOTES) if self._brief.number % 5 == 0 else None
        self._decide(at, Action.REQUEST_APPROVED, DecisionKind.APPROVE, RequestState.APPROVED, note)

    def _deny(self, at: int) -> None:
        self._decide(at, Action.REQUEST_DENIED, DecisionKind.DENY, RequestState.DENIED, self._rng.choice(DENIALS))
        self._close_request()

    def _countersign(self, at: int) -> None:
        proof, second = self._used_proof(at), self._brief.second
        self._request = replace(self._request, countersigned_by=second.id, countersigned_at=moment(at))
        self._write(at, Action.REQUEST_COUNTERSIGNED, second, NOTHING, self._request, proof)
        self._settle(proof)

    def _withdraw(self, at: int) -> None:
        self._over(at, Action.REQUEST_WITHDRAWN, RequestState.WITHDRAWN, self._brief.engineer)

    def _expire(self, at: int) -> None:
        self._over(at, Action.REQUEST_EXPIRED, RequestState.EXPIRED, CLOCK)

    def _lapse(self, at: int) -> None:
        self._over(at, Action.REQUEST_LAPSED, RequestState.LAPSED, CLOCK)

    def _over(self, at: int, action: Action, state: RequestState, who: Someone) -> None:
        before = self._request.state.value
        self._request = replace(self._request, state=state)
        words = said(before={"state": before}, after={"state": state.value}, data={"effective_at": stamp(at)})
        self._write(at, action, who, words, self._request)
        self._close_request()

    def _close_request(self) -> None:
        self._settle(self._request)
        for links in self._links.values():
            self._settle(*links)

    # -- the session ----------------------------------------------------------------------------------------------

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
        words = said(data={"layer": "consent", "minutes": minutes, "mode": brief.mode.value})
        rows = (session, self._request, standing, proof)
        self._write(at, Action.SESSION_STARTED, brief.engineer, words, *rows)
        self._settle(proof)
        self._close_request()

    def _look(self, look: Look) -> Callable[[int], None]:
        """A view, by far the commonest entry: its two images are written out here instead of being encoded."""

        def step(at: int) -> None:
            session, live, time = self._session, self._live, stamp(at)
            assert session is not None and live is not None
            name = self._fill(look.name)
            key, fields = self._ids("V"), ",".join(f'"{field}"' for field in look.fields)
            scope = "true" if look.within_scope else "false"
            view = (
                f'{{"at":"{time}","count":{look.count},"fields":[{fields}],"id":"{key}","kind":"{look.kind.value}",'
                f'"name":"{name}","session_id":"{session.id}","source":"console","tenant_id":"{session.tenant_id}",'
                f'"within_scope":{scope}}}'
            )
            data = f'{{"count":{look.count},"fields":[{fields}],"name":"{name}","within_scope":{scope}}}'
            engineer = self._brief.engineer
            self._ledger.append(
                _VIEW_ACTIONS[look.kind], engineer.json, engineer.ip, time, change_id(at, self._rng), self._pieces,
                Said(data=f',"data":{data}'), (), (("session_view", key, view),),
                (("session", session.id, live.seen(look, name)),),
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
        data = {"by": kind.value, "effective_at": stamp(at)} | ({"cause": outcome.cause} if outcome else {})
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
        self._session = replace(session, outcome=self._outcome(at))
        standing = Standing(session.engineer_id, None, None, ())
        words = said(data={"cause": self._fill(self._brief.story.cause)})
        self._write(at, Action.OUTCOME_GIVEN, self._brief.engineer, words, self._session, standing)
        self._settle(self._session)


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
        self.records += look.count
        self.beyond += not look.within_scope
        self.last = name
        return (
            f'{{"beyond_scope":{self.beyond}{self._start}"last_viewed":{canonical(name)}{self._middle}'
            f'"records_seen":{self.records}{self._end}"views":{self.views}}}'
        )
