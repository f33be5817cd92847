"""What must hold after every step, whatever was done."""

from __future__ import annotations

import shutil
from datetime import timedelta

from hypothesis.stateful import invariant

from app.policy.requests import state_at
from storage.models import Decision, DecisionKind, Mode, Request, Session, Settings, Staff, StepUp, TenantMode
from tests.services.machine.company import TwoConsoles
from tests.services.machine.history import Reader

SECOND = (DecisionKind.COUNTERSIGN, DecisionKind.BREAK_GLASS, DecisionKind.EMERGENCY)


class Promises(TwoConsoles):
    @invariant()
    def promises_hold(self) -> None:
        if not hasattr(self, "worlds"):
            return
        self.wait(self.worlds[0].sync.pull())  # the other console lags until it acts
        view = self.worlds[0].desk.view()
        asked = {one.id: one for one in view.find(Request)}
        shut = {one.id for one in view.find(Settings) if one.kill_switch or one.mode is TenantMode.FORBIDDEN}
        shut |= {name for name, place in self.model.places.items() if place.status != "active"}
        decisions = view.find(Decision)
        for decision in decisions:
            assert decision.by != asked[decision.request_id].engineer_id, "nobody decides their own"
        signed = {one.request_id for one in decisions if one.kind is DecisionKind.COUNTERSIGN}
        inside: set[str] = set()
        for session in view.find(Session):
            self._holds(session, signed, shut)
            if session.is_active(self.now):
                assert session.engineer_id not in inside, "one active session per engineer"
                inside.add(session.engineer_id)
        for step in view.find(StepUp):
            assert len(step.used_by) <= (2 if step.act == "request.create" else 1), "each code used once"
        self._as_modelled(asked)

    def _holds(self, session: Session, signed: set[str], shut: set[str]) -> None:
        length = session.expires_at - session.started_at
        assert length <= timedelta(minutes=self.longest[session.id]), "no session past its tenant's maximum"
        assert not (session.is_active(self.now) and session.tenant_id in shut), "nothing active in a shut tenant"
        if session.mode is Mode.FULL:
            elevated = session.elevation is not None and session.elevation.decided_by not in (None, session.engineer_id)
            assert session.request_id in signed or elevated, "no full without a countersign"

    def _as_modelled(self, asked: dict[str, Request]) -> None:
        """The real state, by time, is the one the model believes in."""
        assert asked.keys() == self.model.cases.keys()
        for case in self.model.cases.values():
            request = asked[case.id]
            assert state_at(request, self.now).value == case.now(self.now)
            assert request.layer.value == case.layer
            glass = request.break_glass
            assert (glass.cooling_since if glass else None) == (case.glass.accepted if case.glass else None)
            if case.session is not None:
                session = self.worlds[0].row(Session, case.session)
                assert session.is_active(self.now) is case.running(self.now)
                assert (session.mode is Mode.FULL) is case.full_now
        for person in self.model.people.values():
            member = self.worlds[0].row(Staff, self.staff(self.worlds[0], person).id)
            assert member.is_active(self.now) is person.active

    def teardown(self) -> None:
        if not hasattr(self, "loop"):
            return
        try:
            self.wait(self._whole())
        finally:
            self.wait(self._closed())
            self.loop.close()
            shutil.rmtree(self.home)

    async def _whole(self) -> None:
        """Logs verify, replicas equal the shared database; what time ended is written down as it was; and the log alone
        tells that no promise was broken."""
        self.cable.cut = False
        await self.pull()
        await self.worlds[0].desk.record_due()
        await self.pull()
        for world in self.worlds:
            assert await world.sync.check_everything() == ()
            assert world.replica.position() == await self.shared.position()
        for case in self.model.cases.values():
            assert self.worlds[0].row(Request, case.id).state.value == case.now(self.now)
        bodies = [one.body for one in await self.shared.entries("operator", 0, 10**6)]
        Reader().read(bodies)

    async def _closed(self) -> None:
        for world in self.worlds:
            await world.close()
        await self.ground.gone(self.shared)
