"""The outbox: kept once, in order, not in force before it is applied, told in words (REQ-802; design, "Offline")."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.policy.verdict import Refused
from app.services import consent, endings, requests, sessions
from app.services.desk import Desk
from app.services.outbox import Queued
from storage.errors import Corrupt, Offline
from storage.models import LinkKind, Mode, Request, RequestState, Session, SessionView, ViewKind
from storage.outbox import Kept, KeptState, Outbox
from storage.replica.engine import Replica
from storage.sync import Sync
from storage.witness import Witness
from tests.services.cable import Cable
from tests.services.world import World

OUTCOME = ("a webhook was lost", "nothing", "no", "")
ELEVATION = "the payout flag of refund 8841 is stuck and must be reset by hand in the live record"


@dataclass
class Laptop:
    """Another console of the same company, with a cable and an outbox of its own."""

    world: World
    cable: Cable
    desk: Desk
    sync: Sync
    outbox: Outbox

    async def cut(self) -> None:
        self.cable.cut = True
        with pytest.raises(Offline):
            await self.sync.pull()

    async def back(self) -> tuple[Kept, ...]:
        self.cable.cut = False
        await self.sync.pull()
        return await self.desk.send_queued()

    async def queue(self, command: Any, who: Any, *args: object) -> Kept:
        done = await self.desk.run(command, who, *args)
        assert isinstance(done, Queued) and done.kept is not None
        return done.kept


@pytest.fixture
async def laptop(world: World, tmp_path: Path) -> AsyncIterator[Laptop]:
    cable = Cable(world.shared)
    replica = Replica.open(tmp_path / "laptop" / "replica.db")
    sync = Sync(cable, replica, Witness(tmp_path / "laptop" / "w.json"), world.clock)  # type: ignore[arg-type]  # as the real one
    outbox = Outbox(tmp_path / "laptop" / "outbox.db")
    desk = Desk(cable, replica, sync, world.clock, outbox=outbox)  # type: ignore[arg-type]  # as the real one
    await sync.pull()
    yield Laptop(world, cable, desk, sync, outbox)
    await sync.close()
    replica.close()


async def test_what_is_kept_is_not_in_force_until_it_is_sent(world: World, laptop: Laptop) -> None:
    request = await world.ask()
    await laptop.sync.pull()
    await laptop.cut()
    kept = await laptop.queue(requests.withdraw, world.actor(world.ann), request.id, "not needed")
    assert laptop.outbox.waiting() == (kept,) and not laptop.outbox.path.samefile(world.replica.path)
    await world.sync.pull()
    assert world.row(Request, request.id).state is RequestState.PENDING
    (sent,) = await laptop.back()
    await world.sync.pull()
    assert sent.state is KeptState.SENT and "withdrawal of" in sent.words
    assert world.row(Request, request.id).state is RequestState.WITHDRAWN
    assert await laptop.desk.send_queued() == ()


async def test_an_answer_that_was_lost_is_asked_for_again_and_nothing_happens_twice(
    world: World, laptop: Laptop
) -> None:
    """Applied, but the connection broke before the answer: kept under the same id, answered with the first result."""
    session = await world.inside()
    await laptop.sync.pull()
    laptop.cable.lose_answer = True
    view = (session.id, ViewKind.RECORD, "refund 8841", ("sum",), 1)
    await laptop.queue(sessions.log_view, world.actor(world.ann), *view)
    (sent,) = await laptop.back()
    await world.sync.pull()
    assert sent.state is KeptState.SENT
    assert len(world.desk.view().find(SessionView, session_id=session.id)) == 1


async def test_death_between_sending_and_noting_it_sends_nothing_twice(
    world: World, laptop: Laptop, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = await world.inside()
    await laptop.sync.pull()
    await laptop.cut()
    for name in ("one", "two"):
        await laptop.queue(sessions.log_view, world.actor(world.ann), session.id, ViewKind.RECORD, name)

    def die(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as dying:
        dying.setattr(laptop.outbox, "settle", die)
        with pytest.raises(KeyboardInterrupt):
            await laptop.back()
    assert len(laptop.outbox.waiting()) == 2
    settled = await laptop.back()
    await world.sync.pull()
    assert [one.state for one in settled] == [KeptState.SENT] * 2
    views = world.desk.view().find(SessionView, session_id=session.id)
    assert sorted(one.name for one in views) == ["one", "two"]


async def test_order_is_kept_and_one_that_fails_does_not_hold_up_the_next(world: World, laptop: Laptop) -> None:
    gone, session = await world.ask(), await world.inside()
    await laptop.sync.pull()
    await laptop.cut()
    ann = world.actor(world.ann)
    await laptop.queue(requests.withdraw, ann, gone.id)
    await laptop.queue(sessions.log_view, ann, session.id, ViewKind.RECORD, "refund 8841")
    await laptop.queue(endings.end, ann, session.id, *OUTCOME)
    await world.deny(gone)
    settled = await laptop.back()
    assert [one.state for one in settled] == [KeptState.CONFLICT, KeptState.SENT, KeptState.SENT]
    await world.sync.pull()
    over = world.row(Session, session.id)
    assert over.views == 1 and over.outcome is not None


async def test_a_rule_that_refuses_anyway_refuses_at_once(world: World, laptop: Laptop) -> None:
    request = await world.ask()
    await laptop.sync.pull()
    await laptop.cut()
    with pytest.raises(Refused):
        await laptop.desk.run(requests.withdraw, world.actor(world.raj), request.id)
    assert laptop.outbox.items() == ()
    await laptop.queue(requests.withdraw, world.actor(world.ann), request.id)
    with pytest.raises(Refused, match="has been waiting since"):
        await laptop.desk.run(requests.withdraw, world.actor(world.ann), request.id)


async def test_what_adds_privilege_or_takes_a_code_is_never_kept(world: World, laptop: Laptop) -> None:
    """REQ-802, P10: the reason is said."""
    request, session = await world.ask(), await world.inside()
    await laptop.sync.pull()
    await laptop.cut()
    ann, dana = world.actor(world.ann), world.actor(world.dana)
    for command, who, args, why in (
        (requests.create, ann, (world.form(),), "adds privilege"),
        (sessions.start, ann, (request.id,), "adds privilege"),
        (endings.force_end, dana, (session.id, "wrong customer"), "only the shared database can check"),
    ):
        with pytest.raises(Offline) as refused:
            await laptop.desk.run(command, who, *args, otp="123456")
        assert why in refused.value.advice
    assert laptop.outbox.items() == ()


async def test_a_late_command_says_in_its_entry_when_it_was_decided(world: World, laptop: Laptop) -> None:
    """The entry's own time is when it came into force; the log does not pretend otherwise."""
    request = await world.ask()
    await laptop.sync.pull()
    await laptop.cut()
    await laptop.queue(requests.withdraw, world.actor(world.ann), request.id)
    world.clock.advance(minutes=40)
    await laptop.back()
    await world.sync.pull()
    body = world.replica.reader.execute(
        "SELECT json_extract(body, '$.data.decided_at'), json_extract(body, '$.at') FROM operator_log"
        " WHERE action = 'request.withdrawn'"
    ).fetchone()
    assert body[0] is not None and body[0] < body[1]


# -- conflicts become words, for each command that is kept -------------------------------------------------------------


async def words_of(laptop: Laptop, state: KeptState = KeptState.CONFLICT) -> str:
    (one,) = await laptop.back()
    assert one.state is state, one
    return one.words


async def test_words_for_a_withdrawal(world: World, laptop: Laptop) -> None:
    denied, used = await world.ask(), await world.approve(await world.ask(world.raj))
    await laptop.sync.pull()
    await laptop.cut()
    await laptop.queue(requests.withdraw, world.actor(world.ann), denied.id)
    await laptop.queue(requests.withdraw, world.actor(world.raj), used.id)
    await world.deny(denied)
    session = await world.start(used, world.raj)
    first, second = await laptop.back()
    assert first.words == f"{denied.id} was denied by Maria Santos at 09:00 UTC; your withdrawal was not needed"
    assert second.words.endswith(f"your withdrawal came too late: end session {session.id} instead")


async def test_words_for_a_denial(world: World, laptop: Laptop) -> None:
    request = await world.ask()
    link = await world.link(request, "northwind/juan", LinkKind.DENY)
    await laptop.sync.pull()
    await laptop.cut()
    await laptop.queue(consent.deny, world.admin("northwind/juan"), link)
    await world.approve(request)
    words = await words_of(laptop)
    assert f"{request.id} was approved by Maria Santos" in words and "your denial came too late" in words


async def test_words_for_refusing_full_mode(world: World, laptop: Laptop) -> None:
    request = await world.ask(mode=Mode.FULL)
    await laptop.sync.pull()
    await laptop.cut()
    await laptop.queue(requests.decline, world.actor(world.raj), request.id, "not needed")
    await world.run(requests.countersign, world.dana, request.id)
    words = await words_of(laptop)
    assert "was countersigned by Dana Weiss" in words
    assert words.endswith("came too late: a super can force-end the session"), "true for a super as for anybody"


async def test_words_for_refusing_an_elevation(world: World, laptop: Laptop) -> None:
    session = await world.inside()
    await world.run(sessions.ask_elevation, world.ann, session.id, ELEVATION)
    await laptop.sync.pull()
    await laptop.cut()
    await laptop.queue(sessions.decline_elevation, world.actor(world.raj), session.id, "not needed")
    await world.run(sessions.countersign_elevation, world.dana, session.id)
    words = await words_of(laptop)
    assert f"full mode in {session.id} was countersigned by Dana Weiss" in words and "came too late" in words


async def test_words_for_an_ending_and_an_outcome(world: World, laptop: Laptop) -> None:
    session = await world.inside()
    await laptop.sync.pull()
    await laptop.cut()
    await laptop.queue(endings.end, world.actor(world.ann), session.id, *OUTCOME)
    await world.end(session)
    words = await words_of(laptop)
    assert f"the outcome of {session.id} was given at 09:00 UTC" in words and "your ending was not needed" in words


async def test_an_ending_of_what_was_force_ended_meanwhile_is_the_outcome_owed(world: World, laptop: Laptop) -> None:
    session = await world.inside()
    await laptop.sync.pull()
    await laptop.cut()
    await laptop.queue(endings.end, world.actor(world.ann), session.id, *OUTCOME)
    await world.run(endings.force_end, world.dana, session.id, "wrong customer")
    (one,) = await laptop.back()
    await world.sync.pull()
    assert one.state is KeptState.SENT
    assert world.row(Session, session.id).outcome is not None


async def test_words_for_an_outcome_given_twice(world: World, laptop: Laptop) -> None:
    session = await world.inside()
    await world.run(endings.force_end, world.dana, session.id, "wrong customer")
    await laptop.sync.pull()
    await laptop.cut()
    await laptop.queue(endings.give_outcome, world.actor(world.ann), session.id, *OUTCOME)
    await world.run(endings.give_outcome, world.ann, session.id, *OUTCOME)
    words = await words_of(laptop)
    assert "your outcome was not needed" in words


async def test_words_for_a_view_of_a_session_that_is_over(world: World, laptop: Laptop) -> None:
    session = await world.inside()
    await laptop.sync.pull()
    await laptop.cut()
    await laptop.queue(sessions.log_view, world.actor(world.ann), session.id, ViewKind.RECORD, "refund 8841")
    await world.run(endings.force_end, world.dana, session.id, "wrong customer")
    words = await words_of(laptop)
    assert f"{session.id} was ended by Dana Weiss at 09:00 UTC" in words
    assert words.endswith("your view is not in the log: name it in the outcome")


# -- the file ----------------------------------------------------------------------------------------------------------


async def test_a_damaged_outbox_is_said_and_never_thrown_away(world: World, laptop: Laptop) -> None:
    request = await world.ask()
    await laptop.sync.pull()
    await laptop.cut()
    await laptop.queue(requests.withdraw, world.actor(world.ann), request.id)
    damaged = laptop.outbox.path.read_bytes()[:100] + b"rubbish" * 2000
    laptop.outbox.path.write_bytes(damaged)
    with pytest.raises(Corrupt, match="is damaged"):
        Outbox(laptop.outbox.path).items()
    assert laptop.outbox.path.read_bytes() == damaged


async def test_where_nothing_can_be_kept_the_person_is_told_so(world: World, laptop: Laptop) -> None:
    request = await world.ask()
    await laptop.sync.pull()
    await laptop.cut()
    laptop.outbox.path.mkdir()
    with pytest.raises((Offline, Corrupt)):
        await laptop.desk.run(requests.withdraw, world.actor(world.ann), request.id)


async def test_another_process_that_sends_is_left_to_it(world: World, laptop: Laptop) -> None:
    request = await world.ask()
    await laptop.sync.pull()
    await laptop.cut()
    await laptop.queue(requests.withdraw, world.actor(world.ann), request.id)
    other = Outbox(laptop.outbox.path)
    with other.sending() as theirs:
        assert theirs and await laptop.back() == ()
    assert [one.state for one in await laptop.back()] == [KeptState.SENT]
    assert [one.state for one in other.items()] == [KeptState.SENT], "the other process sees it"


async def test_what_was_seen_is_kept_for_a_week_and_what_was_not_for_ever(world: World, laptop: Laptop) -> None:
    one, two, three = [await world.ask() for _ in range(3)]
    await laptop.sync.pull()
    await laptop.cut()
    for request in (one, two):
        await laptop.queue(requests.withdraw, world.actor(world.ann), request.id)
    first, _ = await laptop.back()
    laptop.outbox.saw((first.id,))
    await laptop.cut()
    await laptop.queue(requests.withdraw, world.actor(world.ann), three.id)
    with sqlite3.connect(laptop.outbox.path) as connection:
        connection.execute("UPDATE kept SET settled_at = '2020-01-01T00:00:00.000000Z' WHERE state = 'sent'")
    connection.close()
    await laptop.back()
    assert [kept.subjects[0] for kept in laptop.outbox.items()] == [two.id, three.id]
