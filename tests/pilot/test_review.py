"""The review screen by keys: what waits, the evidence, and a signature by somebody uninvolved (REQ-109, REQ-502)."""

from __future__ import annotations

import pytest

from screens.request_note import NoteDialog
from screens.review import ReviewScreen
from screens.session_dossier import DossierDialog
from storage.models import Review
from tests.pilot.board_story import BoardApp
from tests.pilot.queue_world import ANN, DANA, VERA, QueueWorld
from tests.pilot.review_story import CLAIM, FINDING, HARM, SUE, Waiting, tell_reviews
from tests.pilot.test_sessions import back, until
from widgets.text_entry import TextEntry

WIDE = (200, 50)


@pytest.fixture
async def waiting(world: QueueWorld) -> Waiting:
    return await tell_reviews(world)


def screen_of(app: BoardApp) -> ReviewScreen:
    assert isinstance(app.main, ReviewScreen)
    return app.main


def row(world: QueueWorld, key: str) -> Review:
    found = world.replica.view("preview").get(Review, key)
    assert found is not None
    return found


async def test_what_is_due_first_stands_on_top_and_what_is_overdue_shows(world: QueueWorld, waiting: Waiting) -> None:
    """REQ-502: what is overdue shows, by time alone."""
    app = BoardApp(world, VERA, "review")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        review = screen_of(app)
        assert review.table.cursor_key == waiting.dispute
        keys = (waiting.dispute, waiting.emergency, waiting.signed)
        assert [review.source.index_of(key) for key in keys] == [1, 2, 4], "a heading stands over each group"
        world.clock.advance(hours=24)
        review.read_list()
        await pilot.pause()
        assert "1 overdue" in str(review.query_one("#list-summary").render())
        assert "overdue: sign it now" in review.panel.text


async def test_the_evidence_stands_beside_it(world: QueueWorld, waiting: Waiting) -> None:
    """REQ-502, ux.md: every claim can be opened; the disputed entry, the request, what the tenant's log says."""
    app = BoardApp(world, VERA, "review")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        review = screen_of(app)
        shown = review.panel.text
        for words in (CLAIM[:40], "record.viewed", "Ann Lee", "session.started"):
            assert words in " ".join(shown.split()), words
        review.table.move_to(waiting.emergency)
        await pilot.pause()
        shown = " ".join(review.panel.text.split())
        for words in (HARM[:60], "data loss", "Dana Wolf", "Sue Hart", "emergency.countersigned"):
            assert words in shown, words


async def test_somebody_uninvolved_signs_with_a_finding(world: QueueWorld, waiting: Waiting) -> None:
    """REQ-109, REQ-502: by keys; it moves to the signed ones, and the finding stands there."""
    app = BoardApp(world, VERA, "review")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        await pilot.press("s")
        await until(pilot, lambda: isinstance(app.screen, NoteDialog), "the dialog")
        await pilot.press(*"fine", "ctrl+s")
        await until(pilot, lambda: isinstance(app.screen, NoteDialog), "asked again")
        note = app.screen.query_one("#note", TextEntry)
        assert note.text == "fine", "as it was typed"
        note.text = FINDING
        await pilot.press("ctrl+s")
        await until(pilot, lambda: row(world, waiting.dispute).signed_at is not None, "signed")
        await back(pilot)
        assert row(world, waiting.dispute).finding == FINDING
        assert "1 to be signed" in str(screen_of(app).query_one("#list-summary").render())


@pytest.mark.parametrize(
    ("who", "words"),
    [(DANA, "was part of it"), (SUE, "was part of it"), (ANN, "signed by a super or an auditor")],
)
async def test_whoever_was_part_of_it_is_told_why_not(
    world: QueueWorld, waiting: Waiting, who: str, words: str
) -> None:
    """REQ-502: never whom it concerns; the key stays visible and says why."""
    app = BoardApp(world, who, "review")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        review = screen_of(app)
        review.table.move_to(waiting.emergency)
        await pilot.pause()
        assert words in review.can_sign().why()
        await pilot.press("s")
        await pilot.pause()
        assert app.screen is review, "no dialog"


async def test_the_dossier_opens_from_the_review(world: QueueWorld, waiting: Waiting) -> None:
    """REQ-406: the five questions of the session that is judged."""
    app = BoardApp(world, VERA, "review")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        await pilot.press("d")
        await pilot.pause()
        assert isinstance(app.screen, DossierDialog)


async def test_the_filter_finds_by_words(world: QueueWorld, waiting: Waiting) -> None:
    """ux.md: filter everywhere."""
    app = BoardApp(world, VERA, "review")
    async with app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        await pilot.press("slash", *"contoso")
        await pilot.pause()
        review = screen_of(app)
        assert review.source.index_of(waiting.dispute) is None and review.source.index_of(waiting.signed) is not None
