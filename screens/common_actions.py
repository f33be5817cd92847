"""The acts that every main screen has: going elsewhere, help, palette, clock, state, signing in, leaving."""

from __future__ import annotations

from datetime import UTC

from textual.screen import Screen

from screens.context import ConsoleContext
from screens.leaving import what_runs
from screens.status_line import state_in_full
from widgets.dialog import Confirm, Notice
from widgets.kept import Kept


class CommonActions(Screen[None], Kept):
    """What `MainScreen` stands on; each method is the act of one action in `screens.actions.COMMON`."""

    context: ConsoleContext

    def catch_up(self, force: bool = False) -> None:
        """Reload if something has come in since this screen was last loaded, or in any case."""

    def do_queue(self) -> None:
        self.app.switch_mode("queue")

    def do_sessions(self) -> None:
        self.app.switch_mode("sessions")

    def do_audit(self) -> None:
        self.app.switch_mode("audit")

    def do_tenants(self) -> None:
        self.app.switch_mode("tenants")

    def do_review(self) -> None:
        self.app.switch_mode("review")

    def do_zone(self) -> None:
        self.context.zone = None if self.context.utc else UTC
        self.context.generation += 1
        self.catch_up(force=True)

    def do_palette(self) -> None:
        self.app.action_command_palette()

    def do_status(self) -> None:
        title, words, alarm = state_in_full(self.context)
        self.app.push_screen(Notice(title, words, danger=alarm, wide=True))

    def do_outbox(self) -> None:
        from screens.outbox import OutboxDialog

        self.app.clear_notifications()  # what they said stands here, in full, and they would lie over it
        self.app.push_screen(OutboxDialog(self.context))

    def do_help(self) -> None:
        from screens.help import help_for  # read when asked for, not before the first frame
        from screens.main import MainScreen

        if isinstance(self, MainScreen):
            self.app.push_screen(help_for(self))

    async def do_sign_in(self) -> None:
        from screens.sign_in import sign_in

        await sign_in(self.app, self.context)

    async def do_quit(self) -> None:
        running = what_runs(self.context)
        if running:
            question = Confirm("Leave the console?", running + "\n\nIt goes on without the console.")
            if not await self.app.push_screen_wait(question):
                return
        self.app.exit()
