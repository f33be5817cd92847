"""Asking for access, by keys (REQ-101 … 104, 113, 114): the form, its live explanation, and nothing typed ever lost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from textual import events
from textual.pilot import Pilot
from textual.widgets import Input

from screens.new_request import NewRequestScreen
from screens.new_request_form import AccessForm
from screens.queue import QueueScreen
from screens.step_up import StepUpDialog
from storage.models import Alternative, LinkKind, Mode, Request, RequestState
from tests.pilot.queue_app import QueueApp, settled
from tests.pilot.queue_world import ANN, REASON, QueueWorld
from widgets.dialog import Confirm
from widgets.entry import LineEntry, Tick
from widgets.fields import FieldList
from widgets.text_entry import TextEntry
from widgets.type_ahead import TypeAhead

WIDE = (120, 36)
NARROW = (80, 24)


@asynccontextmanager
async def asking(
    world: QueueWorld, size: tuple[int, int] = WIDE
) -> AsyncIterator[tuple[QueueApp, Pilot[None], NewRequestScreen]]:
    app = QueueApp(world, ANN)
    async with app.run_test(size=size) as pilot:
        await settled(pilot)
        await pilot.press("n")
        await settled(pilot)
        assert isinstance(app.screen, NewRequestScreen)
        yield app, pilot, app.screen


async def choose(pilot: Pilot[None], tenant: str, target: str) -> None:
    """Tenant and target by a few letters and Enter."""
    await pilot.press(*tenant, "enter")
    await pilot.pause()
    await pilot.press(*target, "enter")
    await pilot.pause()


async def fill_in(pilot: Pilot[None], screen: NewRequestScreen, reason: str = REASON) -> None:
    """Everything but tenant and target; pasted, as one does from a ticket."""
    screen.query_one("#ticket", LineEntry).prefill("T-48271")
    screen.query_one("#reason", TextEntry).prefill(reason)
    screen.query_one("#tried-logs", Tick).value = True
    screen.query_one("#why-not", LineEntry).prefill("the logs end at the gateway, the payment state is not in them")
    screen.query_one("#scope", LineEntry).prefill("refund 8841, payment event 991")
    screen.query_one("#records", LineEntry).prefill("2")
    await judged(pilot)


async def judged(pilot: Pilot[None]) -> None:
    """Until the pause after typing is over and the form has been judged."""
    screen = pilot.app.screen
    assert isinstance(screen, NewRequestScreen)
    await pilot.pause()
    while screen.judging:
        await pilot.pause(0.02)
    await pilot.pause()


def explained(screen: NewRequestScreen) -> str:
    return screen.query_one("#explain FieldList", FieldList).text


def only_request(world: QueueWorld) -> Request:
    (image,) = world.replica.reader.execute("SELECT image FROM request ORDER BY rev DESC").fetchone()
    return Request.from_image(image)


async def test_a_request_by_keys_from_n_to_the_row_under_the_cursor(world: QueueWorld) -> None:
    """REQ-101, REQ-104: n, the form, Ctrl+S, the code; back in the queue on the new request."""
    async with asking(world) as (app, pilot, screen):
        await choose(pilot, "northw", "wen")
        await fill_in(pilot, screen)
        assert "ready: ^S sends it" in explained(screen)
        await pilot.press("ctrl+s")
        assert isinstance(await settled(pilot), StepUpDialog)
        await pilot.press(*world.code(ANN), "enter")
        await settled(pilot)
        made = only_request(world)
        assert (made.tenant_id, made.target_id, made.ticket) == ("northwind", "northwind/wendy", "T-48271")
        assert made.tried == (Alternative.LOGS,) and made.records == 2 and made.mode is Mode.READ_ONLY
        await app.came_in()
        await settled(pilot)
        assert app.queue.table.cursor_key == made.id


async def test_the_form_says_live_who_is_mailed_what_passes_and_what_refuses(world: QueueWorld) -> None:
    """REQ-113."""
    async with asking(world) as (_, pilot, screen):
        assert "no tenant is chosen yet" in explained(screen)
        await choose(pilot, "northw", "wen")
        await judged(pilot)
        words = explained(screen)
        assert "maria@northwind.example" in words and "juan@northwind.example" in words
        assert "the scope is missing" in words and "Wendy Park is a user of Northwind Travel" in words
        await pilot.press(*"T-1")
        await judged(pilot)
        assert "the ticket is given" in explained(screen)


async def test_a_tenant_that_shut_support_out_says_so_at_once(world: QueueWorld) -> None:
    """REQ-110."""
    async with asking(world) as (_, pilot, screen):
        await choose(pilot, "tailsp", "pat")
        await judged(pilot)
        assert "kill switch is on" in explained(screen).replace("\n", " ")
        assert "Otto Bauer or Nia Cole" in explained(screen).replace("\n", " ")


async def test_a_vague_reason_is_refused_with_words_that_help(world: QueueWorld) -> None:
    """REQ-102."""
    async with asking(world) as (_, pilot, screen):
        await choose(pilot, "northw", "wen")
        await fill_in(pilot, screen, reason="troubleshooting the issue for the customer urgently now")
        hint = screen.query_one("#field-reason .hint")
        assert hint.display and "missing" in str(hint.content)  # type: ignore[attr-defined]  # a Static
        await pilot.press("ctrl+s")
        await settled(pilot)
        assert isinstance(pilot.app.screen, NewRequestScreen) and not isinstance(pilot.app.screen, StepUpDialog)
        assert screen.query_one("#reason", TextEntry).text.startswith("troubleshooting")


async def test_leaving_the_code_dialog_keeps_everything_typed(world: QueueWorld) -> None:
    async with asking(world) as (app, pilot, screen):
        await choose(pilot, "northw", "wen")
        await fill_in(pilot, screen)
        await pilot.press("ctrl+s")
        await settled(pilot)
        await pilot.press("escape")
        await settled(pilot)
        assert app.screen is screen and screen.query_one("#ticket", LineEntry).value == "T-48271"


async def test_a_refusal_by_the_shared_database_keeps_everything_typed(world: QueueWorld) -> None:
    """The tenant shuts support out while the form is open, and this console has not heard of it."""
    async with asking(world) as (app, pilot, screen):
        await choose(pilot, "northw", "wen")
        await fill_in(pilot, screen)
        await pilot.press("ctrl+s")
        await settled(pilot)
        await world.shut("northwind")
        await pilot.press(*world.code(ANN), "enter")
        await settled(pilot)
        assert app.top_title() == "Refused: nothing was sent" and "kill switch is on" in app.notice()
        await pilot.press("escape")
        await settled(pilot)
        assert app.screen is screen and screen.query_one("#reason", TextEntry).text == REASON


async def test_escape_asks_before_it_loses_what_was_typed(world: QueueWorld) -> None:
    async with asking(world) as (app, pilot, screen):
        screen.query_one("#scope", LineEntry).prefill("refund 8841")
        await judged(pilot)
        await pilot.press("escape")
        assert isinstance(await settled(pilot), Confirm)
        await pilot.press("escape")
        await settled(pilot)
        assert app.screen is screen
        await pilot.press("escape")
        await settled(pilot)
        await pilot.press("y")
        await settled(pilot)
        assert isinstance(app.screen, QueueScreen)


async def test_escape_leaves_an_empty_form_at_once(world: QueueWorld) -> None:
    async with asking(world) as (app, pilot, _):
        await pilot.press("escape")
        await settled(pilot)
        assert isinstance(app.screen, QueueScreen)


async def test_type_ahead_finds_by_letters_in_order_and_arrow_keys_choose(world: QueueWorld) -> None:
    async with asking(world) as (_, pilot, screen):
        tenant = screen.query_one("#tenant", TypeAhead)
        await pilot.press(*"ra")
        assert tenant.is_open
        await pilot.press("down", "enter")
        assert tenant.chosen in {"fabrikam", "northwind"} and not tenant.is_open
        assert screen.focused is screen.query_one("#target Input", Input)


async def test_leaving_type_ahead_by_tab_takes_what_is_marked(world: QueueWorld) -> None:
    async with asking(world) as (_, pilot, screen):
        await pilot.press(*"conto", "tab")
        await pilot.pause()
        assert screen.query_one("#tenant", TypeAhead).chosen == "contoso"


async def test_keys_that_come_in_one_burst_reach_the_fields_they_were_meant_for(world: QueueWorld) -> None:
    """A slow line delivers many keys at once: what follows Tab belongs to the next field."""
    async with asking(world) as (app, pilot, screen):
        for key in [*"northw", "tab", *"wen", "tab", *"T-9", "tab", *"abc", "tab", "space", "tab", "tab"]:
            app.post_message(events.Key(key, " " if key == "space" else key if len(key) == 1 else None))
        await judged(pilot)
        form = screen.form.values()
        assert (form.tenant_id, form.target_id, form.ticket) == ("northwind", "northwind/wendy", "T-9")
        assert form.reason == "abc" and form.tried == (Alternative.LOGS,)


async def test_another_tenant_takes_the_chosen_target_away(world: QueueWorld) -> None:
    """A target of another tenant could never be meant."""
    async with asking(world) as (_, pilot, screen):
        await choose(pilot, "northw", "wen")
        tenant = screen.query_one("#tenant", TypeAhead)
        tenant.focus_input()
        tenant.query_one(Input).value = ""
        await pilot.press(*"conto", "enter")
        await pilot.pause()
        assert tenant.chosen == "contoso" and screen.query_one("#target", TypeAhead).chosen is None


async def test_every_field_is_reached_by_tab_on_a_small_screen_and_scrolled_to(world: QueueWorld) -> None:
    """ux.md, principle 6: 80×24 is a real size."""
    async with asking(world, NARROW) as (_, pilot, screen):
        await choose(pilot, "northw", "wen")
        reached = []
        for _ in range(14):
            focused = screen.focused
            assert focused is not None
            reached.append(focused.id or (focused.parent.id if focused.parent else ""))
            assert focused.region.bottom <= screen.query_one(AccessForm).region.bottom
            await pilot.press("tab")
            await pilot.pause()
        assert {
            "ticket",
            "reason",
            "tried-logs",
            "why-not",
            "scope",
            "records",
            "mode-full",
            "minutes",
            "urgent",
        } <= set(reached)


async def test_f2_turns_to_the_explanation_on_a_small_screen(world: QueueWorld) -> None:
    async with asking(world, NARROW) as (_, pilot, screen):
        assert not screen.query_one("#explain").display
        await pilot.press("f2")
        await pilot.pause()
        assert screen.query_one("#explain").display and not screen.query_one(AccessForm).display
        await pilot.press("escape")
        await pilot.pause()
        assert screen.query_one(AccessForm).display


async def test_asking_again_is_prefilled_and_names_the_earlier_request(world: QueueWorld) -> None:
    """REQ-114."""
    denied = await world.ask(ANN, "northwind", "wendy", "T-1002", mode="full")
    await world.decide(denied, LinkKind.DENY, "please be more precise")
    app = QueueApp(world, ANN)
    async with app.run_test(size=WIDE) as pilot:
        await settled(pilot)
        app.queue.go_to(denied)
        await settled(pilot)
        await pilot.press("r")
        await settled(pilot)
        screen = app.screen
        assert isinstance(screen, NewRequestScreen)
        await judged(pilot)
        form = screen.form.values()
        assert (form.tenant_id, form.target_id, form.again_of) == ("northwind", "northwind/wendy", denied)
        assert form.mode is Mode.FULL and form.ticket == "T-1002" and "ready" in explained(screen)
        await pilot.press("ctrl+s")
        await settled(pilot)
        await pilot.press(*world.code(ANN), "enter")
        await settled(pilot)
        assert only_request(world).again_of == denied and only_request(world).state is RequestState.PENDING


async def test_what_is_pasted_reaches_the_screen_harmless(world: QueueWorld) -> None:
    """Terminal injection by paste: a customer's ticket may carry escape sequences."""
    async with asking(world) as (_, pilot, screen):
        screen.query_one("#ticket", LineEntry).focus()
        await pilot.pause()
        pilot.app.post_message(events.Paste("T-1\x1b]52;c;aGk=\x07\n\x9b2J"))
        await pilot.pause()
        screen.query_one("#reason", TextEntry).focus()
        await pilot.pause()
        pilot.app.post_message(events.Paste("one\x1b[2J\r\ntwo\u202e"))
        await judged(pilot)
        ticket, reason = screen.query_one("#ticket", LineEntry).value, screen.query_one("#reason", TextEntry).text
        assert "\x1b" not in ticket + reason and "\x9b" not in ticket and "\u202e" not in reason
        assert reason.count("\n") == 1
