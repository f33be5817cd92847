"""The desk: once, in order, in words (REQ-702, REQ-802; design.md, "A command is a pure function")."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.policy.verdict import Refused
from app.services import break_glass, requests, sessions, tenants
from app.services.command import change
from app.services.desk import Desk
from storage.clock import SharedClock
from storage.errors import ClockSkew, Conflict, ForkedHistory, Offline
from storage.log.actions import Action
from storage.log.entry import Draft
from storage.models import Request, RequestState, Session, Standing, StepUp
from storage.models.row import Json
from storage.replica.engine import Replica
from storage.shared.change import Applied, Change, Write, new_change_id
from storage.shared.sqlite import SqliteShared
from storage.sync import Sync
from storage.witness import Witness
from tests.services.cable import LaptopClock
from tests.services.world import World


class Unreachable:
    """The shared database, with a cable that can be pulled."""

    def __init__(self, shared: SqliteShared) -> None:
        self._shared, self.pulled_out = shared, False

    def __getattr__(self, name: str) -> Any:
        if self.pulled_out and name in ("apply", "pull", "step_up", "now", "position"):
            raise Offline("the shared database is out of reach")
        return getattr(self._shared, name)


@pytest.fixture
async def second(world: World, tmp_path: Path) -> Any:
    """Another console of the same company, with a cable of its own."""
    cable = Unreachable(world.shared)
    replica = Replica.open(tmp_path / "second" / "replica.db")
    sync = Sync(cable, replica, Witness(tmp_path / "second" / "w.json"), world.clock)  # type: ignore[arg-type]  # as the real one
    desk = Desk(cable, replica, sync, world.clock)  # type: ignore[arg-type]  # as the real one
    await sync.pull()
    yield desk, cable, sync
    await sync.close()
    replica.close()


async def test_the_same_id_is_applied_once_and_answered_with_the_first_result(world: World) -> None:
    """REQ-802: a command kept and sent again does not happen twice."""
    request = await world.ask()
    key = new_change_id()
    actor = world.actor(world.ann)
    first = await world.desk.run(requests.withdraw, actor, request.id, change_id=key)
    again = await world.desk.run(requests.withdraw, actor, request.id, change_id=key)
    assert (again.repeated, again.rev, again.answer) == (True, first.rev, first.answer)


async def test_what_is_applied_is_on_the_replica_when_the_command_returns(world: World) -> None:
    done = await world.run(requests.create, world.ann, world.form())
    position = world.replica.position()
    assert position is not None and position.head.seq >= done.rev
    assert world.row(Request, done.answer["id"]).state is RequestState.PENDING


async def test_a_console_that_lags_decides_again_and_says_who_was_faster(world: World, second: Any) -> None:
    """Design: pull, decide again, then Conflict in words."""
    request = await world.ask()
    desk, _, sync = second
    await sync.pull()
    await world.run(requests.withdraw, world.ann, request.id)
    with pytest.raises(Conflict, match=r"Ann Lee was faster: request.withdrawn \(request R-\w+\) at 09:00 UTC"):
        await desk.run(requests.withdraw, world.actor(world.ann), request.id)


async def test_a_session_that_starts_while_the_kill_switch_is_turned_ends_too(world: World, second: Any) -> None:
    """REQ-110: the console that turns it had not heard of the session."""
    approved = await world.approve(await world.ask())
    desk, _, sync = second
    await sync.pull()
    session = await world.start(approved)
    done = await desk.run(tenants.set_kill_switch, world.admin("northwind/maria"), "northwind", True)
    assert done.answer["sessions_ended"] == "1"
    await world.sync.pull()
    assert not world.row(Session, session.id).is_active(world.clock.now())


async def test_two_consoles_of_one_engineer_start_one_session(world: World, second: Any) -> None:
    """REQ-201: also at the same moment."""
    one, two = [await world.approve(await world.ask()) for _ in range(2)]
    desk, _, sync = second
    await sync.pull()
    await world.start(one)
    with pytest.raises(Conflict, match=r"Ann Lee was faster: session.started .* is active"):
        await desk.run(sessions.start, world.actor(world.ann), two.id, otp=world.code(world.ann))


async def test_never_more_than_three_tries(world: World) -> None:
    """Design: at most three times; then it says who is in the way."""
    asked, tries = await world.ask(world.ann), 0

    def touch(view: Any, actor: Any, *, now: Any) -> Change:
        nonlocal tries
        tries += 1
        standing = view.get(Standing, world.ann.id)
        wanted: dict[str, Json] = {"engineer": actor.id, "wanted_tenant": asked.tenant_id, "why": "enough for now"}
        met = Draft(Action.RATE_LIMIT_MET, request=asked.id, ticket=asked.ticket, data=wanted)
        return change(view, actor, now, [met], [Write(standing)])

    class Busy:
        """Somebody else writes the very row before each apply."""

        def __getattr__(self, name: str) -> Any:
            return getattr(world.shared, name)

        async def apply(self, wanted: Change) -> Applied:
            view = world.replica.view(new_change_id())
            await world.sync.pull()
            await world.shared.apply(touch(view, world.actor(world.ann), now=world.clock.now()))
            return await world.shared.apply(wanted)

    desk = Desk(Busy(), world.replica, world.sync, world.clock)  # type: ignore[arg-type]  # as the real one
    with pytest.raises(Conflict, match="Ann Lee was faster"):
        await desk.run(touch, world.actor(world.ann))
    assert tries == 8


async def test_offline_nothing_is_done_and_the_words_say_so(world: World, second: Any) -> None:
    """REQ-802."""
    request = await world.ask()
    desk, cable, sync = second
    cable.pulled_out = True
    with pytest.raises(Offline):
        await sync.pull()
    for command, *args in ((requests.withdraw, request.id), (requests.create, world.form())):
        with pytest.raises(Offline, match="not done") as offline:
            await desk.run(command, world.actor(world.ann), *args)
        assert ("adds privilege" in offline.value.advice) is (command is requests.create)
    assert world.row(Request, request.id).state is RequestState.PENDING


async def test_on_a_forked_history_privilege_is_only_taken_away(world: World) -> None:
    """Design, "Sync": it refuses what adds privilege; ending, denying, withdrawing still work."""
    request = await world.ask()
    session_request = await world.approve(await world.ask())
    world.sync.status = world.sync.status.__class__(live=True, forked=True)
    with pytest.raises(ForkedHistory, match="cannot be trusted"):
        await world.run(sessions.start, world.ann, session_request.id)
    with pytest.raises(ForkedHistory):
        await world.ask()
    await world.run(requests.withdraw, world.ann, request.id)
    assert world.row(Request, request.id).state is RequestState.WITHDRAWN


async def test_a_wrong_clock_is_measured_again(world: World) -> None:
    """REQ-209: a laptop that slept decides by the shared clock after all."""
    clock = SharedClock()
    clock.measured(world.clock.now() - timedelta(minutes=5), 0.0, 0.0)
    world.desk = Desk(world.shared, world.replica, world.sync, clock)
    request = await world.ask()
    assert abs((request.created_at - world.clock.now()).total_seconds()) < 2


async def test_a_clock_a_second_ahead_is_told_by_the_rules_not_by_a_guard(world: World, tmp_path: Path) -> None:
    """REQ-209, P3: a second too early is too early; the person reads why, and from when it will do."""
    asked = await world.ask(urgent=True)
    clock = LaptopClock(world.clock)
    replica = Replica.open(tmp_path / "ahead" / "replica.db")
    sync = Sync(world.shared, replica, Witness(tmp_path / "ahead" / "w.json"), clock)
    desk = Desk(world.shared, replica, sync, clock)
    await sync.pull()
    world.clock.advance(hours=24, seconds=-1)
    clock.off = timedelta(seconds=1)
    words = "The card network closes disputes for refund 8841 tonight, after that the money is lost to the traveller."
    with pytest.raises(Refused, match=r"still waits for the tenant: break-glass from"):
        await desk.run(break_glass.declare, world.actor(world.ann), asked.id, words, otp=world.code(world.ann))
    await sync.close()
    replica.close()


async def test_a_clock_that_stays_wrong_is_told(world: World) -> None:
    """REQ-209: and nothing is decided by it."""
    world.clock.advance(seconds=10)

    class Wrong:
        def now(self) -> Any:
            return world.clock.now() + timedelta(seconds=3)

    desk = Desk(world.shared, world.replica, world.sync, Wrong())
    code = world.code(world.ann)
    with pytest.raises((ClockSkew, Refused)):
        await desk.run(requests.create, world.actor(world.ann), world.form(), otp=code)
    assert world.desk.view().find(Request) == []


async def test_a_code_that_was_given_is_used_by_one_change_only(world: World) -> None:
    """REQ-702: each code once."""
    code = world.code(world.ann)
    await world.desk.run(requests.create, world.actor(world.ann), world.form(), otp=code)
    with pytest.raises(Refused, match=r"wrong code|used"):
        await world.desk.run(
            requests.create, world.actor(world.ann), world.form(reason=world.form().reason + " Again 2."), otp=code
        )
    assert [len(one.used_by) for one in world.desk.view().find(StepUp, staff_id=world.ann.id)] == [1]
