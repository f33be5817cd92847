"""What the main screens have in common: tabs above, keys and the honest state below, one way to reload, one to act.

A subclass names its MODE and ACTIONS, yields its body, and overrides `reload` and `on_tick`. Live changes reach it as
`reload`, which keeps cursor, scroll and focus; a key reaches it as `do_<verb>` once its action is available, and as an
explanation when it is not.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable, Iterable
from datetime import datetime
from time import monotonic
from typing import TYPE_CHECKING, ClassVar, TypeVar

from textual import on
from textual.app import ComposeResult
from textual.binding import Binding

from app.policy.verdict import Refused, Verdict
from screens.actions import COMMON, Action
from screens.common_actions import CommonActions
from screens.context import MAIN_SCREENS, ConsoleContext
from screens.status_line import status_of
from storage.errors import CountersignError
from widgets.bars import Hint, KeyBar, StatusBar, Tab, TopBar, key_name
from widgets.dialog import Dialog
from widgets.kept import Pane
from widgets.table import VirtualTable
from widgets.text import visible

if TYPE_CHECKING:
    from storage.sync import ChangeSet

TICKS_BETWEEN_HINTS = 5
"""Availability can change by time alone; it is asked again this often, and at every move of the cursor."""

TOLD_SECONDS = 8
"""How long a notification stays; meanwhile the same refusal is not said again."""


T = TypeVar("T")


class MainScreen(CommonActions):
    """A screen in a mode of its own, given its context."""

    MODE: ClassVar[str] = ""
    ACTIONS: ClassVar[tuple[Action, ...]] = ()
    AUTO_FOCUS = "VirtualTable"  # never a filter line on the way there: it would eat the keys that follow
    HORIZONTAL_BREAKPOINTS = [(0, "-one-pane"), (110, "-two-panes"), (160, "-three-panes")]  # noqa: RUF012

    DEFAULT_CSS = """
    MainScreen {
        layout: vertical;
        #body { height: 1fr; width: 1fr; layout: horizontal; }
        #bottom { height: 1; layout: horizontal; }
        &.-one-pane #bottom { height: 2; layout: vertical; }
        &.-one-pane StatusBar { width: 1fr; }
        &.-fault #bottom { height: 2; layout: vertical; }
        &.-fault StatusBar { width: 1fr; text-align: left; }
    }
    """

    def __init_subclass__(cls, **kwargs: bool) -> None:
        for action in cls.ACTIONS:
            if not hasattr(cls, action.method):
                raise TypeError(f"{cls.__name__} declares {action.id} and has no {action.method}")
        cls.BINDINGS = [
            Binding(action.key, f"perform({action.id!r})", action.label, show=False, id=action.id)
            for action in (*cls.ACTIONS, *COMMON)
        ]
        super().__init_subclass__(**kwargs)

    def __init__(self, context: ConsoleContext) -> None:
        super().__init__()
        self.context = context
        self._shown_generation = -1
        self._pressed_early: str | None = None
        self._ticks = 0
        self._tabs, self._keys, self._state = TopBar(), KeyBar(), StatusBar()
        self._body = Pane(id="body")

    # -- for subclasses ------------------------------------------------------------------------------------------

    def compose_body(self) -> ComposeResult:
        """The panes between the bars."""
        yield from ()

    def reload(self, changes: ChangeSet | None) -> None:
        """Read the replica again. `changes` is what came in, or None when anything may be different."""

    def go_to(self, key: str) -> bool:
        """Show what has this key, asked for by another screen; False if it is not here. Lists put the cursor on it."""
        tables = self.query(VirtualTable)
        return bool(tables) and tables.first().move_to(key)

    def on_tick(self, now: datetime) -> None:
        """A second has passed; only the screen in front is told. Repaint what depends on the time, read nothing big."""

    def label_of(self, action: Action) -> str:
        """The words of an action now: `⏎` may name the first thing one can do."""
        return action.label

    # -- the frame -----------------------------------------------------------------------------------------------

    def compose(self) -> ComposeResult:
        yield self._tabs
        with self._body:
            yield from self.compose_body()
        with Pane(id="bottom"):
            yield self._keys
            yield self._state

    def on_mount(self) -> None:
        self.refresh_frame()

    def on_screen_resume(self) -> None:
        self.catch_up()
        self.refresh_frame()
        wanted = self.context.wanted.pop(self.MODE, None)
        if wanted is not None and self.context.ready:
            self.call_after_refresh(self._go, wanted)

    def _go(self, key: str) -> None:
        if not self.go_to(key):
            self.tell(f"{key} is not in this list any more; the audit viewer tells its story", severity="warning")

    def catch_up(self, force: bool = False) -> None:
        """Reload if something has come in since this screen was last loaded."""
        context = self.context
        if not self._framed or not context.ready or (self._shown_generation == context.generation and not force):
            return
        following = self._shown_generation == context.generation - 1 and not force
        self._shown_generation = context.generation
        self.reload(context.changes if following else None)
        self.refresh_frame()
        self._do_early()

    def _do_early(self) -> None:
        """What was asked before there was a copy to read, once it is known who asks; nothing under a dialog."""
        early = self._pressed_early
        if early is not None and (self.context.staff is not None or not self.is_current):
            self._pressed_early = None
            if self.is_current:
                self.call_after_refresh(self.action_perform, early)

    def tick(self, now: datetime) -> None:
        """Called by the console's one timer."""
        self._ticks += 1
        self._show_state()
        if self._framed and self.context.ready:
            self.on_tick(now)
        if self._ticks % TICKS_BETWEEN_HINTS == 0:
            self.refresh_hints()

    def refresh_frame(self) -> None:
        """Draw tabs, keys and state again where they differ."""
        counts = self.context.counts
        staff = self.context.staff
        who = forms_of(staff.email, staff.role.value) if staff else ("nobody signed in",)
        if self._framed:
            self._tabs.show([Tab(mode, title, counts.get(mode, 0)) for mode, title in MAIN_SCREENS], self.MODE, who)
            self._show_state()
            self.refresh_hints()

    def refresh_hints(self) -> None:
        """Ask every action in the footer whether it applies now. Call it when the subject changes."""
        if self._framed:
            self._keys.show([self._hint(a) for a in (*self.ACTIONS, *COMMON) if a.footer])

    def every_action(self) -> Iterable[Action]:
        """The screen's own actions, then the common ones: for help and palette."""
        return (*self.ACTIONS, *COMMON)

    def key_of(self, action: Action) -> str:
        """The key in force, remapping included, as it is shown."""
        return key_name(self.context.keymap.get(action.id, action.key))

    def _hint(self, action: Action) -> Hint:
        enabled = not self.context.ready or action.available(self).allowed
        return Hint(action.id, self.key_of(action), self.label_of(action), enabled, action.danger)

    def _show_state(self) -> None:
        if self._framed:
            status = status_of(self.context)
            self.set_class(bool(status.alarm), "-fault")
            self._state.show(status)

    @property
    def _framed(self) -> bool:
        """Whether bars and panes are there: not yet while mounting, not any more while the console is being left."""
        return self.is_mounted and self._state.is_attached and len(self._body.children) > 0

    # -- acting --------------------------------------------------------------------------------------------------

    def action_perform(self, id: str) -> None:
        """A key, a click in the footer or the palette: do it, or say why not and who could."""
        action = next(one for one in self.every_action() if one.id == id)
        context = self.context
        if not (context.ready and (context.staff or not context.copying)) and not id.startswith("app."):
            self._pressed_early = id  # done as soon as there is something to do it with
            return
        verdict = action.available(self)
        if not verdict.allowed:
            self._tell_refused(action, verdict)
            return
        done = getattr(self, action.method)()
        if inspect.isawaitable(done):
            self.run_worker(self._carry_out(done), name=id, group=f"act-{id}", exit_on_error=True)

    def _tell_refused(self, action: Action, verdict: Verdict) -> None:
        """Why not, and who could. What stands in the way of every act alike is said once, not at each key."""
        general = [one for one in self.context.may_act().refusals if one in verdict.refusals]
        title = "Not now" if general else f"{action.label.rstrip('…')}: not now"
        words = (Verdict(tuple(general)) if general else verdict).why()
        until = self.context.refusals_shown.get(title + words, 0.0)
        if monotonic() >= until:
            self.context.refusals_shown[title + words] = monotonic() + TOLD_SECONDS
            self.tell(words, title=title, severity="warning")

    async def _carry_out(self, act: Awaitable[None]) -> None:
        try:
            await act
        except CountersignError as error:
            self.tell_error(error)
        self.refresh_hints()

    def tell(self, words: str, *, title: str = "", severity: str = "information") -> None:
        """A notification: gated, never markup."""
        level = {"warning": "warning", "error": "error"}.get(severity, "information")
        self.app.notify(
            visible(words, lines=True),
            title=visible(title),
            severity=level,  # type: ignore[arg-type]  # Textual's literal type, from a plain string
            markup=False,
            timeout=TOLD_SECONDS,
        )

    async def ask_until_done(self, ask: Callable[[T | None], Dialog[T]], run: Callable[[T], Awaitable[bool]]) -> None:
        """Ask for words, then run with them. Refused, or without a code, they are asked again as they were given:
        nothing that was typed is lost. Until it is done, or the dialog is left."""
        said = await self.app.push_screen_wait(ask(None))
        while said is not None:
            try:
                if await run(said):
                    return
            except CountersignError as error:
                self.tell_error(error)
            said = await self.app.push_screen_wait(ask(said))

    def tell_error(self, error: CountersignError) -> None:
        """What happened, and what to do about it."""
        title = "Refused" if isinstance(error, Refused) else type(error).__name__
        words = f"{error}\n{error.advice}" if error.advice else str(error)
        self.tell(words, title=title, severity="error")

    @on(TopBar.Picked)
    def _tab_picked(self, event: TopBar.Picked) -> None:
        self.app.switch_mode(event.mode)

    @on(KeyBar.Pressed)
    def _hint_pressed(self, event: KeyBar.Pressed) -> None:
        self.action_perform(event.id)

    @on(StatusBar.Opened)
    def _status_opened(self) -> None:
        self.action_perform("app.status")


def forms_of(email: str, role: str) -> tuple[str, ...]:
    """Who I am, from the longest form to the shortest that still says it: `ann@ops.example`, `ann@ops`, `ann`."""
    local, _, domain = visible(email).partition("@")
    short = f"{local}@{domain.partition('.')[0]}" if domain else local
    return (f"{visible(email)} · {role}", f"{short} · {role}", f"{local} · {role}", local)
