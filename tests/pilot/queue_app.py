"""The queue in an application of its own: themes and modes as in the console, everything else handed in; and the words
in which a test says what it sees.
"""

from __future__ import annotations

from typing import Any

from textual.app import App
from textual.pilot import Pilot
from textual.screen import Screen
from textual.widgets import Static

from screens.context import ConsoleContext
from screens.main import MainScreen
from screens.queue import QueueScreen
from tests.pilot.queue_world import QueueWorld
from widgets.themes import THEMES


class ElsewhereScreen(MainScreen):
    """Stands in for the other main screens."""

    MODE = "sessions"


class QueueApp(App[None]):
    """One person's console, with the queue alone."""

    CSS = "* { scrollbar-size-vertical: 1; scrollbar-size-horizontal: 1; }"

    def __init__(self, world: QueueWorld, email: str, theme: str = "dark") -> None:
        super().__init__()
        for one in THEMES:
            self.register_theme(one)
        self.theme = theme
        self.animation_level = "none"
        self.world = world
        self._told: list[str] = []
        self.context: ConsoleContext = world.context(email)
        self.add_mode("queue", lambda: QueueScreen(self.context))
        self.add_mode("sessions", lambda: ElsewhereScreen(self.context))

    async def on_mount(self) -> None:
        await self.switch_mode("queue")

    async def came_in(self) -> None:
        """What the console does when sync has applied something."""
        await self.world.sync.pull()
        self.context.generation += 1
        self.context.changes = None
        self.queue.catch_up()

    @property
    def queue(self) -> QueueScreen:
        return next(screen for screen in self.screen_stack if isinstance(screen, QueueScreen))

    def hint(self, action_id: str) -> str:
        """The words that the footer has for an action now."""
        return self.queue.label_of(next(one for one in self.queue.every_action() if one.id == action_id))

    def told(self) -> str:
        """Every notification so far."""
        return "\n".join(self._told)

    def notify(self, message: str, *, title: str = "", **how: Any) -> None:
        self._told.append(f"{title} {message}")
        super().notify(message, title=title, **how)

    def top_title(self) -> str:
        """The title of the dialog in front."""
        return self._static("#dialog-title")

    def problem(self) -> str:
        """What the dialog in front finds wrong."""
        return self._static("#dialog-problem")

    def notice(self) -> str:
        """What the notice in front says."""
        return str(self.screen.query_one("#dialog-body Static", Static).content)

    def summary(self) -> str:
        return str(self.queue.query_one("#list-summary", Static).content)

    def _static(self, selector: str) -> str:
        return str(self.screen.query_one(selector, Static).content)


async def settled(pilot: Pilot[None]) -> Screen[object]:
    """Until every act has finished or waits for a person in a screen of its own; answers the screen in front."""
    app = pilot.app
    while True:
        await pilot.pause()
        acting = [worker for worker in app.workers if worker.is_running]
        if len(acting) <= len(app.screen_stack) - 1:
            await pilot.pause()
            return app.screen
