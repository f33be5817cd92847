"""The queue, by keys (REQ-101 … 107, 113, 115, 201, 202, 801): what needs me, what each key does, and why not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from textual.pilot import Pilot

from app.services import emergency, staff
from screens.step_up import StepUpDialog
from storage.models import EmergencyCategory, LinkKind, Mode, Request, RequestState, Role
from tests.pilot.queue_app import QueueApp, settled
from tests.pilot.queue_world import ANN, DANA, RAJ, VERA, QueueWorld

WIDE = (120, 36)
NARROW = (80, 24)
SUE = "sue@ops.example"


@asynccontextmanager
async def queue_of(
    world: QueueWorld, email: str, size: tuple[int, int] = WIDE
) -> AsyncIterator[tuple[QueueApp, Pilot[None]]]:
    app = QueueApp(world, email)
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        yield app, pilot


def rows(app: QueueApp) -> list[str]:
    """The table as read from top to bottom: headings and request ids."""
    shown = app.queue.shown
    return [row.key for row in shown.source.rows(0, 1000)] if shown is not None else []


def request(world: QueueWorld, key: str) -> Request:
    found = world.replica.view("look").get(Request, key)
    assert found is not None
    return found


async def test_what_needs_me_stands_first_then_mine_then_the_others(world: QueueWorld) -> None:
    mine = await world.ask(ANN, "northwind", "wendy", "T-1001")
    theirs = await world.ask(RAJ, "northwind", "wendy", "T-1002")
    ready = await world.ask(ANN, "contoso", "tom", "T-1003")
    full = await world.ask(RAJ, "fabrikam", "lena", "T-1004", mode="full")
    async with queue_of(world, ANN) as (app, _):
        assert rows(app) == ["heading:NEEDS ME  2", ready, full, "heading:MINE  1", mine, "heading:OTHERS  1", theirs]


async def test_an_emergency_on_an_expired_request_needs_the_second_super(world: QueueWorld) -> None:
    """REQ-109: it need not have been urgent, and its expiry may be on record before or after the declaration."""
    sealed = world.vault.seal(secret := "JBSWY3DPEHPK3PXT" * 2)
    world.secrets[SUE] = secret
    await world.run(staff.add, world.actor(DANA), SUE, "Sue Hart", Role.SUPER, None, sealed, ())
    expired = await world.ask(RAJ, "northwind", "wendy", "T-1002")
    world.clock.advance(hours=30)
    await world.desk.record_due()
    async with queue_of(world, SUE) as (app, _):
        assert rows(app) == []
    words = (EmergencyCategory.DATA_LOSS, "A script is erasing their bookings right now.", "legal@ops.example")
    await world.run(emergency.declare, world.actor(DANA), expired, *words, otp=world.code(DANA))
    async with queue_of(world, SUE) as (app, _):
        assert rows(app) == ["heading:NEEDS ME  1", expired]
        assert app.queue.shown is not None and app.queue.shown.summary == "1 open · 1 needs me"
    world.clock.advance(hours=2)
    async with queue_of(world, SUE) as (app, _):
        assert rows(app) == []


async def test_an_auditor_sees_all_and_is_needed_nowhere(world: QueueWorld) -> None:
    await world.ask(RAJ, "fabrikam", "lena", "T-1004", mode="full")
    async with queue_of(world, VERA) as (app, _):
        assert rows(app)[0] == "heading:OTHERS  1"


async def test_enter_names_and_does_the_first_thing_i_can_do(world: QueueWorld) -> None:
    await world.ask(ANN, "contoso", "tom", "T-1003")
    async with queue_of(world, ANN) as (app, pilot):
        assert app.hint("queue.first") == "Start…"
        await pilot.press("enter")
        await settled(pilot)
        assert isinstance(app.screen, StepUpDialog) or app.top_title().startswith("Start R-")


async def test_on_one_pane_enter_opens_the_detail_and_escape_goes_back(world: QueueWorld) -> None:
    await world.ask(ANN, "contoso", "tom", "T-1003")
    async with queue_of(world, ANN, NARROW) as (app, pilot):
        assert app.hint("queue.first") == "Open" and not app.queue.detail.display
        await pilot.press("enter")
        await settled(pilot)
        assert app.queue.detail.display and not app.queue.query_one("#list-pane").display
        assert app.hint("queue.first") == "Start…"
        await pilot.press("escape")
        await settled(pilot)
        assert not app.queue.detail.display and app.queue.table.has_focus


async def test_a_key_that_does_not_apply_says_why_and_who_could(world: QueueWorld) -> None:
    """ux.md, principle 1."""
    await world.ask(RAJ, "northwind", "wendy", "T-1002")
    async with queue_of(world, ANN) as (app, pilot):
        await pilot.press("w")
        await settled(pilot)
        assert "is not Ann Lee's — the engineer who asked" in app.told()
        assert not isinstance(app.screen, StepUpDialog)


async def test_a_change_made_elsewhere_moves_neither_cursor_nor_focus(world: QueueWorld) -> None:
    """REQ-801; ux.md, principle 3."""
    first = await world.ask(ANN, "northwind", "wendy", "T-1001")
    second = await world.ask(ANN, "northwind", "maria", "T-1002")
    async with queue_of(world, ANN) as (app, pilot):
        app.queue.table.move_to(second)
        await settled(pilot)
        await world.decide(first, LinkKind.APPROVE)
        await app.came_in()
        await settled(pilot)
        assert rows(app)[:2] == ["heading:NEEDS ME  1", first]
        assert app.queue.table.cursor_key == second and app.queue.table.has_focus


async def test_the_requester_withdraws_with_a_note(world: QueueWorld) -> None:
    """REQ-107."""
    key = await world.ask(ANN, "northwind", "wendy", "T-1001")
    async with queue_of(world, ANN) as (app, pilot):
        await pilot.press("w")
        await settled(pilot)
        await pilot.press(*"solved", "ctrl+s")
        await settled(pilot)
        assert request(world, key).state is RequestState.WITHDRAWN
        await app.came_in()
        assert rows(app) == []


async def test_leaving_a_dialog_does_nothing(world: QueueWorld) -> None:
    key = await world.ask(ANN, "northwind", "wendy", "T-1001")
    async with queue_of(world, ANN) as (_, pilot):
        await pilot.press("w", "escape")
        await settled(pilot)
        assert request(world, key).state is RequestState.PENDING


async def test_starting_asks_a_code_and_asks_again_when_it_is_wrong(world: QueueWorld) -> None:
    """REQ-201, REQ-702."""
    key = await world.ask(ANN, "contoso", "tom", "T-1003")
    world.clock.advance(minutes=10)
    async with queue_of(world, ANN) as (app, pilot):
        await pilot.press("s")
        await settled(pilot)
        assert isinstance(app.screen, StepUpDialog)
        await pilot.press(*"000000", "enter")
        await settled(pilot)
        assert isinstance(app.screen, StepUpDialog) and "wrong code" in app.problem()
        await pilot.press(*world.code(ANN), "enter")
        await settled(pilot)
        assert request(world, key).state is RequestState.USED
        assert app.current_mode == "sessions"


async def test_a_fresh_code_for_creating_covers_starting_but_the_start_is_still_confirmed(world: QueueWorld) -> None:
    """P10: one code covers create-then-start for two minutes; the clock never starts by a slip of Enter."""
    key = await world.ask(ANN, "contoso", "tom", "T-1003")
    async with queue_of(world, ANN) as (app, pilot):
        await pilot.press("s")
        await settled(pilot)
        assert app.top_title() == f"Start {key} now?"
        await pilot.press("y")
        await settled(pilot)
        assert request(world, key).state is RequestState.USED


async def test_a_second_person_countersigns_full_mode_with_a_code_of_their_own(world: QueueWorld) -> None:
    """REQ-202."""
    key = await world.ask(RAJ, "fabrikam", "lena", "T-1004", mode="full")
    async with queue_of(world, DANA) as (_, pilot):
        await pilot.press("c")
        await settled(pilot)
        await pilot.press("ctrl+s")
        await settled(pilot)
        await pilot.press(*world.code(DANA), "enter")
        await settled(pilot)
        signed = request(world, key)
        assert signed.mode is Mode.FULL and signed.countersigned_by == world.staff(DANA).id


async def test_declining_takes_words(world: QueueWorld) -> None:
    key = await world.ask(RAJ, "fabrikam", "lena", "T-1004", mode="full")
    async with queue_of(world, DANA) as (app, pilot):
        await pilot.press("D")
        await settled(pilot)
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert app.problem() == "say it in words first"
        await pilot.press(*"reading will do", "ctrl+s")
        await settled(pilot)
        assert request(world, key).declined_by == world.staff(DANA).id


async def test_a_tenants_question_needs_me_and_is_answered(world: QueueWorld) -> None:
    """REQ-115."""
    key = await world.ask(ANN, "northwind", "wendy", "T-1001")
    await world.decide(key, LinkKind.APPROVE, "Which refund do you mean?", ask=True)
    async with queue_of(world, ANN) as (app, pilot):
        assert rows(app)[0] == "heading:NEEDS ME  1"
        assert "Which refund do you mean?" in app.queue.detail.text
        await pilot.press("a")
        await settled(pilot)
        await pilot.press(*"Number 8841", "ctrl+s")
        await settled(pilot)
        assert request(world, key).exchanges[-1].text == "Number 8841"


async def test_the_filter_finds_past_requests_by_state_and_tenant(world: QueueWorld) -> None:
    denied = await world.ask(RAJ, "northwind", "wendy", "T-1002")
    await world.decide(denied, LinkKind.DENY, "not now")
    await world.ask(ANN, "contoso", "tom", "T-1003")
    async with queue_of(world, ANN) as (app, pilot):
        await pilot.press("slash", *"state:denied tenant:northwind")
        await settled(pilot)
        assert rows(app) == [denied]
        await pilot.press("enter")
        assert app.queue.table.has_focus and "denied by the tenant" in app.queue.detail.text
        await pilot.press("escape")
        await settled(pilot)
        assert denied not in rows(app) and len(rows(app)) == 2


async def test_a_filter_that_is_not_understood_says_what_there_is(world: QueueWorld) -> None:
    await world.ask(ANN, "contoso", "tom", "T-1003")
    async with queue_of(world, ANN) as (app, pilot):
        await pilot.press("slash", *"colour:red")
        await settled(pilot)
        assert app.summary() == "no field colour: — there are state:, tenant:, staff:, ticket:"


async def test_what_time_closes_leaves_the_queue_without_any_change_coming_in(world: QueueWorld) -> None:
    """design.md, "Time": what is over is over by time."""
    await world.ask(ANN, "northwind", "wendy", "T-1001")
    async with queue_of(world, ANN) as (app, pilot):
        assert len(rows(app)) == 2
        world.clock.advance(hours=25)
        app.queue.tick(world.clock.now())
        await settled(pilot)
        assert rows(app) == []


async def test_explain_opens_every_rule_and_what_i_can_do(world: QueueWorld) -> None:
    """REQ-113."""
    await world.ask(RAJ, "fabrikam", "lena", "T-1004", mode="full")
    async with queue_of(world, ANN) as (app, pilot):
        await pilot.press("e")
        await settled(pilot)
        words = app.notice()
        assert "✗" in words and "a tenant admin must approve first" in words and "REQ-201" in words
        assert "✓ countersign full mode" in words


async def test_markup_in_a_reason_is_text(world: QueueWorld) -> None:
    """Terminal injection: what looks like markup is drawn, never obeyed."""
    reason = "Refund 8841 [bold red]never[/] arrived [@click=app.quit()]here[/], the payment event 991 contradicts it"
    await world.ask(ANN, "northwind", "wendy", "T-1001", reason=reason)
    async with queue_of(world, ANN) as (app, _):
        assert "[@click=app.quit()]here[/]" in app.queue.detail.text.replace("\n", " ").replace("  ", "")


async def test_a_request_is_gone_to_even_when_it_is_past(world: QueueWorld) -> None:
    denied = await world.ask(RAJ, "northwind", "wendy", "T-1002")
    await world.decide(denied, LinkKind.DENY, "not now")
    async with queue_of(world, ANN) as (app, pilot):
        assert app.queue.go_to(denied)
        await settled(pilot)
        assert app.queue.table.cursor_key == denied
        assert not app.queue.go_to("R-NONE")
