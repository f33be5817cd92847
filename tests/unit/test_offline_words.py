"""REQ-802: what is read offline is marked with its age, also after days; what is queued is counted beside it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from app.policy.verdict import Finding, Verdict
from app.services import break_glass, emergency, endings, requests, reviews, sessions
from app.services.command import queueable_of
from app.services.desk import Desk
from app.services.desk_words import ADDS_PRIVILEGE, why_not_kept
from screens import queue, review
from screens import sessions as board
from screens.context import ConsoleContext
from screens.request_acts import Act
from screens.session_rules import SessionFacts
from screens.status_line import state_in_full, status_of
from storage.clock import Clock
from storage.models import Actor, ActorKind
from storage.outbox import Kept, KeptState, Outbox
from storage.shared.change import Change
from storage.shared.interface import SharedDatabase
from storage.sync_status import SyncStatus
from tests.clock import ManualClock

ANN = Actor(ActorKind.STAFF, "U-ANN", "Ann Lee", "ann@ops.example")


def context(clock: ManualClock, status: SyncStatus, outbox: Outbox | None = None) -> ConsoleContext:
    desk = cast(Desk, SimpleNamespace(outbox=outbox))
    return ConsoleContext(cast(Clock, clock), zone=UTC, desk=desk, sync_status=lambda: status)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("age", "words"),
    [
        (timedelta(seconds=42), "OFFLINE 42s — reading the copy"),
        (timedelta(minutes=4), "OFFLINE 4m — reading the copy"),
        (timedelta(hours=3, minutes=5), "OFFLINE 3h 05m — reading the copy"),
        (timedelta(days=1, hours=2), "OFFLINE 1d 2h — reading the copy"),
        (timedelta(days=9), "OFFLINE 9d 0h — reading the copy"),
    ],
)
def test_how_long_it_has_been_out_of_reach(clock: ManualClock, age: timedelta, words: str) -> None:
    now = clock.now()
    assert status_of(context(clock, SyncStatus(offline_since=now - age, last_pull=now - age))).note == words


def test_what_is_queued_and_what_came_back_is_counted(clock: ManualClock, tmp_path: Path) -> None:
    outbox, now = Outbox(tmp_path / "outbox.db"), clock.now()
    for name in ("a", "b", "c"):
        outbox.keep(Kept(name, "request.withdraw", (f"R-{name}",), ANN, {}, 7, now))
    offline = context(clock, SyncStatus(offline_since=now - timedelta(minutes=4), last_pull=now), outbox)
    assert status_of(offline).note == "OFFLINE 4m — reading the copy · 3 queued, not in force"
    outbox.settle("a", KeptState.CONFLICT, "R-a was denied by Maria Santos", now)
    outbox.settle("b", KeptState.SENT, "in force", now)
    live = context(clock, SyncStatus(live=True, last_pull=now), outbox)
    assert status_of(live).note == "1 queued, not in force · 1 not applied: press O · live"
    outbox.saw(("a", "b"))
    outbox.settle("c", KeptState.SENT, "in force", now)
    assert status_of(live).note == "live"


def test_changes_that_are_seen_by_polling_alone_are_said_to_be(clock: ManualClock) -> None:
    """Issue 3, section 1: through a pooler in transaction mode, and saying so."""
    live = context(clock, SyncStatus(live=True, last_pull=clock.now()))
    for listening, words in ((None, "live"), (True, "live"), (False, "live, by polling")):
        live.shared = cast(SharedDatabase, SimpleNamespace(listening=listening))
        assert status_of(live).note == words
    assert "seen by polling, about a second late" in state_in_full(live)[1].plain


def test_what_is_settled_stays_settled(tmp_path: Path) -> None:
    outbox, now = Outbox(tmp_path / "outbox.db"), datetime(2026, 3, 2, 9, tzinfo=UTC)
    one = Kept("a", "request.withdraw", ("R-a",), ANN, {"note": "café ☕"}, 7, now)
    outbox.keep(one)
    outbox.keep(one)
    assert Outbox(outbox.path).items() == (one,)
    outbox.settle("a", KeptState.SENT, "in force", now)
    outbox.settle("a", KeptState.REFUSED, "too late", now)
    outbox.waits_because("a", "clock")
    (kept,) = outbox.items()
    assert (kept.state, kept.words) == (KeptState.SENT, "in force")


def test_what_has_not_failed_yet_is_not_offline(clock: ManualClock) -> None:
    """ux.md, "Honest state": a console that has just been started is connecting."""
    assert status_of(context(clock, SyncStatus())).note == "connecting — reading the copy"


COMMANDS: dict[object, Callable[..., Change]] = {
    Act.START: sessions.start,
    Act.COUNTERSIGN: requests.countersign,
    Act.DECLARE: break_glass.declare,
    Act.EMERGENCY: emergency.declare,
    Act.ANSWER: requests.answer,
    SessionFacts.force_end: endings.force_end,
    SessionFacts.elevate: sessions.ask_elevation,
    SessionFacts.countersign: sessions.countersign_elevation,
}


def test_a_key_says_beforehand_what_its_command_would_say_offline() -> None:
    """Whoever ends somebody's session in a hurry types no reason for nothing; what is kept is never refused."""
    said: dict[object, str] = {**queue.NEEDS_DATABASE, **board.NEEDS_DATABASE}
    assert said == {key: why_not_kept(command) for key, command in COMMANDS.items()}
    assert why_not_kept(reviews.sign) == review.NEEDS_DATABASE
    assert why_not_kept(requests.create) == ADDS_PRIVILEGE
    kept = (requests.withdraw, requests.decline, endings.end, endings.give_outcome, sessions.log_view)
    assert all(queueable_of(command) for command in kept) and not any(queueable_of(one) for one in COMMANDS.values())


@pytest.mark.parametrize(
    ("status", "reached"),
    [
        (SyncStatus(), True),
        (SyncStatus(live=True), True),
        (SyncStatus(offline_since=datetime(2026, 3, 2, 14, 3, 7, tzinfo=UTC)), False),
    ],
)
def test_nothing_is_refused_beforehand_that_has_not_been_tried(
    clock: ManualClock, status: SyncStatus, reached: bool
) -> None:
    verdict = context(clock, status).within_reach(Verdict(), ADDS_PRIVILEGE)
    assert verdict.allowed is reached
    assert reached or verdict.why() == f"offline since 14:03:07 UTC: {ADDS_PRIVILEGE}"
    other = Verdict((Finding("REQ-701", False, "nobody is signed in"),))
    assert context(clock, status).within_reach(other, ADDS_PRIVILEGE) == other, (
        "what stands in the way anyway comes first"
    )
