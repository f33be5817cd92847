"""Faults of server and network, while several consoles are at work (issue 3, section 4): no acknowledged command is
lost or done twice, no log has a gap, everybody is live and at the head again soon, no outbox is stuck."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from tests.faults import faults
from tests.faults.field import Field
from tests.faults.page import tell

FEW, MANY = 1, 100
STRIKES = {
    "kill -9 of PostgreSQL": faults.server_killed,
    "kill -9 of one backend": faults.backend_killed,
    "restart of the server": faults.server_restarted,
    "network cut": faults.network_cut,
    "network slow": faults.network_slow,
    "network stalls": faults.network_stalls,
    "network lost without a word": faults.network_lost,
    "listeners dropped": faults.listener_dropped,
    "notifications flooded and doubled": faults.hints_flooded,
}


@pytest.mark.parametrize("fault", [pytest.param(strike, id=strike.__name__) for strike in STRIKES.values()])
@pytest.mark.parametrize("rounds", [FEW, pytest.param(MANY, marks=pytest.mark.long)])
async def test_nothing_acknowledged_is_lost(
    field: Field, fault: Callable[[Field], Awaitable[None]], rounds: int
) -> None:
    """REQ-802, design.md "Offline": kept once, sent once, never blocking; live again by itself."""
    tally = await field.rounds(rounds, fault)
    row = field.row(next(name for name, strike in STRIKES.items() if strike is fault))
    tell(row)
    assert not tally.troubles, "\n".join(tally.troubles[:20])
    assert (row.lost, row.twice, row.gaps, row.stuck) == (0, 0, 0, 0)
    assert row.of == rounds * len(field.consoles)
    assert row.converged == row.of or rounds == 1  # `make test` asserts no duration
