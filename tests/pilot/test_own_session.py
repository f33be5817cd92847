"""What the engineer is told when others act on their session, whichever screen they look at (REQ-202, REQ-204)."""

from __future__ import annotations

from typing import cast

from app.console import CountersignApp
from app.console_own import OwnSession
from app.services import endings, sessions
from tests.pilot.board_story import Morning
from tests.pilot.queue_world import ANN, DANA, RAJ, QueueWorld

ELEVATION = "payout flag of refund 8841 stuck, needs a manual reset in the live record"


class Listener:
    """Stands where the application stands, and remembers what it is told to say."""

    def __init__(self) -> None:
        self.said: list[str] = []
        self.bells = 0

    def bell(self) -> None:
        self.bells += 1

    def notify(self, words: str, **_: object) -> None:
        self.said.append(words)

    def set_terminal_title(self, title: str) -> None:
        """Nobody looks at it here."""


async def test_a_force_end_is_told_to_its_engineer_with_who_and_why(world: QueueWorld, morning: Morning) -> None:
    heard = Listener()
    own, context = OwnSession(cast(CountersignApp, heard)), world.context(ANN)
    own.look(context)
    await world.run(endings.force_end, world.actor(DANA), morning.ann, "looked at other bookings", otp=world.code(DANA))
    own.look(context)
    own.look(context)
    assert len(heard.said) == 1 and heard.bells == 1
    assert "Dana Wolf" in heard.said[0] and "looked at other bookings" in heard.said[0]
    assert "outcome is owed" in heard.said[0]


async def test_ones_own_end_is_not_told(world: QueueWorld, morning: Morning) -> None:
    heard = Listener()
    own, context = OwnSession(cast(CountersignApp, heard)), world.context(ANN)
    own.look(context)
    await world.run(endings.end, world.actor(ANN), morning.ann, "webhook", "nothing", "one booking", "", True)
    own.look(context)
    assert heard.said == []


async def test_a_decision_on_an_elevation_is_told_once(world: QueueWorld, morning: Morning) -> None:
    heard = Listener()
    own, context = OwnSession(cast(CountersignApp, heard)), world.context(RAJ)
    await world.run(sessions.ask_elevation, world.actor(RAJ), morning.raj, ELEVATION, otp=world.code(RAJ))
    own.look(context)
    await world.run(sessions.decline_elevation, world.actor(DANA), morning.raj, "let the tenant do it")
    own.look(context)
    own.look(context)
    assert [words for words in heard.said if "declined by Dana Wolf" in words] == heard.said
    assert len(heard.said) == 1
