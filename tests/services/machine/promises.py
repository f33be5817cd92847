"""What must hold after every step, whatever was done."""

from __future__ import annotations

from datetime import timedelta

from hypothesis.stateful import invariant

from app.policy.requests import state_at
from storage.models import Decision, DecisionKind, Mode, Request, Session, Settings, StepUp, TenantMode
from tests.services.machine.company import TwoConsoles


class Promises(TwoConsoles):
    @invariant()
    def promises_hold(self) -> None:
        if not hasattr(self, "worlds"):
            return
        self.wait(self.worlds[0].sync.pull())  # the other console lags until it acts
        view = self.worlds[0].desk.view()
        asked = {one.id: one for one in view.find(Request)}
        shut = {one.id for one in view.find(Settings) if one.kill_switch or one.mode is TenantMode.FORBIDDEN}
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
        for case in self.model.cases.values():
            assert state_at(asked[case.id], self.now).value == case.now(self.now)
            if case.session is not None:
                session = self.worlds[0].row(Session, case.session)
                assert session.is_active(self.now) is case.running(self.now)
                assert (session.mode is Mode.FULL) is case.full_now
