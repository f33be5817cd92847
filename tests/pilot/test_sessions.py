"""The countdown board by keys, on a real small world (REQ-202, 203, 204, 205, 206, 210)."""

from __future__ import annotations

from dataclasses import replace

from textual.pilot import Pilot
from textual.widgets import Checkbox, Input, TextArea

from app.services import endings, sessions
from screens.request_note import NoteDialog
from screens.session_dossier import DossierDialog
from screens.session_forms import LogViewForm, OutcomeForm
from screens.step_up import StepUpDialog
from storage.models import EndKind, Mode, Session, ViewKind
from storage.replica.queries.sessions import decisions_on
from tests.pilot.board_story import BoardApp, Morning, inside
from tests.pilot.queue_world import ANN, DANA, RAJ, VERA, QueueWorld

WIDE = (200, 50)


def session_of(world: QueueWorld, key: str) -> Session:
    found = world.replica.view("test").get(Session, key)
    assert found is not None
    return found


async def until(pilot: Pilot[None], condition: object, what: str) -> None:
    """Wait for a condition, never for a time."""
    for _ in range(400):
        if condition():  # type: ignore[operator]
            return
        await pilot.pause(0.01)
    raise AssertionError(f"never came: {what}")


async def back(pilot: Pilot[None]) -> None:
    """Until every dialog has closed and what they asked for is done."""
    app = pilot.app
    await until(pilot, lambda: len(app.screen_stack) == 1 and not any(one.is_running for one in app.workers), "back")


async def dialog(pilot: Pilot[None], kind: type) -> object:
    await until(pilot, lambda: isinstance(pilot.app.screen, kind) and pilot.app.screen.is_mounted, kind.__name__)
    await pilot.pause()
    return pilot.app.screen


async def give_code(pilot: Pilot[None], world: QueueWorld, email: str) -> None:
    world.clock.advance(minutes=1)
    screen = await dialog(pilot, StepUpDialog)
    screen.query_one("#step-up-code", Input).value = world.code(email)  # type: ignore[attr-defined]
    await pilot.press("enter")


def row_text(app: BoardApp, key: str) -> str:
    """The cells of a session's line, as drawn now."""
    from widgets.cells import drawn

    app.board.table.move_to(key)
    row = app.board.table.cursor_row
    assert row is not None
    return " | ".join(drawn(cell, app.context.now(), 20).text for cell in row.cells)


async def test_the_board_groups_running_owed_and_ended_sessions(world: QueueWorld, morning: Morning) -> None:
    app = BoardApp(world, DANA)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        table = app.board.table
        assert table.count == 3 + 4
        assert table.cursor_key == morning.owed, "one's own session is what one comes for"
        assert "14:42" in row_text(app, morning.raj)
        assert "over" in row_text(app, morning.owed)
        assert "ended" in row_text(app, morning.ended)
        assert "⚠1" in row_text(app, morning.ann)
        assert "2/~2" in row_text(app, morning.ann) or "/~2" in row_text(app, morning.ann)


async def test_a_row_whose_time_is_over_says_so_at_that_second_though_nobody_recorded_it(
    world: QueueWorld, morning: Morning
) -> None:
    """REQ-203."""
    app = BoardApp(world, DANA)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        left = session_of(world, morning.ann).expires_at - world.clock.now()
        world.clock.advance(left)
        assert "over" in row_text(app, morning.ann)
        app.tick()
        await pilot.pause()
        assert session_of(world, morning.ann).ended_at is None, "no process has recorded it"
        assert "over" in row_text(app, morning.ann)
        line = app.board._board.line(morning.ann)
        assert line is not None and line.group == "owed"
        assert "outcome owed" in app.board.panel.text


async def test_a_passing_second_repaints_time_cells_only(world: QueueWorld, morning: Morning) -> None:
    app = BoardApp(world, DANA)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        asked: list[str] = []
        world.replica.reader.set_trace_callback(asked.append)
        world.clock.advance(seconds=1)
        app.board.on_tick(app.context.now())
        world.replica.reader.set_trace_callback(None)
        assert asked == [], "a second that passes reads nothing"


async def test_a_view_arrives_in_the_feed_without_moving_the_cursor(world: QueueWorld, morning: Morning) -> None:
    """REQ-210."""
    app = BoardApp(world, DANA)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        app.board.table.move_to(morning.raj)
        await pilot.pause()
        feed = app.board.query_one("#feed")
        assert feed.count == 0  # type: ignore[attr-defined]
        await world.run(
            sessions.log_view, world.actor(RAJ), morning.raj, ViewKind.FILE, "other-customer.pdf", (), 1, False
        )
        await app.came_in()
        await pilot.pause()
        assert feed.count == 1  # type: ignore[attr-defined]
        assert app.board.session_id == morning.raj
        assert "1 beyond the declared scope" in app.board.panel.text
        assert "⚠1" in row_text(app, morning.raj)


async def test_the_engineer_logs_a_view_by_keys(world: QueueWorld, morning: Morning) -> None:
    """REQ-205."""
    app = BoardApp(world, ANN)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        await pilot.press("m", "l")
        form = await dialog(pilot, LogViewForm)
        await pilot.press(*"refund 8842", "tab", *"status, amount", "ctrl+s")
        await back(pilot)
        await app.came_in()
        assert form is not app.screen
        assert session_of(world, morning.ann).views == 4
        assert session_of(world, morning.ann).last_viewed == "record refund 8842"


async def test_a_view_without_a_name_is_not_logged_and_the_form_says_what_is_missing(
    world: QueueWorld, morning: Morning
) -> None:
    app = BoardApp(world, ANN)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        await pilot.press("m", "l")
        await dialog(pilot, LogViewForm)
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert isinstance(app.screen, LogViewForm)
        assert session_of(world, morning.ann).views == 3


async def test_ending_asks_for_the_outcome_and_closes_the_ticket_in_the_same_step(
    world: QueueWorld, morning: Morning
) -> None:
    """REQ-206."""
    app = BoardApp(world, ANN)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        await pilot.press("m", "x")
        form = await dialog(pilot, OutcomeForm)
        assert form.query_one("#beyond", Input).value == "", "something was beyond the scope: it must be said"  # type: ignore[attr-defined]
        await pilot.press(*"webhook lost", "ctrl+s")
        await pilot.pause()
        assert isinstance(app.screen, OutcomeForm), "beyond scope is missing"
        form.query_one("#beyond", Input).value = "one booking of the same traveller"  # type: ignore[attr-defined]
        await pilot.press("ctrl+s")
        await back(pilot)
        session = session_of(world, morning.ann)
        assert session.end_kind is EndKind.ENGINEER
        assert session.outcome is not None and session.outcome.ticket_closed
        assert session.outcome.changed == "nothing"


async def test_the_owed_outcome_is_the_first_thing_enter_offers(world: QueueWorld, morning: Morning) -> None:
    """REQ-206."""
    app = BoardApp(world, DANA)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        await pilot.press("m")
        assert app.board.session_id == morning.owed
        await pilot.press("enter")
        await dialog(pilot, OutcomeForm)
        await pilot.press(*"not found", "ctrl+s")
        await back(pilot)
        outcome = session_of(world, morning.owed).outcome
        assert outcome is not None and outcome.cause == "not found"


async def test_a_super_force_ends_with_a_reason_and_a_code(world: QueueWorld, morning: Morning) -> None:
    """REQ-204."""
    app = BoardApp(world, DANA)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        app.board.table.move_to(morning.ann)
        await pilot.pause()
        await pilot.press("f")
        note = await dialog(pilot, NoteDialog)
        assert "Ann Lee" in note._title and "Northwind" in note._title  # type: ignore[attr-defined]
        await pilot.press("ctrl+s")
        await pilot.pause()
        assert isinstance(app.screen, NoteDialog), "a reason is needed"
        await pilot.press(*"looked at other bookings", "ctrl+s")
        await give_code(pilot, world, DANA)
        await back(pilot)
        session = session_of(world, morning.ann)
        assert session.end_kind is EndKind.SUPER
        assert session.end_reason == "looked at other bookings"


async def test_leaving_the_code_dialog_keeps_the_reason_that_was_typed(world: QueueWorld, morning: Morning) -> None:
    app = BoardApp(world, DANA)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        app.board.table.move_to(morning.raj)
        await pilot.pause()
        await pilot.press("f")
        await dialog(pilot, NoteDialog)
        await pilot.press(*"too long inside", "ctrl+s")
        await dialog(pilot, StepUpDialog)
        await pilot.press("escape")
        note = await dialog(pilot, NoteDialog)
        assert note.query_one("#note", TextArea).text == "too long inside"  # type: ignore[attr-defined]
        await pilot.press("escape")
        await back(pilot)
        assert session_of(world, morning.raj).ended_at is None


async def test_elevation_is_asked_by_its_engineer_and_countersigned_by_another(
    world: QueueWorld, morning: Morning
) -> None:
    """REQ-202."""
    app = BoardApp(world, RAJ)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        await pilot.press("m", "u")
        await dialog(pilot, NoteDialog)
        await pilot.press(*"payout flag of refund 8841 stuck, needs a manual reset in the live record", "ctrl+s")
        await give_code(pilot, world, RAJ)
        await until(pilot, lambda: session_of(world, morning.raj).elevation is not None, "asked")
        await back(pilot)
        await pilot.press("c")
        await pilot.pause()
        assert app.screen is app.main, "never one's own"

    app = BoardApp(world, DANA)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        app.board.table.move_to(morning.raj)
        await pilot.pause()
        assert "waits for a second person" in app.board.panel.text
        await pilot.press("c")
        await dialog(pilot, NoteDialog)
        await pilot.press("ctrl+s")
        await give_code(pilot, world, DANA)
        await until(pilot, lambda: session_of(world, morning.raj).mode is Mode.FULL, "countersigned")


async def test_a_declined_elevation_leaves_the_session_read_only(world: QueueWorld, morning: Morning) -> None:
    """REQ-202."""
    await world.run(
        sessions.ask_elevation,
        world.actor(RAJ),
        morning.raj,
        "payout flag of refund 8841 stuck, needs a manual reset in the live record",
        otp=world.code(RAJ),
    )
    app = BoardApp(world, DANA)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        app.board.table.move_to(morning.raj)
        await pilot.pause()
        await pilot.press("D")
        await dialog(pilot, NoteDialog)
        await pilot.press(*"ask the tenant to do it", "ctrl+s")
        await back(pilot)
        assert session_of(world, morning.raj).mode is Mode.READ_ONLY


async def test_a_key_that_does_not_apply_says_why_and_who_could(world: QueueWorld, morning: Morning) -> None:
    app = BoardApp(world, VERA)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        app.board.table.move_to(morning.ann)
        await pilot.pause()
        await pilot.press("f")
        await pilot.pause()
        assert app.screen is app.main
        said = " ".join(notice.message for notice in app._notifications)
        assert "a super" in said


async def test_the_dossier_answers_the_five_questions_and_can_be_copied(world: QueueWorld, morning: Morning) -> None:
    """REQ-406."""
    app = BoardApp(world, VERA)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        app.board.table.move_to(morning.ann)
        await pilot.pause()
        await pilot.press("d")
        await dialog(pilot, DossierDialog)
        await pilot.press("y")
        decided = decisions_on(world.replica.reader, session_of(world, morning.ann).request_id)
        for words in ("WHO", "Ann Lee", "WHO APPROVED", decided[0].by_name, "WHICH CASE", "T-48271", "WHAT WAS VIEWED"):
            assert words in app.copied
        assert "refund 8841 (status, payout date)" in app.copied
        assert "outside the scope" in app.copied
        assert "HOW LONG" in app.copied


async def test_on_eighty_columns_enter_opens_the_session_and_escape_goes_back(
    world: QueueWorld, morning: Morning
) -> None:
    app = BoardApp(world, VERA)
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        assert not app.board.panel.display
        await pilot.press("enter")
        assert app.board.panel.display
        await pilot.press("escape")
        assert not app.board.panel.display
        assert app.focused is app.board.table


async def test_the_filter_narrows_the_board_as_one_types(world: QueueWorld, morning: Morning) -> None:
    app = BoardApp(world, DANA)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        await pilot.press("slash", *"contoso")
        await pilot.pause()
        assert app.board.table.count == 2
        await pilot.press("escape")
        await pilot.pause()
        assert app.board.table.count == 7


async def test_a_session_started_elsewhere_joins_the_board_and_the_cursor_stays(
    world: QueueWorld, morning: Morning
) -> None:
    await world.run(
        endings.give_outcome, world.actor(DANA), morning.owed, "it was the proxy", "nothing", "no", "", True
    )
    app = BoardApp(world, RAJ)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        app.board.table.move_to(morning.raj)
        fresh = await inside(world, DANA, "fabrikam", "lena", "T-48400", minutes=15)
        await app.came_in()
        await pilot.pause()
        assert app.board.session_id == morning.raj
        assert app.board.table.move_to(fresh)


async def test_outside_text_is_drawn_as_it_is_and_never_as_markup_or_control(
    world: QueueWorld, morning: Morning
) -> None:
    hostile = "[@click=app.quit]T-1[/] \u202e\u200b [red]"
    before = session_of(world, morning.ann)
    image = replace(before, ticket=hostile, last_viewed="\x1b]52;c;eA==\x07").image()
    writer = world.replica.writer()
    writer.execute("UPDATE session SET image = ? WHERE id = ?", (image, morning.ann))
    app = BoardApp(world, ANN)
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        await pilot.press("m", "x")
        form = await dialog(pilot, OutcomeForm)
        label = str(form.query_one("#ticket-closed", Checkbox).label)  # type: ignore[attr-defined]
        assert "[@click=app.quit]T-1[/]" in label and "\u202e" not in label
        await pilot.press("escape")
        await back(pilot)
        drawn_all = row_text(app, morning.ann) + app.board.panel.text
        assert not any(sign in drawn_all for sign in "\x1b\x07\u202e\u200b")
