"""A case of `demo fill` up to its decision: the wish, the letters, question and answer, what came of it."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from enum import StrEnum

from app.demo.cases import ANSWERS, DENIALS, NOTES, QUESTIONS, Story
from app.demo.ledger import NOTHING, Ledger, Pieces, Said, said, stamp
from app.demo.populace import CLOCK, WORKER, Place, Someone, change_id, moment
from app.policy.requests import ALTERNATIVES, content_digest
from app.services.letters_facts import MODES
from storage.log.actions import Action
from storage.models import (
    ConsentLink,
    Decision,
    DecisionKind,
    Exchange,
    LinkKind,
    Mail,
    MailState,
    Mode,
    Request,
    RequestState,
    Row,
    StepUp,
)
from storage.models.row import Json, canonical, time_text

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE


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


class CaseRequest:
    """Writes the request of one case, step by step, into the ledger."""

    def __init__(self, brief: Brief, ledger: Ledger, rng: random.Random, ids: Callable[[str], str]) -> None:
        self._brief, self._ledger, self._rng, self._ids = brief, ledger, rng, ids
        self._a, self._b = 1_000 + brief.number, 40_000 + brief.number * 7
        self._request = self._asked()
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
        data: dict[str, Json] = {
            "scope": request.scope,
            "records": request.records,
            "mode": request.mode.value,
            "minutes": request.minutes,
            "urgent": request.urgent,
            "tried": [way.value for way in request.tried],
            "why_not": request.why_not,
            "content_digest": request.content_digest,
            "mailed": [admin.id for _, admin in self._mails],
        }
        words = said(data=data, reason=request.reason)
        rows = (request, proof, *(mail for mail, _ in self._mails))
        self._write(at, Action.REQUEST_CREATED, self._brief.engineer, words, *rows)
        self._settle(proof)

    def _letter(self, admin: Someone, at: int) -> Mail:
        request = self._request
        facts: dict[str, Json] = {
            "request": {
                "id": request.id,
                "tenant": request.tenant_id,
                "engineer": {"name": self._brief.engineer.name, "email": self._brief.engineer.email},
                "target": {"name": request.target_id, "email": ""},
                "ticket": request.ticket,
                "mode": MODES[request.mode],
                "minutes": request.minutes,
                "maximum": 240,
                "urgent": request.urgent,
                "records": request.records,
                "scope": request.scope,
                "reason": request.reason,
                "tried": [ALTERNATIVES[way] for way in request.tried],
                "why_not": request.why_not,
                "expires_at": time_text(request.expires_at),
                "usable_until": None,
            }
        }
        subject = f"Support access asked for: {request.ticket}"
        links = (LinkKind.APPROVE, LinkKind.DENY)
        return Mail(
            self._ids("M"), "request.created", admin.id, admin.name, admin.email, request.tenant_id, request.id, None,
            subject, links, moment(at), facts=canonical(facts),
        )  # fmt: skip

    def _deliver(self, number: int) -> Callable[[int], None]:
        def step(at: int) -> None:
            mail, admin = self._mails[number]
            sent = replace(mail, state=MailState.DELIVERED, attempts=1, tried_at=moment(at), delivered_at=moment(at))
            links = []
            for kind in mail.links:
                key = hashlib.sha256(f"{mail.id}/{kind}".encode()).hexdigest()
                links.append(
                    ConsentLink(
                        key, kind, self._request.id, admin.id, self._request.content_digest, self._request.expires_at
                    )
                )
            self._links[admin.id] = links
            words = said(data={"mail": mail.id, "event": mail.event, "to": mail.to_id, "links": list(mail.links)})
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
        self._write(at, action, who, said(data={kind: text}), self._request)

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
        data: dict[str, Json] = {"minutes": granted, "mode": request.mode.value} if granted else {}
        words = said(data=data | ({"note": note} if note else {}))
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
        self._request = replace(self._request, state=state)
        words = said(data={"effective_at": stamp(at)}) if who is CLOCK else NOTHING
        self._write(at, action, who, words, self._request)
        self._close_request()

    def _close_request(self) -> None:
        self._settle(self._request)
        for links in self._links.values():
            self._settle(*links)
