"""The console in demo mode: the same application, with colleagues behind it, a mailbox in which one plays the tenant,
codes on screen, and a walk-through.
"""

from __future__ import annotations

import asyncio
import random
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from textual.binding import Binding, BindingType
from textual.screen import SystemModalScreen

from app.console import CountersignApp
from app.demo.home import DemoHome
from screens.demo_bar import STEP_SECONDS, DemoBar, DemoState
from screens.main import MainScreen
from storage.errors import CountersignError
from storage.models import ActorKind
from widgets.entry import CodeEntry
from widgets.type_ahead import TypeAhead

if TYPE_CHECKING:
    from app.bootstrap import Workplace
    from app.demo.colleagues import Colleagues
    from app.demo.letters import Letterbox
    from app.launch import Launch
    from screens.demo_codes import Code
    from storage.models import ConsentLink, Staff

PORTAL_IP = "203.0.113.7"
"""Where the tenant's admin, played by the person at this console, is said to sit."""


class DemoConsole(CountersignApp):
    """`number` is this console's place in the demo's world."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f7", "demo_guide", "Walk-through", show=False, priority=True, id="demo.guide"),
        Binding("f8", "demo_code", "Codes", show=False, priority=True, id="demo.codes"),
        Binding("f9", "demo_mailbox", "Mailbox", show=False, priority=True, id="demo.mailbox"),
    ]

    def __init__(self, launch: Launch, home: DemoHome, number: int) -> None:
        super().__init__(launch, on_ready=self._world_is_open)
        self._home, self._number = home, number
        self._secrets = home.secrets()
        self._box: Letterbox | None = None
        self._since: datetime | None = None
        self._state = DemoState()

    def signed_in(self, staff: Staff, *, remember: bool = True) -> None:
        super().signed_in(staff, remember=remember)
        self._home.plays(self._number, staff.email)

    def _world_is_open(self, app: CountersignApp, place: Workplace) -> None:
        from app.demo.colleagues import Colleagues
        from app.demo.letters import Letterbox

        self._box = Letterbox(place.launch.paths.mailbox)
        self._since = place.clock.now()
        colleagues: Colleagues = Colleagues(place, self._home, rng=random.Random())
        self.run_worker(colleagues.run(), name="simulated colleagues", group="colleagues")
        self.run_worker(self._keep_line(), name="the demo's line", group="demo-line")

    # -- the line -------------------------------------------------------------------------------------------------

    async def _keep_line(self) -> None:
        if self._box is not None:  # the first reading of weeks of letters must not hold up the key that opens them
            await asyncio.to_thread(self._box.letters)
        while True:
            await self._look()
            self._draw()
            await asyncio.sleep(1.0)

    async def _look(self) -> None:
        """What the line says now."""
        from screens.demo_guide import line

        staff = self.context.staff
        if staff is None or self._since is None:
            self._state = DemoState()
            return
        waiting = (
            "SELECT count(*) FROM request WHERE engineer_id = ? AND state = 'pending'"
            " AND coalesce(json_extract(image, '$.exchanges[#-1].kind'), 'answer') = 'answer'"
        )
        self._state = DemoState(
            who=staff.email.partition("@")[0],
            code=await self._code_of(staff),
            left=self._seconds_left(),
            waiting=self.context.reader.execute(waiting, (staff.id,)).fetchone()[0],
            step=line(self.context.reader, staff, self._since),
        )

    async def _code_of(self, staff: Staff) -> str:
        """A code of that person which will be accepted now; "" while there is none."""
        from app.demo.colleagues import fresh_code

        try:
            return await fresh_code(self.workplace, self._secrets, staff) or "" if self.workplace else ""
        except CountersignError:  # out of reach, or damaged on purpose: the status line says so
            return ""

    def _seconds_left(self) -> int:
        return STEP_SECONDS - int(self.context.now().timestamp()) % STEP_SECONDS

    def _draw(self) -> None:
        """On the screen in front and on those under it; not on Textual's own, such as the palette."""
        for screen in self.screen_stack:
            if not screen.is_mounted or isinstance(screen, SystemModalScreen):
                continue
            for demo_bar in screen.query(DemoBar):
                demo_bar.show(self._state)
                break
            else:
                over = not isinstance(screen, MainScreen)
                if over or screen.query("#bottom"):
                    demo_bar = DemoBar(over=over)
                    demo_bar.show(self._state)
                    screen.mount(demo_bar, after=None if over else "#bottom")

    # -- the panes ------------------------------------------------------------------------------------------------

    def action_demo_guide(self) -> None:
        from screens.demo_guide import guide

        if self.context.staff is not None and self._since is not None:
            self.push_screen(guide(self.context.reader, self.context.staff, self._since))

    async def action_demo_code(self) -> None:
        """In a field that asks for a code: type it. Elsewhere: show everybody's."""
        from screens.demo_codes import CodesDialog

        field = self.focused
        if isinstance(field, CodeEntry):
            field.value = await self._code_wanted()
            field.cursor_position = len(field.value)
        elif isinstance(self.screen, CodesDialog):
            self.screen.dismiss(None)
        elif self.workplace is not None:
            self.push_screen(CodesDialog(self._everybodys_codes, self._seconds_left))

    async def _code_wanted(self) -> str:
        """Mine, or where somebody is being chosen, theirs."""
        from storage.replica.queries.requests import staff_by_id

        chosen = next((one.chosen for one in self.screen.query(TypeAhead) if one.chosen), None)
        staff = staff_by_id(self.context.reader, chosen) if chosen else self.context.staff
        return await self._code_of(staff) if staff else ""

    def action_demo_mailbox(self) -> None:
        from screens.demo_mailbox import MailboxDialog

        if isinstance(self.screen, MailboxDialog):
            self.screen.dismiss(None)
        elif self._box is not None and isinstance(self.screen, MainScreen):
            self.push_screen(MailboxDialog(self.context, self._box.letters, self._decide))

    async def _everybodys_codes(self) -> list[Code]:
        from screens.demo_codes import Code
        from storage.replica.queries.staff import all_staff

        now, me = self.context.now(), self.context.staff
        return [
            Code(one.name, one.email, one.role.value, await self._code_of(one),
                 me is not None and one.id == me.id)
            for one in sorted(all_staff(self.context.reader), key=lambda one: (one.role, one.name))
            if one.is_active(now)
        ]  # fmt: skip

    async def _decide(self, act: str, link: ConsentLink, words: str) -> None:
        """What the link in the letter does, or the page behind it, as the admin it was mailed to."""
        from app.services import consent, tenants
        from app.services.desk import Desk

        if self.workplace is None:
            return
        desk: Desk = self.workplace.desk
        bearer = replace(consent.actor_of(desk.view(), link.id), ip=PORTAL_IP, kind=ActorKind.TENANT_ADMIN)
        match act:
            case "approve":
                await desk.run(consent.approve, bearer, link.id, int(words) if words else None, "")
            case "deny":
                await desk.run(consent.deny, bearer, link.id, words)
            case "veto":
                await desk.run(consent.veto, bearer, link.id, words)
            case "ask":
                await desk.run(consent.ask, bearer, link.id, words)
            case "switch on" | "switch off":
                tenant = consent.asked(desk.view(), link.id).request.tenant_id
                await desk.run(tenants.set_kill_switch, bearer, tenant, act == "switch on")
            case _:
                raise ValueError(f"no link does that: {act}")
