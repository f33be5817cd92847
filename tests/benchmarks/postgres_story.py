"""What a team does all day, recorded once from the real commands and told again for many engineers.

The story is run through the services on a real SQLite file: an engineer asks, the tenant's admin is mailed the link and
approves, the engineer starts, logs five views, ends with the outcome; three times. Every Change is kept as it would be
sent to PostgreSQL. Told again, it has other ids, another engineer and another tenant, the present for its times, and
the revisions of the rows as they stand there: what consoles would have built, without the cost of building it.
"""

from __future__ import annotations

import asyncio
import json
import re
import secrets
import tempfile
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from app.policy.request_state import content_digest
from app.services import consent, mail, requests, sessions, tenants
from storage.models import Actor, ConsentLink, LinkKind, Request, Role, Session, Staff, StepUp, ViewKind
from storage.models.row import parse_time, time_text
from storage.shared.change import Applied, Change, new_change_id
from storage.shared.interface import StepUpAnswer
from storage.shared.opening import create_file
from storage.shared.postgres import wire
from storage.shared.sqlite import SqliteShared
from storage.shared.vault import Vault, new_key
from tests.clock import ManualClock
from tests.services.world import NORTHWIND, PLATFORM, POSTMAN, World, token

STORIES, VIEWS = 3, 5
TENANT, TENANT_NAME, ENGINEER, EMAIL = "acme", "Acme Travel", "Eve Stone", "eve@ops.example"
"""What is renamed besides ids."""
_ID = re.compile(r"\b[A-Z]{1,3}-[0-9A-HJKMNP-TV-Z]{6}\b|\b[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f-]{21}\b")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z")
_REV = re.compile(r'"@rev (\d+)"')
_SECONDS = re.compile(r'(?<="seconds":)\d+')
Values = dict[str, str]
Revs = dict[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class Step:
    """One recorded command: who acted, by what action, when; its text, cut where it will differ (every other part).

    `lasted`: when the session that it ends began and ended, as recorded.
    """

    actor: Actor
    action: str
    at: datetime
    parts: tuple[str, ...]
    reads: tuple[tuple[str, str], ...]
    writes: tuple[tuple[str, str, int], ...]
    entries: int
    lasted: tuple[str, ...]

    def told(self, values: Values, revs: Revs, now: datetime) -> str:
        """The Change's text as it is today. Names that `values` does not know yet are drawn; times follow `now`."""
        return "".join(
            part if place % 2 == 0 else self._today(part, values, revs, now) for place, part in enumerate(self.parts)
        )

    def _today(self, name: str, values: Values, revs: Revs, now: datetime) -> str:
        if name[0] == "@":
            table, key = self.reads[int(name[1:])]
            return str(revs.get((table, _renamed(key, values)), 0))
        if name.isdigit():
            began, ended = (parse_time(self._today(one, values, revs, now)) for one in self.lasted)
            return str((ended - began) // timedelta(seconds=1))
        if name not in values:
            values[name] = time_text(now + (parse_time(name) - self.at)) if _TIME.fullmatch(name) else _fresh(name)
        return values[name]

    def done(self, rev: int, values: Values, revs: Revs) -> None:
        """Remember where its rows stand now, as a console knows after its next pull."""
        for table, key, entry in self.writes:
            revs[table, _renamed(key, values)] = rev - self.entries + 1 + entry


@dataclass(frozen=True, slots=True)
class Story:
    """`step_up`, `proven_at`: the recorded id and time of the step-up that it rests on. `asked`: the request."""

    step_up: str
    proven_at: str
    asked: Request
    steps: tuple[Step, ...]

    def prepared(self, values: Values, step_up: str, proven_at: str) -> None:
        """Before it is told: the step-up that was really made, and the digest of what is asked of this tenant."""
        tenant = values[TENANT]
        asked = replace(self.asked, tenant_id=tenant, target_id=_renamed(self.asked.target_id, values))
        values |= {
            self.step_up: step_up,
            self.proven_at: proven_at,
            self.asked.content_digest: content_digest(asked),
        }


@dataclass(frozen=True, slots=True)
class Recording:
    """`scene`: the company's making. `importing`: how one tenant comes in; `hiring`: how one engineer does; `stories`:
    what the engineer does; `codes`: recovery codes of theirs."""

    scene: tuple[Step, ...]
    importing: Step
    hiring: Step
    stories: tuple[Story, ...]
    codes: tuple[str, ...]
    engineer: str


def record() -> Recording:
    """Run it and keep it; about a second."""
    with tempfile.TemporaryDirectory() as directory:
        return asyncio.run(_recorded(Path(directory)))


class Recorder(SqliteShared):
    """A shared database that keeps every Change it is given."""

    def __init__(self, path: Path, vault: Vault, clock: ManualClock) -> None:
        super().__init__(path, vault, clock)
        self.kept: list[Change] = []
        self._manual = clock

    async def apply(self, change: Change) -> Applied:
        self.kept.append(change)
        return await super().apply(change)

    async def step_up(self, staff_id: str, code: str, act: str, actor: Actor) -> StepUpAnswer:
        answer = await super().step_up(staff_id, code, act, actor)
        self._manual.advance(seconds=1)  # so that the code's time and the command's are two
        return answer


async def _recorded(home: Path) -> Recording:
    clock, vault = ManualClock(), Vault(new_key())
    create_file(home / "shared.db")
    shared = Recorder(home / "shared.db", vault, clock)
    world = await World.made(shared, vault, clock, home)
    try:
        scene = list(shared.kept)
        await world.desk.run(tenants.import_records, PLATFORM, [replace(NORTHWIND, id=TENANT, name=TENANT_NAME)])
        eve = await world.add("eve", ENGINEER, Role.ENGINEER, EMAIL)
        importing, hiring = shared.kept[-2:]
        codes = tuple(world._codes[EMAIL])
        told = [await _story(world, eve, shared, clock) for _ in range(STORIES)]
        known = _ids(scene)
        names = _ids(shared.kept) - known | _links(shared.kept) | {TENANT, TENANT_NAME, ENGINEER, EMAIL}
        return Recording(
            tuple(_step(change, set()) for change in scene),
            _step(importing, names),
            _step(hiring, names),
            tuple(_cut(story, names) for story in told),
            codes,
            eve.id,
        )
    finally:
        await world.close()
        await shared.close()


async def _story(world: World, eve: Staff, shared: Recorder, clock: ManualClock) -> list[Change]:
    """From the request to the outcome; a second passes before each command, so that every time has one meaning."""
    begun = len(shared.kept)
    clock.advance(minutes=3)
    admin = f"{TENANT}/maria"
    form = world.form(
        tenant_id=TENANT, target_id=f"{TENANT}/eva", reason=f"A refund did not arrive, case {begun} is open."
    )
    asked = (await world.run(requests.create, eve, form)).answer["id"]
    (letter,) = [one for one in world.letters(request_id=asked) if one.to_id == admin and LinkKind.APPROVE in one.links]
    clock.advance(seconds=1)
    links = tuple((kind, token(letter, kind)) for kind in letter.links)
    await world.desk.run(mail.delivered, POSTMAN, letter.id, links)
    clock.advance(seconds=1)
    await world.run(consent.approve, world.admin(admin), token(letter, LinkKind.APPROVE), None)
    clock.advance(seconds=1)
    session = (await world.run(sessions.start, eve, asked)).answer["id"]
    for number in range(VIEWS):
        clock.advance(seconds=1)
        await world.run(sessions.log_view, eve, session, ViewKind.RECORD, f"refund 88{number}", ("amount", "state"))
    clock.advance(seconds=1)
    await world.run(sessions.end, eve, session, "a webhook was lost", "nothing", "no", "")
    return shared.kept[begun:]


def _cut(story: Sequence[Change], names: set[str]) -> Story:
    (proof,) = (write.row for write in story[0].writes if isinstance(write.row, StepUp))
    (asked,) = (write.row for write in story[0].writes if isinstance(write.row, Request))
    names = names | {asked.content_digest}
    return Story(proof.id, time_text(proof.at), asked, tuple(_step(change, names) for change in story))


def _ids(changes: Iterable[Change]) -> set[str]:
    return {name for change in changes for name in _ID.findall(wire.sent(change))}


def _links(changes: Iterable[Change]) -> set[str]:
    return {write.row.id for change in changes for write in change.writes if isinstance(write.row, ConsentLink)}


def _step(change: Change, names: set[str]) -> Step:
    """The Change's text, cut at these names, at every time, and at the revisions of what it read."""
    data = json.loads(wire.sent(change))
    for number, read in enumerate(data["reads"]):
        read[2] = f"@rev {number}"
    text = _REV.sub(r"@\1", json.dumps(data, ensure_ascii=False, separators=(",", ":")))
    wanted = [
        r"@\d+(?=\])",
        _TIME.pattern,
        _SECONDS.pattern,
        *(rf"\b{re.escape(name)}\b" for name in sorted(names, key=len, reverse=True)),
    ]
    ended = [row for row in (write.row for write in change.writes) if isinstance(row, Session) and row.ended_at]
    return Step(
        change.actor,
        change.entries[0].action.value,
        change.at,
        tuple(re.split(f"({'|'.join(wanted)})", text)),
        tuple((read.table, read.key) for read in change.reads),
        tuple((one[0], one[1], one[3]) for one in data["writes"]),
        len(change.entries),
        tuple(time_text(at) for row in ended for at in (row.started_at, row.ended_at) if at),
    )


def _renamed(key: str, values: Values) -> str:
    """A row's key as it is called today."""
    if key in values:
        return values[key]
    head, slash, tail = key.partition("/")
    return values.get(head, head) + slash + tail


def _fresh(name: str) -> str:
    """Another name of the same kind: a row's id, a Change's, a link's hash."""
    if len(name) == 36:
        return new_change_id()
    if len(name) == 64:
        return secrets.token_hex(32)
    return name.partition("-")[0] + "-" + "".join(secrets.choice("0123456789ABCDEFGHJKMNPQRSTVWXYZ") for _ in range(8))
