"""The demo's world (REQ-803): made by real commands, verifiable, with something of everything in it; its colleagues
keep every rule and leave alone whom a person plays."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TypeVar

import pytest

from app.bootstrap import Workplace, open_workplace
from app.demo.cases import ANSWERS, DENIALS, ELEVATIONS, FORCE_ENDS, STORIES
from app.demo.colleagues import Colleagues, fresh_code
from app.demo.home import DemoHome, locked
from app.demo.letters import Letterbox
from app.demo.moves import request_choices
from app.demo.people import HOUSES, LEGAL_EMAIL, PRESENTER, STAFF, persona
from app.demo.scene import Pace, Scene, story_of, told
from app.demo.seed import seed
from app.demo.urgent_words import CANNOT_WAIT, EMERGENCIES
from app.launch import Launch
from app.policy import break_glass
from app.policy.reason import explains_why_not, judge
from app.policy.request_state import cooling_ends, declarable_until
from app.services import break_glass as break_glass_commands
from app.services import reading
from screens.demo_guide import done
from storage.errors import Misconfigured
from storage.log.verify import verify_all
from storage.models import (
    ConsentLink,
    EndKind,
    Incident,
    LinkKind,
    Request,
    RequestState,
    Review,
    ReviewKind,
    Role,
    Row,
    Session,
    Settings,
    Staff,
    TenantMode,
)
from storage.models.tables import ROW_TABLES
from storage.shared.vault import Vault

R = TypeVar("R", bound=Row)
QUICK = Pace(patience=0)


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> DemoHome:
    """A world, made once for all tests here, as the first console makes it."""
    launch = Launch.of(home=str(tmp_path_factory.mktemp("demo")), environment={})
    home = DemoHome.of(launch)
    told_of: list[str] = []
    home.prepare(fresh=False, progress=told_of.append)
    assert told_of, "whoever waits is told what for"
    return home


@pytest.fixture
async def place(home: DemoHome) -> AsyncIterator[Workplace]:
    with home.entered() as number:
        place = await open_workplace(home.launch(number, PRESENTER, {}))
        await place.sync.pull()
        yield place
        await place.close()


def rows(place: Workplace, kind: type[R]) -> list[R]:
    return [kind.from_image(image) for (image,) in place.replica.reader.execute(f"SELECT image FROM {kind.TABLE}")]


async def test_the_world_verifies_from_the_first_entry(place: Workplace) -> None:
    report = await verify_all(place.shared, ROW_TABLES)
    assert report.sound and report.entries > 2_000 and report.logs == len(HOUSES) + 1


async def test_requests_are_in_every_state_and_sessions_ended_in_every_way(place: Workplace) -> None:
    states = {request.state for request in rows(place, Request)}
    assert states == set(RequestState)
    ends = {session.end_kind for session in rows(place, Session)}
    assert ends >= {None, EndKind.ENGINEER, EndKind.CLOCK, EndKind.TENANT, EndKind.SUPER}


async def test_sessions_run_and_weeks_lie_behind(place: Workplace) -> None:
    now = place.clock.now()
    sessions = rows(place, Session)
    assert sum(session.is_active(now) for session in sessions) >= 3
    assert now - min(session.started_at for session in sessions) > timedelta(days=10)


async def test_a_dozen_tenants_differ_and_eight_staff_work(place: Workplace) -> None:
    view = place.replica.view("")
    settings = view.find(Settings)
    assert len(settings) == 12
    assert {one.mode for one in settings} == set(TenantMode)
    assert any(one.kill_switch for one in settings) and any(one.standing_consent for one in settings)
    assert {one.max_minutes for one in settings} >= {15, 30, 60, 240}
    assert sum(one.is_active(place.clock.now()) for one in view.find(Staff)) == 8 == len(STAFF) - 1


async def test_something_of_everything_lies_on_the_presenters_desk(place: Workplace) -> None:
    me = place.staff(PRESENTER).id
    mine = [one for one in rows(place, Request) if one.engineer_id == me]
    pending = [one for one in mine if one.state is RequestState.PENDING]
    assert any(one.state is RequestState.APPROVED for one in mine)
    assert any(one.exchanges for one in pending) and any(not one.exchanges for one in pending)


async def test_break_glass_lies_ready_in_every_form(place: Workplace) -> None:
    """REQ-108: the presenter's own can be declared or vetoed now, a colleague's waits for a super, one was vetoed by a
    tenant's link."""
    me, now, view = place.staff(PRESENTER), place.clock.now(), place.replica.view("")
    by_state = {state: [one for one in rows(place, Request) if one.state is state] for state in RequestState}
    declarable = [
        one
        for one in by_state[RequestState.EXPIRED]
        if one.engineer_id == me.id
        and break_glass.may_declare(one, None, me, reading.place(view, one.tenant_id), now).allowed
    ]
    assert declarable
    assert all(declarable_until(one) - now > timedelta(hours=12) for one in declarable)
    assert [one.engineer_id for one in by_state[RequestState.COOLING]] == [me.id]
    assert cooling_ends(by_state[RequestState.COOLING][0]) - now > timedelta(hours=1)
    assert [one.engineer_id == me.id for one in by_state[RequestState.DECLARED]] == [False]
    (vetoed,) = by_state[RequestState.VETOED]
    used = [link for link in view.find(ConsentLink, request_id=vetoed.id) if link.used_at is not None]
    assert [link.kind for link in used] == [LinkKind.VETO]


async def test_an_emergency_was_registered_and_a_dispute_waits_for_a_signature(place: Workplace) -> None:
    """REQ-109, REQ-502, REQ-504: what was signed, was signed in time and by somebody uninvolved."""
    (incident,) = rows(place, Incident)
    kinds = {one.id: one for one in rows(place, Review)}
    signed = kinds[incident.review_id]
    assert signed.signed_by == place.staff("noor@ops.example").id and signed.signed_by not in signed.barred
    assert all(one.signed_at and one.signed_at < one.due_at for one in kinds.values() if one.signed_at)
    (waiting,) = [one for one in kinds.values() if one.signed_at is None]
    assert waiting.kind is ReviewKind.DISPUTE and waiting.due_at - place.clock.now() > timedelta(hours=48)


async def test_somebody_is_on_call_at_any_hour(place: Workplace) -> None:
    """REQ-111: there are office hours, and outside them the super whom a person plays by default countersigns."""
    now, duty = place.clock.now(), reading.duty(place.replica.view(""))
    assert duty.hours is not None
    assert [one.email for one in duty.on_call(now)] == [persona(Role.SUPER)]
    assert all(duty.on_call(now + timedelta(days=day)) for day in range(14))
    sunday = now + timedelta(days=7 - now.isoweekday(), hours=1)
    scene = Scene(place.replica.reader, sunday, random.Random(1), frozenset(), Pace())
    assert {one.id for _ in range(20) if (one := scene.second("nobody"))} <= {one.id for one in duty.on_call(sunday)}


async def test_an_emergency_can_be_declared_in_the_demo(place: Workplace) -> None:
    """REQ-109: the operator's legal address is known there, to consoles and to commands on the demo's home alike."""
    assert place.launch.settings.operator.legal_email == LEGAL_EMAIL


async def test_the_mailbox_holds_letters_whose_links_the_database_knows(place: Workplace) -> None:
    letters = Letterbox(place.launch.paths.mailbox).letters()
    assert letters == sorted(letters, key=lambda letter: letter.at, reverse=True)
    view = place.replica.view("")
    linked = [letter for letter in letters if letter.hashes]
    assert linked
    for letter in linked:
        links = [view.get(ConsentLink, key) for key in letter.hashes]
        assert all(link is not None for link in links)


async def test_every_code_shown_is_a_code_that_is_accepted(place: Workplace, home: DemoHome) -> None:
    staff = place.staff("noor@ops.example")
    code = await fresh_code(place, home.secrets(), staff)
    assert code is not None
    answer = await place.shared.step_up(staff.id, code, "sign_in", place.actor(staff.email))
    assert answer.step_up is not None
    assert await fresh_code(place, home.secrets(), staff) != code, "each code once"


async def test_colleagues_act_and_keep_every_rule(place: Workplace, home: DemoHome) -> None:
    """Every act goes through the Desk, so nothing that it refuses happens; what happens, verifies."""
    before = place.replica.reader.execute("SELECT max(seq) FROM operator_log").fetchone()[0]
    home.plays(1, PRESENTER)
    colleagues = Colleagues(place, home, rng=random.Random(7), pace=QUICK)
    moves = [move for _ in range(40) if (move := await colleagues.act()) is not None]
    assert len({move.words for move in moves}) >= 3
    me = place.staff(PRESENTER)
    acted = place.replica.reader.execute(
        "SELECT DISTINCT json_extract(body, '$.actor.id') FROM operator_log WHERE seq > ?", (before,)
    ).fetchall()
    assert (me.id,) not in acted
    decided = place.replica.reader.execute(
        "SELECT count(*) FROM operator_log JOIN request AS r ON r.id = operator_log.request"
        " WHERE operator_log.seq > ? AND r.engineer_id = ? AND action IN ('request.approved', 'request.denied')",
        (before, me.id),
    ).fetchone()
    assert decided == (0,), "the presenter's own requests wait for the mailbox pane"
    assert (await verify_all(place.shared, ROW_TABLES)).sound


async def test_break_glass_of_whoever_is_played_is_countersigned_by_a_colleague(
    place: Workplace, home: DemoHome
) -> None:
    """REQ-108: but for a person who plays a super; and what a simulated colleague declared waits for a person."""
    (declared,) = [one for one in rows(place, Request) if one.state is RequestState.DECLARED]
    for others, expected in ((set(), False), ({declared.engineer_id}, True),
                             ({declared.engineer_id, place.staff(persona(Role.SUPER)).id}, False)):  # fmt: skip
        scene = Scene(place.replica.reader, place.clock.now(), random.Random(2), frozenset(others), QUICK)
        moves = [move for _, choice in request_choices(scene) if (move := choice()) is not None]
        signs = [move for move in moves if move.command is break_glass_commands.countersign]
        assert bool(signs) is expected
        assert all(move.args[0] == declared.id and move.actor.id != declared.engineer_id for move in signs)


def test_every_step_of_the_guide_that_can_be_told_is_told_by_what_was_done(home: DemoHome, place: Workplace) -> None:
    """From the first week on everything in the guide has been done by somebody, or is on their desk still."""
    begin = place.clock.now() - timedelta(weeks=3)
    assert done(place.replica.reader, place.staff("noor@ops.example"), begin) == 2, "signed the emergency"
    assert done(place.replica.reader, place.staff("noor@ops.example"), place.clock.now()) == 0
    assert done(place.replica.reader, place.staff(PRESENTER), begin) == 6, "declared at coho, vetoed nowhere"
    assert done(place.replica.reader, place.staff("lee@ops.example"), begin) == 7, "vetoed at margie"


async def test_only_one_of_two_consoles_runs_the_colleagues(place: Workplace, home: DemoHome) -> None:
    colleagues = Colleagues(place, home, rng=random.Random(1), calm=(0, 0), pace=QUICK)
    with locked(home.root / "colleagues.lock", waiting=None):
        task = asyncio.create_task(colleagues.run())
        await asyncio.sleep(0)
        for _ in range(20):
            await place.sync.pull()
        assert colleagues.acted == 0
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def test_two_consoles_have_two_numbers_and_say_whom_they_play(home: DemoHome) -> None:
    with home.entered() as first:
        home.plays(first, PRESENTER)
        with home.entered() as second:
            home.plays(second, "dana@ops.example")
            assert first != second
            assert home.paths(first).replicas != home.paths(second).replicas
            assert home.paths(first).shared_database == home.paths(second).shared_database
            assert home.played() == {PRESENTER, "dana@ops.example"}
        assert home.played() == {PRESENTER}
    assert home.played() == frozenset()


def test_whoever_comes_second_finds_the_same_world(home: DemoHome) -> None:
    before = home.shared.stat().st_ino
    home.prepare(fresh=False, progress=lambda words: pytest.fail(words))
    assert home.shared.stat().st_ino == before


def test_a_world_in_use_is_not_made_anew_under_its_users(home: DemoHome) -> None:
    with home.entered(), pytest.raises(Misconfigured, match="another console"):
        home.prepare(fresh=True, progress=lambda words: None)


def test_a_directory_that_is_not_the_demos_is_left_alone(tmp_path: Path) -> None:
    foreign = DemoHome(tmp_path / "demo")
    foreign.root.mkdir()
    (foreign.root / "thesis.txt").write_text("years of work")
    with pytest.raises(Misconfigured, match="not the demo's"):
        foreign.prepare(fresh=True, progress=lambda words: None)
    assert (foreign.root / "thesis.txt").exists()


def test_every_story_passes_the_reason_linter() -> None:
    """REQ-102, REQ-103: a refused story would be a dead wish."""
    for number, story in enumerate(STORIES):
        ticket = f"T-{48_000 + number}"
        assert judge(told(story.reason, ticket), ticket).verdict.allowed, story.reason
        assert explains_why_not(story.why_not).allowed, story.why_not
    for words in (*ELEVATIONS, *CANNOT_WAIT, *EMERGENCIES):
        assert judge(told(words, "T-48000"), "T-48000").verdict.allowed, words
    assert all((*ANSWERS, *DENIALS, *FORCE_ENDS))


async def test_a_request_is_known_by_the_story_it_was_made_from(place: Workplace) -> None:
    found = {story_of(one).scope for one in rows(place, Request)}
    assert len(found) > len(STORIES) / 2


async def test_the_secrets_of_the_demo_are_readable_by_their_owner_alone(home: DemoHome) -> None:
    assert home.secrets_file.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "moment",
    [
        "2026-03-08T05:00:00Z",
        pytest.param("2026-03-02T00:10:00Z", marks=pytest.mark.long),
        pytest.param("2026-07-01T23:59:00Z", marks=pytest.mark.long),
    ],
)
def test_history_ends_now_at_any_hour_of_any_day(moment: str, tmp_path: Path, vault: Vault) -> None:
    end = datetime.fromisoformat(moment)
    path = tmp_path / "shared.db"
    seed(path, tmp_path / "mailbox", vault, lambda words: None, now=end)
    with closing(sqlite3.connect(path)) as connection:
        (newest,) = connection.execute("SELECT max(at) FROM operator_log").fetchone()
    assert timedelta(0) <= end - datetime.fromisoformat(newest) < timedelta(minutes=15)


def test_a_world_in_which_nothing_happened_for_hours_is_made_anew(
    home: DemoHome, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.demo.home.STALE", timedelta(0))
    before = home.shared.stat().st_ctime_ns  # not the inode: a file system gives the same one again
    home.prepare(fresh=False, progress=lambda words: None)
    assert home.shared.stat().st_ctime_ns != before
