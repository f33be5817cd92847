"""The queue in an application of its own: themes and modes as in the console, everything else handed in."""

from __future__ import annotations

from textual.app import App

from screens.context import ConsoleContext
from screens.queue import QueueScreen
from tests.pilot.queue_world import QueueWorld
from widgets.themes import THEMES


class QueueApp(App[None]):
    """One person's console, with the queue alone."""

    def __init__(self, world: QueueWorld, email: str, theme: str = "dark") -> None:
        super().__init__()
        for one in THEMES:
            self.register_theme(one)
        self.theme = theme
        self.animation_level = "none"
        self.world = world
        self.context: ConsoleContext = world.context(email)
        self.add_mode("queue", lambda: QueueScreen(self.context))

    async def on_mount(self) -> None:
        await self.switch_mode("queue")

    async def came_in(self) -> None:
        """What the console does when sync has applied something."""
        await self.world.sync.pull()
        self.context.generation += 1
        self.context.changes = None
        for screen in self.screen_stack:
            if isinstance(screen, QueueScreen):
                screen.catch_up()

    @property
    def queue(self) -> QueueScreen:
        return next(screen for screen in self.screen_stack if isinstance(screen, QueueScreen))
