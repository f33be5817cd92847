"""The Textual application: thin. It shows the skeleton first, then the replica's list, then loads the rest behind it.

Nothing touches the database before the first frame. The replica opens with the standard library alone; what is heavy
(SQLAlchemy, the desk) is imported in a thread afterwards, then sync runs as one named worker and publishes what comes
in. One timer ticks the screen in front, and only that.
"""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
from collections.abc import Awaitable, Callable
from datetime import UTC
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual.app import App, ScreenStackError
from textual.binding import Binding, BindingType
from textual.worker import WorkerFailed

from app.console_modes import MODES
from app.console_outbox import OutboxWatch
from app.console_own import OwnSession
from app.launch import Launch
from app.terminal import Terminal
from screens.context import ConsoleContext
from screens.main import MainScreen
from screens.palette import ActionsProvider
from storage.clock import SharedClock
from storage.errors import CountersignError
from storage.models import Staff
from widgets.text import visible
from widgets.themes import DEFAULT, THEMES

if TYPE_CHECKING:
    from app.bootstrap import Workplace
    from storage.sync import ChangeSet, SyncStatus

TICK_SECONDS = 1.0


class CountersignApp(App[None]):
    """The console on one workplace. `on_ready` is called once everything is open: the demo adds its own there."""

    TITLE = "Countersign"
    DEFAULT_MODE = "queue"
    COMMANDS = {ActionsProvider}  # noqa: RUF012  # Textual's own declaration is a plain set
    BINDINGS: ClassVar[list[BindingType]] = [Binding("ctrl+q", "quit", "Quit at once", show=False, id="app.quit-now")]
    CSS = "* { scrollbar-size-vertical: 1; scrollbar-size-horizontal: 1; }"

    def __init__(self, launch: Launch, *, on_ready: Callable[[CountersignApp, Workplace], None] | None = None) -> None:
        no_color = "NO_COLOR" in os.environ
        # Textual picks its colour filter before a theme is known: told now, it strips colour; else it paints grey.
        super().__init__(ansi_color=True if no_color else None)
        self.animation_level = "none"
        for theme in THEMES:
            self.register_theme(theme)
        look = launch.console
        wanted = str(look.get("theme", DEFAULT))
        self.theme = "ansi" if no_color else wanted if wanted in self.available_themes else DEFAULT
        keys = look.get("keys")
        self.launch = launch
        self.context = ConsoleContext(
            SharedClock(),
            keymap={str(k): str(v) for k, v in keys.items()} if isinstance(keys, dict) else {},
            zone=UTC if look.get("clock") == "utc" else None,
            sync_status=self._sync_status,
            sign_in=self.signed_in,
            log_file=str(launch.paths.log_file),
            evidence=str(launch.paths.evidence),
            fixed_identity=launch.fixed_identity or "",
        )
        self.workplace: Workplace | None = None
        self._crash: BaseException | None = None
        self._on_ready = on_ready
        self._own = OwnSession(self)
        self._outbox = OutboxWatch(self)
        self._terminal = Terminal()
        self._greet: Callable[[], Awaitable[None]] | None = None
        for mode, make in MODES.items():
            self.add_mode(mode, partial(make, self.context))

    # -- start, in the order in which a person sees it ------------------------------------------------------------

    def on_mount(self) -> None:
        if self.context.keymap:
            self.set_keymap(dict(self.context.keymap))
        self.call_after_refresh(self._first_frame_shown)

    def _first_frame_shown(self) -> None:
        self.set_interval(TICK_SECONDS, self._tick, name="the one timer")
        self.run_worker(self._start(), name="start, then sync", group="sync")

    async def _start(self) -> None:
        """The copy of last time, then everything, then sync for as long as the console is open."""
        from app.console_first import confirm_first_run, first_run

        try:
            made = await first_run(self, self.launch)
            await self._open_replica()
            workplace = await self._connect()
        except CountersignError as error:
            self.context.loading = visible(str(error))
            self.tell_error(error)
            return
        finally:
            gc.enable()
        self._greet = partial(confirm_first_run, self, self.context, made) if made else self._ask_who
        self.run_worker(self._keep_up(workplace), name="upkeep", group="upkeep")
        await workplace.sync.run(self.published)

    async def _open_replica(self) -> None:
        from app.bootstrap import open_replica

        if self.launch.replica_path.exists():
            self.context.replica = open_replica(self.launch)
        else:  # only a new file needs the heavy schema modules
            self.context.replica = await asyncio.to_thread(open_replica, self.launch)
        self.context.loading = "connecting"
        self._know_me()
        self._refresh_all()

    async def _connect(self) -> Workplace:
        """What is heavy: loaded in a thread, opened, and then left alone by the garbage collector."""
        from app.bootstrap import open_workplace
        from app.console_loading import furnish, load_heavy

        await asyncio.to_thread(load_heavy, self.launch.on_postgres)
        workplace = await open_workplace(self.launch, self.context.replica)
        self.workplace = workplace
        furnish(self.context, workplace)
        gc.collect()
        gc.set_threshold(20_000, 20, 50)  # a repaint makes thousands of short-lived values
        gc.freeze()  # a full collection over the loaded modules is the latency tail (p99 49 ms against 13)
        self.context.generation += 1
        self._know_me()
        self._refresh_all()
        if self._on_ready is not None:
            self._on_ready(self, workplace)
        return workplace

    async def _keep_up(self, workplace: Workplace) -> None:
        from app.upkeep import keep_up

        await keep_up(workplace)

    async def _ask_who(self) -> None:
        from screens.sign_in import sign_in

        me = self.workplace.logged_in() if self.workplace is not None else None
        if me is not None:  # a server's log-in says who we are
            if me != self.context.staff:
                self.signed_in(me)
        elif self.context.staff is None:
            await sign_in(self, self.context)

    def _know_me(self) -> None:
        """Be who was told or remembered, if the replica knows that person and they may still act."""
        from storage.replica.queries.mine import staff_by_email

        email, context = self.launch.identity, self.context
        if context.replica is None:
            return
        email = context.staff.email if context.staff is not None else email
        staff = staff_by_email(context.reader, email) if email else None
        if staff is not None and staff.is_active(context.now()):
            if staff != context.staff:
                self.signed_in(staff, remember=False)
        elif context.staff is not None:  # left, or past the end date: nothing is possible under that name any more
            context.staff = context.actor = None

    def signed_in(self, staff: Staff, *, remember: bool = True) -> None:
        """Work as this person from now on."""
        from app.bootstrap import staff_actor

        self.context.staff, self.context.actor = staff, staff_actor(staff)
        if remember:
            self.launch.remember(staff.email)
        self.context.generation += 1
        self._refresh_all()

    # -- what comes in --------------------------------------------------------------------------------------------

    def published(self, changes: ChangeSet) -> None:
        """Sync has applied something, found a fault, or lost or found the shared database."""
        self.context.generation += 1
        self.context.changes = changes
        if "staff" in changes.tables or changes.wholesale or self._greet is not None:
            self._know_me()
        self._refresh_all()
        if self._greet is not None and self.context.replica is not None and self.context.replica.position() is not None:
            greet, self._greet = self._greet, None
            self.run_worker(greet(), name="greeting", group="sign-in")
        if changes.faults:
            self.bell()

    def _refresh_all(self) -> None:
        from screens.queue_model import waiting_now
        from storage.replica.queries.mine import open_counts

        context = self.context
        if context.replica is not None:
            now = context.now()
            context.counts = {"queue": len(waiting_now(context, now)), **open_counts(context.reader, now)}
            self._own.look(context)
        for screen in self._mains():
            screen.catch_up()
            screen.refresh_frame()

    def _tick(self) -> None:
        if self._terminal.is_gone():
            self._terminal.hang_up()
        now = self.context.now()
        self._own.tick(now)
        if self._outbox.look(self.context):  # marks appear and go: no change of the database says so
            self.context.generation, self.context.changes = self.context.generation + 1, None
            self._refresh_all()
        for screen in self._mains():
            screen.tick(now)

    def _mains(self) -> list[MainScreen]:
        """The main screen in front, or right under a dialog."""
        return [screen for screen in self.screen_stack if isinstance(screen, MainScreen) and screen.is_mounted]

    def _sync_status(self) -> SyncStatus | None:
        return self.workplace.sync.status if self.workplace is not None else None

    # -- edges ----------------------------------------------------------------------------------------------------

    def tell_error(self, error: CountersignError) -> None:
        """What happened, what to do about it, and where the rest is."""
        words = f"{error}\n{error.advice}" if error.advice else str(error)
        self.notify(visible(words, lines=True), title=type(error).__name__, severity="error", markup=False, timeout=15)

    def clear_selection(self) -> None:
        """From Python 3.12 on, tasks start eagerly: the first screen's entries clear a selection before that screen is
        on the stack (Textual issue 6444). There is none to clear then."""
        with contextlib.suppress(ScreenStackError):
            super().clear_selection()

    def _handle_exception(self, error: Exception) -> None:
        """Never a traceback on the terminal: leave, and let `stay` raise it where every crash is logged and told.
        Textual has no public way to an error that nobody caught; without this one it draws it, locals and all."""
        if self.is_headless:  # a test wants the error itself
            super()._handle_exception(error)
        elif self._crash is None:
            self._crash = error.error if isinstance(error, WorkerFailed) else error
            self.panic()

    def stay(self) -> None:
        """Run until the console is left. Raises what nobody caught, once the terminal is a person's again."""
        self.run()
        if self._crash is not None:
            raise self._crash

    def copy_to_clipboard(self, text: str) -> None:
        """OSC 52 is sent and never answered, so that is all that is claimed."""
        super().copy_to_clipboard(text)
        self.notify("sent to the terminal", title="Copy", markup=False, timeout=2)

    def set_terminal_title(self, title: str) -> None:
        """The window's title (OSC 0). Textual has no public way to it; the driver's `write` keeps frames whole."""
        if self._driver is not None and not self.is_headless:
            self._driver.write(f"\x1b]0;{visible(title)}\x07")

    async def on_unmount(self) -> None:
        if self.workplace is not None:
            await self.workplace.close()
        elif self.context.replica is not None:
            self.context.replica.close()


def run_console(launch: Launch) -> None:
    """Open the console and stay until it is left. The collector is off until it stands: see `app.cli.root`."""
    CountersignApp(launch).stay()
