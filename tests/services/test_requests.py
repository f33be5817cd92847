"""Requests: asked, decided, countersigned, withdrawn, asked again (REQ-101 … 107, 112 … 115)."""

from __future__ import annotations

from storage.models import RequestState
from tests.services.world import World


async def test_from_asking_to_the_outcome(world: World) -> None:
    """REQ-101 … 206: ask, consent, start, end."""
    request = await world.ask()
    assert request.state is RequestState.PENDING
    assert {one.to_id for one in world.letters("request.created")} == {"northwind/maria", "northwind/juan"}
    approved = await world.approve(request, minutes=20)
    assert (approved.state, approved.granted_minutes) == (RequestState.APPROVED, 20)
    session = await world.start(approved)
    assert (session.expires_at - session.started_at).total_seconds() == 20 * 60
    over = await world.end(session)
    assert over.outcome is not None
    receipts = world.letters("session.receipt")
    assert len(receipts) == 2
    assert "nothing was viewed" in receipts[0].text
