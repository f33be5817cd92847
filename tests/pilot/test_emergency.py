"""Emergencies by keys (REQ-109): declared on a request, or on one asked anew in the same act; who may, and why not."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from textual.pilot import Pilot

from app.services import emergency
from screens.new_emergency import NewEmergencyScreen
from screens.queue import QueueScreen
from screens.request_emergency import EmergencyDialog
from screens.request_note import NoteDialog
from screens.step_up import StepUpDialog
from storage.models import EmergencyCategory, LinkKind, Mode, Request, RequestState
from tests.pilot.queue_app import QueueApp, settled
from tests.pilot.queue_world import ANN, DANA, LEGAL, RAJ, VERA, QueueWorld
from tests.pilot.test_new_request import choose, explained, fill_in, judged, only_request
from widgets.text_entry import TextEntry
from widgets.type_ahead import TypeAhead

WIDE = (120, 36)
HARM = "A runaway import deletes bookings of 2026 every minute, each deleted trip strands travellers at the airport."


@asynccontextmanager
async def queue_of(world: QueueWorld, email: str) -> AsyncIterator[tuple[QueueApp, Pilot[None]]]:
    app = QueueApp(world, email)
    async with app.run_test(size=WIDE) as pilot:
        await settled(pilot)
        yield app, pilot


@asynccontextmanager
async def anew(world: QueueWorld) -> AsyncIterator[tuple[QueueApp, Pilot[None], NewEmergencyScreen]]:
    """Dana, a super, has pressed N."""
    async with queue_of(world, DANA) as (app, pilot):
        await pilot.press("N")
        screen = await settled(pilot)
        assert isinstance(screen, NewEmergencyScreen)
        yield app, pilot, screen


async def fill_all(pilot: Pilot[None], screen: NewEmergencyScreen) -> None:
    await pilot.press(*"raj", "enter")
    await pilot.pause()
    await choose(pilot, "northw", "wen")
    await fill_in(pilot, screen)


async def say_harm(pilot: Pilot[None], words: str = HARM) -> None:
    """In the dialog: which harm, and what two hours would make irreparable."""
    dialog = await settled(pilot)
    assert isinstance(dialog, EmergencyDialog)
    await pilot.press(*"loss", "enter")
    dialog.query_one("#emergency-reason", TextEntry).prefill(words)
    await pilot.press("ctrl+s")
    await settled(pilot)


async def give_code(world: QueueWorld, pilot: Pilot[None], email: str) -> None:
    assert isinstance(await settled(pilot), StepUpDialog)
    await pilot.press(*world.code(email), "enter")
    await settled(pilot)


def written(world: QueueWorld, key: str) -> Request:
    found = world.replica.view("look").get(Request, key)
    assert found is not None
    return found


def asked(world: QueueWorld) -> int:
    (count,) = world.replica.reader.execute("SELECT count(*) FROM request").fetchone()
    return int(count)


async def test_a_super_declares_an_emergency_on_a_request_by_keys(world: QueueWorld) -> None:
    """REQ-109: E, the harm, the code."""
    key = await world.ask(RAJ, "northwind", "wendy", "T-1001")
    async with queue_of(world, DANA) as (app, pilot):
        app.queue.table.move_to(key)
        await settled(pilot)
        await pilot.press("E")
        await say_harm(pilot)
        await give_code(world, pilot, DANA)
        declared = written(world, key).emergency
        assert declared is not None and declared.category is EmergencyCategory.DATA_LOSS and declared.reason == HARM
        assert "a second super must countersign" in app.told()


async def test_what_was_typed_is_there_again_when_it_is_refused_or_no_code_was_given(world: QueueWorld) -> None:
    """Bad input at every door: a clear error, and nothing lost (REQ-102, REQ-109)."""
    key = await world.ask(RAJ, "northwind", "wendy", "T-1001")
    async with queue_of(world, DANA) as (app, pilot):
        app.queue.table.move_to(key)
        await settled(pilot)
        await pilot.press("E")
        await say_harm(pilot, "urgent issue, please")
        again = await settled(pilot)
        assert isinstance(again, EmergencyDialog) and "the reason" in app.told()
        typed = again.query_one("#emergency-reason", TextEntry)
        assert typed.text == "urgent issue, please" and again.query_one(TypeAhead).chosen == "data_loss"
        typed.prefill(HARM)
        await pilot.press("ctrl+s")
        assert isinstance(await settled(pilot), StepUpDialog)
        await pilot.press("escape")
        again = await settled(pilot)
        assert isinstance(again, EmergencyDialog) and again.query_one("#emergency-reason", TextEntry).text == HARM
        await pilot.press("ctrl+s")
        await give_code(world, pilot, DANA)
        declared = written(world, key).emergency
        assert declared is not None and declared.reason == HARM


async def test_a_note_that_is_refused_is_asked_again_as_it_was_typed(world: QueueWorld) -> None:
    """REQ-108: the second reason of break-glass is held to the first one's rules; no word of it is lost."""
    key = await world.ask(ANN, "northwind", "wendy", "T-1003", urgent=True)
    world.clock.advance(hours=24)
    await world.desk.record_due()
    async with queue_of(world, ANN) as (app, pilot):
        app.queue.go_to(key)
        await settled(pilot)
        await pilot.press("b")
        dialog = await settled(pilot)
        assert isinstance(dialog, NoteDialog)
        dialog.query_one("#note", TextEntry).prefill("still urgent")
        await pilot.press("ctrl+s")
        again = await settled(pilot)
        assert isinstance(again, NoteDialog) and again.query_one("#note", TextEntry).text == "still urgent"


async def test_a_super_asks_anew_and_declares_in_one_act(world: QueueWorld) -> None:
    """REQ-109: N, for whom and what, the harm, the code; one request of the engineer's, declared, under the cursor."""
    async with anew(world) as (app, pilot, screen):
        await fill_all(pilot, screen)
        words = " ".join(explained(screen).split())
        assert "ready: ^S asks which harm it is" in words
        assert "a second super, neither Dana Wolf nor Raj Patel, countersigns" in words
        await pilot.press("ctrl+s")
        await say_harm(pilot)
        await give_code(world, pilot, DANA)
        made = only_request(world)
        assert made.engineer_id == world.staff(RAJ).id and made.state is RequestState.PENDING and made.urgent
        assert made.emergency is not None and made.emergency.declared_by == world.staff(DANA).id
        assert asked(world) == 1
        await app.came_in()
        await settled(pilot)
        assert app.queue.table.cursor_key == made.id and "emergency declared" in app.told()


async def test_it_is_prefilled_from_a_request_that_is_over_and_names_it(world: QueueWorld) -> None:
    """REQ-109, REQ-114: what a tenant denied cannot be declared on; asked anew for the same engineer, it can."""
    denied = await world.ask(RAJ, "northwind", "wendy", "T-1002", mode="full")
    await world.decide(denied, LinkKind.DENY, "please be more precise")
    async with queue_of(world, DANA) as (app, pilot):
        app.queue.go_to(denied)
        await settled(pilot)
        await pilot.press("N")
        screen = await settled(pilot)
        assert isinstance(screen, NewEmergencyScreen)
        await judged(pilot)
        form = screen.form.values()
        assert (form.again_of, form.ticket, form.mode) == (denied, "T-1002", Mode.FULL)
        assert screen.form.engineer_id == world.staff(RAJ).id and "ready" in explained(screen)
        await pilot.press("ctrl+s")
        await say_harm(pilot)
        await give_code(world, pilot, DANA)
        assert only_request(world).again_of == denied and only_request(world).emergency is not None
        assert written(world, denied).state is RequestState.DENIED and written(world, denied).emergency is None


async def test_nobody_declares_an_emergency_for_themselves(world: QueueWorld) -> None:
    """REQ-107, REQ-109: the form says so while it is filled in, and nothing is sent."""
    async with anew(world) as (_, pilot, screen):
        await pilot.press(*"dana", "enter")
        await pilot.pause()
        await choose(pilot, "northw", "wen")
        await fill_in(pilot, screen)
        assert "nobody decides their own request" in explained(screen).replace("\n", " ")
        await pilot.press("ctrl+s")
        assert await settled(pilot) is screen
    assert asked(world) == 0


async def test_it_says_what_is_missing_from_the_first_field_on(world: QueueWorld) -> None:
    async with anew(world) as (_, pilot, screen):
        words = explained(screen)
        assert "it is not said yet who is to enter" in words and "no tenant is chosen yet" in words
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert screen.focused is screen.query_one("#engineer Input")
        people = [one.key for one in screen.query_one("#engineer", TypeAhead)._choices]
        assert world.staff(VERA).id not in people, "an auditor only reads"


async def test_where_only_consent_leads_in_no_emergency_is_declared_anew(world: QueueWorld) -> None:
    """REQ-110."""
    async with anew(world) as (_, pilot, screen):
        await pilot.press(*"raj", "enter")
        await pilot.pause()
        await choose(pilot, "fabrik", "lena")
        await fill_in(pilot, screen)
        assert "✗" in explained(screen) and "ready" not in explained(screen)
        assert "consent" in explained(screen)


async def test_a_vague_harm_is_refused_and_nothing_typed_is_lost(world: QueueWorld) -> None:
    """REQ-102, REQ-109: form, category and words stand there again."""
    async with anew(world) as (app, pilot, screen):
        await fill_all(pilot, screen)
        await pilot.press("ctrl+s")
        await say_harm(pilot, "urgent")
        assert app.top_title() == "Refused: nothing was sent"
        await pilot.press("escape")
        assert await settled(pilot) is screen and screen.form.values().ticket == "T-48271"
        await pilot.press("ctrl+s")
        dialog = await settled(pilot)
        assert isinstance(dialog, EmergencyDialog)
        assert dialog.query_one("#emergency-reason", TextEntry).text == "urgent"
        assert dialog.query_one(TypeAhead).chosen == EmergencyCategory.DATA_LOSS.value
    assert asked(world) == 0


async def test_leaving_the_harm_sends_nothing_and_keeps_the_form(world: QueueWorld) -> None:
    async with anew(world) as (app, pilot, screen):
        await fill_all(pilot, screen)
        await pilot.press("ctrl+s")
        assert isinstance(await settled(pilot), EmergencyDialog)
        await pilot.press("escape")
        assert await settled(pilot) is screen and screen.form.values().ticket == "T-48271"
        await pilot.press("escape")
        await settled(pilot)
        await pilot.press("y")
        assert isinstance(await settled(pilot), QueueScreen) and app.told() == ""
    assert asked(world) == 0


async def test_what_nobody_countersigned_stands_in_the_story_of_the_request(world: QueueWorld) -> None:
    """REQ-109, REQ-401: as void by time, then as recorded, with the moment since when."""
    key = await world.ask(RAJ, "northwind", "wendy", "T-1001")
    await world.run(
        emergency.declare, world.actor(DANA), key, EmergencyCategory.DATA_LOSS, HARM, LEGAL, otp=world.code(DANA)
    )
    since = f"{world.clock.now() + timedelta(hours=2):%H:%M}"
    world.clock.advance(hours=5)
    async with queue_of(world, ANN) as (app, _):
        app.queue.go_to(key)
        await app.came_in()
        words = " ".join(app.queue.detail.text.split())
        assert f"void at {since} UTC: no second super" in words and "emergency lapsed" not in words
        await world.desk.record_due()
        await app.came_in()
        assert f"emergency lapsed, as of {since}" in " ".join(app.queue.detail.text.split())


@pytest.mark.parametrize("email", [ANN, VERA])
async def test_only_a_super_declares_anew(world: QueueWorld, email: str) -> None:
    """REQ-109, REQ-701: the key stays, dim, and says who could."""
    async with queue_of(world, email) as (app, pilot):
        await pilot.press("N")
        await settled(pilot)
        assert isinstance(app.screen, QueueScreen)
        assert ("only a super declares an emergency" if email == ANN else "reads everything") in app.told()


async def test_without_the_operators_legal_address_neither_is_offered(world: QueueWorld) -> None:
    """REQ-109: every emergency is reported there; said before anything is typed."""
    key = await world.ask(RAJ, "northwind", "wendy", "T-1001")
    async with queue_of(world, DANA) as (app, pilot):
        app.context.legal_email = ""
        app.queue.table.move_to(key)
        await settled(pilot)
        for pressed in ("N", "E"):
            await pilot.press(pressed)
            await settled(pilot)
            assert isinstance(app.screen, QueueScreen)
        assert app.told().count("the operator's legal address is not set") == 2
