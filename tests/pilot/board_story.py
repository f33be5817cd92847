"""A morning on the board, by the real commands: Ann is inside Northwind and has looked beyond her scope, Raj is inside
Contoso by standing consent, Dana's time is over and she owes the outcome, and one session of Ann's has ended."""

from __future__ import annotations

from dataclasses import dataclass

from textual.app import App

from app.services import endings, sessions
from screens.context import ConsoleContext
from screens.main import MainScreen
from screens.review import ReviewScreen
from screens.sessions import SessionsScreen
from screens.tenants import TenantsScreen
from storage.models import LinkKind, ViewKind
from tests.pilot.queue_world import ANN, DANA, RAJ, QueueWorld
from widgets.themes import THEMES


@dataclass(frozen=True)
class Morning:
    """The ids of its sessions."""

    ended: str
    owed: str
    ann: str
    raj: str


async def tell_morning(world: QueueWorld) -> Morning:
    """Everything up to 30 minutes after Dana's session began; Ann has some minutes left, Raj a little more."""
    ended = await inside(world, ANN, "northwind", "wendy", "T-47990", minutes=20)
    await world.run(
        endings.end, world.actor(ANN), ended, "a webhook was lost", "nothing", "no", "replay the webhook", True
    )
    world.clock.advance(minutes=40)
    owed = await inside(world, DANA, "fabrikam", "lena", "T-48102", minutes=15)
    ann = await inside(world, ANN, "northwind", "wendy", "T-48271", minutes=30)
    actor = world.actor(ANN)
    await world.run(sessions.log_view, actor, ann, ViewKind.RECORD, "refund 8841", ("status", "payout date"))
    world.clock.advance(minutes=2)
    await world.run(sessions.log_view, actor, ann, ViewKind.SEARCH, "payments of 2 March", (), 137)
    world.clock.advance(minutes=1)
    await world.run(sessions.log_view, actor, ann, ViewKind.RECORD, "booking 7741", ("traveller",), 1, False)
    raj = await inside(world, RAJ, "contoso", "tom", "T-48300", minutes=25)
    world.clock.advance(minutes=9, seconds=18)
    return Morning(ended, owed, ann, raj)


async def inside(world: QueueWorld, who: str, tenant: str, target: str, ticket: str, *, minutes: int = 30) -> str:
    """A running session, by the tenant's consent; its id."""
    request = await world.ask(who, tenant, target, ticket, minutes=minutes)
    if tenant != "contoso":
        await world.decide(request, LinkKind.APPROVE)
    return await world.start(who, request)


class BoardApp(App[None]):
    """One person's console with one main screen: themes as in the console, everything else handed in."""

    CSS = "* { scrollbar-size-vertical: 1; scrollbar-size-horizontal: 1; }"

    def __init__(self, world: QueueWorld, email: str, screen: str = "sessions", theme: str = "dark") -> None:
        super().__init__()
        for one in THEMES:
            self.register_theme(one)
        self.theme = theme
        self.animation_level = "none"
        self.world = world
        self.context: ConsoleContext = world.context(email)
        kinds: dict[str, type[MainScreen]] = {
            "sessions": SessionsScreen,
            "tenants": TenantsScreen,
            "review": ReviewScreen,
        }
        self.add_mode(screen, lambda: kinds[screen](self.context))
        self.copied = ""
        self._first = screen

    async def on_mount(self) -> None:
        await self.switch_mode(self._first)

    def copy_to_clipboard(self, text: str) -> None:
        self.copied = text

    async def came_in(self) -> None:
        """What the console does when sync has applied something."""
        await self.world.sync.pull()
        self.context.generation += 1
        self.context.changes = None
        self.main.catch_up()

    def tick(self) -> None:
        """What the console's one timer does."""
        self.main.tick(self.context.now())

    @property
    def main(self) -> MainScreen:
        return next(screen for screen in self.screen_stack if isinstance(screen, MainScreen))

    @property
    def board(self) -> SessionsScreen:
        assert isinstance(self.main, SessionsScreen)
        return self.main

    @property
    def tenants(self) -> TenantsScreen:
        assert isinstance(self.main, TenantsScreen)
        return self.main
