"""The demo's world: who is there, weeks of work, and what lies on the desks this minute (REQ-803)."""

from __future__ import annotations

import json
import random
import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from app.demo.cases import ELEVATIONS, FORCE_ENDS, QUESTIONS
from app.demo.moves import next_move
from app.demo.people import HOUSES, PRESENTER, STAFF, House, import_record
from app.demo.scene import Pace, told
from app.demo.seeding import Seeding
from app.demo.urgent import Urgent
from app.enrolment import new_enrolment
from app.services import consent, requests, sessions, staff, tenants
from app.tenant_file import parse
from storage.models import (
    Actor,
    ActorKind,
    LinkKind,
    Mode,
    TenantMode,
    ViewKind,
)
from storage.shared.opening import create_file
from storage.shared.vault import Vault

PLATFORM = Actor(ActorKind.SYSTEM, "platform", "platform", "")
WEEKS = 2
Progress = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Seeded:
    """What was made. `secrets` are the second factors by e-mail address."""

    acts: int
    secrets: dict[str, str]


def seed(shared: Path, mailbox: Path, vault: Vault, progress: Progress, now: datetime | None = None) -> Seeded:
    """Make a new shared database at `shared` with the demo's world in it, history ending at `now`."""
    end = now or datetime.now(UTC)
    half = shared.with_name(shared.name + ".seeding")
    half.unlink(missing_ok=True)
    progress("making the shared database")
    create_file(half)
    try:
        with closing(sqlite3.connect(half, isolation_level=None)) as connection:
            connection.execute("PRAGMA synchronous = OFF")
            connection.execute("PRAGMA journal_mode = MEMORY")
            connection.execute("BEGIN IMMEDIATE")
            world = World(connection, vault, end, progress)
            world.make()
            connection.execute("COMMIT")
            connection.execute("PRAGMA synchronous = FULL")
            connection.execute("PRAGMA journal_mode = TRUNCATE")
        progress("putting letters into the mailbox")
        world.seeding.post(mailbox, timedelta(hours=12))
        half.replace(shared)
    finally:
        half.unlink(missing_ok=True)
    return Seeded(world.seeding.acts, world.secrets)


class World(Urgent):
    """Makes the world in one open transaction."""

    def __init__(self, connection: sqlite3.Connection, vault: Vault, end: datetime, progress: Progress) -> None:
        rng = random.Random("the demo of countersign")
        begin = (end - timedelta(weeks=WEEKS)).replace(hour=7, minute=0, second=0)
        super().__init__(Seeding(connection, vault, {}, rng, begin), rng, end)
        self._vault, self._progress = vault, progress
        self.secrets: dict[str, str] = {}

    def make(self) -> None:
        """Everything, from the first super to this minute."""
        self._found()
        self._plan_the_end()
        for day in range(WEEKS * 7 + 1):
            morning = self.seeding.now.replace(hour=7, minute=30) + timedelta(days=1 if day else 0)
            if morning < self._end - timedelta(hours=9):
                self._progress(f"day {day + 1} of {WEEKS * 7 + 1}")
                self._day(day, morning)
        self._progress("today")
        self._today()
        self._desks()
        self._rota()

    # -- who is there ---------------------------------------------------------------------------------------------

    def _found(self) -> None:
        seeding = self.seeding
        for person in STAFF:
            fresh = new_enrolment(person.email, self._vault)
            sealed = (fresh.sealed_secret, fresh.recovery_hashes)
            if not self._ids:
                founder = Actor(ActorKind.SYSTEM, "init", person.name, person.email)
                answer = seeding.run(staff.found, founder, person.email, person.name, *sealed).answer
            else:
                until = self._end + timedelta(days=30) if person.temporary else None
                args = (person.email, person.name, person.role, until, *sealed)
                answer = seeding.run(staff.add, self._actor("dana@ops.example"), *args).answer
            self._ids[person.email] = answer["id"]
            self.secrets[person.email] = seeding.secrets[answer["id"]] = fresh.secret
            seeding.advance(minutes=2)
        records = [parse(json.dumps(import_record(house) | {"status": "active"}).encode()) for house in HOUSES]
        seeding.run(tenants.import_records, PLATFORM, records)
        for house in HOUSES:
            seeding.advance(minutes=3)
            wanted = {name: value for name, value in house.settings.items() if name not in ("kill_switch", "mode")}
            if wanted:
                seeding.run(tenants.change_settings, self._admin(house), house.id, **wanted)

    # -- what has happened ----------------------------------------------------------------------------------------

    def _day(self, number: int, morning: datetime) -> None:
        """One day of the past: acts from morning to evening, a few at weekends."""
        seeding, rng = self.seeding, self._rng
        self._pass(morning)
        evening = min(morning + timedelta(hours=11), self._end - timedelta(hours=9))
        weekend = morning.weekday() >= 5
        self._set_by_then(number)
        pace = Pace(patience=10, open_requests=1 if weekend else 2)
        while seeding.now < evening:
            inside = seeding.connection.execute("SELECT 1 FROM session WHERE ended_at IS NULL LIMIT 1").fetchone()
            pause = rng.uniform(60, 200) if inside else rng.uniform(240, 2400) * (3 if weekend else 1)
            self._pass(seeding.now + timedelta(seconds=pause))
            self._act(frozenset(), pace)

    def _set_by_then(self, day: int) -> None:
        """What tenants and the operator changed on that day."""
        seeding = self.seeding
        for house in HOUSES:
            mode = house.settings.get("mode")
            if isinstance(mode, TenantMode) and day == 3:
                seeding.run(tenants.change_settings, self._admin(house), house.id, mode=mode)
            if house.status != "active" and day == 11:
                seeding.run(tenants.import_records, PLATFORM, [parse(json.dumps(import_record(house)).encode())])
        if day == 4:
            self._stray_and_be_stopped(self._house("wingtip"))
            seeding.advance(minutes=9)
            request = self._ask(self._house("coho"), "raj@ops.example", 3, 30)
            seeding.run(requests.withdraw, self._actor("raj@ops.example"), request, "solved on the phone")
        if day == 5:
            self._disputes_the_stray()
        if day == 6:
            self._is_going_to_be_vetoed()
        if day == 9:
            self._kill_and_allow_again(self._house("coho"))
        if day == 10:
            self._emergency()
            for person in STAFF:
                if person.left is not None:
                    seeding.run(staff.deactivate, self._actor("dana@ops.example"), self._ids[person.email])

    def _stray_and_be_stopped(self, house: House) -> None:
        """A look outside the declared scope, which a super ends."""
        seeding, actor = self.seeding, self._actor("mia@ops.example")
        self._let_go("mia@ops.example")
        session = self._session_now(house, "mia@ops.example", 30, views=1)
        seeding.advance(minutes=2)
        seeding.run(sessions.log_view, actor, session, ViewKind.SEARCH, "customers named Brooks", count=212,
                    within_scope=False)  # fmt: skip
        seeding.advance(minutes=1)
        seeding.run(sessions.force_end, self._actor("sam@ops.example"), session, FORCE_ENDS[0])
        seeding.advance(minutes=20)
        words = ("not found: stopped before", "nothing", "one broad search, by mistake", "a talk with the supers")
        seeding.run(sessions.give_outcome, actor, session, *words)

    def _kill_and_allow_again(self, house: House) -> None:
        """A kill switch that ends a running session, and is taken back hours later."""
        seeding = self.seeding
        self._let_go("lee@ops.example")
        session = self._session_now(house, "lee@ops.example", 45, views=2)
        seeding.run(tenants.set_kill_switch, self._admin(house), house.id, True)
        seeding.advance(hours=2)
        seeding.run(tenants.set_kill_switch, self._admin(house), house.id, False)
        words = ("stopped by the tenant before the cause was seen", "nothing", "no", "a call with the tenant")
        seeding.run(sessions.give_outcome, self._actor("lee@ops.example"), session, *words)

    def _today(self) -> None:
        """The last nine hours, livelier the nearer they are. Whoever presents has had their hands full elsewhere."""
        seeding, rng = self.seeding, self._rng
        self._pass(self._end - timedelta(hours=9))
        away = frozenset({self._ids[PRESENTER]})
        while (left := self._end - seeding.now) > timedelta(minutes=28):
            near = left < timedelta(hours=2)
            self._pass(seeding.now + timedelta(seconds=rng.uniform(30, 150) if near else rng.uniform(120, 480)))
            pace = Pace(patience=4, open_requests=4) if near else Pace(patience=12, open_requests=4)
            self._act(away if near else frozenset(), pace)

    def _act(self, played: frozenset[str], pace: Pace) -> None:
        move = next_move(self.seeding.connection, self.seeding.now, self._rng, played, pace, frozenset(self.kept))
        if move is not None:
            self.seeding.try_move(move)

    # -- what lies on the desks -----------------------------------------------------------------------------------

    def _desks(self) -> None:
        """One of everything, whoever looks: to decide, to answer, to start, to countersign, to end, to force-end."""
        seeding = self.seeding
        self._let_go(PRESENTER, "raj@ops.example", "lee@ops.example", "mia@ops.example", "tom@ops.example")
        self._session_now(self._house("alpine"), "tom@ops.example", 15, views=3)  # is over by now: its outcome is owed
        seeding.run(tenants.set_kill_switch, self._admin(self._house("adatum")), "adatum", True)
        seeding.advance(minutes=1)
        self._break_glass_now()
        self._session_now(self._house("coho"), "raj@ops.example", 120, views=4)
        elevated = self._session_now(self._house("tailspin"), "mia@ops.example", 60, views=3)
        seeding.advance(seconds=40)
        question = self._ask(self._house("contoso"), PRESENTER, 7, 30)
        link = self._link(question, LinkKind.APPROVE)
        seeding.advance(minutes=1)
        seeding.run(consent.ask, self._bearer(link), link.id, QUESTIONS[2])
        seeding.advance(minutes=1)
        self._approved(self._house("northwind"), PRESENTER, 0, 30)
        seeding.advance(minutes=1)
        self._approved(self._house("margie"), "lee@ops.example", 9, 30, Mode.FULL)
        self._session_now(self._house("northwind"), "lee@ops.example", 60, views=2)
        seeding.advance(minutes=1)
        reason = told(ELEVATIONS[0], "T-47911")
        seeding.run(sessions.ask_elevation, self._actor("mia@ops.example"), elevated, reason)
        seeding.advance(seconds=40)
        self._ask(self._house("proseware"), PRESENTER, 11, 30)
        self._ask(self._house("lucerne"), "raj@ops.example", 4, 45)
        seeding.advance(seconds=max(0, (self._end - seeding.now).total_seconds()))
