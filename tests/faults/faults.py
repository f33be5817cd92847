"""The faults: each strikes, lasts, and has ended when it returns. How long is left to chance, never to a clock: until
so many more answers were given, or until every console has noticed."""

from __future__ import annotations

import asyncio
import os
import signal

from tests.faults.field import Field

CONSOLES = "application_name = 'countersign' and datname = current_database()"
LISTENERS = f"{CONSOLES} and query like 'select seq from countersign.log_head%'"


async def server_killed(field: Field) -> None:
    """kill -9 of the postmaster; started again while everybody goes on typing."""
    await asyncio.to_thread(field.server.kill)
    await _lasts(field)
    await asyncio.to_thread(field.server.start_again)


async def backend_killed(field: Field) -> None:
    """kill -9 of one backend: PostgreSQL ends all others and recovers by itself."""
    with field.ledger.connection() as connection:
        found = connection.execute(f"select pid from pg_stat_activity where {CONSOLES} order by random() limit 1")
        (pid,) = found.fetchone() or (0,)
    os.kill(int(str(pid)), signal.SIGKILL)
    await _lasts(field)
    await field.serving()


async def server_restarted(field: Field) -> None:
    await asyncio.to_thread(field.server.restart)


async def network_cut(field: Field) -> None:
    """Connections break, new ones are refused."""
    field.wire.cut()
    await _lasts(field)
    field.wire.mend()


async def network_slow(field: Field) -> None:
    """A quarter of a second to half a second more in each direction."""
    field.wire.slow(field.chance.uniform(0.05, 0.4))
    await field.more(field.chance.randint(3, 8))
    field.wire.mend()


async def network_stalls(field: Field) -> None:
    """Nothing moves and nothing breaks, for as long as a person gives three commands, or two seconds."""
    field.wire.stall()
    await field.until(lambda: False, field.chance.uniform(0.2, 3))
    field.wire.mend()


async def network_lost(field: Field) -> None:
    """Connections that stand never carry a byte again, and nobody is told."""
    field.wire.lose()
    await field.until(lambda: False, field.chance.uniform(0.2, 6))
    field.wire.mend()


async def listener_dropped(field: Field) -> None:
    """The connections that LISTEN are ended, and only these."""
    with field.ledger.connection() as connection:
        found = connection.execute(f"select pg_terminate_backend(pid) from pg_stat_activity where {LISTENERS}")
        assert found.rowcount >= len(field.consoles) - 1, f"{found.rowcount} listeners were found"
    await field.more(field.chance.randint(1, 4))


async def hints_flooded(field: Field) -> None:
    """Thousands of notifications, most about nothing, some twice for the same commit."""
    enough = field._answered() + field.chance.randint(4, 10)
    with field.ledger.connection() as connection:
        while field._answered() < enough:
            for _ in range(20):
                connection.execute("select pg_notify('countersign', n::text) from generate_series(1, 100) as n")
            await asyncio.sleep(0)


async def _lasts(field: Field) -> None:
    """Short faults nobody sees, and long ones that everybody does."""
    if field.chance.random() < 0.5:
        await field.noticed()
        await field.more(field.chance.randint(1, 6))
    else:
        await field.more(field.chance.randint(1, 3))
