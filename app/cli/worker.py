"""`countersign worker`: send what was kept offline, deliver mail and record what time has ended, once or for as long as
it runs."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Annotated

import typer

from app.bootstrap import Workplace
from app.cli.options import Json
from app.cli.output import print_json, say
from app.cli.run import run

cli = typer.Typer(rich_markup_mode=None, add_completion=False)

_SECONDS_BETWEEN_LOOKS = 2
_SECONDS_BETWEEN_ROUNDS = 1.0


@cli.command()
def worker(
    ctx: typer.Context,
    once: Annotated[bool, typer.Option("--once", help="One round, then end.")] = False,
    as_json: Json = False,
) -> None:
    """Deliver queued mail and record what time has ended; until Ctrl+C, or once."""
    from app.cli.queued import tell_sent
    from app.upkeep import deliver_queued, record_due, send_queued
    from storage.errors import Offline

    async def round_(place: Workplace) -> tuple[int, int]:
        await place.sync.pull()
        tell_sent(await send_queued(place))
        if place.launch.on_postgres:
            from app.server import watch_over

            for words in await watch_over(place):
                say(words)
        return await record_due(place), await deliver_queued(place)

    async def work(place: Workplace) -> None:
        if place.launch.on_postgres:
            from app.server import must_be_worker

            must_be_worker(place)
        recorded, delivered = await round_(place)
        if once:
            if as_json:
                print_json({"recorded": recorded, "delivered": delivered})
            else:
                say(f"{recorded} recorded, {delivered} delivered")
            return
        watching = asyncio.create_task(_watched(place)) if place.launch.on_postgres else None
        say(f"working; mail goes to {place.launch.paths.mailbox}; Ctrl+C ends it")
        try:
            while True:
                await asyncio.sleep(_SECONDS_BETWEEN_ROUNDS)
                with contextlib.suppress(Offline):  # out of reach for now: the next round tries again
                    await place.sync.measure_clock()
                    await round_(place)
        finally:
            if watching is not None:
                watching.cancel()

    run(ctx, work, as_json=as_json, tidy=False)


async def _watched(place: Workplace) -> None:
    """Look for whoever keeps everybody waiting, beside the rounds: a round waits for the log's head itself."""
    from app.server import watch_over
    from storage.errors import Offline

    while True:
        await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)
        with contextlib.suppress(Offline):
            for words in await watch_over(place):
                say(words)
